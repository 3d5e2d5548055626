#include "libs/risk_model/platt.h"

#include "absl/strings/str_format.h"
#include "libs/base/status.h"

namespace rapport::risk_model {

double PlattScale::Chance(double log_odds) const { return ChanceOf(intercept + slope * log_odds); }

absl::StatusOr<PlattScale> FitPlatt(absl::Span<const ScoredOutcome> outcomes,
                                    const LogisticSettings& settings) {
  Examples examples(1);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    examples.Add({outcomes[i].log_odds}, outcomes[i].happened, i);
  }
  RAPPORT_ASSIGN_OR_RETURN(const LogisticModel model, FitLogistic(examples, settings));
  const PlattScale scale = {model.weights[0], model.weights[1], model.errors[0], model.errors[1]};
  if (scale.slope <= 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the higher the score, the rarer it happened (slope %.3g +- %.3g over %d examples): the "
        "score cannot be calibrated; look at what it is made of",
        scale.slope, scale.slope_error, outcomes.size()));
  }
  return scale;
}

}  // namespace rapport::risk_model
