#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/message_batch.h"

namespace rapport::kafka {

// A member of a consumer group. Each owned partition has its own queue, which is read in turn, so
// that one Poll gives records of one partition, a busy partition does not starve the others, and
// what librdkafka fetched for a partition goes away with it.
class Member : public Subscription, private ClientEvents {
 public:
  static absl::StatusOr<std::unique_ptr<Subscription>> Join(const KafkaLogOptions& options,
                                                            const std::string& topic,
                                                            const SubscribeOptions& subscribe,
                                                            PartitionListener* listener);
  ~Member() override;

  absl::StatusOr<PartitionRecords> Poll(size_t max_records, absl::Duration wait) override;
  absl::Status Pause(Partition partition) override;
  absl::Status Resume(Partition partition) override;
  void ReportPosition(Partition partition, Offset next) override;
  absl::Status Close() override;
  std::vector<Header> Headers(const RecordView& record) const override { return HeadersOf(record); }

 private:
  struct Owned {
    Queue queue;
    Offset position;
    bool paused = false;
    // Set when it cannot be read (told once, by Poll): it stays ours, unread.
    bool failed = false;
    // The group has thrown us out meanwhile: others may have it before we hear that it is revoked.
    bool suspect = false;
    MessageBatch batch;
  };

  Member(const KafkaLogOptions& options, std::string topic, std::string member,
         PartitionListener* listener)
      : request_timeout_(options.request_timeout),
        topic_(std::move(topic)),
        member_(std::move(member)),
        listener_(listener) {}

  void OnRebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) override;
  void Assign(rd_kafka_topic_partition_list_t* partitions);
  void Revoke(rd_kafka_topic_partition_list_t* partitions, bool lost);
  void WakeOn(rd_kafka_queue_t* queue);
  absl::Status ServeGroup();
  absl::Status CheckFatal() const;
  absl::StatusOr<PartitionRecords> NextRecords(size_t max_records);
  bool WaitForNews(absl::Time deadline);
  absl::StatusOr<Owned*> Find(Partition partition);
  absl::Status Shutdown();

  const absl::Duration request_timeout_;
  const std::string topic_;
  const std::string member_;
  PartitionListener* listener_;  // null while closing without telling it
  Handle handle_;
  Queue events_;
  std::map<Partition, Owned> owned_;
  Partition last_polled_ = Partition(-1);
  std::vector<absl::Status> errors_;  // of listeners, for Poll to return
  absl::Duration max_poll_interval_;
  absl::Time last_poll_ = absl::Now();
  // We did not poll for too long, and are about to hear what came of it.
  bool overslept_ = false;

  Mutex mutex_;
  CondVar news_;
  // A queue that was empty is so no more. Set on librdkafka's threads.
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rapport::kafka
