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
// Header of an operator's word (state.v1.ClockConfirmed).
constexpr absl::string_view kWordHeader = "clock_confirmed";
// Words stand at the end of the clock topic, behind the last note.
constexpr int64_t kMostWords = 1000;
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
                                                                Options options) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log->PartitionCount(topics.touchpoints));
  if (const absl::Status status = log->CreateTopic(clock_topic, 1); absl::IsAlreadyExists(status)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", clock_topic,
        " must have one partition, since whoever owns it is the clock: ", status.message()));
  } else if (!status.ok()) {
    return status;
  }
  const std::string member = options.member;
  auto ticker = std::unique_ptr<ClockTicker>(
      new ClockTicker(log, topics.touchpoints, clock_topic, std::move(options), partitions));
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

query::v1::Clock ClockTicker::status() const {
  const ClockReading reading = options_.read_clocks();
  query::v1::Clock status;
  ToProto(reading.wall, status.mutable_wall_clock());
  status.set_synchronised(reading.synchronised);
  MutexLock lock(&mutex_);
  if (last_tick_ != absl::InfinitePast()) ToProto(last_tick_, status.mutable_last_tick());
  status.set_standing(elected_ ? standing_ : query::v1::CLOCK_STANDING_STANDBY);
  status.set_reason(reason_);
  if (!trouble_.ok()) {
    status.set_standing(query::v1::CLOCK_STANDING_TROUBLE);
    status.set_reason(std::string(trouble_.message()));
  }
  return status;
}

absl::Status ClockTicker::Confirm(absl::Time now, const std::string& reason) {
  // Of another machine's clock only that machine can tell.
  if (elected()) {
    RAPPORT_RETURN_IF_ERROR(ClockGuard::CheckConfirmation(now, options_.read_clocks()));
  }
  state::v1::ClockConfirmed word;
  ToProto(now, word.mutable_now());
  word.set_reason(reason);
  Record record;
  record.value = word.SerializeAsString();
  record.timestamp = now;
  record.partition = Partition(0);
  record.headers.push_back({std::string(kWordHeader), "1"});
  return log_->Append(clock_topic_, {record}).status();
}

absl::StatusOr<Offset> ClockTicker::OnAssigned(Partition /*partition*/) {
  RAPPORT_ASSIGN_OR_RETURN(const Notes notes, ReadNotes());
  MutexLock lock(&mutex_);
  elected_ = true;
  last_tick_known_ = false;
  return notes.words;
}

void ClockTicker::OnRevoked(Partition /*partition*/, bool /*lost*/) {
  MutexLock lock(&mutex_);
  elected_ = false;
  reason_.clear();
}

