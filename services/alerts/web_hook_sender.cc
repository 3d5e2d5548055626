#include "services/alerts/web_hook_sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/service/config.h"
#include "services/alerts/alert_view.h"

namespace rapport {
namespace {

using state::v1::WebHookFact;

constexpr char kGroup[] = "rapport-web-hooks";
constexpr size_t kReadRecords = 1000;
constexpr absl::Duration kReadWait = absl::Milliseconds(200);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);
constexpr absl::Duration kLongestWait = absl::Seconds(1);
// How long the end waits for answers; what is not there by then is sent again after the start.
constexpr absl::Duration kFarewell = absl::Seconds(5);
constexpr size_t kMaxAnswerBytes = size_t{64} << 10;

absl::Status Wrong(const config::v1::WebHook& config, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("alerts.web_hooks '", config.name(), "': ", what));
}

absl::Status CheckConfig(const config::v1::WebHook& config) {
  const bool named =
      !config.name().empty() && std::all_of(config.name().begin(), config.name().end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '_';
      });
  if (!named) return Wrong(config, "name: letters, digits, - and _ only");
  if (absl::StartsWith(config.url(), "https://")) return absl::OkStatus();
  if (!absl::StartsWith(config.url(), "http://"))
    return Wrong(config, "url: must begin with https");
  if (!config.allow_private_address()) {
    return Wrong(config, "url: must begin with https, unless allow_private_address is true");
  }
  return absl::OkStatus();
}

absl::StatusOr<WebHookSigner> ReadSigner(const config::v1::WebHook& config) {
  const absl::StatusOr<std::string> secret = ReadSecretFile(config.secret_file());
  if (!secret.ok()) return Wrong(config, absl::StrCat("secret_file: ", secret.status().message()));
  absl::StatusOr<WebHookSigner> signer = WebHookSigner::Parse(*secret);
  if (!signer.ok()) return Wrong(config, absl::StrCat("secret_file: ", signer.status().message()));
  return signer;
}

absl::string_view TypeOf(query::v1::AlertChange change) {
  switch (change) {
    case query::v1::ALERT_CHANGE_RAISED:
      return "alert.raised";
    case query::v1::ALERT_CHANGE_UPDATED:
      return "alert.updated";
    case query::v1::ALERT_CHANGE_ESCALATED:
      return "alert.escalated";
    case query::v1::ALERT_CHANGE_REMINDED:
      return "alert.reminded";
    default:
      return "alert.cleared";
  }
}

// The same bytes on every attempt.
std::string Body(const query::v1::AlertStep& step) {
  return absl::StrCat(
      R"({"type":")", TypeOf(step.change()), R"(","timestamp":")",
      absl::FormatTime(absl::RFC3339_full, FromProto(step.at()), absl::UTCTimeZone()),
      R"(","data":)", JsonLine(step), "}");
}

}  // namespace

absl::StatusOr<std::unique_ptr<WebHookSender>> WebHookSender::Start(
    const Env& env, const google::protobuf::RepeatedPtrField<config::v1::WebHook>& web_hooks,
    Observer observer) {
  auto sender = std::unique_ptr<WebHookSender>(new WebHookSender(env, std::move(observer)));
  for (const config::v1::WebHook& config : web_hooks) {
    RAPPORT_RETURN_IF_ERROR(sender->Add(config));
  }
  if (web_hooks.empty()) return sender;
  RAPPORT_RETURN_IF_ERROR(env.log->CreateTopic(env.topic, 1));
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, env.log->GetWatermarks(env.topic, Partition(0)));
  RAPPORT_ASSIGN_OR_RETURN(sender->facts_,
                           env.log->OpenReader(env.topic, Partition(0), marks.begin));
  WebHookSender* const self = sender.get();
  sender->follower_ = std::thread([self] { self->FollowFacts(); });
  sender->sender_ = std::thread([self] { self->Run(); });
  RAPPORT_ASSIGN_OR_RETURN(
      sender->leadership_,
      Leadership::Join(env.log, env.topic, {.group = kGroup, .member = env.instance},
                       [self](bool leads) { self->Lead(leads); }));
  return sender;
}

