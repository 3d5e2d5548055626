#pragma once

#include <optional>

#include "absl/time/time.h"
#include "libs/projections/retention/settings.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/state/v1/retention.pb.h"

// What could be done about a client's risk: tried on a copy of what is known, by the model that
// makes the score, and so right by construction whatever the model is.

namespace rapport {

struct Advice {
  // The smallest change that would clear an alert; nullopt when the score is low enough already.
  std::optional<alert::v1::WouldClear> would_clear;
  // What to do next; nullopt likewise.
  std::optional<alert::v1::NextStep> next_step;
};
Advice AdviceFor(const state::v1::RiskFactors& factors, const RetentionSettings& settings,
                 absl::Time now);

// What to do next, whatever the score is.
alert::v1::NextStep NextStepFor(const state::v1::RiskFactors& factors,
                                const RetentionSettings& settings, absl::Time now);

// The score, in points, of `now`: as things are, and as if a call had been answered just now.
struct CallEffect {
  int score = 0;
  int score_after = 0;
};
CallEffect EffectOfCall(const state::v1::RiskFactors& factors, const RetentionSettings& settings,
                        absl::Time now);

// When to call the client: the hours that it has told, or else those in which most of its calls
// were answered; nullopt when fewer than three were.
std::optional<alert::v1::ContactHours> ContactHoursOf(const state::v1::RiskFactors& factors);

}  // namespace rapport
