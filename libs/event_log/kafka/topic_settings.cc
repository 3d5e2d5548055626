#include "libs/event_log/kafka/topic_settings.h"

#include <cstdint>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport::kafka {
namespace {

using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;

std::string Find(const TopicSettings& settings, const std::string& name) {
  const auto it = settings.find(name);
  return it == settings.end() ? "" : it->second;
}

// A setting as a number; `otherwise` where the broker does not tell it.
int64_t Number(const TopicSettings& settings, const std::string& name, int64_t otherwise) {
  int64_t number;
  return absl::SimpleAtoi(Find(settings, name), &number) ? number : otherwise;
}

std::string HowToSet(const std::string& topic, const std::string& setting) {
  return absl::StrCat("kafka-configs.sh --alter --entity-type topics --entity-name ", topic,
                      " --add-config ", setting);
}

}  // namespace

absl::StatusOr<TopicSettings> AskTopicSettings(rd_kafka_t* handle, const std::string& topic,
                                               absl::Duration timeout) {
  const std::string context = absl::StrCat("asking for the settings of topic ", topic);
  const AdminOptions options(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  char text[512];
  const rd_kafka_resp_err_t wrong = rd_kafka_AdminOptions_set_request_timeout(
      options.get(), ToMillis(timeout), text, sizeof text);
  if (wrong != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus(wrong, context, text);

  const ConfigResource asked(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const Queue queue(rd_kafka_queue_new(handle));
  rd_kafka_ConfigResource_t* resources[] = {asked.get()};
  rd_kafka_DescribeConfigs(handle, resources, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), -1));
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(rd_kafka_event_error(event.get()), context,
                    rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const rd_kafka_ConfigResource_t** const results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return absl::UnavailableError(absl::StrCat(context, ": no answer"));
  if (rd_kafka_ConfigResource_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* const reason = rd_kafka_ConfigResource_error_string(results[0]);
    return ToStatus(rd_kafka_ConfigResource_error(results[0]), context,
                    reason == nullptr ? "" : reason);
  }
  TopicSettings settings;
  const rd_kafka_ConfigEntry_t** const entries =
      rd_kafka_ConfigResource_configs(results[0], &count);
  for (size_t i = 0; i < count; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr) settings[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  return settings;
}

bool IsCompacted(const TopicSettings& settings) {
  return absl::StrContains(Find(settings, "cleanup.policy"), "compact");
}

absl::StatusOr<std::vector<std::string>> JudgeTopic(const std::string& topic,
                                                    const TopicSettings& settings, int replicas,
                                                    const KafkaLogOptions& options) {
  if (IsCompacted(settings)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", topic, " is compacted (cleanup.policy=", Find(settings, "cleanup.policy"),
        "): it throws away all but the last record of each client. Set it right before anything is "
        "lost: ",
        HowToSet(topic, "cleanup.policy=delete,retention.ms=-1")));
  }
  const int64_t in_sync = Number(settings, "min.insync.replicas", 1);
  if (in_sync > replicas) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", topic, " wants ", in_sync, " replicas in sync (min.insync.replicas) and has ",
        replicas, ": nothing can be appended to it. ",
        HowToSet(topic, absl::StrCat("min.insync.replicas=", replicas / 2 + 1))));
  }
  std::vector<std::string> dangers;
  if (const int64_t millis = Number(settings, "retention.ms", -1); millis >= 0) {
    dangers.push_back(absl::StrCat(
        "topic ", topic, " deletes its records after ",
        absl::FormatDuration(absl::Milliseconds(millis)),
        " (retention.ms): what is deleted can never be folded or told again. Keep them: ",
        HowToSet(topic, "retention.ms=-1")));
  }
  if (const int64_t bytes = Number(settings, "retention.bytes", -1); bytes >= 0) {
    dangers.push_back(absl::StrCat(
        "topic ", topic, " deletes its records beyond ", bytes,
        " bytes a partition (retention.bytes): what is deleted can never be folded or told again. "
        "Keep them: ",
        HowToSet(topic, "retention.bytes=-1")));
  }
  if (replicas > 1 && in_sync < replicas / 2 + 1) {
    dangers.push_back(absl::StrCat(
        "topic ", topic, " has ", replicas, " replicas and acknowledges a record that ", in_sync,
        " of them have (min.insync.replicas): the loss of ", in_sync,
        " brokers loses what was acknowledged. ",
        HowToSet(topic, absl::StrCat("min.insync.replicas=", replicas / 2 + 1))));
  }
  const auto record_bytes = static_cast<int64_t>(options.max_record_bytes);
  if (const int64_t most = Number(settings, "max.message.bytes", record_bytes);
      most < record_bytes) {
    dangers.push_back(absl::StrCat(
        "topic ", topic, " takes records up to ", most, " bytes (max.message.bytes), and Rapport ",
        "writes up to ", record_bytes, ": larger ones are refused. ",
        HowToSet(topic, absl::StrCat("max.message.bytes=", record_bytes + kBatchOverhead))));
  }
  return dangers;
}

}  // namespace rapport::kafka
