#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "librdkafka/rdkafka.h"
#include "libs/base/mutex.h"
#include "libs/event_log/kafka/kafka_log.h"

// What the parts of the Kafka log share: owned librdkafka handles, configuration, errors.

namespace rapport::kafka {

template <auto kDestroy>
struct Destroy {
  template <class T>
  void operator()(T* handle) const {
    kDestroy(handle);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                   Destroy<rd_kafka_topic_partition_list_destroy>>;

// What librdkafka tells a client, within calls to rd_kafka_poll and its likes. Outlives the handle.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void OnDelivered(const rd_kafka_message_t& message) {}
  virtual void OnRebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {}
  void OnError(rd_kafka_resp_err_t error, absl::string_view text);

  // Unavailable if no broker could be reached lately and none can now, asked for up to a second.
  // Cheap while all is well.
  absl::Status CheckBrokers(rd_kafka_t* handle);
  // An Unavailable status with what librdkafka said last about its connections (a time-out alone
  // does not tell of a wrong password); any other status as it is.
  absl::Status Explain(const absl::Status& status);

 private:
  std::atomic<bool> brokers_down_ = false;
  Mutex mutex_;
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
};

// Room for the framing of a record and its batch, beside the record's own bytes.
inline constexpr size_t kBatchOverhead = 48 << 10;

enum class ClientKind { kAdmin, kProducer, kReader, kMember };

// InvalidArgument for options that cannot work, or that would break the contract.
absl::Status ValidateOptions(const KafkaLogOptions& options);

// Creates a client. `own` are settings of this one client.
absl::StatusOr<Handle> NewClient(const KafkaLogOptions& options, ClientKind kind,
                                 const std::vector<std::pair<std::string, std::string>>& own,
                                 ClientEvents* events);

// The status for `error`, with the code that base/status.h gives it: "context: text".
absl::Status ToStatus(rd_kafka_resp_err_t error, absl::string_view context,
                      absl::string_view text = {});

// What librdkafka says, without what differs each time that it says the same (threads, times,
// counts), and without its guesses at causes.
std::string PlainText(absl::string_view text);

// "topic T partition P", for messages.
std::string Place(const std::string& topic, Partition partition);

// The first offset in the partition at or after `millis` since 1970; negative: there is none.
absl::StatusOr<int64_t> AskOffsetForTime(rd_kafka_t* handle, const std::string& topic,
                                         Partition partition, int64_t millis,
                                         absl::Duration timeout);
absl::StatusOr<Watermarks> AskWatermarks(rd_kafka_t* handle, const std::string& topic,
                                         Partition partition, absl::Duration timeout);

// Milliseconds as librdkafka takes them; rounded up, so that a short wait is no busy loop.
int ToMillis(absl::Duration duration);

}  // namespace rapport::kafka
