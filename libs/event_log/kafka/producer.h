#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"

namespace rapport::kafka {

// One idempotent producer (acks=all) and the thread that takes its delivery reports. Thread-safe.
class Producer : private ClientEvents {
 public:
  static absl::StatusOr<std::shared_ptr<Producer>> Create(const KafkaLogOptions& options);
  ~Producer() override;

  // Sends `records` to `partitions` (one each) and waits for all their delivery reports.
  absl::StatusOr<std::vector<RecordPosition>> Append(const std::string& topic,
                                                     absl::Span<const Record> records,
                                                     absl::Span<const Partition> partitions);

  // True once librdkafka cannot keep the order or single delivery any more: nothing more can be
  // sent, and a new producer has to take over.
  bool broken() const { return broken_; }
  // Fails what is still under way, for a producer that is broken.
  void Abandon();

  rd_kafka_t* handle() const { return handle_.get(); }

 private:
  struct Call;
  struct Slot;

  explicit Producer(absl::Duration timeout) : timeout_(timeout) {}
  void OnDelivered(const rd_kafka_message_t& message) override;
  rd_kafka_resp_err_t Send(rd_kafka_topic_t* topic, const Record& record, Slot* slot);
  rd_kafka_resp_err_t SendOrWait(rd_kafka_topic_t* topic, const Record& record, Slot* slot,
                                 absl::Time deadline);
  absl::Status Failure(rd_kafka_resp_err_t error, const std::string& topic);
  void NoteFatalError();

  const absl::Duration timeout_;
  std::atomic<bool> broken_ = false;
  std::atomic<bool> stopping_ = false;
  Handle handle_;
  std::thread poller_;
};

}  // namespace rapport::kafka
