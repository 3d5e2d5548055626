#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/projections/retention/retention.h"
#include "rapport/state/v1/deal_pipeline.pb.h"
#include "rapport/state/v1/profile.pb.h"
#include "rapport/state/v1/retention.pb.h"
#include "services/rapport/output.h"

// What is known of one client, from its states in all projections, put for people and programs.

namespace rapport {

struct ClientFacts {
  std::string client_id;
  state::v1::ProfileState profile;
  state::v1::RetentionState retention;
  state::v1::DealPipelineState pipeline;
  absl::Time now;  // the clock of the log; InfinitePast() before its first tick
};

std::string ClientText(const ClientFacts& facts);
Json ClientJson(const ClientFacts& facts);

// "no order for 90 days; complaint open": those that speak for the risk, at most `limit`.
std::string ReasonsInWords(const RetentionExplanation& explanation, size_t limit);
Json ReasonsJson(const RetentionExplanation& explanation);

}  // namespace rapport
