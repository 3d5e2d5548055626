#include <algorithm>
#include <utility>

#include "libs/base/bytes.h"
#include "libs/base/time.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/records.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"

namespace rapport {
namespace {

void AddMails(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& factors = signs->factors();
  int count = 0;
  int count_later = 0;
  absl::Time oldest = absl::InfiniteFuture();
  std::vector<std::string> ids;
  const size_t mails = CountRecords(factors.inbound_mails(), kInboundMailBytes);
  for (size_t i = mails; i-- > 0;) {
    const InboundMail mail = ReadInboundMail(factors, i);
    const absl::Time at = absl::FromUnixSeconds(mail.unix_seconds);
    if (signs->from() >= at + settings.mail_forgotten || IsAnswered(factors, mail)) continue;
    signs->ChangesAt(at + settings.mail_answer_due);
    signs->ChangesAt(at + settings.mail_forgotten);
    ++count_later;
    if (signs->from() < at + settings.mail_answer_due) continue;
    ++count;
    oldest = std::min(oldest, at);
    if (signs->with_facts()) ids.emplace_back(mail.event_id.data(), mail.event_id.size());
  }
  // A mail that is overdue is no contact any more: then the silence before it counts again.
  if (count_later > count) signs->MayGrow(settings.e_mail.most - settings.e_mail.least);
  Finding* finding =
      signs->AddGrowing(ReasonCode::kMailUnanswered, count * settings.mail_unanswered,
                        count_later * settings.mail_unanswered, settings.mails_most);
  if (finding == nullptr) return;
  TellCount(static_cast<size_t>(count), oldest, finding);
  finding->touchpoint_ids = std::move(ids);
}

struct EventRecords {
  double sum = 0;
  absl::Time latest = absl::InfinitePast();
  std::vector<std::string> ids;
};

// Those of `records` after `since`, each fading by itself.
EventRecords FadingRecords(absl::string_view records, absl::Time since, double weight,
                           absl::Duration half_life, Signs* signs) {
  EventRecords found;
  for (size_t i = CountRecords(records, kEventRecordBytes); i-- > 0;) {
    const absl::string_view record = RecordAt(records, kEventRecordBytes, i);
    const absl::Time at = absl::FromUnixSeconds(ReadBig32(record.data()));
    if (at + absl::Seconds(1) <= since) break;
    const double counts = weight * signs->Fading(at, half_life);
    if (counts == 0) break;
    found.sum += counts;
    found.latest = std::max(found.latest, at);
    found.ids.emplace_back(record.substr(4));
  }
  return found;
}

// Calls and chats of the client that nobody took, since we last spoke.
void AddMissed(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& factors = signs->factors();
  const absl::Time spoke =
      std::max({LastOf(factors.phone()), LastOf(factors.chat()), LastOf(factors.meetings())});
  EventRecords missed = FadingRecords(factors.missed_contacts(), spoke, settings.contact_missed,
                                      settings.contact_missed_half_life, signs);
  Finding* finding =
      signs->Add(ReasonCode::kContactMissed, std::min(missed.sum, settings.contacts_missed_most));
  if (finding == nullptr) return;
  TellCount(missed.ids.size(), missed.latest, finding);
  finding->touchpoint_ids = std::move(missed.ids);
}

void AddPortalFailures(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  EventRecords failed =
      FadingRecords(signs->factors().portal_failures(), absl::InfinitePast(),
                    settings.portal_failed, settings.portal_failed_half_life, signs);
  Finding* finding =
      signs->Add(ReasonCode::kPortalFailing, std::min(failed.sum, settings.portal_failed_most));
  if (finding == nullptr) return;
  TellCount(failed.ids.size(), failed.latest, finding);
  finding->touchpoint_ids = std::move(failed.ids);
}

// Since we last met.
void AddCancelledMeetings(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const absl::Time met = LastOf(signs->factors().meetings());
  FadingSum cancelled(settings.meeting_cancelled_half_life, signs);
  for (const auto& stamp : signs->factors().cancelled_meetings())
    if (TimeOf(stamp) >= met) cancelled.Add(settings.meeting_cancelled, stamp);
  Finding* finding = signs->Add(ReasonCode::kMeetingCancelled,
                                std::min(cancelled.sum(), settings.meetings_cancelled_most));
  if (finding == nullptr) return;
  cancelled.Tell(finding);
}

}  // namespace

void AddContactSigns(Signs* signs) {
  const auto& factors = signs->factors();
  if (!factors.inbound_mails().empty()) AddMails(signs);
  if (!factors.missed_contacts().empty()) AddMissed(signs);
  if (!factors.portal_failures().empty()) AddPortalFailures(signs);
  if (factors.cancelled_meetings_size() > 0) AddCancelledMeetings(signs);
}

}  // namespace rapport
