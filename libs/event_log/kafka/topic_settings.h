#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/kafka/client.h"

namespace rapport::kafka {

using TopicSettings = std::map<std::string, std::string>;

// The topic's settings as they hold, the brokers' defaults among them. FailedPrecondition: our user
// may not ask for them.
absl::StatusOr<TopicSettings> AskTopicSettings(rd_kafka_t* handle, const std::string& topic,
                                               absl::Duration timeout);

// Whether all but the last record of each key is thrown away.
bool IsCompacted(const TopicSettings& settings);

// What EventLog::CheckTopic tells of a topic with these settings and so many replicas.
absl::StatusOr<std::vector<std::string>> JudgeTopic(const std::string& topic,
                                                    const TopicSettings& settings, int replicas,
                                                    const KafkaLogOptions& options);

}  // namespace rapport::kafka
