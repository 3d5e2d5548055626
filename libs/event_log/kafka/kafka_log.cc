#include "libs/event_log/kafka/kafka_log.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/group_members.h"
#include "libs/event_log/kafka/producer.h"
#include "libs/event_log/kafka/reader.h"
#include "libs/event_log/kafka/subscription.h"
#include "libs/event_log/kafka/topic_settings.h"
#include "libs/event_log/partitioner.h"

namespace rapport {
namespace kafka {
namespace {

// How long a broker may take to hear of a topic that was created through another one.
constexpr absl::Duration kPropagation = absl::Seconds(2);

// What Kafka takes as a topic's name.
bool IsTopicName(absl::string_view name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

size_t SizeOf(const Record& record) {
  size_t size = record.key.size() + record.value.size();
  for (const Header& header : record.headers) size += header.name.size() + header.value.size();
  return size;
}

class KafkaLog : public EventLog {
 public:
  explicit KafkaLog(KafkaLogOptions options) : options_(std::move(options)) {}
  absl::Status Connect() {
    RAPPORT_ASSIGN_OR_RETURN(admin_, NewClient(options_, ClientKind::kAdmin, {}, &admin_events_));
    return absl::OkStatus();
  }

  absl::Status CreateTopic(absl::string_view topic, int partitions) override;
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override;
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override;
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override;
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override;
  absl::StatusOr<std::vector<std::string>> CheckTopic(absl::string_view topic) override;
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override;

 private:
  std::string Name(absl::string_view topic) const {
    return absl::StrCat(options_.topic_prefix, topic);
  }
  template <class Ask>
  auto RetryUnavailable(const Ask& ask);
  struct Layout {
    int partitions = 0;
    int replicas = 0;  // the fewest of a partition
  };
  absl::StatusOr<Layout> AskLayout(const std::string& name);
  absl::StatusOr<int> AskPartitionCount(const std::string& name);
  absl::StatusOr<int> CachedPartitionCount(const std::string& name);
  void ForgetPartitionCount(const std::string& name);
  absl::Status CheckPartition(const std::string& name, Partition partition);
  absl::Status CheckRecord(const std::string& name, const Record& record, int partitions) const;
  absl::Status RequestTopic(const std::string& name, int partitions);
  absl::Status AwaitTopic(const std::string& name, int partitions);
  absl::StatusOr<std::shared_ptr<Producer>> GetProducer();
  void Replace(const std::shared_ptr<Producer>& broken);

  const KafkaLogOptions options_;
  ClientEvents admin_events_;
  // For everything that is neither appending nor reading. A consumer, since a producer's metadata
  // requests create the topics that they ask for.
  Handle admin_;                  // set by Connect
  std::atomic<int> brokers_ = 0;  // as many as there were when we asked last
  Mutex mutex_;
  std::shared_ptr<Producer> producer_ ABSL_GUARDED_BY(mutex_);
  // Fixed for the life of a topic: keys would change their partitions.
  std::map<std::string, int> partition_counts_ ABSL_GUARDED_BY(mutex_);
};

// Repeats `ask` while a partition has no leader, as just after its creation or a broker's failure.
template <class Ask>
auto KafkaLog::RetryUnavailable(const Ask& ask) {
  const absl::Time deadline = absl::Now() + options_.request_timeout;
  auto result = ask();
  while (absl::IsUnavailable(result.status()) && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(20));
    result = ask();
  }
  rd_kafka_poll(admin_.get(), 0);  // what it has to say about its connections
  if (!result.ok()) return decltype(result)(admin_events_.Explain(result.status()));
  return result;
}

absl::StatusOr<int> KafkaLog::PartitionCount(absl::string_view topic) {
  const std::string name = Name(topic);
  const auto ask = [&] { return AskPartitionCount(name); };
  absl::StatusOr<int> count = RetryUnavailable(ask);
  const absl::Time deadline = absl::Now() + kPropagation;
  while (absl::IsNotFound(count.status()) && brokers_ > 1 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(50));
    count = RetryUnavailable(ask);
  }
  RAPPORT_RETURN_IF_ERROR(count.status());
  MutexLock lock(&mutex_);
  partition_counts_[name] = *count;
  return count;
}

absl::StatusOr<int> KafkaLog::AskPartitionCount(const std::string& name) {
  RAPPORT_ASSIGN_OR_RETURN(const Layout layout, AskLayout(name));
  return layout.partitions;
}

absl::StatusOr<KafkaLog::Layout> KafkaLog::AskLayout(const std::string& name) {
  const std::string context = absl::StrCat("topic ", name);
  const Topic topic(rd_kafka_topic_new(admin_.get(), name.c_str(), nullptr));
  if (topic == nullptr) return ToStatus(rd_kafka_last_error(), context);
  const rd_kafka_metadata_t* raw = nullptr;
  rd_kafka_resp_err_t error = rd_kafka_metadata(admin_.get(), /*all_topics=*/0, topic.get(), &raw,
                                                ToMillis(options_.request_timeout));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus(error, context);
  const std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>> metadata(
      raw);
  brokers_ = metadata->broker_cnt;
  if (metadata->topic_cnt != 1) {
    return ToStatus(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, context);
  }
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus(found.err, context);
  Layout layout{.partitions = found.partition_cnt,
                .replicas = found.partition_cnt > 0 ? found.partitions[0].replica_cnt : 0};
  for (int i = 0; i < found.partition_cnt; ++i) {
    layout.replicas = std::min(layout.replicas, found.partitions[i].replica_cnt);
    if (found.partitions[i].leader < 0) {
      return ToStatus(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                      absl::StrCat(context, " partition ", found.partitions[i].id));
    }
  }
  return layout;
}

absl::StatusOr<int> KafkaLog::CachedPartitionCount(const std::string& name) {
  {
    MutexLock lock(&mutex_);
    const auto it = partition_counts_.find(name);
    if (it != partition_counts_.end()) return it->second;
  }
  return PartitionCount(absl::string_view(name).substr(options_.topic_prefix.size()));
}

void KafkaLog::ForgetPartitionCount(const std::string& name) {
  MutexLock lock(&mutex_);
  partition_counts_.erase(name);
}

absl::Status KafkaLog::CheckPartition(const std::string& name, Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const int count, CachedPartitionCount(name));
  if (partition.value() >= 0 && partition.value() < count) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("topic ", name, " has no partition ", partition.value(), "; it has ", count));
}

