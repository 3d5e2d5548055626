#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/projections/retention/settings.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/state/v1/deal_pipeline.pb.h"
#include "rapport/state/v1/profile.pb.h"
#include "rapport/state/v1/retention.pb.h"
#include "services/rapport/output.h"

// What is known of one client, from its states in all projections, put for people and programs.

namespace rapport {

// How likely the client is to leave.
struct ClientRisk {
  int32_t score = 0;                       // in points of 1000
  std::vector<alert::v1::Reason> reasons;  // the heaviest first
  bool alert_open = false;
  alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;  // of the open alert
  absl::Time raised_at = absl::InfinitePast();                     // the open alert
  std::vector<query::v1::PromisePrice> promises;                   // open ones, not due yet
  // What would clear the alert, and what to do next; absent while the score gives no cause.
  std::optional<alert::v1::WouldClear> would_clear;
  std::optional<alert::v1::NextStep> next_step;
};

struct ClientFacts {
  std::string client_id;
  std::string survivor_client_id;  // under whom the client goes on; empty when it stands alone
  state::v1::ProfileState profile;
  ClientRisk risk;
  state::v1::DealPipelineState pipeline;
  // The same client as readers get it: contracts, meetings, needs, objections, who waits.
  query::v1::Client matters;
  absl::Time now;  // the clock of the log; InfinitePast() before its first tick
};

// The risk at `now` as the projection's state tells it.
ClientRisk RiskOf(const state::v1::RetentionState& retention, const RetentionSettings& model,
                  absl::Time now);
// What a running Rapport tells, as if it had been read from the states: what is shown of them.
ClientFacts FactsOf(const query::v1::Client& client, const query::v1::Retention& retention,
                    const query::v1::Board& board);

std::string ClientText(const ClientFacts& facts);
Json ClientJson(const ClientFacts& facts);

}  // namespace rapport
