#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"

// How good alerts are: each pause between two orders of a client is held against what was said
// during it. A pause that goes on for longer than a client may well wait is a departure; an alert
// in it is right. A count of alerts that were "right after 13 weeks" would reward waiting; this
// one does not, since beside each rule stands the stopwatch: silence of as many days by itself.

namespace rapport::backtest {

// A day on which a client ordered: days since 1970, and what all its orders of that day come to, in
// minor units of one currency.
struct OrderDay {
  int32_t day = 0;
  int64_t value = 0;
};

// From one order day of a client to the next, or to the end of the history.
struct Pause {
  std::string client_id;
  int32_t begin = 0;   // the order day
  int32_t days = 0;    // how long it lasted
  int order_days = 0;  // of the client, up to its beginning
  int64_t value = 0;   // ordered up to its beginning
  bool departure = false;
};

// All pauses of which it is known whether they are departures: those that ended, and those that had
// lasted for more than `departure_days` at the end of the history. `orders` by client, each in the
// order of days, each day once.
std::vector<Pause> PausesOf(const std::map<std::string, std::vector<OrderDay>>& orders,
                            int32_t end_day, int departure_days);

// What came of a rule.
struct Verdict {
  int64_t pauses = 0;
  int64_t departures = 0;
  int64_t alerts = 0;
  int64_t right = 0;       // alerts that were in departures
  double right_value = 0;  // as shares of what the clients had ordered
  double found_value = 0;
  int median_day = 0;  // of silence at which the alerts came

  // Share of the alerts that are right, and its standard error; 0 when there is none.
  double Right() const;
  double RightError() const;
  // Share of the departures in which there was an alert.
  double Found() const;
};

// `alert_days`: for each pause, after how many days of it the rule gave its first alert, if it did;
// an alert on the last day of a pause or later came too late.
Verdict Judge(absl::Span<const Pause> pauses, absl::Span<const std::optional<int>> alert_days);
// The rule "silent for `days` days".
Verdict JudgeStopwatch(absl::Span<const Pause> pauses, int days);

// Chances that were told, and whether it came about.
struct Forecast {
  double chance = 0;
  bool happened = false;
};

// Area under the ROC curve: how often one of those to whom it happened had a higher chance than one
// to whom it did not; ties count half. 0.5 where there are none of one of the two.
double Auc(absl::Span<const Forecast> forecasts);
// Mean of (chance - happened)^2.
double Brier(absl::Span<const Forecast> forecasts);

// A part of the forecasts, of like chances.
struct CalibrationRow {
  int64_t count = 0;
  double chance = 0;    // mean
  double happened = 0;  // share
  // How far they are apart, in standard errors of a share with that chance.
  double Errors() const;
};

// `parts` rows of as many forecasts each, the lowest chances first.
std::vector<CalibrationRow> Calibration(absl::Span<const Forecast> forecasts, int parts);

}  // namespace rapport::backtest
