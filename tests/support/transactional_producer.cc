#include "tests/support/transactional_producer.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "librdkafka/rdkafka.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr int kTimeoutMs = 60'000;

absl::Status ToStatus(rd_kafka_error_t* error) {
  if (error == nullptr) return absl::OkStatus();
  const absl::Status status = absl::UnknownError(rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return status;
}

}  // namespace

struct TransactionalProducer::Impl {
  ~Impl() {
    if (handle != nullptr) rd_kafka_destroy(handle);
  }
  static void OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    static_cast<Impl*>(self)->last[message->partition] = message->offset;
  }
  // The coordinator answers before it has written the markers.
  absl::Status AwaitMarkers(const std::string& topic) const {
    const absl::Time deadline = absl::Now() + absl::Milliseconds(kTimeoutMs);
    for (const auto& [partition, offset] : last) {
      int64_t begin = 0, end = 0;
      while (rd_kafka_query_watermark_offsets(handle, topic.c_str(), partition, &begin, &end,
                                              kTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR ||
             end < offset + 2) {
        if (absl::Now() >= deadline) return absl::DeadlineExceededError("no marker was written");
        absl::SleepFor(absl::Milliseconds(5));
      }
    }
    return absl::OkStatus();
  }

  rd_kafka_t* handle = nullptr;
  std::map<int32_t, int64_t> last;  // offset written, by partition
};

TransactionalProducer::TransactionalProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TransactionalProducer::~TransactionalProducer() = default;

absl::StatusOr<std::unique_ptr<TransactionalProducer>> TransactionalProducer::Start(
    const std::string& servers, const std::string& id) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  char text[512];
  for (const auto& [name, value] :
       {std::pair<const char*, std::string>{"bootstrap.servers", servers},
        {"transactional.id", id},
        {"partitioner", "murmur2_random"},
        // Of the watermarks that it asks for.
        {"isolation.level", "read_committed"},
        {"log_level", "0"}}) {
    RAPPORT_CHECK(
        rd_kafka_conf_set(conf, name, value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK, text);
  }
  auto impl = std::make_unique<Impl>();
  rd_kafka_conf_set_opaque(conf, impl.get());
  rd_kafka_conf_set_dr_msg_cb(conf, Impl::OnDelivered);
  impl->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
  if (impl->handle == nullptr) return absl::UnknownError(text);
  RAPPORT_RETURN_IF_ERROR(ToStatus(rd_kafka_init_transactions(impl->handle, kTimeoutMs)));
  return std::unique_ptr<TransactionalProducer>(new TransactionalProducer(std::move(impl)));
}

absl::Status TransactionalProducer::Write(const std::string& topic,
                                          absl::Span<const Record> records, bool commit) {
  rd_kafka_t* const handle = impl_->handle;
  RAPPORT_RETURN_IF_ERROR(ToStatus(rd_kafka_begin_transaction(handle)));
  impl_->last.clear();
  for (const Record& record : records) {
    const int32_t partition =
        record.partition.has_value() ? record.partition->value() : RD_KAFKA_PARTITION_UA;
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        handle, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_TIMESTAMP(absl::ToUnixMillis(record.timestamp)), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return absl::UnknownError(rd_kafka_err2str(error));
  }
  if (const rd_kafka_resp_err_t error = rd_kafka_flush(handle, kTimeoutMs);
      error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::UnknownError(rd_kafka_err2str(error));
  }
  RAPPORT_RETURN_IF_ERROR(ToStatus(commit ? rd_kafka_commit_transaction(handle, kTimeoutMs)
                                          : rd_kafka_abort_transaction(handle, kTimeoutMs)));
  return impl_->AwaitMarkers(topic);
}

}  // namespace rapport
