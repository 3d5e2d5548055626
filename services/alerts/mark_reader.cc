#include "services/alerts/mark_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using google::protobuf::internal::WireFormatLite;
using touchpoint::v1::Touchpoint;

constexpr size_t kReadRecords = 4096;
constexpr absl::Duration kPollWait = absl::Milliseconds(200);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);
constexpr absl::Duration kLookPause = absl::Milliseconds(20);

}  // namespace

bool MayBeMark(absl::string_view touchpoint) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(touchpoint.data()),
                                            static_cast<int>(touchpoint.size()));
  while (const uint32_t tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    if (field == Touchpoint::kAlertAcknowledgedFieldNumber ||
        field == Touchpoint::kAlertSnoozedFieldNumber ||
        field == Touchpoint::kClockAdvancedFieldNumber) {
      return true;
    }
    if (!WireFormatLite::SkipField(&in, tag)) return false;
  }
  return false;
}

MarkReader::MarkReader(EventLog* log, const Options& options, AlertBook* book,
                       std::function<bool()> alerts_read)
    : log_(log), options_(options), book_(book), alerts_read_(std::move(alerts_read)) {
  thread_ = std::thread([this] { Run(); });
}

MarkReader::~MarkReader() {
  stopping_ = true;
  thread_.join();
  if (subscription_ != nullptr) {
    const absl::Status closed = subscription_->Close();
    if (!closed.ok()) Log(LogLevel::kWarning, absl::StrCat("alerts: ", closed.message()));
  }
}

absl::StatusOr<Offset> MarkReader::OnAssigned(Partition partition) {
  MutexLock lock(&mutex_);
  return next_[static_cast<size_t>(partition.value())];
}

void MarkReader::Run() {
  while (!stopping_ && !alerts_read_()) absl::SleepFor(kLookPause);
  while (!stopping_) {
    const absl::Status status = subscription_ == nullptr ? Begin() : ReadOn();
    {
      MutexLock lock(&mutex_);
      if (!status.ok() && trouble_ != status) {
        Log(LogLevel::kError,
            absl::StrCat("reading what people did about alerts: ", status.message()));
      }
      trouble_ = status;
    }
    if (!status.ok()) absl::SleepFor(kPauseAfterError);
  }
}

absl::Status MarkReader::Begin() {
  const std::vector<std::optional<int64_t>> oldest = book_->OldestOpenCauses();
  std::vector<Offset> next;
  std::vector<Offset> ends;
  for (size_t i = 0; i < oldest.size(); ++i) {
    RAPPORT_ASSIGN_OR_RETURN(
        const Watermarks marks,
        log_->GetWatermarks(options_.topic, Partition(static_cast<int32_t>(i))));
    next.push_back(
        std::clamp(Offset(oldest[i].value_or(marks.end.value())), marks.begin, marks.end));
    ends.push_back(marks.end);
  }
  {
    MutexLock lock(&mutex_);
    next_ = std::move(next);
    ends_at_start_ = std::move(ends);
    begun_ = true;
  }
  RAPPORT_ASSIGN_OR_RETURN(
      subscription_,
      log_->Subscribe(options_.topic, {.group = options_.group, .member = options_.member}, this));
  return absl::OkStatus();
}

absl::Status MarkReader::ReadOn() {
  RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords records,
                           subscription_->Poll(kReadRecords, kPollWait));
  if (records.next == records.from) return subscription_->Trouble();
  Touchpoint touchpoint;
  for (const RecordView& record : records.records) {
    if (!MayBeMark(record.value)) continue;
    if (!touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      continue;  // the projections tell of it
    }
    if (touchpoint.has_clock_advanced()) {
      book_->SetClock(FromProto(touchpoint.clock_advanced().now()));
    } else {
      book_->Act(touchpoint);
    }
  }
  {
    MutexLock lock(&mutex_);
    next_[static_cast<size_t>(records.partition.value())] = records.next;
  }
  return subscription_->Trouble();
}

absl::Status MarkReader::Ready() const {
  MutexLock lock(&mutex_);
  if (!trouble_.ok()) {
    return absl::UnavailableError(absl::StrCat("the touchpoints log: ", trouble_.message()));
  }
  if (!begun_) return absl::UnavailableError("the touchpoints log is not read yet");
  for (size_t i = 0; i < next_.size(); ++i) {
    if (next_[i] < ends_at_start_[i]) {
      return absl::UnavailableError(absl::StrCat("reading the touchpoints log: partition ", i,
                                                 " is at ", next_[i].value(), " of ",
                                                 ends_at_start_[i].value()));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport
