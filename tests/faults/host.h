#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/embedded_host.h"
#include "libs/projector/fold_engine.h"
#include "tests/support/fold_oracle.h"

// The process that the fault tests harm: everything over the embedded log in one folder.

namespace rapport::testing {

inline EmbeddedHost::Options HostOptions(const std::string& data) {
  EmbeddedHost::Options options;
  options.data = data;
  options.memory_bytes = size_t{64} << 20;
  options.partitions = 2;
  // So often that faults hit commits, too.
  options.fold.commit_interval = absl::Milliseconds(20);
  options.projections.push_back(std::make_unique<SpecOf<Retention>>(RetentionSettings()));
  options.projections.push_back(std::make_unique<SpecOf<Profile>>(ProfileSettings()));
  options.projections.push_back(std::make_unique<SpecOf<DealPipeline>>(DealPipelineSettings()));
  options.projections.push_back(std::make_unique<SpecOf<Kpi>>(KpiSettings()));
  return options;
}

// Compares one projection with what its oracle makes of the log. Counts the oracle's alerts.
template <Projection P>
std::vector<std::string> CompareProjection(const EmbeddedHost& host, int64_t* alerts) {
  std::vector<std::string> all;
  for (int i = 0; i < host.partition_count(); ++i) {
    const Partition partition(i);
    const std::string where = absl::StrCat(P::kName, " partition ", i, ": ");
    const std::shared_ptr<StateStore> store = (*host.Find(P::kName))->StoreOf(partition);
    if (store == nullptr) {
      all.push_back(where + "is not open");
      continue;
    }
    const FoldOracle<P> oracle(host.log(), host.topics().touchpoints, partition);
    *alerts += static_cast<int64_t>(oracle.plain().effects().size());
    for (const std::string& text : oracle.CompareStore(*store)) all.push_back(where + text);
    for (const std::string& text : oracle.CompareAlerts(host.log(), host.topics().alerts)) {
      all.push_back(where + text);
    }
  }
  return all;
}

// All of them. The host must have caught up.
inline std::vector<std::string> CompareHost(const EmbeddedHost& host, int64_t* alerts) {
  std::vector<std::string> all = CompareProjection<Retention>(host, alerts);
  for (const auto& texts :
       {CompareProjection<Profile>(host, alerts), CompareProjection<DealPipeline>(host, alerts),
        CompareProjection<Kpi>(host, alerts)}) {
    all.insert(all.end(), texts.begin(), texts.end());
  }
  return all;
}

}  // namespace rapport::testing
