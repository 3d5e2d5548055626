#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
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
};

struct AtRisk {
  absl::Time now = absl::InfinitePast();
  std::vector<ClientAtRisk> clients;
  bool more = false;  // than were asked for
};

// The clients with an open alert and why they are at risk now, those of `owner` (empty: of all),
// the most urgent first; at most `most` of them (0: all).
absl::StatusOr<AtRisk> ReadAtRisk(EmbeddedHost& host, const std::string& owner, size_t most);
// The same from a Rapport that runs.
absl::StatusOr<AtRisk> AskAtRisk(Api& api, const std::string& owner, size_t most);

}  // namespace rapport
