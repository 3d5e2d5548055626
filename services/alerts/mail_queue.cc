#include "services/alerts/mail_queue.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/sha256.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using state::v1::MailAttempted;
using state::v1::MailFact;
using state::v1::MailPlanned;

// Before the second attempt, the third, and so on; the last goes for all later ones. A server that
// puts strangers off (greylisting) asks for a minute or some.
constexpr std::array<absl::Duration, 6> kPauses = {
    absl::Seconds(20), absl::Minutes(1),  absl::Minutes(3),
    absl::Minutes(5),  absl::Minutes(10), absl::Minutes(15),
};
constexpr double kJitter = 0.1;
constexpr size_t kMaxErrorBytes = 300;
// As long as a digest may be sought by the day it was for.
constexpr size_t kMaxDigestDays = 40;
constexpr char kAll[] = "all";

std::string IdOf(absl::string_view kind, absl::string_view what, absl::string_view person_id) {
  const std::array<uint8_t, 32> hash =
      Sha256(absl::StrCat("mail/", kind, "/", what.size(), "/", what, "/", person_id));
  return std::string(hash.begin(), hash.begin() + 16);
}

const char* StateOf(state::v1::MailOutcome outcome) {
  switch (outcome) {
    case state::v1::MAIL_OUTCOME_SENT:
      return "sent";
    case state::v1::MAIL_OUTCOME_WAITS:
      return "waits";
    case state::v1::MAIL_OUTCOME_REFUSED:
      return "refused";
    case state::v1::MAIL_OUTCOME_GIVEN_UP:
      return "given_up";
    case state::v1::MAIL_OUTCOME_NOT_WANTED:
      return "not_wanted";
    case state::v1::MAIL_OUTCOME_NOTHING:
      return "nothing";
    default:
      return "";
  }
}

AlertCursor CursorOf(const google::protobuf::RepeatedField<int64_t>& offsets, size_t partitions) {
  AlertCursor cursor{std::vector<int64_t>(partitions, 0)};
  for (size_t i = 0; i < partitions && i < static_cast<size_t>(offsets.size()); ++i) {
    cursor.next[i] = offsets[static_cast<int>(i)];
  }
  return cursor;
}

}  // namespace

std::string UrgentMailId(absl::string_view effect_id_hex, absl::string_view person_id) {
  return IdOf("urgent", effect_id_hex, person_id);
}

std::string DigestMailId(absl::string_view day, absl::string_view person_id) {
  return IdOf("digest", day, person_id);
}

MailQueue::MailQueue(int partitions)
    : begin_{std::vector<int64_t>(static_cast<size_t>(partitions), 0)}, alerts_read_(begin_) {}

void MailQueue::Apply(const MailFact& fact) {
  switch (fact.fact_case()) {
    case MailFact::kStarted:
      // Two processes may have written one; the first holds.
      if (started_at_) return;
      started_at_ = FromProto(fact.at());
      begin_ = CursorOf(fact.started().next_offsets(), begin_.next.size());
      alerts_read_ = begin_;
      return;
    case MailFact::kAlertsRead: {
      const AlertCursor read = CursorOf(fact.alerts_read().next_offsets(), begin_.next.size());
      for (size_t i = 0; i < read.next.size(); ++i) {
        alerts_read_.next[i] = std::max(alerts_read_.next[i], read.next[i]);
      }
      planned_since_.clear();
      return;
    }
    case MailFact::kPlanned:
      return ApplyPlanned(fact);
    case MailFact::kDigestsPlanned:
      return ApplyDigests(fact.digests_planned());
    case MailFact::kAttempted:
      return ApplyAttempted(fact);
    case MailFact::kPreferenceSet: {
      query::v1::MailPreference& preference = preferences_[fact.preference_set().person_id()];
      preference.set_person_id(fact.preference_set().person_id());
      preference.set_preference(fact.preference_set().preference());
      preference.set_set_by(fact.preference_set().set_by());
      *preference.mutable_set_at() = fact.at();
      return;
    }
    case MailFact::FACT_NOT_SET:
      return;
  }
}

void MailQueue::ApplyDigests(const state::v1::MailDigestsPlanned& digests) {
  // A day that comes again, or late from another process, changes nothing.
  if (digests.day() <= digest_day_) return;
  digest_day_ = digests.day();
  has_digest_.clear();
  digest_ends_[digest_day_] =
      std::make_shared<const AlertCursor>(CursorOf(digests.next_offsets(), begin_.next.size()));
  if (digest_ends_.size() > kMaxDigestDays) digest_ends_.erase(digest_ends_.begin());
}

