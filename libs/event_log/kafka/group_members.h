#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/kafka/client.h"

namespace rapport::kafka {

// The members of consumer group `group` with their partitions of `topic`, asked of its coordinator.
absl::StatusOr<std::vector<GroupMember>> DescribeGroup(rd_kafka_t* handle, const std::string& topic,
                                                       const std::string& group,
                                                       absl::Duration timeout);

}  // namespace rapport::kafka
