#include "libs/risk_model/spend_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/risk_model/maximise.h"

namespace rapport::risk_model {
namespace {

using models::Spend;
using models::SpendParameters;

constexpr int kMostOrders = 1'000'000;

struct Client {
  int orders = 0;
  double mean = 0;
  double log_mean = 0;
};

double Correlation(absl::Span<const Client> clients) {
  double orders_mean = 0;
  double value_mean = 0;
  for (const Client& client : clients) {
    orders_mean += client.orders;
    value_mean += client.mean;
  }
  orders_mean /= static_cast<double>(clients.size());
  value_mean /= static_cast<double>(clients.size());
  double orders = 0;
  double values = 0;
  double both = 0;
  for (const Client& client : clients) {
    const double x = client.orders - orders_mean;
    const double m = client.mean - value_mean;
    orders += x * x;
    values += m * m;
    both += x * m;
  }
  return orders == 0 || values == 0 ? 0 : both / std::sqrt(orders * values);
}

void Explain(const Maximum& maximum, SpendFit& fit) {
  const SpendParameters& p = fit.parameters;
  std::string why;
  if (!maximum.left_open.empty()) {
    why = absl::StrFormat("leaves open %s", absl::StrJoin(maximum.left_open, ", "));
  } else if (p.q <= 1) {
    why = "has values so far apart that the mean of all clients is infinite (q <= 1)";
  } else {
    return;
  }
  fit.degenerate = true;
  fit.explanation = absl::StrFormat(
      "The fit to the values of %d clients %s. Keep the plain means. (p %.4g, q %.4g, v %.4g)",
      fit.clients, why, p.p, p.q, p.v);
}

}  // namespace

absl::StatusOr<SpendFit> FitSpend(absl::Span<const Spend> clients,
                                  const SpendFitSettings& settings) {
  SpendFit fit;
  std::vector<Client> kept;
  int most_orders = 1;
  double sum = 0;
  for (const Spend& client : clients) {
    if (!(client.orders >= 0 && client.orders <= kMostOrders) ||
        client.orders != std::floor(client.orders) || !std::isfinite(client.mean)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("a client with %g orders of %g on average: orders are whole and at most "
                          "%d, and the mean is finite",
                          client.orders, client.mean, kMostOrders));
    }
    if (client.orders == 0 || client.mean <= 0) {
      ++fit.left_out;
      continue;
    }
    kept.push_back({static_cast<int>(client.orders), client.mean, 0});
    most_orders = std::max(most_orders, kept.back().orders);
    sum += client.mean;
  }
  fit.clients = static_cast<int64_t>(kept.size());
  if (fit.clients < settings.least_clients) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d of %d clients have orders of some value; a fit needs at least %d: take a longer time "
        "or more clients",
        fit.clients, clients.size(), settings.least_clients));
  }
  fit.correlation = Correlation(kept);
  // In units of the mean value, so that the range of v does not depend on the currency.
  const auto count = static_cast<double>(kept.size());
  const double unit = sum / count;
  for (Client& client : kept) {
    client.mean /= unit;
    client.log_mean = std::log(client.mean);
  }
  constexpr double kLeast = 1e-5;
  constexpr double kMost = 1e6;
  const std::array<Parameter, 3> parameters = {
      Parameter{"p", kLeast, kMost}, Parameter{"q", kLeast, kMost}, Parameter{"v", kLeast, kMost}};
  const Maximum maximum = Maximise(
      [&](absl::Span<const double> p) {
        const models::SpendLikelihood likelihood({p[0], p[1], p[2]}, most_orders);
        double log_likelihood = 0;
        for (const Client& client : kept) {
          log_likelihood += likelihood.Of(client.orders, client.mean, client.log_mean);
        }
        return log_likelihood / count;
      },
      fit.clients, parameters);
  fit.parameters = {maximum.at[0], maximum.at[1], maximum.at[2] * unit};
  // A density of values in the smaller unit.
  fit.log_likelihood = (maximum.value - std::log(unit)) * count;
  Explain(maximum, fit);
  return fit;
}

}  // namespace rapport::risk_model