void MailQueue::ApplyPlanned(const MailFact& fact) {
  const MailPlanned& planned = fact.planned();
  const std::string& id = planned.mail_id();
  const bool urgent = planned.kind() == state::v1::MAIL_KIND_URGENT;
  if (waiting_.contains(id) || planned_since_.contains(id)) return;
  if (urgent) planned_since_.insert(id);
  if (planned.person_id().empty()) {
    NoteDelivery(planned, fact.at(), "nobody", MailAttempted());
    return;
  }
  if (urgent) {
    told_[planned.alert_id()][planned.person_id()] = {planned.partition(), planned.offset()};
    std::deque<absl::Time>& times = urgent_at_[planned.person_id()];
    times.push_back(FromProto(fact.at()));
    if (times.size() > kMostAnHour) times.pop_front();
    ++urgent_waiting_;
  } else {
    if (planned.day() == digest_day_ && !has_digest_.insert(planned.person_id()).second) return;
    if (const auto before = digest_of_.find(planned.person_id()); before != digest_of_.end()) {
      NoteDelivery(waiting_.at(before->second).planned, fact.at(), "replaced", MailAttempted());
      const std::string replaced = before->second;
      Settle(replaced);
    }
    digest_of_[planned.person_id()] = id;
  }
  Waiting& waiting = waiting_[id];
  waiting.planned = planned;
  waiting.planned_at = FromProto(fact.at());
  waiting.number = ++last_number_;
  planned_at_[waiting.number] = waiting.planned_at;
  TurnsOf(waiting).insert(TurnOf(waiting));
}

void MailQueue::ApplyAttempted(const MailFact& fact) {
  const MailAttempted& attempted = fact.attempted();
  const auto found = waiting_.find(attempted.mail_id());
  // One that was replaced while it was under way.
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  const MailPlanned planned = waiting.planned;
  NoteDelivery(planned, fact.at(), StateOf(attempted.outcome()), attempted);
  if (attempted.outcome() == state::v1::MAIL_OUTCOME_WAITS) {
    TurnsOf(waiting).erase(TurnOf(waiting));
    waiting.attempts = attempted.attempt();
    waiting.next_at = FromProto(attempted.next_attempt_at());
    TurnsOf(waiting).insert(TurnOf(waiting));
    return;
  }
  const bool done = attempted.outcome() == state::v1::MAIL_OUTCOME_SENT ||
                    attempted.outcome() == state::v1::MAIL_OUTCOME_NOTHING;
  if (planned.kind() == state::v1::MAIL_KIND_DIGEST && done) {
    if (auto end = DigestEnd(planned.day())) digest_begins_[planned.person_id()] = std::move(end);
  } else if (planned.kind() == state::v1::MAIL_KIND_URGENT && !done) {
    // Not told after all: the digest does.
    const auto people = told_.find(planned.alert_id());
    if (people != told_.end()) {
      const auto told = people->second.find(planned.person_id());
      if (told != people->second.end() &&
          told->second == Place{planned.partition(), planned.offset()}) {
        people->second.erase(told);
      }
      if (people->second.empty()) told_.erase(people);
    }
  }
  Settle(attempted.mail_id());
}

void MailQueue::Settle(const std::string& mail_id) {
  const auto found = waiting_.find(mail_id);
  TurnsOf(found->second).erase(TurnOf(found->second));
  planned_at_.erase(found->second.number);
  if (found->second.planned.kind() == state::v1::MAIL_KIND_URGENT) {
    --urgent_waiting_;
  } else {
    digest_of_.erase(found->second.planned.person_id());
  }
  waiting_.erase(found);
}

void MailQueue::NoteDelivery(const MailPlanned& planned, const google::protobuf::Timestamp& at,
                             const char* state, const MailAttempted& attempted) {
  query::v1::MailDelivery& delivery = deliveries_.emplace_back();
  delivery.set_mail_id(absl::BytesToHexString(planned.mail_id()));
  delivery.set_kind(planned.kind() == state::v1::MAIL_KIND_URGENT ? "urgent" : "digest");
  delivery.set_person_id(planned.person_id());
  delivery.set_alert_id(planned.alert_id());
  delivery.set_day(planned.day());
  *delivery.mutable_at() = at;
  delivery.set_state(state);
  delivery.set_address(attempted.address());
  delivery.set_attempt(attempted.attempt());
  delivery.set_code(attempted.code());
  delivery.set_text(attempted.text());
  delivery.set_duration_ms(attempted.duration_ms());
  if (attempted.has_next_attempt_at()) {
    *delivery.mutable_next_attempt_at() = attempted.next_attempt_at();
  }
  if (deliveries_.size() > kMaxDeliveries) deliveries_.pop_front();
}

const query::v1::MailPreference* MailQueue::FindPreference(absl::string_view person_id) const {
  const auto found = preferences_.find(person_id);
  return found == preferences_.end() ? nullptr : &found->second;
}

const std::string& MailQueue::PreferenceOf(absl::string_view person_id) const {
  static const auto* const all = new std::string(kAll);
  const query::v1::MailPreference* const found = FindPreference(person_id);
  return found == nullptr ? *all : found->preference();
}

