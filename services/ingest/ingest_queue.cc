#include "services/ingest/ingest_queue.h"

#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/intake/rejected_offer.h"
#include "libs/service/access.h"
#include "services/ingest/ingest_answer.h"

namespace rapport {
namespace {

using Refusal = IngestMetrics::Refusal;

// What a request costs beside its body.
constexpr size_t kRequestBytes = 1024;
// One thread takes about this much at a time, so that the others have work too.
constexpr size_t kGroupBytes = size_t{1} << 20;
constexpr absl::Duration kProbeInterval = absl::Seconds(1);

Refusal ReasonOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOutOfRange:
      return Refusal::kTooLarge;
    case absl::StatusCode::kUnimplemented:
      return Refusal::kType;
    default:
      return Refusal::kBody;
  }
}

}  // namespace

IngestQueue::IngestQueue(EventLog* log, IngestMetrics* metrics, Options options)
    : log_(log), metrics_(metrics), options_(std::move(options)) {
  for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
}

void IngestQueue::Submit(HttpRequest request, HttpReply reply) {
  const size_t bytes = request.body.size() + kRequestBytes;
  metrics_->BytesIn(request.body.size());
  {
    MutexLock lock(&mutex_);
    // A single request passes whatever its size: the server has limited it.
    if (!stopping_ && (bytes_ == 0 || bytes_ + bytes <= options_.max_bytes)) {
      bytes_ += bytes;
      metrics_->QueueBytes(bytes_);
      waiting_.push_back({std::move(request), std::move(reply), bytes});
      changed_.Signal();
      return;
    }
  }
  metrics_->Refused(Refusal::kQueueFull);
  reply.Send(ErrorResponse(absl::UnavailableError(
      "more waits for the log than may (ingest.queue_bytes); send it again after a second")));
}

void IngestQueue::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

absl::Status IngestQueue::trouble() const {
  MutexLock lock(&mutex_);
  return trouble_;
}

void IngestQueue::Run() {
  CloudEventDecoder decoder(options_.limits);
  Group group;
  while (Take(&group)) Work(&decoder, &group);
}

