#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/money.h"
#include "libs/projections/retention/settings.h"
#include "libs/projector/embedded_host.h"
#include "rapport/alert/v1/alert.pb.h"
#include "services/rapport/api.h"

namespace rapport {

struct ClientAtRisk {
  std::string client_id;
  std::string owner_id;
  alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;
  int32_t score = 0;
  absl::Time raised_at;
  std::vector<alert::v1::Reason> reasons;  // the heaviest first
  std::optional<Money> expected_loss;      // in a year; absent when nothing is known of its value
};

struct AtRiskQuery {
  std::string owner;
  std::string
      team;  // and whoever belongs to it or below; of a running Rapport alone     // empty: all
  bool by_loss = false;  // the highest expected loss first, or the most urgent
  size_t most = 0;       // 0: all
};

struct AtRisk {
  absl::Time now = absl::InfinitePast();
  std::vector<ClientAtRisk> clients;
  bool more = false;  // than were asked for
};

// The clients with an open alert, and why they are at risk now.
absl::StatusOr<AtRisk> ReadAtRisk(EmbeddedHost& host, const RetentionSettings& model,
                                  const AtRiskQuery& query);
// The same from a Rapport that runs.
absl::StatusOr<AtRisk> AskAtRisk(Api& api, const AtRiskQuery& query);

}  // namespace rapport
