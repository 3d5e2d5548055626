#pragma once

// How likely it is that a client who buys, or gets in touch, now and then has left without a word.
// Buy-till-you-die models: while alive, a client comes by chance at its own rate (gamma-distributed
// over clients with shape r and scale alpha), and after each time leaves for good with its own
// probability (beta-distributed over clients with a and b).
//
// Sources: BG/NBD: P. Fader, B. Hardie, K. Lee, "Counting your customers the easy way", Marketing
// Science 24(2), 2005. MBG/NBD, in which a client may leave after the first time already:
// E. Batislam, M. Denizel, A. Filiztekin, "Empirical validation and comparison of models for
// customer base analysis", IJRM 24(3), 2007.
//
// Pure functions of doubles. Times count from the client's first day, in the unit that the
// parameters were fitted in: weeks.

namespace rapport::models {

enum class SilenceModel { kBgNbd, kMbgNbd };

struct SilenceParameters {
  double r = 0;
  double alpha = 0;
  double a = 0;
  double b = 0;
};

// What is known of one client: the distinct days after the first one, and the time from the first
// to the last of them (0 when repeats is 0).
struct Repeats {
  double count = 0;
  double last = 0;
};

// MBG/NBD on the CDNOW cohort of 2,357 clients, weeks, maximum likelihood (ln L -9582.133).
inline constexpr SilenceParameters kMbgCdnow = {0.52484, 6.18299, 0.89136, 1.61400};

// The chance that the client has not left, `time` after its first day; time >= repeats.last.
// 1 / (1 + a/(b+x) * ((alpha+T)/(alpha+t_x))^(r+x)).
double MbgAlive(const SilenceParameters& parameters, const Repeats& repeats, double time);

// The same in BG/NBD: 1 when x = 0, else 1 / (1 + a/(b+x-1) * ((alpha+T)/(alpha+t_x))^(r+x)). Never
// to be ranked on: clients with x = 0 get 1.
double BgAlive(const SilenceParameters& parameters, const Repeats& repeats, double time);

// The chance that the client comes at least once within `horizon`, if it is alive with the chance
// `alive`: alive * (1 - ((alpha+T)/(alpha+T+h))^(r+x)). Its complement is P_silent(h).
double ComesWithin(const SilenceParameters& parameters, const Repeats& repeats, double time,
                   double horizon, double alive);

// E[Y(t)]: the expected number of days on which the client comes within `horizon`, as it may have
// left before or leave in it. BG/NBD, times P(alive), with z = h/(alpha+T+h):
//   (a+b+x-1)/(a-1) * (1 - ((alpha+T)/(alpha+T+h))^(r+x) * 2F1(r+x, b+x; a+b+x-1; z)),
// MBG/NBD the same with b+1 for b. Exact for every a, also a = 1; finite and positive parameters,
// horizon >= 0. Takes some (r+x) * h/(alpha+T) + 40 * (1 + h/(alpha+T)) terms of a series.
double BgExpectedDays(const SilenceParameters& parameters, const Repeats& repeats, double time,
                      double horizon);
double MbgExpectedDays(const SilenceParameters& parameters, const Repeats& repeats, double time,
                       double horizon);

// Cadence surprise: the chance that a live client with this history stays silent this long.
// ((alpha+t_x)/(alpha+T))^(r+x).
double CadenceSurprise(const SilenceParameters& parameters, const Repeats& repeats, double time);

// P_silent(h) by MBG/NBD: the chance of nothing within `horizon`. Without new events it rises with
// `time` alone.
double MbgSilent(const SilenceParameters& parameters, const Repeats& repeats, double time,
                 double horizon);

// ln(P_silent / (1 - P_silent)) of one client at many moments, exact also where P_silent is close
// to 1: with k = a/(b+x), u = ((alpha+T)/(alpha+t_x))^(r+x), v = ((alpha+T)/(alpha+T+h))^(r+x) the
// odds are (k*u + v) / (1 - v).
class MbgSilentLogOdds {
 public:
  MbgSilentLogOdds() = default;
  MbgSilentLogOdds(const SilenceParameters& parameters, const Repeats& repeats, double horizon);

  // A time before the last event counts as the time of the last event.
  double At(double time) const;
  // The odds themselves at the time of the last event: the least that they can be.
  double OddsAtLast() const;

 private:
  double alpha_ = 0;
  double last_ = 0;
  double horizon_ = 0;
  double power_ = 0;       // r + x
  double leave_odds_ = 0;  // a / (b + x)
  double log_last_ = 0;    // ln(alpha + t_x)
};

}  // namespace rapport::models
