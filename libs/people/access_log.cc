#include "libs/people/access_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(30);
constexpr size_t kMostWaiting = 10'000;

}  // namespace

AccessLog::AccessLog(EventLog* log, std::string topic, std::function<absl::Time()> now)
    : log_(log), topic_(std::move(topic)), now_(std::move(now)) {}

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Open(EventLog* log, const std::string& topic,
                                                           std::function<absl::Time()> now) {
  std::unique_ptr<AccessLog> opened(new AccessLog(log, topic, std::move(now)));
  RAPPORT_ASSIGN_OR_RETURN(
      opened->follower_,
      TopicFollower::Start(log, topic, [raw = opened.get()](absl::Span<const RecordView> records) {
        raw->Take(records);
      }));
  opened->writer_ = std::thread([raw = opened.get()] { raw->WriteWhatWaits(); });
  return opened;
}

AccessLog::~AccessLog() {
  {
    const MutexLock lock(&waiting_mutex_);
    stopping_ = true;
    added_.SignalAll();
  }
  if (writer_.joinable()) writer_.join();
}

void AccessLog::Take(absl::Span<const RecordView> records) {
  const MutexLock lock(&mutex_);
  access::v1::AccessRecord record;
  for (const RecordView& view : records) {
    if (!record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size()))) {
      Log(LogLevel::kWarning, absl::StrCat(topic_, ": offset ", view.offset.value(),
                                           " holds no AccessRecord; it is passed over"));
      continue;
    }
    table_.Take(record);
  }
}

absl::StatusOr<Offset> AccessLog::Append(access::v1::AccessRecord change) {
  const absl::Time now = now_();
  ToProto(now, change.mutable_recorded_at());
  Record record;
  record.value = change.SerializeAsString();
  record.timestamp = now;
  record.partition = Partition(0);
  RAPPORT_ASSIGN_OR_RETURN(const auto positions, log_->Append(topic_, {record}));
  return positions.front().offset + 1;
}

absl::Status AccessLog::Write(access::v1::AccessRecord record, const std::string& recorded_by) {
  record.set_recorded_by(recorded_by);
  RAPPORT_ASSIGN_OR_RETURN(const Offset end, Append(std::move(record)));
  return follower_->Await(end, kLongestWait);
}

void AccessLog::WriteLater(access::v1::AccessRecord record) {
  const MutexLock lock(&waiting_mutex_);
  if (waiting_.size() >= kMostWaiting) return;
  waiting_.push_back(std::move(record));
  added_.Signal();
}

void AccessLog::WriteWhatWaits() {
  while (true) {
    access::v1::AccessRecord record;
    {
      const MutexLock lock(&waiting_mutex_);
      while (waiting_.empty() && !stopping_) added_.Wait(&waiting_mutex_);
      if (waiting_.empty()) return;
      record = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (const auto written = Append(std::move(record)); !written.ok()) {
      Log(LogLevel::kWarning,
          absl::StrCat("telling that something was used: ", written.status().message()));
    }
  }
}

}  // namespace rapport
