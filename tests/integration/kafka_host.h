#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/status.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/projector.h"

// The three projections over a log of Kafka, as one member of their groups.

namespace rapport::testing {

inline constexpr int kPartitions = 4;

inline absl::StatusOr<std::unique_ptr<EventLog>> ConnectToKafka(const std::string& servers,
                                                                const std::string& prefix) {
  KafkaLogOptions options;
  options.bootstrap_servers = servers;
  options.topic_prefix = prefix;
  options.replication_factor = 3;
  options.min_insync_replicas = 2;
  options.session_timeout = absl::Seconds(6);
  return NewKafkaEventLog(options);
}

class KafkaHost {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaHost>> Start(EventLog* log, const std::string& data,
                                                          const std::string& member = "one",
                                                          int least_partitions = kPartitions) {
    auto host = std::unique_ptr<KafkaHost>(new KafkaHost());
    for (const ProjectionSpec* spec : host->specs()) {
      const std::string& name = spec->identity().name;
      RAPPORT_ASSIGN_OR_RETURN(
          auto projector,
          Projector::Start(
              {.log = log, .spec = spec, .resources = &host->resources_, .budget = &host->budget_},
              {.folder = absl::StrCat(data, "/state/", name),
               .group = absl::StrCat("rapport-", name),
               .member = member,
               .least_partitions = least_partitions,
               // So often that faults hit commits, too.
               .fold = {.commit_interval = absl::Milliseconds(20)}}));
      host->projectors_.push_back(std::move(projector));
    }
    return host;
  }

  // How many partitions it folds, of all projections.
  size_t Partitions() const {
    size_t count = 0;
    for (const auto& projector : projectors_) count += projector->Stores().size();
    return count;
  }
  absl::Status CatchUp() {
    for (const auto& projector : projectors_) {
      RAPPORT_RETURN_IF_ERROR(projector->CatchUp(absl::Minutes(2)));
    }
    return absl::OkStatus();
  }
  Projector& projector(size_t i) { return *projectors_[i]; }

 private:
  KafkaHost() = default;
  std::vector<const ProjectionSpec*> specs() const { return {&retention_, &profile_, &deals_}; }

  StoreResources resources_{{.memory_bytes = size_t{32} << 20}};
  CacheBudget budget_{size_t{64} << 20};
  const SpecOf<Retention> retention_{RetentionSettings()};
  const SpecOf<Profile> profile_{ProfileSettings()};
  const SpecOf<DealPipeline> deals_{DealPipelineSettings()};
  std::vector<std::unique_ptr<Projector>> projectors_;
};

}  // namespace rapport::testing