WebHookSender::~WebHookSender() {
  leadership_.reset();
  {
    MutexLock lock(&inbox_->mutex);
    const absl::Time until = absl::Now() + kFarewell;
    while (inbox_->under_way > 0 && absl::Now() < until) {
      inbox_->woken.WaitFor(&inbox_->mutex, until - absl::Now());
    }
  }
  stopping_ = true;
  Wake();
  if (sender_.joinable()) sender_.join();
  if (follower_.joinable()) follower_.join();
}

absl::Status WebHookSender::Add(const config::v1::WebHook& config) {
  RAPPORT_RETURN_IF_ERROR(CheckConfig(config));
  RAPPORT_ASSIGN_OR_RETURN(WebHookSigner signer, ReadSigner(config));
  MutexLock lock(&mutex_);
  const bool added =
      hooks_
          .try_emplace(config.name(),
                       Hook{.config = config,
                            .signer = std::move(signer),
                            .queue = WebHookQueue(config.name(), env_.feed->partition_count())})
          .second;
  return added ? absl::OkStatus() : Wrong(config, "name: there are two of this name");
}

void WebHookSender::FollowFacts() {
  absl::Status trouble;
  while (!stopping_) {
    const auto records = facts_->Read(kReadRecords, kReadWait);
    const bool told = records.status() == std::exchange(trouble, records.status());
    if (!records.ok()) {
      if (!told) {
        Log(LogLevel::kError,
            absl::StrCat("reading ", env_.topic, ": ", records.status().message()));
      }
      absl::SleepFor(kPauseAfterError);
      continue;
    }
    MutexLock lock(&mutex_);
    for (const RecordView& record : *records) {
      WebHookFact fact;
      if (!fact.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
        Log(LogLevel::kWarning, absl::StrCat("record ", record.offset.value(), " of ", env_.topic,
                                             " is no fact about a web hook; it is left out"));
        continue;
      }
      const auto hook = hooks_.find(fact.web_hook());
      if (hook != hooks_.end()) hook->second.queue.Apply(fact);
    }
    facts_read_ = facts_->position();
    if (!records->empty()) Wake();
  }
}

void WebHookSender::Lead(bool leads) {
  const absl::StatusOr<Watermarks> marks = env_.log->GetWatermarks(env_.topic, Partition(0));
  MutexLock lock(&mutex_);
  leads_ = leads && marks.ok();
  if (leads_) facts_needed_ = marks->end;
  for (auto& [name, hook] : hooks_) {
    hook.queue.Clear();
    hook.reader.reset();
    hook.start_asked = false;
  }
  Wake();
}

void WebHookSender::Wake() {
  MutexLock lock(&inbox_->mutex);
  inbox_->wake = true;
  inbox_->woken.SignalAll();
}

bool WebHookSender::MayDeliver() {
  return leads_ && facts_read_ >= facts_needed_ && env_.feed->Ready().ok();
}

void WebHookSender::Run() {
  while (!stopping_) {
    TakeAnswers();
    {
      MutexLock lock(&mutex_);
      if (MayDeliver()) {
        for (auto& [name, hook] : hooks_) Deliver(&hook);
      }
    }
    const absl::Duration wait =
        std::clamp(NextDue() - env_.now(), absl::ZeroDuration(), kLongestWait);
    MutexLock lock(&inbox_->mutex);
    if (!inbox_->wake && inbox_->answered.empty()) inbox_->woken.WaitFor(&inbox_->mutex, wait);
    inbox_->wake = false;
  }
  TakeAnswers();
}

absl::Time WebHookSender::NextDue() {
  MutexLock lock(&mutex_);
  absl::Time due = absl::InfiniteFuture();
  if (!MayDeliver()) return due;
  for (const auto& [name, hook] : hooks_) due = std::min(due, hook.queue.NextDue());
  return due;
}

