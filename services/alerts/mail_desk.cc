#include "services/alerts/mail_desk.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/mail/mail_composer.h"
#include "services/alerts/mail_recipients.h"

namespace rapport {
namespace {

// An urgent mail goes out without a name rather than late.
constexpr absl::Duration kUrgentPatience = absl::Milliseconds(500);
constexpr size_t kMostAlerts = 500;
// Several ticks of the log's clock.
constexpr absl::Duration kMostBehind = absl::Minutes(10);
// Whose alerts a lead is told of; beyond, the staff list is what needs mending.
constexpr size_t kMostOwners = 200;

const std::string& NameOf(const StaffPerson& person) {
  return person.name.empty() ? person.person_id : person.name;
}

// Whose agenda a person's digest tells: their own, and that of those for whom they stand in.
std::vector<std::string> AgendaOwners(const Organisation& firm, const std::string& person_id,
                                      absl::Time now) {
  std::vector<std::string> owners = {person_id};
  for (std::string& absent : firm.StandsInFor(person_id, now)) owners.push_back(std::move(absent));
  return owners;
}

// Whose alerts besides: of those in the person's units whom no mail reaches.
std::vector<std::string> UnreachableUnder(const Organisation& firm, const std::string& person_id,
                                          absl::Time now) {
  std::vector<std::string> owners;
  for (const std::string& unit : firm.LedBy(person_id, now)) {
    for (const std::string& owner : firm.PeopleIn(unit, now)) {
      const MailRecipient recipient = RecipientFor(firm, owner, now);
      if (recipient.reason == state::v1::MAIL_RECIPIENT_REASON_LEAD &&
          recipient.person_id == person_id && owners.size() < kMostOwners) {
        owners.push_back(owner);
      }
    }
  }
  return owners;
}

// A digest of an agenda that is behind would leave out what it does not know yet.
absl::Status CheckUpToDate(const query::v1::Watermark& watermark, absl::Time now) {
  if (watermark.missing_partitions_size() > 0) {
    return absl::UnavailableError("the agenda cannot be read of all partitions");
  }
  for (const query::v1::PartitionWatermark& partition : watermark.partitions()) {
    if (partition.has_clock() && now - FromProto(partition.clock()) <= kMostBehind) continue;
    return absl::UnavailableError("the agenda is behind: its projection is folded still");
  }
  return absl::OkStatus();
}

std::string DomainOf(const std::string& address) { return address.substr(address.find('@') + 1); }

}  // namespace

std::string MailDesk::LanguageOf(const StaffPerson& person) const {
  return person.language.empty() ? env_.settings->language : person.language;
}

const Phrases& MailDesk::PhrasesOf(const std::string& language) {
  std::unique_ptr<Phrases>& phrases = phrases_[language];
  if (phrases == nullptr) phrases = std::make_unique<Phrases>(language, env_.settings->zone);
  return *phrases;
}

LetterStyle MailDesk::StyleFor(const StaffPerson& person, absl::Time now) {
  return {.phrases = &PhrasesOf(LanguageOf(person)),
          .public_url = env_.settings->public_url,
          .unsubscribe_url = env_.links->UrlFor(person.person_id),
          .now = now};
}

absl::StatusOr<std::optional<Letter>> MailDesk::WriteDigest(const StaffPerson& person,
                                                            const DigestSpan& span,
                                                            absl::Time now) {
  const std::shared_ptr<const Organisation> firm = env_.firm();
  const LetterStyle style = StyleFor(person, now);
  std::vector<std::string> owners = AgendaOwners(*firm, person.person_id, now);
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::Agenda agenda, env_.api->AgendaOf(owners));
  if (span.needs_up_to_date) RAPPORT_RETURN_IF_ERROR(CheckUpToDate(agenda.watermark(), now));
  DailyDigest digest{.person_name = NameOf(person), .sections = SectionsOf(agenda, style)};
  for (std::string& owner : UnreachableUnder(*firm, person.person_id, now)) {
    owners.push_back(std::move(owner));
  }
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  RAPPORT_RETURN_IF_ERROR(AddAlerts(owners, span, style, &digest));
  for (const std::string& owner : owners) {
    digest.ended_alerts += env_.tellings->Ended(owner, span.begin, span.end);
  }
  if (digest.empty()) return std::optional<Letter>();
  return std::optional<Letter>(DigestLetter(digest, style));
}

