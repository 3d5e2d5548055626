#pragma once

#include <vector>

#include "libs/kpi/catalogue.h"

namespace rapport {

// The rows of the catalogue, in the order in which they are shown.
std::vector<KpiSpec> KpiSpecs();

}  // namespace rapport