bool MailQueue::MayGetUrgent(absl::string_view person_id, absl::Time now) const {
  const auto times = urgent_at_.find(person_id);
  return times == urgent_at_.end() || times->second.size() < kMostAnHour ||
         now - times->second.front() > absl::Hours(1);
}

const AlertCursor& MailQueue::DigestBegin(absl::string_view person_id) const {
  const auto found = digest_begins_.find(person_id);
  return found == digest_begins_.end() ? begin_ : *found->second;
}

std::shared_ptr<const AlertCursor> MailQueue::DigestEnd(const std::string& day) const {
  const auto found = digest_ends_.find(day);
  return found == digest_ends_.end() ? nullptr : found->second;
}

bool MailQueue::IsTold(absl::string_view alert_id, absl::string_view person_id,
                       const RecordPosition& step) const {
  const auto people = told_.find(alert_id);
  if (people == told_.end()) return false;
  const auto told = people->second.find(person_id);
  return told != people->second.end() && told->second.first == step.partition.value() &&
         told->second.second >= step.offset.value();
}

void MailQueue::ForgetTold(const std::function<bool(const std::string& alert_id)>& is_open) {
  absl::erase_if(told_, [&is_open](const auto& entry) { return !is_open(entry.first); });
}

MailQueue::Turn MailQueue::TurnOf(const Waiting& waiting) {
  return {waiting.next_at, waiting.number, waiting.planned.mail_id()};
}

std::set<MailQueue::Turn>& MailQueue::TurnsOf(const Waiting& waiting) {
  return waiting.planned.kind() == state::v1::MAIL_KIND_URGENT ? urgent_turns_ : digest_turns_;
}

std::optional<MailQueue::Job> MailQueue::Next(absl::Time now) {
  for (std::set<Turn>* const turns : {&urgent_turns_, &digest_turns_}) {
    if (turns->empty() || std::get<0>(*turns->begin()) > now) continue;
    const std::string id = std::get<2>(*turns->begin());
    turns->erase(turns->begin());
    Waiting& waiting = waiting_.at(id);
    return Job{waiting.planned, waiting.planned_at, waiting.attempts + 1};
  }
  return std::nullopt;
}

void MailQueue::PutBack(const std::string& mail_id) {
  const auto found = waiting_.find(mail_id);
  if (found == waiting_.end()) return;
  TurnsOf(found->second).insert(TurnOf(found->second));
}

absl::Time MailQueue::NextDue() const {
  absl::Time due = absl::InfiniteFuture();
  for (const std::set<Turn>* const turns : {&urgent_turns_, &digest_turns_}) {
    if (!turns->empty()) due = std::min(due, std::get<0>(*turns->begin()));
  }
  return due;
}

std::optional<absl::Time> MailQueue::oldest_pending() const {
  if (planned_at_.empty()) return std::nullopt;
  return planned_at_.begin()->second;
}

state::v1::MailFact SettleMail(const MailQueue::Job& job, state::v1::MailOutcome outcome,
                               const std::string& why, absl::Time now) {
  MailFact fact;
  ToProto(now, fact.mutable_at());
  MailAttempted& attempted = *fact.mutable_attempted();
  attempted.set_mail_id(job.planned.mail_id());
  attempted.set_attempt(job.attempt);
  attempted.set_outcome(outcome);
  attempted.set_text(why.substr(0, kMaxErrorBytes));
  return fact;
}

state::v1::MailFact JudgeMail(const MailQueue::Job& job, const SmtpReply& reply,
                              const std::string& address, absl::Time now, double jitter) {
  state::v1::MailOutcome outcome = state::v1::MAIL_OUTCOME_WAITS;
  if (reply.outcome == SmtpReply::Outcome::kTaken) {
    outcome = state::v1::MAIL_OUTCOME_SENT;
  } else if (reply.outcome == SmtpReply::Outcome::kRefused) {
    outcome = state::v1::MAIL_OUTCOME_REFUSED;
  } else if (now - job.planned_at >= MailQueue::kLongestTry) {
    outcome = state::v1::MAIL_OUTCOME_GIVEN_UP;
  }
  MailFact fact = SettleMail(job, outcome, reply.text, now);
  MailAttempted& attempted = *fact.mutable_attempted();
  attempted.set_address(address);
  attempted.set_code(reply.code);
  attempted.set_duration_ms(absl::ToInt64Milliseconds(reply.took));
  if (outcome == state::v1::MAIL_OUTCOME_WAITS) {
    const size_t tried = static_cast<size_t>(std::max(job.attempt, 1)) - 1;
    const absl::Duration pause = kPauses.at(std::min(tried, kPauses.size() - 1));
    ToProto(now + pause * (1 + kJitter * jitter), attempted.mutable_next_attempt_at());
  }
  return fact;
}

}  // namespace rapport
