#pragma once

#include <vector>

#include "libs/projections/models/spend.h"
#include "libs/risk_model/silence_fit.h"

namespace rapport::risk_model {

// A client of testdata/cdnow.csv; times are in weeks.
struct CdnowClient {
  ClientHistory history;
  models::Spend spend;        // of the repeat days, dollars
  bool silent_later = false;  // nothing in the 39 weeks after
};

inline constexpr double kCdnowHorizonWeeks = 39;

std::vector<CdnowClient> ReadCdnow();

}  // namespace rapport::risk_model