void WebHookSender::Deliver(Hook* hook) {
  if (!hook->queue.started()) {
    if (hook->start_asked) return;
    hook->start_asked = true;
    WebHookFact fact;
    fact.set_web_hook(hook->config.name());
    ToProto(env_.now(), fact.mutable_at());
    for (const int64_t next : env_.feed->book().cursor().next) {
      fact.mutable_started()->add_next_offsets(next);
    }
    WriteUntilTaken(fact);
    return;
  }
  if (hook->queue.disabled()) return;
  const absl::Status filled = Fill(hook);
  if (!filled.ok()) {
    Log(LogLevel::kWarning, absl::StrCat("web hook ", hook->config.name(),
                                         ": reading the alerts log: ", filled.message()));
  }
  while (std::optional<WebHookQueue::Job> job = hook->queue.Next(env_.now())) {
    Send(*hook, *job);
  }
}

absl::Status WebHookSender::Fill(Hook* hook) {
  if (hook->reader == nullptr) {
    hook->reader = std::make_unique<StepReader>(env_.feed, hook->queue.settled_before());
  }
  bool at_end = false;
  while (!at_end && hook->queue.HasRoom()) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<FedStepPtr> steps,
                             hook->reader->Read(kReadRecords, &at_end));
    for (const FedStepPtr& step : steps) {
      const std::string& owner = hook->config.owner_id();
      const bool meant =
          owner.empty() || step->step.owner_id() == owner || step->step.responsible_id() == owner;
      if (meant) hook->queue.Add(step);
    }
    hook->queue.set_read(hook->reader->cursor());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> WebHookSender::BodyOf(const WebHookQueue::Job& job) const {
  if (job.step != nullptr) return Body(job.step->step);
  RAPPORT_ASSIGN_OR_RETURN(
      const std::unique_ptr<LogReader> reader,
      env_.log->OpenReader(env_.feed->topic(), job.position.partition, job.position.offset));
  RAPPORT_ASSIGN_OR_RETURN(const auto records, reader->Read(1, absl::Seconds(5)));
  alert::v1::AlertEvent event;
  if (records.empty() || records[0].offset != job.position.offset ||
      !event.ParseFromArray(records[0].value.data(), static_cast<int>(records[0].value.size()))) {
    return absl::NotFoundError("the alerts log has it no more");
  }
  query::v1::AlertStep step = StepOf(job.position, event);
  env_.feed->book().Address(&step);
  return Body(step);
}

void WebHookSender::Send(const Hook& hook, const WebHookQueue::Job& job) {
  const absl::Time now = env_.now();
  const auto answer = [inbox = inbox_, name = hook.config.name(), job,
                       now](absl::StatusOr<HttpAnswer> got) {
    MutexLock lock(&inbox->mutex);
    --inbox->under_way;
    inbox->answered.push_back({name, job, std::move(got), now});
    inbox->woken.SignalAll();
  };
  {
    MutexLock lock(&inbox_->mutex);
    ++inbox_->under_way;
  }
  absl::StatusOr<std::string> body = BodyOf(job);
  if (!body.ok()) {
    answer(body.status());
    return;
  }
  HttpCall call;
  call.method = "POST";
  call.url = hook.config.url();
  call.headers = hook.signer.Sign(absl::BytesToHexString(job.effect_id), now, *body);
  call.headers.push_back({"content-type", "application/json"});
  call.headers.push_back({"user-agent", "rapport-alerts"});
  call.body = *std::move(body);
  call.timeout = absl::Milliseconds(hook.config.timeout_ms());
  call.max_response_bytes = kMaxAnswerBytes;
  call.refuse_private_addresses = !hook.config.allow_private_address();
  env_.http_client->Send(std::move(call), answer);
}

void WebHookSender::TakeAnswers() {
  std::vector<Answered> answered;
  std::vector<WebHookFact> facts;
  {
    MutexLock lock(&inbox_->mutex);
    answered.swap(inbox_->answered);
    facts.swap(inbox_->refused);
  }
  for (const Answered& one : answered) {
    MutexLock lock(&mutex_);
    const absl::Time now = env_.now();
    const WebHookQueue& queue = hooks_.find(one.web_hook)->second.queue;
    facts.push_back(queue.Judge(one.job, one.answer, now - one.sent_at, now, env_.jitter()));
    observer_(one.web_hook, facts.back().attempted().status(), facts.back().attempted().settled());
  }
  for (const WebHookFact& fact : facts) WriteUntilTaken(fact);
}

