#pragma once

#include "libs/projections/kpi/kpi.h"
#include "libs/projections/testing/plain_fold.h"
#include "scenario.pb.h"

namespace rapport {

// Holds a figure that a story expects against those of its fold, at the fold's time.
void CheckKpi(const tests::v1::ExpectedKpi& expected, const testing::PlainFold<Kpi>& fold);

}  // namespace rapport
