#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "libs/base/mutex.h"
#include "libs/event_log/attempts.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/message_batch.h"
#include "libs/event_log/kafka/reader.h"

namespace rapport::kafka {

// A member of a consumer group. Each owned partition has its own queue, which is read in turn, so
// that one Poll gives records of one partition, a busy partition does not starve the others, and
// what librdkafka fetched for a partition goes away with it.
//
// A partition that the group gave us is read from when its listener has said where: in Poll, one
// partition after the other, so that the rebalance does not wait. After a failure it is given back
// to librdkafka (not to the group), and the listener is asked again.
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
  absl::Status Trouble() const override;
  absl::Status Close() override;
  std::vector<Header> Headers(const RecordView& record) const override { return HeadersOf(record); }

 private:
  struct Owned {
    Queue queue;  // null while it is not read
    Offset position = Offset(0);
    bool paused = false;
    Attempts attempts;
    GapCheck gaps;
    // The group has thrown us out meanwhile: others may have it before we hear that it is revoked.
    bool suspect = false;
    MessageBatch batch;
  };

  Member(const KafkaLogOptions& options, std::string topic, const SubscribeOptions& subscribe,
         PartitionListener* listener)
      : options_(options), topic_(std::move(topic)), subscribe_(subscribe), listener_(listener) {}

  // Becomes a member of the group, with a client of its own.
  absl::Status Connect();

  void OnRebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) override;
  void Assign(rd_kafka_topic_partition_list_t* partitions);
  void Revoke(rd_kafka_topic_partition_list_t* partitions, bool lost);
  void WakeOn(rd_kafka_queue_t* queue);
  absl::Status ServeGroup();
  absl::Status CheckFatal();
  // Our partitions are another's: lets go of them and of the client.
  void Fenced(absl::Status why);
  // Ok once the place in the group is free and we have it again.
  absl::Status JoinAgain();
  // Has the listener say where to read, where it has not and its time has come.
  absl::Status StartReading();
  absl::Status Start(Partition partition, Owned& owned);
  // Stops reading a partition that stays ours; it is started again later. Returns `why`.
  absl::Status StopReading(Partition partition, Owned& owned, const absl::Status& why);
  absl::Time NextAttempt() const;
  // Lets go of what was fetched of a partition.
  void Forget(std::map<Partition, Owned>::iterator it);
  absl::StatusOr<PartitionRecords> NextRecords(size_t max_records);
  bool WaitForNews(absl::Time deadline);
  absl::StatusOr<Owned*> Find(Partition partition);
  // Has the group give our partitions to others at once.
  void LeaveGroup();
  // Without `leave`, the group keeps our place for the session time-out.
  absl::Status Shutdown(bool leave);

  const KafkaLogOptions options_;
  const std::string topic_;
  const SubscribeOptions subscribe_;
  PartitionListener* listener_;  // null while closing without telling it
  Handle handle_;
  Queue events_;
  std::map<Partition, Owned> owned_;
  Partition last_polled_ = Partition(-1);
  // We were given partitions of another topic: our place in the group is from another life.
  bool misplaced_ = false;
  // Not ok while another process is the member that we were.
  absl::Status fenced_;
  absl::Time look_again_ = absl::InfinitePast();
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
