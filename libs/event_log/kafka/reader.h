#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/attempts.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/message_batch.h"

namespace rapport::kafka {

// Says what is wrong with reading on at `position`: the status for a problem that librdkafka
// reported there.
absl::Status ReadFailure(rd_kafka_t* handle, const std::string& topic, Partition partition,
                         Offset position, const MessageBatch::Problem& problem,
                         absl::Duration timeout);

// Whether offsets that hold no message can only be what transactions left: in a topic that is not
// compacted, and where nothing before them was deleted. One for each partition that is read.
class GapCheck {
 public:
  // `position`: where the gap begins. FailedPrecondition: records may be missing. Asks the brokers
  // at most every 10 s, since a log written in transactions has a gap for each of them.
  absl::Status Explain(rd_kafka_t* handle, const std::string& topic, Partition partition,
                       Offset position, absl::Duration timeout);

 private:
  absl::Time good_until_ = absl::InfinitePast();
};

// Reads one partition, in no group and through a client of its own.
class Reader : public LogReader, private ClientEvents {
 public:
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(const KafkaLogOptions& options,
                                                         const std::string& topic,
                                                         Partition partition, Offset from);
  ~Reader() override;

  absl::StatusOr<absl::Span<const RecordView>> Read(size_t max_records,
                                                    absl::Duration wait) override;
  Offset position() const override { return position_; }
  std::vector<Header> Headers(const RecordView& record) const override { return HeadersOf(record); }

 private:
  Reader(const KafkaLogOptions& options, std::string topic, Partition partition, Offset from)
      : request_timeout_(options.request_timeout),
        topic_name_(std::move(topic)),
        partition_(partition),
        position_(from) {}

  absl::Status Start();
  // Stops until the next attempt. Returns `why`.
  absl::Status Stop(const absl::Status& why);
  absl::Status HandleProblem(const MessageBatch::Problem& problem);

  const absl::Duration request_timeout_;
  const std::string topic_name_;
  const Partition partition_;
  Offset position_;
  // After a failure it is started anew at its position: reading on would skip what could not be
  // read.
  Attempts attempts_;

  Handle handle_;
  Topic topic_;
  Queue queue_;
  bool started_ = false;
  GapCheck gaps_;
  MessageBatch batch_;
};

}  // namespace rapport::kafka
