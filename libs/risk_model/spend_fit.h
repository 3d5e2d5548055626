#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/projections/models/spend.h"

namespace rapport::risk_model {

struct SpendFitSettings {
  int64_t least_clients = 50;
};

struct SpendFit {
  models::SpendParameters parameters;
  double log_likelihood = 0;
  int64_t clients = 0;
  // Without an order, or with a mean of 0 or less: nothing that the model could explain.
  int64_t left_out = 0;
  // Between the number of orders and their mean. The model takes it to be 0.
  double correlation = 0;
  // Not to be used: the data leave a parameter open, or the mean of all clients is infinite
  // (q <= 1). For people, why; empty otherwise.
  bool degenerate = false;
  std::string explanation;
};

// The parameters of gamma-gamma under which the clients' means are the likeliest.
//
// InvalidArgument: numbers of orders that are not whole, or values that are not finite.
// FailedPrecondition: too few clients with orders of some value.
absl::StatusOr<SpendFit> FitSpend(absl::Span<const models::Spend> clients,
                                  const SpendFitSettings& settings = {});

}  // namespace rapport::risk_model
