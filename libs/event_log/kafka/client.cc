#include "libs/event_log/kafka/client.h"

#include <sys/syslog.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport::kafka {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Set by us, and by nobody else: the contract of event_log.h stands on them.
const std::set<std::string>& FixedSettings() {
  static const auto* const fixed = new std::set<std::string>{
      "acks",
      "allow.auto.create.topics",
      "auto.commit.enable",
      "auto.offset.reset",
      "bootstrap.servers",
      "check.crcs",
      "delivery.timeout.ms",
      "enable.auto.commit",
      "enable.auto.offset.store",
      "enable.gapless.guarantee",
      "enable.idempotence",
      "enable.partition.eof",
      "group.id",
      "group.instance.id",
      "heartbeat.interval.ms",
      "isolation.level",
      "log.queue",
      "max.in.flight",
      "max.in.flight.requests.per.connection",
      "message.max.bytes",
      "message.timeout.ms",
      "metadata.broker.list",
      "partition.assignment.strategy",
      "partitioner",
      "request.required.acks",
      "session.timeout.ms",
      "transactional.id",
  };
  return *fixed;
}

// Ours unless the options say otherwise.
Settings Defaults(ClientKind kind) {
  Settings settings = {{"client.id", "rapport"},
                       // A broker that is silent is left for another well within append_timeout.
                       {"socket.timeout.ms", "10000"},
                       {"reconnect.backoff.ms", "50"},
                       {"reconnect.backoff.max.ms", "1000"}};
  if (kind == ClientKind::kProducer) {
    settings.insert(settings.end(), {{"linger.ms", "2"}, {"queue.buffering.max.kbytes", "131072"}});
  } else if (kind != ClientKind::kAdmin) {
    settings.insert(settings.end(), {{"fetch.wait.max.ms", "100"},
                                     {"fetch.error.backoff.ms", "50"},
                                     {"queued.min.messages", "1000000"},
                                     {"queued.max.messages.kbytes", "32768"}});
  }
  return settings;
}

Settings Fixed(const KafkaLogOptions& options, ClientKind kind) {
  Settings settings = {{"bootstrap.servers", options.bootstrap_servers}};
  switch (kind) {
    case ClientKind::kProducer:
      settings.insert(settings.end(),
                      {{"enable.idempotence", "true"},
                       // Records of a thread keep their order whatever is lost on the way; a gap
                       // ends the producer, which is replaced.
                       {"enable.gapless.guarantee", "true"},
                       {"acks", "all"},
                       // Room for the framing that does not count as the record's own bytes.
                       {"message.max.bytes", absl::StrCat(options.max_record_bytes + (32 << 10))},
                       {"message.timeout.ms", absl::StrCat(ToMillis(options.append_timeout))}});
      break;
    case ClientKind::kMember:
      settings.insert(
          settings.end(),
          {{"enable.auto.commit", "false"},
           {"enable.auto.offset.store", "false"},
           {"partition.assignment.strategy", "cooperative-sticky"},
           {"session.timeout.ms", absl::StrCat(ToMillis(options.session_timeout))},
           // Members hear of a change by it, so that partitions move within a second.
           {"heartbeat.interval.ms",
            absl::StrCat(std::clamp(ToMillis(options.session_timeout / 10), 100, 500))}});
      [[fallthrough]];
    case ClientKind::kReader:
      settings.insert(settings.end(),
                      {{"auto.offset.reset", "error"},
                       {"check.crcs", "true"},
                       // What was aborted was never written.
                       {"isolation.level", "read_committed"},
                       // Tells where the end is, behind the marker of a transaction.
                       {"enable.partition.eof", "true"}});
      [[fallthrough]];
    case ClientKind::kAdmin:
      // The end of a partition is where readers come to.
      settings.insert(settings.end(), {{"allow.auto.create.topics", "false"},
                                       {"isolation.level", "read_committed"}});
      break;
  }
  return settings;
}

// librdkafka says the same twice (as a log line and as an error), for each client, and again each
// second: it is written once until it has not been said for a while.
class Chatter {
 public:
  void Say(LogLevel level, const std::string& text) {
    const absl::Time now = absl::Now();
    {
      MutexLock lock(&mutex_);
      if (said_.size() > kMostKept) said_.clear();
      absl::Time& last = said_.try_emplace(text, absl::InfinitePast()).first->second;
      const bool again = now - last < kSilence;
      last = now;
      if (again) return;
    }
    Log(level, absl::StrCat("kafka: ", text));
  }

 private:
  static constexpr absl::Duration kSilence = absl::Minutes(10);
  static constexpr size_t kMostKept = 1000;