absl::Status KafkaLog::CreateTopic(absl::string_view topic, int partitions) {
  const std::string name = Name(topic);
  if (!IsTopicName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no topic name; use at most 249 of a-z, A-Z, 0-9, . _ -"));
  }
  if (partitions < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("topic ", name, " with ", partitions, " partitions; choose 1 or more"));
  }
  const absl::Status created = RequestTopic(name, partitions);
  rd_kafka_poll(admin_.get(), 0);
  if (!created.ok() && !absl::IsAlreadyExists(created)) return admin_events_.Explain(created);
  return AwaitTopic(name, partitions);
}

absl::Status KafkaLog::RequestTopic(const std::string& name, int partitions) {
  const std::string context = absl::StrCat("creating topic ", name);
  char text[512];
  const std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>> topic(
      rd_kafka_NewTopic_new(name.c_str(), partitions, options_.replication_factor, text,
                            sizeof text));
  if (topic == nullptr) return absl::InvalidArgumentError(absl::StrCat(context, ": ", text));
  std::map<std::string, std::string> settings = options_.topic_settings;
  settings["min.insync.replicas"] = absl::StrCat(options_.min_insync_replicas);
  settings["max.message.bytes"] = absl::StrCat(options_.max_record_bytes + kBatchOverhead);
  for (const auto& [setting, value] : settings) {
    rd_kafka_NewTopic_set_config(topic.get(), setting.c_str(), value.c_str());
  }

  const std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>> options(
      rd_kafka_AdminOptions_new(admin_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  const int timeout = ToMillis(options_.request_timeout);
  for (const auto set :
       {rd_kafka_AdminOptions_set_request_timeout, rd_kafka_AdminOptions_set_operation_timeout}) {
    const rd_kafka_resp_err_t error = set(options.get(), timeout, text, sizeof text);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus(error, context, text);
  }

  const Queue queue(rd_kafka_queue_new(admin_.get()));
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(admin_.get(), topics, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), -1));
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(rd_kafka_event_error(event.get()), context,
                    rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const rd_kafka_topic_result_t* const* const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return absl::UnavailableError(absl::StrCat(context, ": no result"));
  const char* const reason = rd_kafka_topic_result_error_string(results[0]);
  return ToStatus(rd_kafka_topic_result_error(results[0]), context,
                  reason == nullptr ? "" : reason);
}

// Brokers learn of a new topic one after the other.
absl::Status KafkaLog::AwaitTopic(const std::string& name, int partitions) {
  RAPPORT_ASSIGN_OR_RETURN(const int count, RetryUnavailable([&]() -> absl::StatusOr<int> {
                             absl::StatusOr<int> asked = AskPartitionCount(name);
                             if (absl::IsNotFound(asked.status())) {
                               return absl::UnavailableError(asked.status().message());
                             }
                             return asked;
                           }));
  if (count != partitions) {
    return absl::AlreadyExistsError(
        absl::StrCat("topic ", name, " exists with ", count, " partitions, not ", partitions));
  }
  MutexLock lock(&mutex_);
  partition_counts_[name] = count;
  return absl::OkStatus();
}

absl::Status KafkaLog::CheckRecord(const std::string& name, const Record& record,
                                   int partitions) const {
  if (record.partition.has_value() &&
      (record.partition->value() < 0 || record.partition->value() >= partitions)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "topic ", name, " has no partition ", record.partition->value(), "; it has ", partitions));
  }
  if (SizeOf(record) > options_.max_record_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a record for topic ", name, " has ", SizeOf(record),
                     " bytes; the limit is max_record_bytes = ", options_.max_record_bytes));
  }
  // librdkafka takes 0 for "now", and Kafka has no earlier times.
  if (absl::ToUnixMillis(record.timestamp) <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a record for topic ", name, " is of ",
                     absl::FormatTime(record.timestamp, absl::UTCTimeZone()),
                     "; Kafka keeps times after 1970-01-01"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RecordPosition>> KafkaLog::Append(absl::string_view topic,
                                                             absl::Span<const Record> records) {
  const std::string name = Name(topic);
  RAPPORT_ASSIGN_OR_RETURN(const int count, CachedPartitionCount(name));
  std::vector<Partition> partitions;
  partitions.reserve(records.size());
  for (const Record& record : records) {
    RAPPORT_RETURN_IF_ERROR(CheckRecord(name, record, count));
    partitions.push_back(record.partition.value_or(PartitionOf(record.key, count)));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::shared_ptr<Producer> producer, GetProducer());
  auto positions = producer->Append(name, records, partitions);
  if (producer->broken()) Replace(producer);
  if (absl::IsNotFound(positions.status())) ForgetPartitionCount(name);
  return positions;
}

absl::StatusOr<std::shared_ptr<Producer>> KafkaLog::GetProducer() {
  MutexLock lock(&mutex_);
  if (producer_ == nullptr) {
    RAPPORT_ASSIGN_OR_RETURN(producer_, Producer::Create(options_));
  }
  return producer_;
}

void KafkaLog::Replace(const std::shared_ptr<Producer>& broken) {
  {
    MutexLock lock(&mutex_);
    if (producer_ == broken) producer_ = nullptr;
  }
  broken->Abandon();
}

absl::StatusOr<std::unique_ptr<LogReader>> KafkaLog::OpenReader(absl::string_view topic,
                                                                Partition partition, Offset from) {
  const std::string name = Name(topic);
  RAPPORT_RETURN_IF_ERROR(CheckPartition(name, partition));
  if (from < Offset(0)) {
    return absl::InvalidArgumentError(absl::StrCat("reading topic ", name, " from offset ",
                                                   from.value(), "; offsets begin at 0"));
  }
  return Reader::Open(options_, name, partition, from);
}

absl::StatusOr<std::unique_ptr<Subscription>> KafkaLog::Subscribe(absl::string_view topic,
                                                                  const SubscribeOptions& options,
                                                                  PartitionListener* listener) {
  const std::string name = Name(topic);
  if (options.group.empty() || options.member.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("subscribing to topic ", name, " with group '",
                                                   options.group, "' and member '", options.member,
                                                   "'; both need a name"));
  }
  RAPPORT_RETURN_IF_ERROR(CachedPartitionCount(name).status());
  // Deployments that share a cluster differ in their prefix, and neither in groups nor in names.
  SubscribeOptions own = options;
  own.group = Name(options.group);
  own.member = Name(options.member);
  return Member::Join(options_, name, own, listener);
}

