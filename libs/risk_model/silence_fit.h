#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/projections/models/silence.h"

namespace rapport::risk_model {

// A client up to the moment at which it is looked at, `time` after its first day.
struct ClientHistory {
  models::Repeats repeats;
  double time = 0;
};

struct SilenceFitSettings {
  // Fewer clients that came a second time tell nothing of four parameters.
  int64_t least_repeaters = 50;
  // 1 or 2; the result is the same.
  int threads = 1;
};

struct SilenceFit {
  models::SilenceParameters parameters;
  double log_likelihood = 0;
  int64_t clients = 0;
  int64_t repeaters = 0;
  // Different (x, t_x, T) among the clients.
  int64_t groups = 0;
  int evaluations = 0;
  // P(alive) at the end, mean over the repeaters.
  double mean_alive = 0;
  // Not to be used: the data leave open who has left, or a parameter. For people, why; empty
  // otherwise.
  bool degenerate = false;
  std::string explanation;
};

// The parameters of BG/NBD or MBG/NBD under which the histories are the likeliest, in the unit of
// time of the histories (weeks). Equal histories are told apart by nothing, so each is looked at
// once with its count: tell the times in whole days (as weeks: days / 7.0), and a million clients
// take seconds. The order of the clients does not matter.
//
// InvalidArgument: a history that cannot be (repeats not whole, last after time, ...).
// FailedPrecondition: too few clients came again.
absl::StatusOr<SilenceFit> FitSilence(models::SilenceModel model,
                                      absl::Span<const ClientHistory> clients,
                                      const SilenceFitSettings& settings = {});

}  // namespace rapport::risk_model