  Mutex mutex_;
  std::map<std::string, absl::Time> said_ ABSL_GUARDED_BY(mutex_);
};

void Say(LogLevel level, absl::string_view text) {
  static auto* const chatter = new Chatter;
  chatter->Say(level, PlainText(text));
}

void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  // What we set ourselves needs no warning.
  if (absl::StrContains(text, "property enable.gapless.guarantee")) return;
  Say(level <= LOG_CRIT      ? LogLevel::kError
      : level <= LOG_WARNING ? LogLevel::kWarning
                             : LogLevel::kInfo,
      text);
}

void OnError(rd_kafka_t* handle, int error, const char* text, void* opaque) {
  static_cast<ClientEvents*>(opaque)->OnError(static_cast<rd_kafka_resp_err_t>(error), text);
  // The cause was told before, and is Explain's.
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  Say(LogLevel::kWarning, text);
}

void OnDelivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque) {
  static_cast<ClientEvents*>(opaque)->OnDelivered(*message);
}

void OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what,
                 rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  static_cast<ClientEvents*>(opaque)->OnRebalance(what, partitions);
}

using Conf = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;

absl::Status Apply(rd_kafka_conf_t* conf, absl::string_view name, absl::string_view value) {
  char text[512];
  const auto result = rd_kafka_conf_set(conf, std::string(name).c_str(), std::string(value).c_str(),
                                        text, sizeof text);
  if (result == RD_KAFKA_CONF_OK) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("Kafka setting ", name, ": ", text));
}

absl::StatusOr<Conf> MakeConf(const KafkaLogOptions& options, ClientKind kind,
                              const Settings& own) {
  Conf conf(rd_kafka_conf_new());
  const auto apply = [&conf](const auto& settings) {
    for (const auto& [name, value] : settings) {
      RAPPORT_RETURN_IF_ERROR(Apply(conf.get(), name, value));
    }
    return absl::OkStatus();
  };
  RAPPORT_RETURN_IF_ERROR(apply(Defaults(kind)));
  RAPPORT_RETURN_IF_ERROR(apply(options.settings));
  if (kind != ClientKind::kAdmin) {
    RAPPORT_RETURN_IF_ERROR(apply(kind == ClientKind::kProducer ? options.producer_settings
                                                                : options.consumer_settings));
  }
  RAPPORT_RETURN_IF_ERROR(apply(Fixed(options, kind)));
  RAPPORT_RETURN_IF_ERROR(apply(own));
  return conf;
}

absl::Status CheckRange(absl::string_view name, absl::Duration value, absl::Duration least,
                        absl::Duration most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Kafka ", name, " is ", absl::FormatDuration(value), "; choose ",
                   absl::FormatDuration(least), " to ", absl::FormatDuration(most)));
}

absl::StatusCode CodeFor(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::StatusCode::kOk;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return absl::StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return absl::StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      return absl::StatusCode::kDataLoss;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

std::string PlainText(absl::string_view text) {
  std::string plain =
      absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"\r", ""}, {"\n", " "}});
  // The thread that says it: "[thrd:127.0.0.1:9092/1]: ".
  if (absl::StartsWith(plain, "[thrd:")) {
    if (const size_t end = plain.find("]: "); end != std::string::npos) plain.erase(0, end + 3);
  }
  // How long it took and how often it was: "(after 3ms in state CONNECT, 4 identical error(s)
  // suppressed)". And what it guesses: it cannot know why somebody closed the connection.
  for (const absl::string_view tail :
       {" (after ", ": verify that security.protocol is correctly configured",
        ": might be caused by ", ": probably due to "}) {
    if (const size_t begin = plain.find(std::string(tail)); begin != std::string::npos) {
      plain.erase(begin);
    }
  }
  return plain;
}

void ClientEvents::OnError(rd_kafka_resp_err_t error, absl::string_view text) {
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    brokers_down_ = true;  // the cause came before
    return;
  }
  MutexLock lock(&mutex_);
  last_error_ = PlainText(text);
}

absl::Status ClientEvents::Explain(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return status;
  MutexLock lock(&mutex_);
  if (last_error_.empty()) return status;
  return absl::UnavailableError(
      absl::StrCat(status.message(), "; the last error of a connection was: ", last_error_));
}

absl::Status ClientEvents::CheckBrokers(rd_kafka_t* handle) {
  if (!brokers_down_) return absl::OkStatus();
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(handle, /*all_topics=*/0, nullptr, &metadata, /*timeout_ms=*/1000);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Explain(ToStatus(error, "no Kafka broker answers"));
  }
  rd_kafka_metadata_destroy(metadata);
  brokers_down_ = false;
  return absl::OkStatus();
}