absl::StatusOr<std::vector<GroupMember>> KafkaLog::GroupMembers(absl::string_view topic,
                                                                absl::string_view group) {
  const std::string name = Name(topic);
  RAPPORT_RETURN_IF_ERROR(CachedPartitionCount(name).status());
  RAPPORT_ASSIGN_OR_RETURN(std::vector<GroupMember> members, RetryUnavailable([&] {
                             return DescribeGroup(admin_.get(), name, Name(group),
                                                  options_.request_timeout);
                           }));
  for (GroupMember& member : members) {
    member.member = std::string(absl::StripPrefix(member.member, options_.topic_prefix));
  }
  return members;
}

absl::StatusOr<Watermarks> KafkaLog::GetWatermarks(absl::string_view topic, Partition partition) {
  const std::string name = Name(topic);
  RAPPORT_RETURN_IF_ERROR(CheckPartition(name, partition));
  return RetryUnavailable(
      [&] { return AskWatermarks(admin_.get(), name, partition, options_.request_timeout); });
}

absl::StatusOr<std::vector<std::string>> KafkaLog::CheckTopic(absl::string_view topic) {
  const std::string name = Name(topic);
  RAPPORT_ASSIGN_OR_RETURN(const Layout layout, RetryUnavailable([&] { return AskLayout(name); }));
  const absl::StatusOr<TopicSettings> settings = RetryUnavailable(
      [&] { return AskTopicSettings(admin_.get(), name, options_.request_timeout); });
  if (absl::IsFailedPrecondition(settings.status())) {
    return std::vector<std::string>{
        absl::StrCat("the settings of topic ", name,
                     " are not known, so that nobody looks whether they keep its records: ",
                     settings.status().message(), ". Allow DescribeConfigs on it")};
  }
  RAPPORT_RETURN_IF_ERROR(settings.status());
  return JudgeTopic(name, *settings, layout.replicas, options_);
}

