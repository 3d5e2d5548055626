#include "libs/risk_model/testing/generated_clients.h"

#include <cmath>
#include <random>

namespace rapport::risk_model {

std::vector<ClientHistory> GenerateClients(models::SilenceModel model,
                                           const models::SilenceParameters& parameters, int clients,
                                           int days, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::gamma_distribution<double> rate_of(parameters.r, 1 / parameters.alpha);
  std::gamma_distribution<double> leave_of(parameters.a, 1);
  std::gamma_distribution<double> stay_of(parameters.b, 1);
  std::uniform_int_distribution<int> wait_of(1, days);
  std::exponential_distribution<double> weeks_of(1);
  std::uniform_real_distribution<double> coin(0, 1);
  std::vector<ClientHistory> histories;
  for (int i = 0; i < clients; ++i) {
    const double rate = rate_of(random);
    const double leave = leave_of(random);
    const double leaves = leave / (leave + stay_of(random));
    const int until = wait_of(random);
    ClientHistory& history = histories.emplace_back();
    history.time = until / 7.0;
    double last_day = 0;
    double weeks = 0;
    bool may_leave = model == models::SilenceModel::kMbgNbd;
    while (!may_leave || coin(random) >= leaves) {
      may_leave = true;
      weeks += weeks_of(random) / rate;
      const double day = std::round(weeks * 7);
      if (day > until) break;
      if (day == last_day) continue;
      last_day = day;
      ++history.repeats.count;
    }
    history.repeats.last = last_day / 7.0;
  }
  return histories;
}

}  // namespace rapport::risk_model