void ClockTicker::Run() {
  absl::Time next_attempt = absl::InfinitePast();
  absl::Duration wait = absl::ZeroDuration();
  while (!stopping_) {
    const absl::StatusOr<PartitionRecords> polled = subscription_->Poll(kReadRecords, wait);
    if (polled.ok()) TakeWords(*polled);
    if (options_.on_look) options_.on_look(*this);
    absl::Status status = polled.status();
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

void ClockTicker::TakeWords(const PartitionRecords& records) {
  for (const RecordView& record : records.records) {
    for (const Header& header : subscription_->Headers(record)) {
      if (header.name != kWordHeader) continue;
      state::v1::ClockConfirmed word;
      const int size = static_cast<int>(record.value.size());
      if (word.ParseFromArray(record.value.data(), size)) word_ = std::move(word);
    }
  }
}

void ClockTicker::SetStanding(query::v1::ClockStanding standing, const std::string& reason) {
  MutexLock lock(&mutex_);
  if (standing != standing_ && !reason.empty()) {
    Log(LogLevel::kWarning, absl::StrCat("clock: ", reason));
  } else if (standing != standing_ && !reason_.empty()) {
    Log(LogLevel::kInfo, "clock: it ticks");
  }
  standing_ = standing;
  reason_ = reason;
}

absl::StatusOr<absl::Duration> ClockTicker::TickIfDue() {
  bool begun;
  {
    MutexLock lock(&mutex_);
    if (!elected_) return kLongestWait;
    begun = last_tick_known_;
  }
  if (!begun) RAPPORT_RETURN_IF_ERROR(Begin());
  if (word_) RAPPORT_RETURN_IF_ERROR(CarryOut());
  const ClockReading reading = options_.read_clocks();
  switch (guard_.Judge(reading)) {
    case ClockGuard::Verdict::kBelieved:
      SetStanding(query::v1::CLOCK_STANDING_TICKING, "");
      break;
    case ClockGuard::Verdict::kHeld:
      SetStanding(query::v1::CLOCK_STANDING_HELD, guard_.reason());
      return kLongestWait;
    case ClockGuard::Verdict::kStands:
      SetStanding(query::v1::CLOCK_STANDING_AHEAD, guard_.reason());
      return kLongestWait;
  }
  const absl::Time due =
      absl::UnixEpoch() + absl::Floor(reading.wall - absl::UnixEpoch(), options_.interval);
  if (due > last_tick()) {
    RAPPORT_RETURN_IF_ERROR(
        Write(due, [&](Partition partition) { return MakeClockRecord(due, partition); }));
    guard_.Ticked(reading);
  }
  return due + options_.interval - reading.wall;
}

absl::Status ClockTicker::Begin() {
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time last, FindLastTick());
  absl::Time known = last;
  if (known == absl::InfinitePast()) {
    RAPPORT_ASSIGN_OR_RETURN(known, LastRecorded());
  }
  guard_.Begin(known, options_.read_clocks());
  MutexLock lock(&mutex_);
  last_tick_ = last;
  last_tick_known_ = true;
  return absl::OkStatus();
}

absl::Status ClockTicker::CarryOut() {
  const ClockReading reading = options_.read_clocks();
  const absl::Time said = FromProto(word_->now());
  if (const absl::Status refused = ClockGuard::CheckConfirmation(said, reading); !refused.ok()) {
    Log(LogLevel::kWarning, absl::StrCat("clock: ", refused.message()));
    word_.reset();
    return absl::OkStatus();
  }
  const absl::Time now =
      absl::UnixEpoch() + absl::Floor(reading.wall - absl::UnixEpoch(), absl::Milliseconds(1));
  RAPPORT_RETURN_IF_ERROR(Write(now, [&](Partition partition) {
    return MakeClockCorrectionRecord(now, word_->reason(), partition);
  }));
  guard_.Ticked(reading);
  word_.reset();
  return absl::OkStatus();
}

absl::Status ClockTicker::Write(absl::Time now, const std::function<Record(Partition)>& make) {
  std::vector<Record> records;
  records.reserve(static_cast<size_t>(partitions_));
  for (int i = 0; i < partitions_; ++i) records.push_back(make(Partition(i)));
  RAPPORT_ASSIGN_OR_RETURN(const auto positions, log_->Append(touchpoints_topic_, records));
  {
    MutexLock lock(&mutex_);
    last_tick_ = now;
  }
  Record note = std::move(records.front());
  note.headers.push_back({std::string(kOffsetHeader), absl::StrCat(positions[0].offset.value())});
  return log_->Append(clock_topic_, {note}).status();
}

absl::StatusOr<absl::Time> ClockTicker::FindLastTick() {
  RAPPORT_ASSIGN_OR_RETURN(const Notes notes, ReadNotes());
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           log_->GetWatermarks(touchpoints_topic_, Partition(0)));
  absl::Time last = absl::InfinitePast();
  touchpoint::v1::Touchpoint touchpoint;
  RAPPORT_RETURN_IF_ERROR(ReadAll(
      log_, touchpoints_topic_, Partition(0), std::clamp(notes.touchpoints, marks.begin, marks.end),
      marks.end, stopping_, [&](const HeaderDecoder&, const RecordView& record) {
        // Clocks have no key, and few records have none.
        if (!record.key.empty()) return;
        const int size = static_cast<int>(record.value.size());
        if (!touchpoint.ParseFromArray(record.value.data(), size)) return;
        // As the folds do.
        if (!CheckClock(touchpoint, record.timestamp).ok()) return;
        if (touchpoint.has_clock_corrected()) {
          last = FromProto(touchpoint.clock_corrected().now());
        } else if (touchpoint.has_clock_advanced()) {
          last = std::max(last, FromProto(touchpoint.clock_advanced().now()));
        }
      }));
  return last;
}

absl::StatusOr<absl::Time> ClockTicker::LastRecorded() {
  absl::Time last = absl::InfinitePast();
  for (int i = 0; i < partitions_; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             log_->GetWatermarks(touchpoints_topic_, Partition(i)));
    if (marks.begin == marks.end) continue;
    RAPPORT_RETURN_IF_ERROR(ReadAll(log_, touchpoints_topic_, Partition(i), marks.end - 1,
                                    marks.end, stopping_,
                                    [&](const HeaderDecoder&, const RecordView& record) {
                                      last = std::max(last, record.timestamp);
                                    }));
  }
  return last;
}

absl::StatusOr<ClockTicker::Notes> ClockTicker::ReadNotes() {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(clock_topic_, Partition(0)));
  const Offset from = std::max(marks.begin, marks.end - kMostWords);
  Notes notes{.touchpoints = Offset(0), .words = from};
  if (marks.end == marks.begin) return notes;
  RAPPORT_RETURN_IF_ERROR(ReadAll(log_, clock_topic_, Partition(0), from, marks.end, stopping_,
                                  [&](const HeaderDecoder& reader, const RecordView& record) {
                                    for (const Header& header : reader.Headers(record)) {
                                      int64_t offset = 0;
                                      if (header.name != kOffsetHeader) continue;
                                      if (!absl::SimpleAtoi(header.value, &offset)) continue;
                                      notes = {.touchpoints = Offset(offset),
                                               .words = record.offset + 1};
                                    }
                                  }));
  return notes;
}

}  // namespace rapport
