#include "libs/event_log/follower.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"

namespace rapport {
namespace {

constexpr size_t kReadRecords = 4096;
// So that stopping takes no longer.
constexpr absl::Duration kLongestWait = absl::Milliseconds(200);
constexpr absl::Duration kPauseAfterTrouble = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<TopicFollower>> TopicFollower::Start(EventLog* log,
                                                                    const std::string& topic,
                                                                    Take take) {
  if (const absl::Status made = log->CreateTopic(topic, 1); absl::IsAlreadyExists(made)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", topic,
        " must have one partition, since its records have one order: ", made.message()));
  } else if (!made.ok()) {
    return made;
  }
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log->GetWatermarks(topic, Partition(0)));
  if (marks.begin > Offset(0)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", topic, " begins at offset ", marks.begin.value(),
        ": what was written before is gone. Its retention must be unlimited (retention.ms=-1, "
        "retention.bytes=-1, cleanup.policy=delete); restore it from a backup"));
  }
  std::unique_ptr<TopicFollower> follower(new TopicFollower(log, topic, std::move(take)));
  RAPPORT_RETURN_IF_ERROR(
      ReadRange(*log, topic, Partition(0), Offset(0), marks.end,
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  follower->take_(records);
                  return absl::OkStatus();
                }));
  {
    const MutexLock lock(&follower->mutex_);
    follower->position_ = marks.end;
  }
  follower->thread_ = std::thread([raw = follower.get()] { raw->Run(); });
  return follower;
}

TopicFollower::~TopicFollower() {
  stopping_ = true;
  {
    const MutexLock lock(&mutex_);
    moved_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

absl::Status TopicFollower::TakeSome() {
  if (reader_ == nullptr) {
    RAPPORT_ASSIGN_OR_RETURN(reader_, log_->OpenReader(topic_, Partition(0), position()));
  }
  RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                           reader_->Read(kReadRecords, kLongestWait));
  if (!records.empty()) take_(records);
  const MutexLock lock(&mutex_);
  position_ = reader_->position();
  trouble_ = absl::OkStatus();
  moved_.SignalAll();
  return absl::OkStatus();
}

void TopicFollower::Run() {
  while (!stopping_) {
    const absl::Status status = TakeSome();
    if (status.ok()) continue;
    reader_.reset();
    const MutexLock lock(&mutex_);
    if (trouble_.ok()) {
      Log(LogLevel::kWarning,
          absl::StrCat("reading topic ", topic_, ": ", status.message(), "; trying again"));
    }
    trouble_ = status;
    moved_.SignalAll();
    const absl::Time until = absl::Now() + kPauseAfterTrouble;
    while (!stopping_ && absl::Now() < until) moved_.WaitFor(&mutex_, until - absl::Now());
  }
}

Offset TopicFollower::position() const {
  const MutexLock lock(&mutex_);
  return position_;
}

absl::Status TopicFollower::Await(Offset position, absl::Duration timeout) const {
  const absl::Time until = absl::Now() + timeout;
  const MutexLock lock(&mutex_);
  while (position_ < position && absl::Now() < until) moved_.WaitFor(&mutex_, until - absl::Now());
  if (position_ >= position) return absl::OkStatus();
  if (!trouble_.ok()) return trouble_;
  return absl::DeadlineExceededError(absl::StrCat("topic ", topic_, " is read up to offset ",
                                                  position_.value(), ", and ", position.value(),
                                                  " was waited for"));
}

absl::Status TopicFollower::CatchUp(absl::Duration timeout) const {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(topic_, Partition(0)));
  return Await(marks.end, timeout);
}

absl::Status TopicFollower::trouble() const {
  const MutexLock lock(&mutex_);
  return trouble_;
}

}  // namespace rapport
