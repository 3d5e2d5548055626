#include "libs/risk_model/silence_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/projections/models/silence_likelihood.h"
#include "libs/risk_model/maximise.h"

namespace rapport::risk_model {
namespace {

using models::SilenceModel;
using models::SilenceParameters;

// Ranges so wide that only a model that does not fit comes to an end of them, and so narrow that
// the models can still be computed there.
const std::array<Parameter, 4>& Parameters() {
  static const auto* const parameters =
      new std::array<Parameter, 4>{Parameter{"r", 1e-4, 1e4}, Parameter{"alpha", 1e-3, 1e6},
                                   Parameter{"a", 1e-6, 1e6}, Parameter{"b", 1e-6, 1e6}};
  return *parameters;
}

// Above this it is all the same whether a client has been silent for long.
constexpr double kEverybodyIsThere = 0.995;
constexpr int kMostRepeats = 100'000;
// Summed up by themselves, and their sums in order, so that the threads change no digit.
constexpr size_t kBlock = 4096;

absl::Status CheckHistory(const ClientHistory& client) {
  const double count = client.repeats.count;
  const bool whole = count >= 0 && count <= kMostRepeats && count == std::floor(count);
  const bool ordered =
      client.repeats.last >= 0 && client.repeats.last <= client.time && std::isfinite(client.time);
  if (whole && ordered && (count == 0) == (client.repeats.last == 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "a client with %g repeats, the last after %g, looked at after %g: repeats are whole and at "
      "most %d, and 0 <= last <= time, where last is 0 for those without repeats and only for them",
      count, client.repeats.last, client.time, kMostRepeats));
}

// Equal histories once. Times are places in a list, so that each has its logarithm taken once.
class Groups {
 public:
  explicit Groups(absl::Span<const ClientHistory> clients) {
    for (const ClientHistory& client : clients) {
      times_.push_back(client.repeats.last);
      times_.push_back(client.time);
    }
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
    std::vector<Group> all;
    for (const ClientHistory& client : clients) {
      all.push_back({static_cast<int>(client.repeats.count), PlaceOf(client.repeats.last),
                     PlaceOf(client.time), 1});
      most_repeats_ = std::max(most_repeats_, all.back().repeats);
    }
    const auto key = [](const Group& group) {
      return std::tie(group.time, group.last, group.repeats);
    };
    std::sort(all.begin(), all.end(),
              [&](const Group& a, const Group& b) { return key(a) < key(b); });
    for (const Group& group : all) {
      if (!groups_.empty() && key(groups_.back()) == key(group)) {
        ++groups_.back().clients;
      } else {
        groups_.push_back(group);
      }
    }
  }

  size_t size() const { return groups_.size(); }

  double LogLikelihood(SilenceModel model, const SilenceParameters& parameters, int threads) const {
    const models::SilenceLikelihood likelihood(model, parameters, most_repeats_);
    std::vector<double> logs;
    for (const double time : times_) logs.push_back(std::log(parameters.alpha + time));
    std::vector<double> sums((groups_.size() + kBlock - 1) / kBlock);
    const auto sum_blocks = [&](size_t begin, size_t end) {
      for (size_t block = begin; block < end; ++block) {
        const size_t last = std::min(groups_.size(), (block + 1) * kBlock);
        double sum = 0;
        for (size_t i = block * kBlock; i < last; ++i) {
          const Group& group = groups_[i];
          sum += group.clients * likelihood.Of(group.repeats, logs[group.last], logs[group.time]);
        }
        sums[block] = sum;
      }
    };
    const size_t middle = threads == 2 ? sums.size() / 2 : 0;
    if (middle > 0) {
      std::thread other(sum_blocks, 0, middle);
      sum_blocks(middle, sums.size());
      other.join();
    } else {
      sum_blocks(0, sums.size());
    }
    double sum = 0;
    for (const double one : sums) sum += one;
    return sum;
  }

  // P(alive), mean over those who came again.
  double MeanAlive(SilenceModel model, const SilenceParameters& parameters) const {
    double sum = 0;
    double clients = 0;
    for (const Group& group : groups_) {
      if (group.repeats == 0) continue;
      const models::Repeats repeats = {static_cast<double>(group.repeats), times_[group.last]};
      const double alive = model == SilenceModel::kBgNbd
                               ? models::BgAlive(parameters, repeats, times_[group.time])
                               : models::MbgAlive(parameters, repeats, times_[group.time]);
      sum += group.clients * alive;
      clients += group.clients;
    }
    return sum / clients;
  }

 private:
  struct Group {
    int repeats = 0;
    uint32_t last = 0;
    uint32_t time = 0;
    int clients = 0;
  };

  uint32_t PlaceOf(double time) const {
    return static_cast<uint32_t>(std::lower_bound(times_.begin(), times_.end(), time) -
                                 times_.begin());
  }

  std::vector<double> times_;
  std::vector<Group> groups_;
  int most_repeats_ = 0;
};

void Explain(const Maximum& maximum, SilenceFit& fit) {
  std::string why;
  if (fit.mean_alive > kEverybodyIsThere) {
    why = "calls everybody still there, however long silent";
  } else if (!maximum.left_open.empty()) {
    why = absl::StrCat("leaves open ", absl::StrJoin(maximum.left_open, ", "),
                       ", which could be many times as large or as small");
  } else {
    return;
  }
  fit.degenerate = true;
  const SilenceParameters& p = fit.parameters;
  fit.explanation = absl::StrFormat(
      "The fit to %d clients, %d of whom came again, %s; on average it takes %.1f %% of these to "
      "be "
      "still there. Do not use it: keep the parameters used so far. (r %.4g, alpha %.4g, a %.4g, b "
      "%.4g)",
      fit.clients, fit.repeaters, why, 100 * fit.mean_alive, p.r, p.alpha, p.a, p.b);
}

}  // namespace

absl::StatusOr<SilenceFit> FitSilence(SilenceModel model, absl::Span<const ClientHistory> clients,
                                      const SilenceFitSettings& settings) {
  RAPPORT_CHECK(settings.threads == 1 || settings.threads == 2, settings.threads, " threads");
  SilenceFit fit;
  fit.clients = static_cast<int64_t>(clients.size());
  for (const ClientHistory& client : clients) {
    RAPPORT_RETURN_IF_ERROR(CheckHistory(client));
    fit.repeaters += client.repeats.count > 0 ? 1 : 0;
  }
  if (fit.repeaters < settings.least_repeaters) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d of %d clients came a second time; a fit needs at least %d: take a longer time or more "
        "clients, or keep the parameters used so far",
        fit.repeaters, fit.clients, settings.least_repeaters));
  }
  const Groups groups(clients);
  fit.groups = static_cast<int64_t>(groups.size());
  const auto count = static_cast<double>(clients.size());
  const auto parameters_of = [](absl::Span<const double> p) {
    return SilenceParameters{p[0], p[1], p[2], p[3]};
  };
  const Maximum maximum = Maximise(
      [&](absl::Span<const double> p) {
        return groups.LogLikelihood(model, parameters_of(p), settings.threads) / count;
      },
      fit.clients, Parameters());
  fit.parameters = parameters_of(maximum.at);
  fit.log_likelihood = maximum.value * count;
  fit.evaluations = maximum.evaluations;
  fit.mean_alive = groups.MeanAlive(model, fit.parameters);
  Explain(maximum, fit);
  return fit;
}

}  // namespace rapport::risk_model
