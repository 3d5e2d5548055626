#include "libs/projections/models/contract.h"

#include <cmath>

namespace rapport::models {

double RenewalRate(const ContractParameters& p, int t) {
  return (p.beta + t - 1) / (p.alpha + p.beta + t - 1);
}

double Survival(const ContractParameters& p, int t) {
  return std::exp(LogLikelihoodOfStaying(p, t));
}

double ExpectedSurvivors(const ContractParameters& p, double clients, int t) {
  return clients * Survival(p, t);
}

double LogLikelihoodOfLeaving(const ContractParameters& p, int t) {
  return LogLikelihoodOfStaying(p, t - 1) + std::log(p.alpha / (p.alpha + p.beta + t - 1));
}

double LogLikelihoodOfStaying(const ContractParameters& p, int t) {
  double sum = 0;
  for (int renewal = 1; renewal <= t; ++renewal) {
    sum -= std::log1p(p.alpha / (p.beta + renewal - 1));
  }
  return sum;
}

}  // namespace rapport::models
