#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"

namespace rapport::kafka {

// Messages of one partition, held as librdkafka gave them out: the views point into them. They must
// be gone (Release) before their client closes, or its close never ends.
class MessageBatch {
 public:
  struct Problem {
    rd_kafka_resp_err_t error;
    std::string text;
    Offset offset;  // of RD_KAFKA_RESP_ERR__PARTITION_EOF, which is no failure: the end
  };

  MessageBatch() = default;
  ~MessageBatch() { Clear(); }
  MessageBatch(MessageBatch&& other) noexcept { *this = std::move(other); }
  MessageBatch& operator=(MessageBatch&& other) noexcept;

  // Frees the messages that views() shows.
  void Release();
  // Frees those not shown yet, too.
  void Clear();

  // Takes up to `max` messages that are in `queue` by now; shows those up to the first problem.
  // Call Release first. A problem is returned when nothing comes before it, and what comes after it
  // waits for the next call.
  std::optional<Problem> Take(rd_kafka_queue_t* queue, size_t max);
  // As Take, with one more message in front that came another way.
  std::optional<Problem> Take(rd_kafka_message_t* first, rd_kafka_queue_t* queue, size_t max);

  absl::Span<const RecordView> views() const { return views_; }

  // Tells each view how many offsets without a message come before it, the first one from
  // `position` on. Returns whether there are any.
  bool CountPassedOver(Offset position);

 private:
  std::optional<Problem> Show(size_t max);

  std::vector<rd_kafka_message_t*> messages_;
  size_t shown_ = 0;  // the first so many are in views_
  std::vector<RecordView> views_;
};

// Decodes the headers of a view of any MessageBatch.
std::vector<Header> HeadersOf(const RecordView& record);

}  // namespace rapport::kafka