absl::StatusOr<Offset> KafkaLog::OffsetForTime(absl::string_view topic, Partition partition,
                                               absl::Time time) {
  const std::string name = Name(topic);
  RAPPORT_RETURN_IF_ERROR(CheckPartition(name, partition));
  // Stored times are whole milliseconds: the first at or after `time`.
  const int64_t millis =
      std::max<int64_t>(0, absl::ToUnixMillis(time + absl::Milliseconds(1) - absl::Nanoseconds(1)));
  RAPPORT_ASSIGN_OR_RETURN(const int64_t offset, RetryUnavailable([&] {
                             return AskOffsetForTime(admin_.get(), name, partition, millis,
                                                     options_.request_timeout);
                           }));
  if (offset >= 0) return Offset(offset);
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks watermarks, GetWatermarks(topic, partition));
  return watermarks.end;
}

}  // namespace
}  // namespace kafka

absl::StatusOr<std::unique_ptr<EventLog>> NewKafkaEventLog(const KafkaLogOptions& options) {
  RAPPORT_RETURN_IF_ERROR(kafka::ValidateOptions(options));
  auto log = std::make_unique<kafka::KafkaLog>(options);
  RAPPORT_RETURN_IF_ERROR(log->Connect());
  return log;
}

}  // namespace rapport
