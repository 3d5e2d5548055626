#include "services/alerts/alert_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "services/alerts/alert_view.h"

namespace rapport {
namespace {

constexpr size_t kReadRecords = 1024;
// How long a stop may take.
constexpr absl::Duration kPollWait = absl::Milliseconds(200);
constexpr absl::Duration kReadWait = absl::Seconds(5);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<AlertFeed>> AlertFeed::Open(EventLog* log, const Options& options,
                                                           AlertBook* book) {
  auto feed = std::unique_ptr<AlertFeed>(new AlertFeed(log, options, book));
  RAPPORT_ASSIGN_OR_RETURN(feed->partition_count_, log->PartitionCount(options.topic));
  {
    MutexLock lock(&feed->mutex_);
    feed->recent_.resize(static_cast<size_t>(feed->partition_count_));
  }
  for (int i = 0; i < feed->partition_count_; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             log->GetWatermarks(options.topic, Partition(i)));
    // Where all that was written is gone again, there is nothing to wait for.
    feed->ends_at_start_.push_back(marks.begin == marks.end ? Offset(0) : marks.end);
  }
  RAPPORT_ASSIGN_OR_RETURN(
      feed->subscription_,
      log->Subscribe(options.topic, {.group = options.group, .member = options.member},
                     feed.get()));
  return feed;
}

void AlertFeed::Start(Listener listener) {
  listener_ = std::move(listener);
  thread_ = std::thread([this] { Run(); });
}

void AlertFeed::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

AlertFeed::~AlertFeed() {
  Stop();
  if (subscription_ != nullptr) {
    const absl::Status closed = subscription_->Close();
    if (!closed.ok()) Log(LogLevel::kWarning, absl::StrCat("alerts: ", closed.message()));
  }
}

absl::StatusOr<Offset> AlertFeed::OnAssigned(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_->GetWatermarks(options_.topic, partition));
  const size_t at = static_cast<size_t>(partition.value());
  const Offset from = std::max(Offset(book_->cursor().next[at]), marks.begin);
  MutexLock lock(&mutex_);
  if (recent_[at].end == 0) recent_[at].begin = recent_[at].end = from.value();
  return from;
}

void AlertFeed::Run() {
  while (!stopping_) {
    const absl::StatusOr<PartitionRecords> polled = subscription_->Poll(kReadRecords, kPollWait);
    {
      const absl::Status trouble = polled.ok() ? subscription_->Trouble() : polled.status();
      MutexLock lock(&mutex_);
      if (!trouble.ok() && trouble_ != trouble) {
        Log(LogLevel::kError, absl::StrCat("reading the alerts log: ", trouble.message()));
      }
      trouble_ = trouble;
    }
    if (!polled.ok()) {
      absl::SleepFor(kPauseAfterError);
    } else if (polled->next > polled->from) {
      Take(*polled);
    }
  }
}

void AlertFeed::Take(const PartitionRecords& records) {
  std::vector<FedStepPtr> steps;
  for (const RecordView& record : records.records) {
    const RecordPosition position{records.partition, record.offset};
    std::optional<query::v1::AlertStep> step = book_->Take(position, record.value);
    if (!step) continue;
    steps.push_back(
        std::make_shared<FedStep>(FedStep{position, record.timestamp, *std::move(step)}));
  }
  book_->PassOver(records.partition, records.next);
  {
    MutexLock lock(&mutex_);
    Keep(records.partition, records.next.value(), steps);
  }
  listener_(steps, book_->cursor());
}

void AlertFeed::Keep(Partition partition, int64_t end, const std::vector<FedStepPtr>& steps) {
  Recent& recent = recent_[static_cast<size_t>(partition.value())];
  recent.end = end;
  for (const FedStepPtr& step : steps) recent.steps.emplace_back(++last_number_, step);
  kept_ += steps.size();
  for (; kept_ > options_.steps_in_memory; --kept_) {
    Recent* oldest = nullptr;
    for (Recent& one : recent_) {
      if (one.steps.empty()) continue;
      if (oldest == nullptr || one.steps.front().first < oldest->steps.front().first) oldest = &one;
    }
    oldest->begin = oldest->steps.front().second->position.offset.value() + 1;
    oldest->steps.pop_front();
  }
}

