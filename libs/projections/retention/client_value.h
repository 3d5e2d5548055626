#pragma once

#include <optional>

#include "libs/base/money.h"
#include "rapport/state/v1/retention.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"

namespace rapport {

// What the client brings in a year: by currency the mean year of its orders (over a year at least),
// or its contracts, whichever is more, those included of which it has given notice (they are what
// stands to be lost); of the currency in which that is most,
// minor units counted alike. nullopt when nothing is known.
std::optional<Money> YearlyValueOf(const state::v1::RiskFactors& factors);

// As a message.
touchpoint::v1::Money ProtoOf(const Money& money);

// The share `points` of 1000 of that value.
Money ExpectedLoss(const Money& yearly_value, int points);

}  // namespace rapport
