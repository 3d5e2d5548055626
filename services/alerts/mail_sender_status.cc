#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/people/signer.h"
#include "services/alerts/mail_recipients.h"
#include "services/alerts/mail_sender.h"

// The part of mail_sender.h that tells how mails stand, and does what people ask for.

namespace rapport {
namespace {

using state::v1::MailFact;

// From when on waiting is told to the operator.
constexpr absl::Duration kLongWait = absl::Minutes(15);
constexpr absl::Duration kRefusedLately = absl::Hours(24);
constexpr size_t kMostNames = 5;

absl::Status NoSuchPerson(absl::string_view person_id) {
  return absl::NotFoundError(
      absl::StrCat("there is no person '", absl::CHexEscape(person_id), "' in the staff list"));
}

}  // namespace

void MailSender::Refresh() {
  MutexLock lock(&mutex_);
  const std::optional<absl::Time> oldest = queue_.oldest_pending();
  metrics_.Set(queue_.pending(), oldest ? env_.now() - *oldest : absl::ZeroDuration(),
               !trouble_.empty());
}

std::vector<query::v1::MailUnreachable> MailSender::Unreachable() const {
  const std::shared_ptr<const Organisation> firm = env_.firm();
  const absl::Time now = env_.now();
  std::vector<query::v1::MailUnreachable> all;
  for (const auto& [owner, count] : tellings_.OpenByOwner()) {
    const MailRecipient recipient = RecipientFor(*firm, owner, now);
    if (recipient.why.empty()) continue;
    query::v1::MailUnreachable& one = all.emplace_back();
    one.set_owner_id(owner);
    one.set_why(recipient.why);
    one.set_told_person_id(recipient.person_id);
    one.set_open_alerts(count);
  }
  return all;
}

query::v1::MailStatus MailSender::Status() const {
  query::v1::MailStatus status;
  status.set_enabled(true);
  status.set_server(env_.settings.server.host_and_port);
  status.set_from(env_.settings.from.address);
  status.set_max_pending(MailQueue::kMaxUrgent);
  if (const auto next = env_.settings.NextDigests(env_.now())) {
    ToProto(*next, status.mutable_next_digests_at());
  }
  for (query::v1::MailUnreachable& one : Unreachable()) {
    *status.add_unreachable_owners() = std::move(one);
  }
  MutexLock lock(&mutex_);
  status.set_sending(leads_);
  status.set_pending(static_cast<int64_t>(queue_.pending()));
  if (const auto oldest = queue_.oldest_pending()) {
    ToProto(*oldest, status.mutable_oldest_pending_at());
  }
  if (!trouble_.empty()) {
    status.set_trouble(trouble_);
    ToProto(trouble_since_, status.mutable_trouble_since_at());
    ToProto(paused_until_, status.mutable_paused_until());
  }
  for (auto at = queue_.deliveries().rbegin(); at != queue_.deliveries().rend(); ++at) {
    *status.add_deliveries() = *at;
  }
  return status;
}

std::vector<std::string> MailSender::Warnings() const {
  const query::v1::MailStatus status = Status();
  const absl::Time now = env_.now();
  std::vector<std::string> warnings;
  const std::string waiting =
      absl::StrCat(status.pending(), status.pending() == 1 ? " mail waits" : " mails wait");
  if (!status.trouble().empty()) {
    warnings.push_back(
        absl::StrCat("mail: ", status.server(), " takes no mail since ",
                     absl::FormatTime("%Y-%m-%d %H:%M", FromProto(status.trouble_since_at()),
                                      absl::UTCTimeZone()),
                     " UTC (", status.trouble(), "); ", waiting,
                     ", none is lost; `rapport mail test ADDRESS` tries it"));
  } else if (status.has_oldest_pending_at() &&
             now - FromProto(status.oldest_pending_at()) > kLongWait) {
    warnings.push_back(
        absl::StrCat("mail: ", waiting, ", the oldest since ",
                     absl::FormatTime("%Y-%m-%d %H:%M", FromProto(status.oldest_pending_at()),
                                      absl::UTCTimeZone()),
                     " UTC; `rapport mail status` tells why"));
  }
  std::vector<std::string> names;
  for (const query::v1::MailUnreachable& one : status.unreachable_owners()) {
    names.push_back(absl::StrCat(
        one.owner_id().empty() ? "clients without an owner" : one.owner_id(), " (", one.why(), "; ",
        one.told_person_id().empty() ? "nobody" : one.told_person_id(), " is told)"));
  }
  if (!names.empty()) {
    const size_t more = names.size() - std::min(names.size(), kMostNames);
    names.resize(std::min(names.size(), kMostNames));
    warnings.push_back(
        absl::StrCat("mail: not reached, and with open alerts: ", absl::StrJoin(names, ", "),
                     more == 0 ? "" : absl::StrCat(" and ", more, " more")));
  }
  int64_t refused = 0;
  const query::v1::MailDelivery* latest = nullptr;
  for (const query::v1::MailDelivery& delivery : status.deliveries()) {
    if (delivery.state() != "refused" || now - FromProto(delivery.at()) > kRefusedLately) continue;
    ++refused;
    if (latest == nullptr) latest = &delivery;
  }
  if (latest != nullptr) {
    warnings.push_back(absl::StrCat(
        "mail: ", refused, " refused for good within a day, the latest to ", latest->address(),
        ": ", latest->code(), " ", latest->text(), "; mend the address in the staff list"));
  }
  return warnings;
}

absl::StatusOr<query::v1::MailDigest> MailSender::ShowDigest(const std::string& person_id,
                                                             bool send) {
  const std::shared_ptr<const Organisation> firm = env_.firm();
  const StaffPerson* const person = firm->FindPerson(person_id);
  if (person == nullptr) return NoSuchPerson(person_id);
  const absl::Time now = env_.now();
  query::v1::MailDigest shown;
  shown.set_person_id(person_id);
  shown.set_address(person->e_mail);
  const absl::CivilDay today = absl::ToCivilDay(now, env_.settings.zone);
  if (!env_.settings.digest_at) {
    shown.set_not_sent_since("there are no digests: alerts.mail.digest_at is empty");
  } else if (person->left_at <= now) {
    shown.set_not_sent_since("the person has left");
  } else if (person->e_mail.empty()) {
    shown.set_not_sent_since("the person has no address in the staff list");
  } else if (IsAway(*person, now)) {
    shown.set_not_sent_since("the person is away");
  } else if (!env_.settings.IsWorkingDay(today)) {
    shown.set_not_sent_since("today is no working day");
  } else {
    MutexLock lock(&mutex_);
    if (queue_.PreferenceOf(person_id) == "off") {
      shown.set_not_sent_since("the person has chosen to get no mails");
    }
  }
  MutexLock lock(&desk_mutex_);
  shown.set_language(desk_->PhrasesOf(desk_->LanguageOf(*person)).language());
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<Letter> letter,
                           desk_->WriteDigest(*person, SpanOf(person_id, tellings_.cursor()), now));
  if (!letter) {
    if (shown.not_sent_since().empty()) shown.set_not_sent_since("there is nothing to tell");
    return shown;
  }
  shown.set_subject(letter->subject);
  shown.set_text(letter->text);
  shown.set_html(letter->html);
  shown.set_lines(letter->lines);
  if (!send) return shown;
  if (person->left_at <= now || person->e_mail.empty()) {
    return absl::FailedPreconditionError(shown.not_sent_since());
  }
  const std::string id = absl::BytesToHexString(RandomBytes().substr(0, 16));
  const SmtpReply reply = client_->Send(env_.settings.from.address, person->e_mail,
                                        desk_->Compose(*letter, *person, id, now));
  if (reply.outcome == SmtpReply::Outcome::kTaken) return shown;
  return absl::UnavailableError(absl::StrCat("the mail server did not take it (", reply.step,
                                             "): ", reply.code, " ", reply.text));
}