absl::Status AlertFeed::Ready() const {
  {
    MutexLock lock(&mutex_);
    if (!trouble_.ok()) {
      return absl::UnavailableError(absl::StrCat("the alerts log: ", trouble_.message()));
    }
  }
  const AlertCursor cursor = book_->cursor();
  for (size_t i = 0; i < ends_at_start_.size(); ++i) {
    if (Offset(cursor.next[i]) < ends_at_start_[i]) {
      return absl::UnavailableError(absl::StrCat("reading the alerts log: partition ", i, " is at ",
                                                 cursor.next[i], " of ",
                                                 ends_at_start_[i].value()));
    }
  }
  return absl::OkStatus();
}

bool AlertFeed::FromMemory(Partition partition, int64_t* next, size_t max,
                           std::vector<FedStepPtr>* steps) const {
  MutexLock lock(&mutex_);
  const Recent& recent = recent_[static_cast<size_t>(partition.value())];
  if (*next < recent.begin) return false;
  auto at = std::partition_point(recent.steps.begin(), recent.steps.end(), [&](const auto& step) {
    return step.second->position.offset.value() < *next;
  });
  size_t taken = 0;
  for (; at != recent.steps.end() && taken < max; ++at, ++taken) {
    steps->push_back(at->second);
    *next = at->second->position.offset.value() + 1;
  }
  if (at == recent.steps.end()) *next = std::max(*next, recent.end);
  return true;
}

absl::StatusOr<std::vector<FedStepPtr>> StepReader::Read(size_t max, bool* at_end) {
  std::vector<FedStepPtr> steps;
  const AlertCursor read = feed_->book().cursor();
  *at_end = true;
  for (size_t i = 0; i < cursor_.next.size() && steps.size() < max; ++i) {
    const auto partition = Partition(static_cast<int32_t>(i));
    int64_t& next = cursor_.next[i];
    if (!feed_->FromMemory(partition, &next, max - steps.size(), &steps)) {
      RAPPORT_RETURN_IF_ERROR(ReadLog(partition, max - steps.size(), &steps));
    }
    if (next < read.next[i]) *at_end = false;
  }
  return steps;
}

absl::Status StepReader::ReadLog(Partition partition, size_t max, std::vector<FedStepPtr>* steps) {
  int64_t& next = cursor_.next[static_cast<size_t>(partition.value())];
  const int64_t end = feed_->book().cursor().next[static_cast<size_t>(partition.value())];
  if (next >= end) return absl::OkStatus();
  if (reading_ != partition || reader_->position().value() != next) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             feed_->log()->GetWatermarks(feed_->topic(), partition));
    next = std::max(next, marks.begin.value());
    RAPPORT_ASSIGN_OR_RETURN(reader_,
                             feed_->log()->OpenReader(feed_->topic(), partition, Offset(next)));
    reading_ = partition;
  }
  const absl::StatusOr<absl::Span<const RecordView>> read = reader_->Read(max, kReadWait);
  // After an error it is opened anew: some readers never read again.
  if (!read.ok()) reading_ = Partition(-1);
  RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records, read);
  for (const RecordView& record : records) {
    if (record.offset.value() >= end) break;
    next = record.offset.value() + 1;
    const RecordPosition position{partition, record.offset};
    alert::v1::AlertEvent event;
    if (feed_->book().WasDropped(position) ||
        !event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      continue;
    }
    query::v1::AlertStep step = StepOf(position, event);
    feed_->book().Address(&step);
    steps->push_back(
        std::make_shared<FedStep>(FedStep{position, record.timestamp, std::move(step)}));
  }
  next = std::max(next, std::min(end, reader_->position().value()));
  return absl::OkStatus();
}

}  // namespace rapport
