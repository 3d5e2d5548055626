#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "services/alerts/mail_recipients.h"
#include "services/alerts/mail_sender.h"

// The part of mail_sender.h that decides which mails are to be sent.

namespace rapport {
namespace {

using state::v1::MailFact;

constexpr size_t kReadSteps = 1000;
constexpr size_t kFactsAtOnce = 500;
constexpr absl::Duration kLongestWait = absl::Seconds(1);
// A digest that could not be planned in the morning is of use until the evening.
constexpr absl::Duration kDigestLate = absl::Hours(12);

}  // namespace

void MailSender::Plan() {
  absl::Status trouble;
  while (!stopping_) {
    const absl::Status status = PlanAll();
    if (!status.ok() && status != trouble) {
      Log(LogLevel::kWarning, absl::StrCat("planning mails: ", status.message()));
    }
    trouble = status;
    Refresh();
    const absl::Time until =
        absl::Now() + std::clamp(NextLook() - env_.now(), absl::ZeroDuration(), kLongestWait);
    MutexLock lock(&mutex_);
    // Workers are woken by the same.
    while (!woken_ && !stopping_ && absl::Now() < until) {
      changed_.WaitFor(&mutex_, until - absl::Now());
    }
    woken_ = false;
  }
}

absl::Time MailSender::NextLook() const {
  return env_.settings.NextDigests(env_.now()).value_or(absl::InfiniteFuture());
}

absl::Status MailSender::PlanAll() {
  {
    MutexLock lock(&mutex_);
    if (!MayWork()) return absl::OkStatus();
    if (std::exchange(took_over_, false)) {
      reader_.reset();
      planned_day_.clear();
    }
  }
  RAPPORT_RETURN_IF_ERROR(PlanStart());
  RAPPORT_RETURN_IF_ERROR(PlanUrgent());
  return PlanDigests();
}

absl::Status MailSender::PlanStart() {
  {
    MutexLock lock(&mutex_);
    if (queue_.started_at()) return absl::OkStatus();
  }
  MailFact fact;
  ToProto(env_.now(), fact.mutable_at());
  for (const int64_t next : tellings_.cursor().next) {
    fact.mutable_started()->add_next_offsets(next);
  }
  return Append({fact});
}

absl::Status MailSender::PlanUrgent() {
  bool at_end = false;
  while (!at_end && !stopping_) {
    {
      MutexLock lock(&mutex_);
      if (!leads_ || !queue_.HasRoom()) return absl::OkStatus();
      if (reader_ == nullptr) {
        reader_ = std::make_unique<StepReader>(env_.feed, queue_.alerts_read());
      }
    }
    const AlertCursor before = reader_->cursor();
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<FedStepPtr> steps,
                             reader_->Read(kReadSteps, &at_end));
    if (reader_->cursor() == before) continue;
    const std::shared_ptr<const Organisation> firm = env_.firm();
    const absl::Time now = env_.now();
    Facts facts;
    for (const FedStepPtr& fed : steps) AddUrgent(fed->step, fed->position, *firm, now, &facts);
    MailFact& read = facts.emplace_back();
    ToProto(now, read.mutable_at());
    for (const int64_t next : reader_->cursor().next) {
      read.mutable_alerts_read()->add_next_offsets(next);
    }
    const absl::Status written = Append(facts);
    if (!written.ok()) {
      // From where the facts stand, next time.
      reader_.reset();
      return written;
    }
  }
  return absl::OkStatus();
}