absl::StatusOr<query::v1::MailTested> MailSender::SendTest(const std::string& address) {
  if (address.find('@') == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("address is '", absl::CHexEscape(address),
                                                   "'; write such as anna@firm.example"));
  }
  const absl::Time now = env_.now();
  MutexLock lock(&desk_mutex_);
  const std::string id = absl::BytesToHexString(RandomBytes().substr(0, 16));
  const SmtpReply reply =
      client_->Send(env_.settings.from.address, address,
                    desk_->ComposeTest(desk_->WriteTest(now), address, id, now));
  query::v1::MailTested tested;
  tested.set_address(address);
  tested.set_taken(reply.outcome == SmtpReply::Outcome::kTaken);
  tested.set_code(reply.code);
  tested.set_text(reply.text);
  tested.set_step(reply.step);
  tested.set_duration_ms(absl::ToInt64Milliseconds(reply.took));
  return tested;
}

absl::StatusOr<query::v1::MailPreference> MailSender::PreferenceOf(
    const std::string& person_id) const {
  if (env_.firm()->FindPerson(person_id) == nullptr) return NoSuchPerson(person_id);
  MutexLock lock(&mutex_);
  if (const query::v1::MailPreference* const said = queue_.FindPreference(person_id)) return *said;
  query::v1::MailPreference preference;
  preference.set_person_id(person_id);
  preference.set_preference(queue_.PreferenceOf(person_id));
  return preference;
}

absl::StatusOr<query::v1::MailPreference> MailSender::SetPreference(const std::string& person_id,
                                                                    const std::string& preference,
                                                                    const std::string& set_by) {
  if (preference != "all" && preference != "digest" && preference != "off") {
    return absl::InvalidArgumentError(absl::StrCat("preference is '", absl::CHexEscape(preference),
                                                   "'; there are: all, digest, off"));
  }
  if (env_.firm()->FindPerson(person_id) == nullptr) return NoSuchPerson(person_id);
  MailFact fact;
  ToProto(env_.now(), fact.mutable_at());
  fact.mutable_preference_set()->set_person_id(person_id);
  fact.mutable_preference_set()->set_preference(preference);
  fact.mutable_preference_set()->set_set_by(set_by);
  RAPPORT_RETURN_IF_ERROR(Append({fact}));
  return PreferenceOf(person_id);
}

std::string MailSender::LanguageOf(const std::string& person_id) const {
  const std::shared_ptr<const Organisation> firm = env_.firm();
  const StaffPerson* const person = firm->FindPerson(person_id);
  return person == nullptr || person->language.empty() ? env_.settings.language : person->language;
}

}  // namespace rapport
