#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/intake/cloud_events.h"
#include "libs/service/http.h"
#include "services/ingest/ingest_metrics.h"

namespace rapport {

// Requests on their way to the log. Threads of its own take what waits, decode it, append it
// together (one fsync, or one round to the brokers, for many requests) and answer. Thread-safe.
class IngestQueue {
 public:
  struct Options {
    std::string touchpoints_topic;
    std::string rejected_topic;
    IntakeLimits limits;
    // Of requests that wait or are being written.
    size_t max_bytes = size_t{64} << 20;
    size_t threads = 4;
  };

  // `log` and `metrics` outlive it.
  IngestQueue(EventLog* log, IngestMetrics* metrics, Options options);
  ~IngestQueue() { Stop(); }

  // Answers later; at once with 503 when the queue is full or stopped.
  void Submit(HttpRequest request, HttpReply reply);
  // Answers all that waits, and takes no more. A second time: nothing.
  void Stop();
  // Ok, or why the log could not be written when it was last tried.
  absl::Status trouble() const;

 private:
  struct Item {
    HttpRequest request;
    HttpReply reply;
    size_t bytes = 0;
  };
  // A request that has been decoded.
  struct Decoded {
    HttpReply reply;
    size_t bytes = 0;      // as in Item
    std::string body;      // unpacked
    absl::Status refused;  // of the whole request
    IntakeBatch batch;
    size_t records = 0;  // of it in the group
  };
  // What one thread works on; kept for its memory.
  struct Group {
    std::vector<Item> items;
    std::vector<Decoded> requests;
    std::vector<Record> records;
    std::vector<Record> rejections;
    size_t bytes = 0;
  };

  void Run();
  // Waits for requests; false when there will be none.
  bool Take(Group* group);
  void Work(CloudEventDecoder* decoder, Group* group);
  void Decode(CloudEventDecoder* decoder, Item* item, absl::Time now, Group* group);
  void AppendAndAnswer(Group* group);
  // Each request of the group on its own, after the log refused a record of one of them.
  void AppendApart(Group* group);
  void Answer(Decoded* request, const absl::StatusOr<std::vector<RecordPosition>>& appended,
              size_t first);
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::Span<const Record> records);
  void AppendRejections(Group* group);
  void CollectRejections(const Decoded& request, absl::Time now, std::vector<Record>* rejections);
  // Looks whether the log is back, while nobody writes.
  void Probe();

  EventLog* const log_;
  IngestMetrics* const metrics_;
  const Options options_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Item> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace rapport