void MailSender::AddUrgent(const query::v1::AlertStep& step, const RecordPosition& position,
                           const Organisation& firm, absl::Time now, Facts* facts) {
  if (!IsUrgent(step)) return;
  MailRecipient recipient = RecipientFor(firm, step.owner_id(), now);
  if (step.change() == query::v1::ALERT_CHANGE_ESCALATED) {
    // Who was told first has not taken it on. Without a lead it is told once more.
    if (std::string lead = LeadFor(firm, step.owner_id(), now); !lead.empty()) {
      recipient = {std::move(lead), state::v1::MAIL_RECIPIENT_REASON_ESCALATED, ""};
    }
  }
  const std::string mail_id = UrgentMailId(step.effect_id(), recipient.person_id);
  {
    MutexLock lock(&mutex_);
    if (queue_.IsPlanned(mail_id)) return;
    if (!recipient.person_id.empty() && (queue_.PreferenceOf(recipient.person_id) != "all" ||
                                         !queue_.MayGetUrgent(recipient.person_id, now))) {
      return;
    }
  }
  MailFact& fact = facts->emplace_back();
  ToProto(now, fact.mutable_at());
  state::v1::MailPlanned& planned = *fact.mutable_planned();
  planned.set_mail_id(mail_id);
  planned.set_kind(state::v1::MAIL_KIND_URGENT);
  planned.set_person_id(recipient.person_id);
  planned.set_reason(recipient.reason);
  planned.set_owner_id(step.owner_id());
  planned.set_alert_id(step.alert_id());
  planned.set_partition(position.partition.value());
  planned.set_offset(position.offset.value());
}

bool MailSender::GetsDigest(const StaffPerson& person, absl::CivilDay day) const {
  const absl::Time at = env_.settings.DigestTime(day);
  return person.left_at > env_.now() && !person.e_mail.empty() && !IsAway(person, at);
}

absl::Status MailSender::PlanDigests() {
  if (!env_.settings.digest_at) return absl::OkStatus();
  const absl::Time now = env_.now();
  const absl::CivilDay today = absl::ToCivilDay(now, env_.settings.zone);
  const absl::Time due = env_.settings.DigestTime(today);
  const std::string day = absl::FormatCivilTime(today);
  if (!env_.settings.IsWorkingDay(today) || now < due || now > due + kDigestLate ||
      planned_day_ == day) {
    return absl::OkStatus();
  }
  bool fresh = false;
  {
    MutexLock lock(&mutex_);
    // Whoever switches mail on at noon asks for tomorrow's.
    if (queue_.started_at() > due) return absl::OkStatus();
    fresh = queue_.digest_day() < day;
  }
  if (fresh) {
    MailFact fact;
    ToProto(now, fact.mutable_at());
    fact.mutable_digests_planned()->set_day(day);
    for (const int64_t next : tellings_.cursor().next) {
      fact.mutable_digests_planned()->add_next_offsets(next);
    }
    RAPPORT_RETURN_IF_ERROR(Append({fact}));
  }
  const std::shared_ptr<const Organisation> firm = env_.firm();
  Facts facts;
  for (const StaffPerson* const person : firm->People()) {
    if (!GetsDigest(*person, today)) continue;
    {
      MutexLock lock(&mutex_);
      if (queue_.HasDigest(person->person_id) || queue_.PreferenceOf(person->person_id) == "off") {
        continue;
      }
    }
    MailFact& fact = facts.emplace_back();
    ToProto(now, fact.mutable_at());
    state::v1::MailPlanned& planned = *fact.mutable_planned();
    planned.set_mail_id(DigestMailId(day, person->person_id));
    planned.set_kind(state::v1::MAIL_KIND_DIGEST);
    planned.set_person_id(person->person_id);
    planned.set_reason(state::v1::MAIL_RECIPIENT_REASON_OWNER);
    planned.set_day(day);
    if (facts.size() == kFactsAtOnce) {
      RAPPORT_RETURN_IF_ERROR(Append(facts));
      facts.clear();
    }
  }
  RAPPORT_RETURN_IF_ERROR(Append(facts));
  planned_day_ = day;
  MutexLock lock(&mutex_);
  queue_.ForgetTold(
      [this](const std::string& alert_id) { return tellings_.Find(alert_id).has_value(); });
  return absl::OkStatus();
}

}  // namespace rapport
