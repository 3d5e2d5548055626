#include "services/alerts/mail_sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "services/alerts/alert_view.h"

// How mails are sent; mail_sender_planning.cc has which, mail_sender_status.cc how they stand.

namespace rapport {
namespace {

using state::v1::MailFact;

constexpr char kGroup[] = "rapport-mail";
constexpr absl::Duration kLongestWait = absl::Seconds(1);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);
constexpr absl::Duration kFactPatience = absl::Seconds(10);
// While the server is in trouble: twice as long each time.
constexpr absl::Duration kFirstPause = absl::Seconds(2);
constexpr absl::Duration kLongestPause = absl::Minutes(5);

const char* KindOf(const state::v1::MailPlanned& planned) {
  return planned.kind() == state::v1::MAIL_KIND_URGENT ? "urgent" : "digest";
}

}  // namespace

MailSender::MailSender(Env env)
    : env_(std::move(env)),
      api_(env_.api),
      links_(env_.key, env_.settings.public_url),
      tellings_(env_.feed->partition_count()),
      metrics_(env_.metrics),
      queue_(env_.feed->partition_count()) {}

absl::StatusOr<std::unique_ptr<MailSender>> MailSender::Start(Env env) {
  auto sender = std::unique_ptr<MailSender>(new MailSender(std::move(env)));
  RAPPORT_RETURN_IF_ERROR(sender->Begin());
  return sender;
}

absl::Status MailSender::Begin() {
  const MailDeskEnv desk = {.settings = &env_.settings,
                            .book = &env_.feed->book(),
                            .tellings = &tellings_,
                            .api = &api_,
                            .links = &links_,
                            .firm = env_.firm};
  {
    MutexLock lock(&desk_mutex_);
    desk_ = std::make_unique<MailDesk>(desk);
    RAPPORT_ASSIGN_OR_RETURN(client_, SmtpClient::Create(env_.settings.server));
  }
  RAPPORT_ASSIGN_OR_RETURN(
      follower_,
      TopicFollower::Start(env_.log, env_.topic, [this](auto records) { TakeFacts(records); }));
  planner_ = std::thread([this] { Plan(); });
  for (int i = 0; i < env_.settings.connections; ++i) {
    workers_.emplace_back([this] { Work(); });
  }
  RAPPORT_ASSIGN_OR_RETURN(leadership_, Leadership::Join(env_.log, env_.topic,
                                                         {.group = kGroup, .member = env_.instance},
                                                         [this](bool leads) { Lead(leads); }));
  return absl::OkStatus();
}

MailSender::~MailSender() {
  stopping_ = true;
  Wake();
  if (planner_.joinable()) planner_.join();
  for (std::thread& worker : workers_) worker.join();
  // What was sent is written before another may lead.
  leadership_.reset();
  follower_.reset();
}

void MailSender::TakeFacts(absl::Span<const RecordView> records) {
  MutexLock lock(&mutex_);
  for (const RecordView& record : records) {
    MailFact fact;
    if (fact.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      queue_.Apply(fact);
    } else {
      Log(LogLevel::kWarning, absl::StrCat("record ", record.offset.value(), " of ", env_.topic,
                                           " is no fact about a mail; it is left out"));
    }
  }
  changed_.SignalAll();
}

void MailSender::Lead(bool leads) {
  const absl::StatusOr<Watermarks> marks = env_.log->GetWatermarks(env_.topic, Partition(0));
  MutexLock lock(&mutex_);
  leads_ = leads && marks.ok();
  took_over_ = leads_;
  if (leads_) facts_needed_ = marks->end;
  woken_ = true;
  changed_.SignalAll();
}

void MailSender::Wake() {
  MutexLock lock(&mutex_);
  woken_ = true;
  changed_.SignalAll();
}

void MailSender::Take(const std::vector<FedStepPtr>& steps, const AlertCursor& after) {
  tellings_.Take(steps, after, [this](absl::string_view alert_id) {
    MutexLock lock(&mutex_);
    return queue_.IsTold(alert_id);
  });
  if (!steps.empty()) Wake();
}

bool MailSender::MayWork() {
  return leads_ && follower_->position() >= facts_needed_ && env_.feed->Ready().ok();
}

absl::Status MailSender::Append(const Facts& facts) {
  if (facts.empty()) return absl::OkStatus();
  std::vector<Record> records;
  for (const MailFact& fact : facts) {
    Record& record = records.emplace_back();
    record.key = "mail";
    record.value = fact.SerializeAsString();
    record.timestamp = FromProto(fact.at());
    record.partition = Partition(0);
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                           env_.log->Append(env_.topic, records));
  return follower_->Await(Offset(positions.back().offset.value() + 1), kFactPatience);
}

