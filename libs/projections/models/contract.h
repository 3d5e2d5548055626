#pragma once

// How long clients stay who must say that they go on: contracts that are renewed, or not, at the
// end of each period. Shifted-beta-geometric (sBG): each client ends its contract with its own
// chance at each renewal, beta-distributed over clients with alpha and beta. Those who tend to
// leave do so early, so that the renewal rate of a cohort rises though no client changes.
//
// Source: P. Fader, B. Hardie, "How to project customer retention", Journal of Interactive
// Marketing 21(1), 2007.
//
// Pure functions. Time is counted in renewals: 1 is the first at which a client may leave. Both
// parameters are finite and positive.

namespace rapport::models {

struct ContractParameters {
  double alpha = 0;
  double beta = 0;
};

// The share that renews at renewal `t` (1, 2, ...) of those who are there:
// (beta+t-1)/(alpha+beta+t-1).
double RenewalRate(const ContractParameters& parameters, int t);

// The chance that a new client is still there after `t` renewals (0, 1, ...):
// B(alpha, beta+t) / B(alpha, beta), the product of the rates up to t.
double Survival(const ContractParameters& parameters, int t);

// How many of `clients` new ones are expected to be there after `t` renewals.
double ExpectedSurvivors(const ContractParameters& parameters, double clients, int t);

// ln L of a client that left at renewal `t` (1, 2, ...): ln(Survival(t-1) * (1 - RenewalRate(t))).
double LogLikelihoodOfLeaving(const ContractParameters& parameters, int t);
// ln L of a client that is still there after `t` renewals (0, 1, ...): ln Survival(t).
double LogLikelihoodOfStaying(const ContractParameters& parameters, int t);

}  // namespace rapport::models
