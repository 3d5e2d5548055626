#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

struct KafkaLogOptions {
  // "host:port,host:port"; one that answers is enough.
  std::string bootstrap_servers;
  // Stands before every topic name: "acme." makes `touchpoints` the topic acme.touchpoints.
  std::string topic_prefix;

  // For CreateTopic: copies of each partition, and how many of them must have an appended record
  // before it counts as written. 3 and 2 survive the loss of a broker.
  int replication_factor = 1;
  int min_insync_replicas = 1;
  // Further topic settings for CreateTopic. The log is the truth, so by default nothing is deleted.
  std::map<std::string, std::string> topic_settings = {{"retention.ms", "-1"}};

  // librdkafka settings passed through: TLS, SASL, buffers. `settings` go to every client. Those
  // that the promises of event_log.h stand on (acks, idempotence, offsets) are refused.
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string> producer_settings;
  std::map<std::string, std::string> consumer_settings;

  // Bytes of key, value and headers together. CreateTopic gives its topics this limit, too.
  size_t max_record_bytes = 1000000;
  // How long Append tries (across broker failures) before it answers Unavailable. 1 s to 15 min.
  absl::Duration append_timeout = absl::Seconds(30);
  // For everything else that asks a broker. 1 s to 5 min.
  absl::Duration request_timeout = absl::Seconds(30);
  // A member that is silent for so long loses its partitions; who was killed and is back sooner
  // keeps them. At least the broker's group.min.session.timeout.ms (6 s by default), and no more
  // than max.poll.interval.ms (5 min by default).
  absl::Duration session_timeout = absl::Seconds(30);
};

// Apache Kafka, or anything that speaks its protocol, through librdkafka. Connects when first used:
// a cluster that is away shows as Unavailable from the calls. InvalidArgument names the option that
// is wrong.
absl::StatusOr<std::unique_ptr<EventLog>> NewKafkaEventLog(const KafkaLogOptions& options);

}  // namespace rapport