void MailSender::AppendUntilTaken(const MailFact& fact) {
  while (true) {
    const absl::Status status = Append({fact});
    // It is on disk, and will be applied.
    if (status.ok() || absl::IsDeadlineExceeded(status)) return;
    Log(LogLevel::kError,
        absl::StrCat("that a mail was tried cannot be written: ", status.message()));
    if (stopping_) return;
    absl::SleepFor(kPauseAfterError);
  }
}

std::optional<MailQueue::Job> MailSender::NextJob() {
  MutexLock lock(&mutex_);
  if (stopping_) return std::nullopt;
  absl::Duration wait = kLongestWait;
  if (MayWork()) {
    const absl::Time now = env_.now();
    if (now >= paused_until_) {
      if (std::optional<MailQueue::Job> job = queue_.Next(now)) return job;
    }
    wait = std::clamp(std::max(queue_.NextDue(), paused_until_) - now, absl::ZeroDuration(), wait);
  }
  changed_.WaitFor(&mutex_, wait);
  return std::nullopt;
}

void MailSender::Work() {
  MailDesk desk({.settings = &env_.settings,
                 .book = &env_.feed->book(),
                 .tellings = &tellings_,
                 .api = &api_,
                 .links = &links_,
                 .firm = env_.firm});
  absl::StatusOr<std::unique_ptr<SmtpClient>> client = SmtpClient::Create(env_.settings.server);
  RAPPORT_CHECK(client.ok(), client.status().ToString());
  while (!stopping_) {
    const std::optional<MailQueue::Job> job = NextJob();
    if (!job) continue;
    const std::optional<MailFact> fact = Handle(*job, &desk, client->get());
    if (fact) {
      AppendUntilTaken(*fact);
    } else {
      MutexLock lock(&mutex_);
      queue_.PutBack(job->planned.mail_id());
    }
  }
}

std::string MailSender::WhyNotWanted(const MailQueue::Job& job, const StaffPerson* person) const {
  const bool urgent = job.planned.kind() == state::v1::MAIL_KIND_URGENT;
  if (person == nullptr) return "the person is not in the staff list any more";
  if (person->left_at <= env_.now()) return "the person has left";
  if (person->e_mail.empty()) return "the person has no address any more";
  MutexLock lock(&mutex_);
  const std::string& preference = queue_.PreferenceOf(person->person_id);
  if (preference == "off" || (urgent && preference == "digest")) {
    return absl::StrCat("the person has chosen '", preference, "'");
  }
  return "";
}

absl::StatusOr<query::v1::AlertStep> MailSender::StepAt(const RecordPosition& position) const {
  std::vector<FedStepPtr> steps;
  int64_t next = position.offset.value();
  if (env_.feed->FromMemory(position.partition, &next, 1, &steps) && !steps.empty() &&
      steps[0]->position.offset == position.offset) {
    return steps[0]->step;
  }
  RAPPORT_ASSIGN_OR_RETURN(
      const std::unique_ptr<LogReader> reader,
      env_.log->OpenReader(env_.feed->topic(), position.partition, position.offset));
  RAPPORT_ASSIGN_OR_RETURN(const auto records, reader->Read(1, absl::Seconds(5)));
  alert::v1::AlertEvent event;
  if (records.empty() || records[0].offset != position.offset ||
      !event.ParseFromArray(records[0].value.data(), static_cast<int>(records[0].value.size()))) {
    return absl::NotFoundError("the alerts log has its step no more");
  }
  return StepOf(position, event);
}

MailDesk::DigestSpan MailSender::SpanOf(const std::string& person_id, AlertCursor end) const {
  MailDesk::DigestSpan span;
  {
    MutexLock lock(&mutex_);
    span.begin = queue_.DigestBegin(person_id);
  }
  span.end = std::move(end);
  span.is_told = [this, person_id](const std::string& alert_id, const RecordPosition& step) {
    MutexLock lock(&mutex_);
    return queue_.IsTold(alert_id, person_id, step);
  };
  return span;
}

