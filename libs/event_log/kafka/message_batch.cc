#include "libs/event_log/kafka/message_batch.h"

#include <algorithm>

namespace rapport::kafka {
namespace {

// Bounds the memory of one batch, whatever the caller asks for.
constexpr size_t kMostMessages = 1 << 16;

RecordView ViewOf(const rd_kafka_message_t* message) {
  RecordView view;
  view.offset = Offset(message->offset);
  // -1 when the record has none.
  const int64_t millis = rd_kafka_message_timestamp(message, nullptr);
  view.timestamp = absl::FromUnixMillis(std::max<int64_t>(millis, 0));
  view.key = absl::string_view(static_cast<const char*>(message->key), message->key_len);
  view.value = absl::string_view(static_cast<const char*>(message->payload), message->len);
  view.headers = message;
  return view;
}

}  // namespace

MessageBatch& MessageBatch::operator=(MessageBatch&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  messages_ = std::exchange(other.messages_, {});
  shown_ = std::exchange(other.shown_, 0);
  views_ = std::exchange(other.views_, {});
  return *this;
}

void MessageBatch::Release() {
  for (size_t i = 0; i < shown_; ++i) rd_kafka_message_destroy(messages_[i]);
  messages_.erase(messages_.begin(), messages_.begin() + static_cast<ptrdiff_t>(shown_));
  shown_ = 0;
  views_.clear();
}

void MessageBatch::Clear() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  messages_.clear();
  shown_ = 0;
  views_.clear();
}

std::optional<MessageBatch::Problem> MessageBatch::Take(rd_kafka_queue_t* queue, size_t max) {
  max = std::min(max, kMostMessages);
  if (const size_t have = messages_.size(); have < max) {
    messages_.resize(max);
    const ssize_t taken =
        rd_kafka_consume_batch_queue(queue, /*timeout_ms=*/0, messages_.data() + have, max - have);
    messages_.resize(have + static_cast<size_t>(std::max<ssize_t>(taken, 0)));
  }
  return Show(max);
}

std::optional<MessageBatch::Problem> MessageBatch::Take(rd_kafka_message_t* first,
                                                        rd_kafka_queue_t* queue, size_t max) {
  messages_.push_back(first);
  return Take(queue, max);
}

std::optional<MessageBatch::Problem> MessageBatch::Show(size_t max) {
  while (shown_ < std::min(max, messages_.size())) {
    rd_kafka_message_t* const message = messages_[shown_];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (shown_ > 0) return std::nullopt;
      Problem problem{message->err, rd_kafka_message_errstr(message), Offset(message->offset)};
      messages_.erase(messages_.begin());
      rd_kafka_message_destroy(message);
      return problem;
    }
    views_.push_back(ViewOf(message));
    ++shown_;
  }
  return std::nullopt;
}

bool MessageBatch::CountPassedOver(Offset position) {
  bool any = false;
  for (RecordView& view : views_) {
    view.passed_over = view.offset - position;
    any |= view.passed_over > 0;
    position = view.offset + 1;
  }
  return any;
}

std::vector<Header> HeadersOf(const RecordView& record) {
  const auto* const message = static_cast<const rd_kafka_message_t*>(record.headers);
  std::vector<Header> headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(message, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name;
  const void* value;
  size_t size;
  for (size_t i = 0;
       rd_kafka_header_get_all(raw, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  return headers;
}

}  // namespace rapport::kafka
