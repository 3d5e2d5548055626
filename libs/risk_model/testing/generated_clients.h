#pragma once

#include <cstdint>
#include <vector>

#include "libs/risk_model/silence_fit.h"

namespace rapport::risk_model {

// Clients that live by a model: each comes by its own rate and leaves by its own chance. The first
// days are spread over `days`, at the end of which everybody is looked at. Whole days, told in
// weeks; the parameters are for weeks. The same clients for the same seed.
std::vector<ClientHistory> GenerateClients(models::SilenceModel model,
                                           const models::SilenceParameters& parameters, int clients,
                                           int days, uint64_t seed);

}  // namespace rapport::risk_model
