#include "libs/projector/clock_ticker.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/read_range.h"
#include "libs/touchpoint/record.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

constexpr absl::string_view kGroup = "rapport-clock";
// Header of a note: offset of the tick in partition 0 of the touchpoints topic.
constexpr absl::string_view kOffsetHeader = "touchpoints_offset";
// So that stopping and a handover take no longer.
constexpr absl::Duration kLongestWait = absl::Milliseconds(200);
constexpr absl::Duration kPauseAfterTrouble = absl::Seconds(1);
constexpr size_t kReadRecords = 4096;

// Calls `visit` with the records of [from, end) of a partition.
absl::Status ReadAll(EventLog* log, const std::string& topic, Partition partition, Offset from,
                     Offset end, const std::atomic<bool>& stopping,
                     const std::function<void(const HeaderDecoder&, const RecordView&)>& visit) {
  return ReadRange(*log, topic, partition, from, end,
                   [&](const HeaderDecoder& decoder, absl::Span<const RecordView> records) {
                     if (stopping) return absl::CancelledError("stopping");
                     for (const RecordView& record : records) visit(decoder, record);
                     return absl::OkStatus();
                   });
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClockTicker>> ClockTicker::Start(EventLog* log,
                                                                const LogTopics& topics,
                                                                const std::string& clock_topic,
                                                                absl::Duration interval,
                                                                const std::string& member) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log->PartitionCount(topics.touchpoints));
  if (const absl::Status status = log->CreateTopic(clock_topic, 1); absl::IsAlreadyExists(status)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", clock_topic,
        " must have one partition, since whoever owns it is the clock: ", status.message()));
  } else if (!status.ok()) {
    return status;
  }
  auto ticker = std::unique_ptr<ClockTicker>(
      new ClockTicker(log, topics.touchpoints, clock_topic, interval, partitions));
  RAPPORT_ASSIGN_OR_RETURN(
      ticker->subscription_,
      log->Subscribe(clock_topic, {.group = std::string(kGroup), .member = member}, ticker.get()));
  ticker->thread_ = std::thread([raw = ticker.get()] { raw->Run(); });
  return ticker;
}

ClockTicker::~ClockTicker() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (subscription_ == nullptr) return;
  if (const absl::Status status = subscription_->Close(); !status.ok()) {
    Log(LogLevel::kWarning, absl::StrCat("clock: leaving the group: ", status.message()));
  }
}

bool ClockTicker::elected() const {
  MutexLock lock(&mutex_);
  return elected_;
}

absl::Time ClockTicker::last_tick() const {
  MutexLock lock(&mutex_);
  return last_tick_;
}

absl::Status ClockTicker::trouble() const {
  MutexLock lock(&mutex_);
  return trouble_;
}

absl::StatusOr<Offset> ClockTicker::OnAssigned(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(clock_topic_, partition));
  MutexLock lock(&mutex_);
  elected_ = true;
  last_tick_known_ = false;
  return marks.end;
}

void ClockTicker::OnRevoked(Partition /*partition*/, bool /*lost*/) {
  MutexLock lock(&mutex_);
  elected_ = false;
}

void ClockTicker::Run() {
  absl::Time next_attempt = absl::InfinitePast();
  absl::Duration wait = absl::ZeroDuration();
  while (!stopping_) {
    absl::Status status = subscription_->Poll(kReadRecords, wait).status();
    wait = kLongestWait;
    if (absl::Now() < next_attempt) continue;
    if (status.ok()) {
      const absl::StatusOr<absl::Duration> idle = TickIfDue();
      if (idle.ok()) wait = std::min(kLongestWait, *idle);
      status = idle.status();
    }
    if (stopping_) return;
    next_attempt = status.ok() ? absl::InfinitePast() : absl::Now() + kPauseAfterTrouble;
    MutexLock lock(&mutex_);
    if (!status.ok() && trouble_.ok()) {
      Log(LogLevel::kWarning, absl::StrCat("clock: ", status.message(), "; trying again"));
    }
    trouble_ = status;
  }
}

absl::StatusOr<absl::Duration> ClockTicker::TickIfDue() {
  absl::Time last;
  {
    MutexLock lock(&mutex_);
    if (!elected_) return kLongestWait;
    last = last_tick_known_ ? last_tick_ : absl::InfiniteFuture();
  }
  if (last == absl::InfiniteFuture()) {
    RAPPORT_ASSIGN_OR_RETURN(last, FindLastTick());
    MutexLock lock(&mutex_);
    last_tick_ = last;
    last_tick_known_ = true;
  }
  const absl::Time now = absl::Now();
  const absl::Time due = absl::UnixEpoch() + absl::Floor(now - absl::UnixEpoch(), interval_);
  if (due > last) RAPPORT_RETURN_IF_ERROR(Tick(due));
  return due + interval_ - now;
}

absl::Status ClockTicker::Tick(absl::Time now) {
  std::vector<Record> ticks;
  ticks.reserve(static_cast<size_t>(partitions_));
  for (int i = 0; i < partitions_; ++i) ticks.push_back(MakeClockRecord(now, Partition(i)));
  RAPPORT_ASSIGN_OR_RETURN(const auto positions, log_->Append(touchpoints_topic_, ticks));
  {
    MutexLock lock(&mutex_);
    last_tick_ = now;
  }
  Record note = MakeClockRecord(now, Partition(0));
  note.headers.push_back({std::string(kOffsetHeader), absl::StrCat(positions[0].offset.value())});
  return log_->Append(clock_topic_, {note}).status();
}

absl::StatusOr<absl::Time> ClockTicker::FindLastTick() {
  RAPPORT_ASSIGN_OR_RETURN(const Offset noted, NotedOffset());
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           log_->GetWatermarks(touchpoints_topic_, Partition(0)));
  absl::Time last = absl::InfinitePast();
  touchpoint::v1::Touchpoint touchpoint;
  RAPPORT_RETURN_IF_ERROR(
      ReadAll(log_, touchpoints_topic_, Partition(0), std::clamp(noted, marks.begin, marks.end),
              marks.end, stopping_, [&](const HeaderDecoder&, const RecordView& record) {
                // Clocks have no key, and few records have none.
                if (!record.key.empty()) return;
                const int size = static_cast<int>(record.value.size());
                if (!touchpoint.ParseFromArray(record.value.data(), size)) return;
                if (!touchpoint.has_clock_advanced()) return;
                last = std::max(last, FromProto(touchpoint.clock_advanced().now()));
              }));
  return last;
}

absl::StatusOr<Offset> ClockTicker::NotedOffset() {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(clock_topic_, Partition(0)));
  if (marks.end == marks.begin) return Offset(0);
  int64_t noted = 0;
  RAPPORT_RETURN_IF_ERROR(
      ReadAll(log_, clock_topic_, Partition(0), marks.end - 1, marks.end, stopping_,
              [&](const HeaderDecoder& reader, const RecordView& record) {
                for (const Header& header : reader.Headers(record)) {
                  if (header.name == kOffsetHeader && !absl::SimpleAtoi(header.value, &noted)) {
                    noted = 0;
                  }
                }
              }));
  return Offset(noted);
}

}  // namespace rapport