// nullopt: there is nothing to tell. NotFound: there is nothing any more that it could be made of.
absl::StatusOr<std::optional<Letter>> MailSender::Write(const MailQueue::Job& job,
                                                        const StaffPerson& person, MailDesk* desk) {
  const absl::Time now = env_.now();
  if (job.planned.kind() == state::v1::MAIL_KIND_URGENT) {
    RAPPORT_ASSIGN_OR_RETURN(
        const query::v1::AlertStep step,
        StepAt({Partition(job.planned.partition()), Offset(job.planned.offset())}));
    return std::optional<Letter>(desk->WriteUrgent(step, person, job.planned.reason(), now));
  }
  std::shared_ptr<const AlertCursor> end;
  {
    MutexLock lock(&mutex_);
    end = queue_.DigestEnd(job.planned.day());
  }
  if (end == nullptr ||
      job.planned.day() != absl::FormatCivilTime(absl::ToCivilDay(now, env_.settings.zone))) {
    return absl::NotFoundError("its day is over; the next one tells what it would have told");
  }
  MailDesk::DigestSpan span = SpanOf(person.person_id, *end);
  span.needs_up_to_date = true;
  return desk->WriteDigest(person, span, now);
}

std::optional<MailFact> MailSender::Handle(const MailQueue::Job& job, MailDesk* desk,
                                           SmtpClient* client) {
  const absl::Time begun = env_.now();
  const std::shared_ptr<const Organisation> firm = env_.firm();
  const StaffPerson* const person = firm->FindPerson(job.planned.person_id());
  const auto settle = [&](state::v1::MailOutcome outcome, const std::string& why) {
    metrics_.Count(KindOf(job.planned),
                   outcome == state::v1::MAIL_OUTCOME_NOTHING ? "nothing" : "not_sent");
    return SettleMail(job, outcome, why, env_.now());
  };
  if (const std::string why = WhyNotWanted(job, person); !why.empty()) {
    return settle(state::v1::MAIL_OUTCOME_NOT_WANTED, why);
  }
  absl::StatusOr<std::optional<Letter>> letter = Write(job, *person, desk);
  if (absl::IsNotFound(letter.status())) {
    return settle(state::v1::MAIL_OUTCOME_GIVEN_UP, std::string(letter.status().message()));
  }
  if (letter.ok() && !letter->has_value()) {
    return settle(state::v1::MAIL_OUTCOME_NOTHING, "there is nothing to tell");
  }
  SmtpReply reply;
  if (letter.ok()) {
    reply = client->Send(
        env_.settings.from.address, person->e_mail,
        desk->Compose(**letter, *person, absl::BytesToHexString(job.planned.mail_id()), begun));
    NoteServer(reply);
    if (reply.outcome == SmtpReply::Outcome::kServerTrouble) return std::nullopt;
  } else {
    reply.outcome = SmtpReply::Outcome::kPutOff;
    reply.text = std::string(letter.status().message());
  }
  reply.took = env_.now() - begun;
  const MailFact fact = JudgeMail(job, reply, person->e_mail, env_.now(), env_.jitter());
  switch (fact.attempted().outcome()) {
    case state::v1::MAIL_OUTCOME_SENT:
      metrics_.Count(KindOf(job.planned), "sent");
      if (job.planned.kind() == state::v1::MAIL_KIND_URGENT) {
        metrics_.TookUrgent(env_.now() - job.planned_at);
      }
      break;
    case state::v1::MAIL_OUTCOME_REFUSED:
      metrics_.Count(KindOf(job.planned), "refused");
      break;
    default:
      metrics_.Count(KindOf(job.planned), "put_off");
  }
  return fact;
}

void MailSender::NoteServer(const SmtpReply& reply) {
  MutexLock lock(&mutex_);
  if (reply.outcome != SmtpReply::Outcome::kServerTrouble) {
    if (!trouble_.empty()) {
      Log(LogLevel::kInfo, absl::StrCat("the mail server ", env_.settings.server.host_and_port,
                                        " takes mails again"));
    }
    trouble_.clear();
    troubles_ = 0;
    paused_until_ = absl::InfinitePast();
    return;
  }
  const absl::Time now = env_.now();
  // What two workers met at the same time is one trouble.
  if (now < paused_until_) return;
  if (trouble_.empty()) {
    trouble_since_ = now;
    Log(LogLevel::kWarning, absl::StrCat("the mail server ", env_.settings.server.host_and_port,
                                         " takes no mail (", reply.step, "): ", reply.text));
  }
  trouble_ = absl::StrCat(reply.step, ": ", reply.code == 0 ? "" : absl::StrCat(reply.code, " "),
                          reply.text);
  const absl::Duration pause =
      std::min(kFirstPause * (int64_t{1} << std::min(troubles_, 20)), kLongestPause);
  ++troubles_;
  paused_until_ = now + pause * (1 + 0.1 * env_.jitter());
}

}  // namespace rapport
