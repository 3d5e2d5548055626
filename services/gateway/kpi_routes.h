#pragma once

#include "libs/kpi/figures.h"
#include "libs/service/service.h"
#include "services/gateway/exchange.h"

namespace rapport {

// Adds the routes of figures: reckoned here, by the code of rapport-kpi, from the sums of all
// processes of it. While a partition of them is missing there is no figure: 503 tells which.
void AddKpiRoutes(const ServiceEnv& env, const ExchangeEnv& exchange, const FigureEnv& figures);

}  // namespace rapport
