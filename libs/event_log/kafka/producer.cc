#include "libs/event_log/kafka/producer.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"

namespace rapport::kafka {

// One Append that waits for its delivery reports; on its stack, since every message sent gets a
// report sooner or later (message.timeout.ms).
struct Producer::Call {
  Mutex mutex;
  CondVar reported;
  size_t pending ABSL_GUARDED_BY(mutex) = 0;
};

struct Producer::Slot {
  Call* call;
  RecordPosition position;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__IN_PROGRESS;
};

absl::StatusOr<std::shared_ptr<Producer>> Producer::Create(const KafkaLogOptions& options) {
  std::shared_ptr<Producer> producer(new Producer(options.append_timeout));
  RAPPORT_ASSIGN_OR_RETURN(producer->handle_,
                           NewClient(options, ClientKind::kProducer, {}, producer.get()));
  producer->poller_ = std::thread([raw = producer.get()] {
    while (!raw->stopping_) rd_kafka_poll(raw->handle_.get(), 1000);
  });
  return producer;
}

Producer::~Producer() {
  if (!poller_.joinable()) return;
  stopping_ = true;
  const Queue queue(rd_kafka_queue_get_main(handle_.get()));
  rd_kafka_queue_yield(queue.get());
  poller_.join();
}

absl::StatusOr<std::vector<RecordPosition>> Producer::Append(
    const std::string& topic, absl::Span<const Record> records,
    absl::Span<const Partition> partitions) {
  const absl::Time deadline = absl::Now() + timeout_;
  const Topic handle(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  if (handle == nullptr) return ToStatus(rd_kafka_last_error(), absl::StrCat("topic ", topic));

  Call call;
  std::vector<Slot> slots(records.size());
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < records.size() && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    slots[i].call = &call;
    slots[i].position.partition = partitions[i];
    error = SendOrWait(handle.get(), records[i], &slots[i], deadline);
  }
  {
    MutexLock lock(&call.mutex);
    while (call.pending > 0) call.reported.Wait(&call.mutex);
  }

  std::vector<RecordPosition> positions;
  positions.reserve(slots.size());
  for (const Slot& slot : slots) {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = slot.error;
    positions.push_back(slot.position);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failure(error, topic);
  return positions;
}

void Producer::OnDelivered(const rd_kafka_message_t& message) {
  Slot* const slot = static_cast<Slot*>(message._private);
  slot->error = message.err;
  slot->position.offset = Offset(message.offset);
  Call* const call = slot->call;
  // Signalled under the lock: the call's owner must not wake and be gone before.
  MutexLock lock(&call->mutex);
  --call->pending;
  call->reported.Signal();
}

rd_kafka_resp_err_t Producer::SendOrWait(rd_kafka_topic_t* topic, const Record& record, Slot* slot,
                                         absl::Time deadline) {
  Call* const call = slot->call;
  {
    MutexLock lock(&call->mutex);
    ++call->pending;
  }
  rd_kafka_resp_err_t error = Send(topic, record, slot);
  while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && absl::Now() < deadline) {
    {
      // Own reports make room as do those of other calls, which are not signalled here.
      MutexLock lock(&call->mutex);
      call->reported.WaitFor(&call->mutex, absl::Milliseconds(5));
    }
    error = Send(topic, record, slot);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    MutexLock lock(&call->mutex);
    --call->pending;
  }
  return error;
}

rd_kafka_resp_err_t Producer::Send(rd_kafka_topic_t* topic, const Record& record, Slot* slot) {
  std::array<rd_kafka_vu_t, 8> arguments;
  size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> decltype(rd_kafka_vu_t::u)& {
    arguments[count].vtype = type;
    return arguments[count++].u;
  };
  add(RD_KAFKA_VTYPE_RKT).rkt = topic;
  add(RD_KAFKA_VTYPE_PARTITION).i32 = slot->position.partition.value();
  add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  add(RD_KAFKA_VTYPE_VALUE).mem = {const_cast<char*>(record.value.data()), record.value.size()};
  // A record of a partition instead of a key has no key at all, as Kafka's own clients do it.
  if (!record.key.empty() || !record.partition.has_value()) {
    add(RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(record.key.data()), record.key.size()};
  }
  add(RD_KAFKA_VTYPE_TIMESTAMP).i64 = absl::ToUnixMillis(record.timestamp);
  add(RD_KAFKA_VTYPE_OPAQUE).ptr = slot;
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const Header& header : record.headers) {
      rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
                          header.value.data(), static_cast<ssize_t>(header.value.size()));
    }
    add(RD_KAFKA_VTYPE_HEADERS).headers = headers;
  }
  const Error error(rd_kafka_produceva(handle_.get(), arguments.data(), count));
  if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  return rd_kafka_error_code(error.get());
}

absl::Status Producer::Failure(rd_kafka_resp_err_t error, const std::string& topic) {
  NoteFatalError();
  const std::string context = absl::StrCat("appending to topic ", topic);
  return Explain(ToStatus(error, context));
}

void Producer::NoteFatalError() {
  char text[512];
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(handle_.get(), text, sizeof text);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || broken_.exchange(true)) return;
  Log(LogLevel::kWarning, absl::StrCat("kafka: the producer ended and is replaced: ", text));
}

void Producer::Abandon() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

}  // namespace rapport::kafka