absl::Status ValidateOptions(const KafkaLogOptions& options) {
  if (options.bootstrap_servers.empty()) {
    return absl::InvalidArgumentError("Kafka bootstrap_servers is empty; give host:port");
  }
  if (options.replication_factor < 1 || options.min_insync_replicas < 1 ||
      options.min_insync_replicas > options.replication_factor) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Kafka replication_factor ", options.replication_factor, " with min_insync_replicas ",
        options.min_insync_replicas, "; choose 1 <= min_insync_replicas <= replication_factor"));
  }
  constexpr size_t kMostBytes = 100 << 20;
  if (options.max_record_bytes < 1000 || options.max_record_bytes > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Kafka max_record_bytes is ", options.max_record_bytes, "; choose 1000 to ", kMostBytes));
  }
  RAPPORT_RETURN_IF_ERROR(
      CheckRange("append_timeout", options.append_timeout, absl::Seconds(1), absl::Minutes(15)));
  RAPPORT_RETURN_IF_ERROR(
      CheckRange("request_timeout", options.request_timeout, absl::Seconds(1), absl::Minutes(5)));
  RAPPORT_RETURN_IF_ERROR(
      CheckRange("session_timeout", options.session_timeout, absl::Seconds(1), absl::Minutes(30)));
  for (const auto* settings :
       {&options.settings, &options.producer_settings, &options.consumer_settings}) {
    for (const auto& [name, value] : *settings) {
      if (!FixedSettings().contains(name)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("Kafka setting ", name, " is fixed by Rapport; remove it"));
    }
  }
  for (const ClientKind kind :
       {ClientKind::kAdmin, ClientKind::kProducer, ClientKind::kReader, ClientKind::kMember}) {
    RAPPORT_RETURN_IF_ERROR(MakeConf(options, kind, {}).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<Handle> NewClient(const KafkaLogOptions& options, ClientKind kind,
                                 const Settings& own, ClientEvents* events) {
  RAPPORT_ASSIGN_OR_RETURN(Conf conf, MakeConf(options, kind, own));
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  rd_kafka_conf_set_opaque(conf.get(), events);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  if (kind == ClientKind::kProducer) rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivery);
  if (kind == ClientKind::kMember) rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);

  char text[512];
  const auto type = kind == ClientKind::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  Handle handle(rd_kafka_new(type, conf.get(), text, sizeof text));
  if (handle == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("Kafka client: ", text));
  }
  static_cast<void>(conf.release());  // the handle owns it
  return handle;
}

absl::Status ToStatus(rd_kafka_resp_err_t error, absl::string_view context,
                      absl::string_view text) {
  const std::string reason = text.empty() ? rd_kafka_err2str(error) : std::string(text);
  return absl::Status(CodeFor(error), absl::StrCat(context, ": ", reason));
}

std::string Place(const std::string& topic, Partition partition) {
  return absl::StrCat("topic ", topic, " partition ", partition.value());
}

absl::StatusOr<int64_t> AskOffsetForTime(rd_kafka_t* handle, const std::string& topic,
                                         Partition partition, int64_t millis,
                                         absl::Duration timeout) {
  const Partitions query(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* const entry =
      rd_kafka_topic_partition_list_add(query.get(), topic.c_str(), partition.value());
  entry->offset = millis;
  rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle, query.get(), ToMillis(timeout));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = entry->err;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return entry->offset;
  return ToStatus(error, Place(topic, partition));
}

absl::StatusOr<Watermarks> AskWatermarks(rd_kafka_t* handle, const std::string& topic,
                                         Partition partition, absl::Duration timeout) {
  // The protocol has special times for both ends. librdkafka's own call for watermarks does not
  // keep to its time-out while the broker is away.
  RAPPORT_ASSIGN_OR_RETURN(
      const int64_t begin,
      AskOffsetForTime(handle, topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout));
  RAPPORT_ASSIGN_OR_RETURN(
      const int64_t end, AskOffsetForTime(handle, topic, partition, RD_KAFKA_OFFSET_END, timeout));
  return Watermarks{Offset(begin), Offset(end)};
}

int ToMillis(absl::Duration duration) {
  constexpr absl::Duration kMost = absl::Hours(24);
  if (duration <= absl::ZeroDuration()) return 0;
  return static_cast<int>(
      absl::ToInt64Milliseconds(absl::Ceil(std::min(duration, kMost), absl::Milliseconds(1))));
}

}  // namespace rapport::kafka
