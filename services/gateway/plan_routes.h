#pragma once

#include <functional>

#include "libs/bonus/scheme.h"
#include "libs/kpi/figures.h"
#include "libs/kpi/targets.h"
#include "libs/service/service.h"
#include "services/gateway/exchange.h"

namespace rapport {

// Adds the routes of plans, forecast, cohorts and pay: reckoned here, by the code of rapport-kpi,
// from the deals and sums of all processes of it. While a partition is missing: 503.
void AddPlanRoutes(const ServiceEnv& env, const ExchangeEnv& exchange, const FigureEnv& figures,
                   BonusSchemes schemes);

// Asks the process that has the firm's plans for them, in the gateway's own name, and goes on with
// them; an error is answered.
void WithPlans(const ExchangeEnv& exchange, HttpReply reply,
               std::function<void(const PlanBook& book, HttpReply reply)> then);

}  // namespace rapport
