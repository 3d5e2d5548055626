#pragma once

#include <optional>

#include "libs/base/money.h"
#include "rapport/state/v1/retention.pb.h"

namespace rapport {

// What the client brings in a year: by currency the mean year of its orders (over a year at least),
// or the contracts that it has not ended, whichever is more; of the currency in which that is most,
// minor units counted alike. nullopt when nothing is known.
std::optional<Money> YearlyValueOf(const state::v1::RiskFactors& factors);

// The share `points` of 1000 of that value.
Money ExpectedLoss(const Money& yearly_value, int points);

}  // namespace rapport
