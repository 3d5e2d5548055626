#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace rapport::risk_model {

// A positive parameter of a model, and the range that a fit looks at.
struct Parameter {
  std::string name;
  double least = 0;
  double most = 0;
};

struct Maximum {
  std::vector<double> at;
  double value = 0;  // ln L per client
  int evaluations = 0;
  // The parameters that the data leave open: at an end of their range, or known only to a factor of
  // about 7 (a standard error of 2 of the logarithm, by the curvature of ln L).
  std::vector<std::string> left_open;
};

// The parameters under which the histories of `clients` are the likeliest; `log_likelihood` is the
// mean of ln L over them. Nelder-Mead over the logarithms of the parameters, begun at 1 for each
// and begun again from where it came to, with a new simplex, until that gains less than 1e-11.
// Takes the same steps each time.
Maximum Maximise(const std::function<double(absl::Span<const double>)>& log_likelihood,
                 int64_t clients, absl::Span<const Parameter> parameters);

}  // namespace rapport::risk_model