absl::Status MailDesk::AddAlerts(const std::vector<std::string>& owners, const DigestSpan& span,
                                 const LetterStyle& style, DailyDigest* digest) const {
  AlertFilter filter;
  filter.owners = OwnerFilter(owners);
  filter.limit = kMostAlerts;
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AlertsPage page, env_.book->List(filter));
  std::vector<const query::v1::Alert*> untold;
  for (const query::v1::Alert& alert : page.alerts()) {
    // Somebody knows of it.
    if (alert.has_acknowledged() || alert.has_snoozed()) continue;
    const std::optional<RecordPosition> step = env_.tellings->Find(alert.alert_id());
    if (!step || !span.begin.IsBefore(*step) || span.end.IsBefore(*step)) continue;
    if (!span.is_told(alert.alert_id(), *step)) untold.push_back(&alert);
  }
  DigestSection& section = digest->sections.emplace_back();
  section.id = "ALERT";
  section.count = static_cast<int64_t>(untold.size());
  if (untold.empty()) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AtRiskList at_risk, env_.api->AtRiskOf(owners));
  absl::flat_hash_map<absl::string_view, const query::v1::AtRiskClient*> risks;
  for (const query::v1::AtRiskClient& client : at_risk.clients()) {
    risks[client.client_id()] = &client;
  }
  const auto risk_of = [&risks](const query::v1::Alert& alert) -> const query::v1::AtRiskClient* {
    const auto found = risks.find(alert.client_id());
    return found == risks.end() ? nullptr : found->second;
  };
  // The gravest first; of like ones, of whom most stands to be lost.
  const auto rank = [&risk_of](const query::v1::Alert* alert) {
    const query::v1::AtRiskClient* const risk = risk_of(*alert);
    return std::make_tuple(-static_cast<int>(alert->severity()),
                           risk == nullptr ? 0 : -risk->expected_loss().minor_units(),
                           -alert->score(), absl::string_view(alert->client_id()));
  };
  std::sort(untold.begin(), untold.end(),
            [&rank](const auto* a, const auto* b) { return rank(a) < rank(b); });
  for (const query::v1::Alert* const alert : untold) {
    const query::v1::AtRiskClient* const risk = risk_of(*alert);
    section.lines.push_back({.client_id = alert->client_id(),
                             .client_name = risk == nullptr ? "" : risk->client_name(),
                             .why = AlertSentence(*alert, style)});
  }
  return absl::OkStatus();
}

Letter MailDesk::WriteUrgent(const query::v1::AlertStep& step, const StaffPerson& person,
                             state::v1::MailRecipientReason reason, absl::Time now) {
  UrgentAlert alert{.step = step, .client_name = step.client_name(), .recipient_reason = reason};
  const absl::StatusOr<query::v1::Retention> retention =
      env_.api->RetentionOf(step.client_id(), kUrgentPatience);
  if (retention.ok()) {
    alert.client_name = retention->client_name();
    alert.loss_a_year = retention->expected_loss();
  } else {
    Log(LogLevel::kWarning, absl::StrCat("an urgent mail goes without what stands to be lost: ",
                                         retention.status().message()));
  }
  const std::shared_ptr<const Organisation> firm = env_.firm();
  if (const StaffPerson* const owner = firm->FindPerson(step.owner_id())) {
    alert.owner_name = NameOf(*owner);
  }
  return UrgentLetter(alert, StyleFor(person, now));
}

Letter MailDesk::WriteTest(absl::Time now) {
  return TestLetter({.phrases = &PhrasesOf(env_.settings->language),
                     .public_url = env_.settings->public_url,
                     .now = now});
}

std::string MailDesk::Compose(const Letter& letter, const StaffPerson& person,
                              const std::string& id, absl::Time now) const {
  return ComposeMail({.from = env_.settings->from,
                      .to = {NameOf(person), person.e_mail},
                      .subject = letter.subject,
                      .date = now,
                      .zone = env_.settings->zone,
                      .message_id = absl::StrCat(id, "@", DomainOf(env_.settings->from.address)),
                      .fields = {{"Auto-Submitted", "auto-generated"},
                                 {"Content-Language", LanguageOf(person)},
                                 {"List-Unsubscribe",
                                  absl::StrCat("<", env_.links->UrlFor(person.person_id), ">")},
                                 {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}},
                      .text = letter.text,
                      .html = letter.html});
}

std::string MailDesk::ComposeTest(const Letter& letter, const std::string& address,
                                  const std::string& id, absl::Time now) const {
  return ComposeMail({.from = env_.settings->from,
                      .to = {"", address},
                      .subject = letter.subject,
                      .date = now,
                      .zone = env_.settings->zone,
                      .message_id = absl::StrCat(id, "@", DomainOf(env_.settings->from.address)),
                      .fields = {{"Auto-Submitted", "auto-generated"}},
                      .text = letter.text,
                      .html = letter.html});
}

}  // namespace rapport
