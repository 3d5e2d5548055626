#include "libs/event_log/kafka/reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/event_log/kafka/topic_settings.h"

namespace rapport::kafka {

absl::Status ReadFailure(rd_kafka_t* handle, const std::string& topic, Partition partition,
                         Offset position, const MessageBatch::Problem& problem,
                         absl::Duration timeout) {
  const std::string context =
      absl::StrCat("reading ", Place(topic, partition), " from offset ", position.value());
  if (problem.error != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    return ToStatus(problem.error, context, problem.text);
  }
  const auto log = AskWatermarks(handle, topic, partition, timeout);
  if (!log.ok()) return ToStatus(problem.error, context, problem.text);
  return absl::FailedPreconditionError(absl::StrCat(
      context, ": the log begins at ", log->begin.value(), " and ends at ", log->end.value(),
      position < log->begin
          ? "; what came before was deleted by retention: restore a snapshot of a later position, "
            "or rebuild from the beginning"
          : "; the position comes from another log, or the log lost its end: rebuild"));
}

absl::Status GapCheck::Explain(rd_kafka_t* handle, const std::string& topic, Partition partition,
                               Offset position, absl::Duration timeout) {
  constexpr absl::Duration kGoodFor = absl::Seconds(10);
  if (absl::Now() < good_until_) return absl::OkStatus();
  const auto missing = [&](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("reading ", Place(topic, partition),
                                                      ": records are missing from offset ",
                                                      position.value(), " on: ", why));
  };
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks log, AskWatermarks(handle, topic, partition, timeout));
  if (log.begin > position) {
    return missing(absl::StrCat("the log begins at ", log.begin.value(),
                                "; what came before was deleted by retention: restore a snapshot "
                                "of a later position, or rebuild from the beginning"));
  }
  const auto settings = AskTopicSettings(handle, topic, timeout);
  // A user who may read need not be allowed to ask for settings.
  if (!settings.ok() && !absl::IsFailedPrecondition(settings.status())) return settings.status();
  if (settings.ok() && IsCompacted(*settings)) {
    return missing(
        "the topic is compacted (cleanup.policy), which throws records away; set "
        "cleanup.policy=delete with retention.ms=-1, and restore what is gone or rebuild from what "
        "is left");
  }
  good_until_ = absl::Now() + kGoodFor;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LogReader>> Reader::Open(const KafkaLogOptions& options,
                                                        const std::string& topic,
                                                        Partition partition, Offset from) {
  std::unique_ptr<Reader> reader(new Reader(options, topic, partition, from));
  RAPPORT_ASSIGN_OR_RETURN(reader->handle_,
                           NewClient(options, ClientKind::kReader, {}, reader.get()));
  reader->topic_.reset(rd_kafka_topic_new(reader->handle_.get(), topic.c_str(), nullptr));
  reader->queue_.reset(rd_kafka_queue_new(reader->handle_.get()));
  if (reader->topic_ == nullptr) {
    return ToStatus(rd_kafka_last_error(), absl::StrCat("opening topic ", topic));
  }
  RAPPORT_RETURN_IF_ERROR(reader->Start());
  return reader;
}

absl::Status Reader::Start() {
  if (rd_kafka_consume_start_queue(topic_.get(), partition_.value(), position_.value(),
                                   queue_.get()) != 0) {
    return ToStatus(rd_kafka_last_error(), absl::StrCat("opening topic ", topic_name_));
  }
  started_ = true;
  return absl::OkStatus();
}

absl::Status Reader::Stop(const absl::Status& why) {
  batch_.Clear();
  rd_kafka_consume_stop(topic_.get(), partition_.value());
  started_ = false;
  return attempts_.Failed(why);
}

Reader::~Reader() {
  batch_.Clear();
  if (started_) rd_kafka_consume_stop(topic_.get(), partition_.value());
}

absl::StatusOr<absl::Span<const RecordView>> Reader::Read(size_t max_records, absl::Duration wait) {
  const absl::Time deadline = absl::Now() + wait;
  batch_.Release();
  if (!started_) {
    if (!attempts_.Due()) return attempts_.trouble();
    RAPPORT_RETURN_IF_ERROR(Start());
  }
  rd_kafka_poll(handle_.get(), 0);  // events of the client
  std::optional<MessageBatch::Problem> problem = batch_.Take(queue_.get(), max_records);
  const Offset begin = position_;
  while (batch_.views().empty()) {
    if (problem.has_value()) {
      RAPPORT_RETURN_IF_ERROR(HandleProblem(*problem));
      if (position_ > begin) return batch_.views();
      problem = batch_.Take(queue_.get(), max_records);
      continue;
    }
    const int left = ToMillis(deadline - absl::Now());
    rd_kafka_message_t* const first =
        left > 0 ? rd_kafka_consume_queue(queue_.get(), left) : nullptr;
    if (first == nullptr) {
      RAPPORT_RETURN_IF_ERROR(CheckBrokers(handle_.get()));
      return batch_.views();
    }
    problem = batch_.Take(first, queue_.get(), max_records);
  }
  if (batch_.CountPassedOver(position_)) {
    const absl::Status explained =
        gaps_.Explain(handle_.get(), topic_name_, partition_, position_, request_timeout_);
    if (!explained.ok()) return Stop(explained);
  }
  attempts_.Succeeded();
  position_ = batch_.views().back().offset + 1;
  return batch_.views();
}

absl::Status Reader::HandleProblem(const MessageBatch::Problem& problem) {
  if (problem.error == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    position_ = std::max(position_, problem.offset);
    attempts_.Succeeded();
    return absl::OkStatus();
  }
  const absl::Status status =
      ReadFailure(handle_.get(), topic_name_, partition_, position_, problem, request_timeout_);
  return absl::IsUnavailable(status) ? status : Stop(status);
}

}  // namespace rapport::kafka