bool IngestQueue::Take(Group* group) {
  group->items.clear();
  group->bytes = 0;
  mutex_.Lock();
  while (waiting_.empty() && !stopping_) {
    if (trouble_.ok()) {
      changed_.Wait(&mutex_);
    } else if (!changed_.WaitFor(&mutex_, kProbeInterval)) {
      mutex_.Unlock();
      Probe();
      mutex_.Lock();
    }
  }
  while (!waiting_.empty() && group->bytes < kGroupBytes) {
    group->bytes += waiting_.front().bytes;
    group->items.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  mutex_.Unlock();
  return !group->items.empty();
}

void IngestQueue::Probe() {
  const absl::Status status =
      log_->GetWatermarks(options_.touchpoints_topic, Partition(0)).status();
  MutexLock lock(&mutex_);
  trouble_ = status;
}

void IngestQueue::Work(CloudEventDecoder* decoder, Group* group) {
  group->requests.clear();
  group->records.clear();
  group->rejections.clear();
  const absl::Time now = absl::Now();
  for (Item& item : group->items) Decode(decoder, &item, now, group);
  AppendAndAnswer(group);
  AppendRejections(group);
}

void IngestQueue::Decode(CloudEventDecoder* decoder, Item* item, absl::Time now, Group* group) {
  Decoded& decoded =
      group->requests.emplace_back(Decoded{.reply = std::move(item->reply), .bytes = item->bytes});
  IntakeRequest request{.content_type = item->request.HeaderValue("content-type"),
                        .content_encoding = item->request.HeaderValue("content-encoding"),
                        .headers = &item->request.headers,
                        .only_source = CallerOf(item->request).source,
                        .body = std::move(item->request.body)};
  decoded.refused = decoder->Decode(&request, now, &decoded.batch);
  if (!decoded.refused.ok()) {
    metrics_->Refused(ReasonOf(decoded.refused));
    decoded.batch.events.clear();
    decoded.body = std::move(request.body);
  }
  for (IntakeEvent& event : decoded.batch.events) {
    if (!event.status.ok()) continue;
    group->records.push_back(std::move(event.record));
    ++decoded.records;
  }
  CollectRejections(decoded, now, &group->rejections);
}

void IngestQueue::CollectRejections(const Decoded& request, absl::Time now,
                                    std::vector<Record>* rejections) {
  if (absl::IsInvalidArgument(request.refused)) {
    rejections->push_back(MakeRejectedRecord(
        {.content = request.body, .reason = std::string(request.refused.message()), .now = now}));
  }
  size_t rejected = 0;
  for (const IntakeEvent& event : request.batch.events) {
    if (event.status.ok()) continue;
    ++rejected;
    rejections->push_back(MakeRejectedRecord({.source = event.source,
                                              .content = event.offered,
                                              .reason = std::string(event.status.message()),
                                              .now = now}));
  }
  if (rejected > 0) metrics_->Refused(Refusal::kEvent, rejected);
}

absl::StatusOr<std::vector<RecordPosition>> IngestQueue::Append(absl::Span<const Record> records) {
  if (records.empty()) return std::vector<RecordPosition>();
  const absl::Time begin = absl::Now();
  auto positions = log_->Append(options_.touchpoints_topic, records);
  metrics_->AppendTook(absl::ToDoubleSeconds(absl::Now() - begin));
  const absl::Status status =
      absl::IsInvalidArgument(positions.status()) ? absl::OkStatus() : positions.status();
  MutexLock lock(&mutex_);
  if (!status.ok() && trouble_.ok()) {
    Log(LogLevel::kError, absl::StrCat("the log takes no touchpoints: ", status.message()));
  }
  trouble_ = status;
  return positions;
}

void IngestQueue::AppendAndAnswer(Group* group) {
  const auto appended = Append(group->records);
  if (absl::IsInvalidArgument(appended.status()) && group->requests.size() > 1) {
    AppendApart(group);
    return;
  }
  size_t first = 0;
  for (Decoded& request : group->requests) {
    Answer(&request, appended, first);
    first += request.records;
  }
}

void IngestQueue::AppendApart(Group* group) {
  size_t first = 0;
  for (Decoded& request : group->requests) {
    Answer(&request, Append(absl::MakeConstSpan(group->records).subspan(first, request.records)),
           0);
    first += request.records;
  }
}

void IngestQueue::Answer(Decoded* request,
                         const absl::StatusOr<std::vector<RecordPosition>>& appended,
                         size_t first) {
  {
    // Before the answer: whoever has it may send the next one.
    MutexLock lock(&mutex_);
    bytes_ -= request->bytes;
    metrics_->QueueBytes(bytes_);
  }
  if (!request->refused.ok()) {
    request->reply.Send(AnswerRefusal(request->refused));
    return;
  }
  if (request->records > 0 && !appended.ok()) {
    metrics_->Refused(Refusal::kLog);
    // Only what the log does not take is the caller's; all else may be well in a while.
    const absl::Status status = absl::IsInvalidArgument(appended.status())
                                    ? appended.status()
                                    : absl::UnavailableError(appended.status().message());
    request->reply.Send(AnswerRefusal(Annotate(status, "the log")));
    return;
  }
  std::map<touchpoint::v1::Touchpoint::PayloadCase, size_t> kinds;
  for (const IntakeEvent& event : request->batch.events) {
    if (event.status.ok()) ++kinds[event.kind];
  }
  for (const auto& [kind, count] : kinds) metrics_->Accepted(kind, count);
  const auto positions = request->records == 0
                             ? absl::Span<const RecordPosition>()
                             : absl::MakeConstSpan(*appended).subspan(first, request->records);
  request->reply.Send(AnswerEvents(request->batch, positions));
}

void IngestQueue::AppendRejections(Group* group) {
  if (group->rejections.empty()) return;
  const absl::Status status = log_->Append(options_.rejected_topic, group->rejections).status();
  if (status.ok()) return;
  metrics_->RejectionsLost(group->rejections.size());
  Log(LogLevel::kWarning,
      absl::StrCat(group->rejections.size(),
                   " refused events are not in the rejected log: ", status.message()));
}

}  // namespace rapport