void WebHookSender::Write(const WebHookFact& fact, std::function<void(absl::Status)> done) {
  Record record;
  record.key = fact.web_hook();
  record.value = fact.SerializeAsString();
  record.timestamp = FromProto(fact.at());
  record.partition = Partition(0);
  env_.writer->Append(env_.topic, std::move(record),
                      [done = std::move(done)](const absl::StatusOr<RecordPosition>& position) {
                        done(position.status());
                      });
}

void WebHookSender::WriteUntilTaken(const WebHookFact& fact) {
  Write(fact, [inbox = inbox_, fact](const absl::Status& status) {
    if (status.ok()) return;
    // The sender tries again when it next looks, within a second.
    MutexLock lock(&inbox->mutex);
    inbox->refused.push_back(fact);
  });
}

query::v1::WebHookStatus WebHookSender::StatusOf(const Hook& hook) const {
  query::v1::WebHookStatus status;
  status.set_name(hook.config.name());
  status.set_url(hook.config.url());
  status.set_owner_id(hook.config.owner_id());
  status.set_disabled(hook.queue.disabled());
  status.set_delivering(leads_);
  status.set_cursor(hook.queue.cursor().ToText());
  status.set_pending(static_cast<int64_t>(hook.queue.waiting()));
  if (const auto oldest = hook.queue.oldest_waiting()) {
    ToProto(*oldest, status.mutable_oldest_pending_at());
  }
  if (hook.queue.paused_until() > env_.now()) {
    ToProto(hook.queue.paused_until(), status.mutable_paused_until());
  }
  if (!hook.queue.deliveries().empty()) {
    *status.mutable_last_delivery() = hook.queue.deliveries().back();
  }
  return status;
}

query::v1::WebHooksPage WebHookSender::List() const {
  query::v1::WebHooksPage page;
  MutexLock lock(&mutex_);
  for (const auto& [name, hook] : hooks_) *page.add_web_hooks() = StatusOf(hook);
  return page;
}

namespace {

absl::Status NoSuchHook(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("there is no web hook '", absl::CHexEscape(name),
                                          "' in the configuration; GET /v1/web-hooks lists them"));
}

}  // namespace

absl::StatusOr<query::v1::WebHookDeliveriesPage> WebHookSender::Deliveries(
    absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto hook = hooks_.find(name);
  if (hook == hooks_.end()) return NoSuchHook(name);
  query::v1::WebHookDeliveriesPage page;
  const auto& deliveries = hook->second.queue.deliveries();
  for (auto at = deliveries.rbegin(); at != deliveries.rend(); ++at) *page.add_deliveries() = *at;
  return page;
}

void WebHookSender::Resend(const std::string& name, const std::string& id,
                           std::function<void(absl::Status)> done) {
  WebHookFact fact;
  absl::Status status = NoSuchHook(name);
  {
    MutexLock lock(&mutex_);
    const auto hook = hooks_.find(name);
    if (hook != hooks_.end()) {
      const std::optional<RecordPosition> position = hook->second.queue.FindDelivery(id);
      status = position ? absl::OkStatus()
                        : absl::NotFoundError(absl::StrCat("'", absl::CHexEscape(id),
                                                           "' is not among the latest deliveries"));
      if (position) {
        fact.mutable_resend_asked()->set_effect_id(absl::HexStringToBytes(id));
        fact.mutable_resend_asked()->set_partition(position->partition.value());
        fact.mutable_resend_asked()->set_offset(position->offset.value());
      }
    }
  }
  if (!status.ok()) return done(status);
  fact.set_web_hook(name);
  ToProto(env_.now(), fact.mutable_at());
  Write(fact, std::move(done));
}

void WebHookSender::Enable(const std::string& name, std::function<void(absl::Status)> done) {
  {
    MutexLock lock(&mutex_);
    if (!hooks_.contains(name)) return done(NoSuchHook(name));
  }
  WebHookFact fact;
  fact.set_web_hook(name);
  ToProto(env_.now(), fact.mutable_at());
  fact.mutable_enabled();
  Write(fact, std::move(done));
}

}  // namespace rapport
