#include "services/alerts/log_writer.h"

#include <utility>
#include <vector>

#include "libs/base/check.h"

namespace rapport {
namespace {

constexpr size_t kMaxWaiting = 10'000;
constexpr size_t kMaxBatch = 500;

}  // namespace

LogWriter::LogWriter(EventLog* log) : log_(log), thread_([this] { Run(); }) {}

LogWriter::~LogWriter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    woken_.SignalAll();
  }
  thread_.join();
}

void LogWriter::Append(const std::string& topic, Record record, Done done) {
  {
    MutexLock lock(&mutex_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({topic, std::move(record), std::move(done)});
      woken_.SignalAll();
      return;
    }
  }
  done(absl::UnavailableError("the log is behind with what is to be written; try again"));
}

void LogWriter::Run() {
  while (true) {
    std::vector<Record> records;
    std::vector<Done> done;
    std::string topic;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty()) {
        if (stopping_) return;
        woken_.Wait(&mutex_);
      }
      topic = waiting_.front().topic;
      while (!waiting_.empty() && waiting_.front().topic == topic && records.size() < kMaxBatch) {
        records.push_back(std::move(waiting_.front().record));
        done.push_back(std::move(waiting_.front().done));
        waiting_.pop_front();
      }
    }
    const absl::StatusOr<std::vector<RecordPosition>> positions = log_->Append(topic, records);
    RAPPORT_CHECK(!positions.ok() || positions->size() == records.size());
    for (size_t i = 0; i < done.size(); ++i) {
      done[i](positions.ok() ? absl::StatusOr<RecordPosition>((*positions)[i])
                             : absl::StatusOr<RecordPosition>(positions.status()));
    }
  }
}

}  // namespace rapport
