#include "libs/kpi/forecast.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "libs/base/time.h"
#include "libs/kpi/deal_courses.h"
#include "libs/kpi/periods.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"

namespace rapport {
namespace {

using absl::int128;
using query::v1::KpiDealCourse;
using query::v1::KpiDeals;
using State = DealStanding::State;

constexpr int64_t kWhole = 1000;  // permille
constexpr int kCalibratedMonths = 6;
constexpr int kEarlierDates = 3;

int64_t Saturated(int128 value) {
  const int128 most = std::numeric_limits<int64_t>::max();
  const int128 least = std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(std::clamp(value, least, most));
}

// Thousandths of minor units as minor units, half of one away from zero.
int64_t Minor(int128 thousandths) {
  const int128 half = thousandths < 0 ? -kWhole / 2 : kWhole / 2;
  return Saturated((thousandths + half) / kWhole);
}

// Rounds parts so that they add up to the rounded whole: each is the difference of what is reached
// with and without it.
class RunningSum {
 public:
  explicit RunningSum(int128 begin = 0) : sum_(begin) {}
  int64_t Add(int128 part) {
    const int64_t before = Minor(sum_);
    sum_ += part;
    return Minor(sum_) - before;
  }
  int64_t rounded() const { return Minor(sum_); }

 private:
  int128 sum_;
};

bool InScope(const FigureScope& scope, const KpiDealCourse& course, absl::Time at,
             const KpiSettings& settings) {
  if (scope.everybody) return true;
  const auto stays = scope.members.find(OwnerAt(course, at));
  const int32_t day = Kpi::TallyDay(at, settings);
  return stays != scope.members.end() &&
         std::any_of(stays->second.begin(), stays->second.end(),
                     [day](const DayRange& stay) { return stay.Has(day); });
}

int PermilleOf(const DealStanding& deal, const StageChances& chances) {
  if (deal.judged_permille) return *deal.judged_permille;
  const auto stage = static_cast<size_t>(deal.stage);
  return stage < chances.stages.size() ? chances.stages[stage].permille : 0;
}

struct Cell {
  int128 weighted = 0;  // thousandths
  int128 amount = 0;
  int64_t deals = 0;

  void Add(int64_t of_deal, int permille) {
    weighted += int128(of_deal) * permille;
    amount += of_deal;
    ++deals;
  }
};

struct CurrencyCells {
  std::map<int32_t, Cell> months;  // by first day
  Cell overdue;
  Cell undated;
};

// The forecast as it stood at one moment.
class ForecastAt {
 public:
  ForecastAt(const KpiDeals& deals, const FigureScope& scope, absl::Time at,
             const std::optional<DayRange>& closing, const KpiSettings& settings)
      : scope_(scope),
        at_(at),
        today_(Kpi::TallyDay(at, settings)),
        closing_(closing),
        settings_(settings),
        chances_(LearnChances(deals, at)) {}

  const StageChances& chances() const { return chances_; }
  absl::Time at() const { return at_; }

  DealStanding Standing(const KpiDealCourse& course) const { return StandingAt(course, at_); }
  bool Has(const KpiDealCourse& course) const { return InScope(scope_, course, at_, settings_); }
  // Whether the expected close is among the months that are looked at.
  bool IsLookedAt(const DealStanding& deal) const {
    return !closing_ ||
           (deal.close_day && *deal.close_day >= today_ && closing_->Has(*deal.close_day));
  }

  std::map<std::string, CurrencyCells> Cells(const KpiDeals& deals) const {
    std::map<std::string, CurrencyCells> cells;
    for (const KpiDealCourse& course : deals.deals()) {
      const DealStanding deal = Standing(course);
      if (deal.state != State::kOpen || deal.currency.empty() || !Has(course)) continue;
      CurrencyCells& of_currency = cells[deal.currency];
      Cell* cell = nullptr;
      if (!deal.close_day) {
        cell = &of_currency.undated;
      } else if (*deal.close_day < today_) {
        cell = &of_currency.overdue;
      } else if (!closing_ || closing_->Has(*deal.close_day)) {
        cell = &of_currency.months[MonthOf(*deal.close_day)];
      }
      if (cell != nullptr) cell->Add(deal.amount, PermilleOf(deal, chances_));
    }
    return cells;
  }

 private:
  const FigureScope& scope_;
  const absl::Time at_;
  const int32_t today_;
  const std::optional<DayRange> closing_;
  const KpiSettings& settings_;
  const StageChances chances_;
};

void Tell(const Cell& cell, RunningSum* sum, query::v1::KpiForecastMonth* told) {
  told->set_weighted(sum->Add(cell.weighted));
  told->set_amount(Saturated(cell.amount));
  told->set_deals(cell.deals);
}

// Why a forecast moved, in thousandths, in one currency.
struct Move {
  int128 before = 0;
  int128 new_deals = 0;
  int128 won = 0;
  int128 lost = 0;
  int128 amount = 0;
  int128 date = 0;
  int128 stage = 0;
  int128 chance = 0;
  int128 removed = 0;
  int128 handed_over = 0;
};

class Mover {
 public:
  Mover(const ForecastAt& earlier, const ForecastAt& later) : earlier_(earlier), later_(later) {}

  std::map<std::string, Move> Moves(const KpiDeals& deals) {
    for (const KpiDealCourse& course : deals.deals()) Take(course);
    return std::move(moves_);
  }

 private:
  static bool IsWorth(const DealStanding& deal) {
    return deal.state == State::kOpen && !deal.currency.empty();
  }

  void Take(const KpiDealCourse& course) {
    const DealStanding before = earlier_.Standing(course);
    const DealStanding after = later_.Standing(course);
    const bool had = IsWorth(before) && earlier_.Has(course);
    const bool has = IsWorth(after) && later_.Has(course);
    const int128 worth_before = had && earlier_.IsLookedAt(before)
                                    ? int128(before.amount) * PermilleOf(before, earlier_.chances())
                                    : 0;
    const int128 worth_after = has && later_.IsLookedAt(after)
                                   ? int128(after.amount) * PermilleOf(after, later_.chances())
                                   : 0;
    if (had) moves_[before.currency].before += worth_before;
    if (had && has) return TakeChanged(before, after, worth_before, worth_after);
    if (had) return TakeGone(before, after, worth_before);
    if (!has) return;
    Move& move = moves_[after.currency];
    if (before.state != State::kOpen) {
      move.new_deals += worth_after;
    } else {
      // It was there: with somebody else's client, or without an amount.
      (earlier_.Has(course) ? move.amount : move.handed_over) += worth_after;
    }
  }

  void TakeGone(const DealStanding& before, const DealStanding& after, int128 worth) {
    Move& move = moves_[before.currency];
    switch (after.state) {
      case State::kWon:
        move.won += worth;
        return;
      case State::kLost:
        move.lost += worth;
        return;
      case State::kRemoved:
      case State::kNone:
        move.removed -= worth;
        return;
      case State::kOpen:
        // Open, and no longer worth anything here: its amount was taken off, or it was handed over.
        (after.currency.empty() ? move.amount : move.handed_over) -= worth;
        return;
    }
  }

  void TakeChanged(const DealStanding& before, const DealStanding& after, int128 worth_before,
                   int128 worth_after) {
    if (before.currency != after.currency) {
      moves_[before.currency].amount -= worth_before;
      moves_[after.currency].amount += worth_after;
      return;
    }
    Move& move = moves_[before.currency];
    const bool was = earlier_.IsLookedAt(before);
    const bool is = later_.IsLookedAt(after);
    if (!was || !is) {
      // Into the months that are looked at, or out of them.
      move.date += worth_after - worth_before;
      return;
    }
    const int128 at_once = int128(after.amount) * PermilleOf(before, earlier_.chances());
    const int128 in_stage = int128(after.amount) * PermilleOf(after, earlier_.chances());
    move.amount += at_once - worth_before;
    move.stage += in_stage - at_once;
    move.chance += worth_after - in_stage;
  }

  const ForecastAt& earlier_;
  const ForecastAt& later_;
  std::map<std::string, Move> moves_;
};

query::v1::KpiForecastMove ToMessage(const Move& move, const std::string& since) {
  query::v1::KpiForecastMove told;
  told.set_since(since);
  told.set_before(Minor(move.before));
  RunningSum sum(move.before);
  told.set_new_deals(sum.Add(move.new_deals));
  told.set_won(-sum.Add(-move.won));
  told.set_lost(-sum.Add(-move.lost));
  told.set_amount(sum.Add(move.amount));
  told.set_date(sum.Add(move.date));
  told.set_stage(sum.Add(move.stage));
  told.set_chance(sum.Add(move.chance));
  told.set_removed(sum.Add(move.removed));
  told.set_handed_over(sum.Add(move.handed_over));
  told.set_after(sum.rounded());
  return told;
}

absl::Time Midnight(absl::CivilDay day, const KpiSettings& settings) {
  return absl::FromCivil(day, settings.time_zone);
}

// What was forecast for the months before `at` on the first days of each and of the two before it.
void Calibrate(const KpiDeals& deals, const ForecastRequest& request, const KpiSettings& settings,
               query::v1::KpiForecast* forecast) {
  const absl::CivilMonth current(absl::ToCivilMonth(request.at, settings.time_zone));
  for (int back = kCalibratedMonths; back >= 1; --back) {
    const absl::CivilMonth month = current - back;
    const DayRange days = {DayNumber(absl::CivilDay(month)), DayNumber(absl::CivilDay(month + 1))};
    std::map<std::string, int128> won;
    for (const KpiDealCourse& course : deals.deals()) {
      const DealStanding deal = StandingAt(course, request.at);
      if (deal.state != State::kWon || deal.decided_currency.empty()) continue;
      const absl::Time at = absl::FromUnixMillis(deal.decided_at);
      if (!days.Has(Kpi::TallyDay(at, settings)) || !InScope(request.scope, course, at, settings)) {
        continue;
      }
      won[deal.decided_currency] += deal.decided_amount;
    }
    for (int earlier = kEarlierDates - 1; earlier >= 0; --earlier) {
      const absl::CivilDay date(month - earlier);
      const ForecastAt then(deals, request.scope, Midnight(date, settings), days, settings);
      std::map<std::string, int128> forecasts;
      for (const auto& [currency, cells] : then.Cells(deals)) {
        for (const auto& [first, cell] : cells.months) forecasts[currency] += cell.weighted;
      }
      for (const auto& [currency, amount] : won) forecasts.try_emplace(currency, 0);
      for (const auto& [currency, weighted] : forecasts) {
        query::v1::KpiCalibration& told = *forecast->add_calibrations();
        told.set_month(FormatDay(days.from));
        told.set_at(FormatDay(DayNumber(date)));
        told.set_currency_code(currency);
        told.set_forecast(Minor(weighted));
        const auto came = won.find(currency);
        told.set_won(came == won.end() ? 0 : Saturated(came->second));
      }
    }
  }
}

}  // namespace

StageChances LearnChances(const KpiDeals& deals, absl::Time at) {
  StageChances chances;
  static const DealPipelineSettings kSet;
  for (size_t stage = 0; stage < chances.stages.size(); ++stage) {
    chances.stages[stage].set_permille = kSet.stage_probability_permille[stage];
  }
  for (const KpiDealCourse& course : deals.deals()) {
    const DealStanding deal = StandingAt(course, at);
    const bool won = deal.state == State::kWon;
    if (!won && deal.state != State::kLost) continue;
    const size_t furthest = std::min(static_cast<size_t>(deal.furthest), chances.stages.size() - 1);
    for (size_t stage = 1; stage <= furthest; ++stage) {
      ++chances.stages[stage].decided;
      chances.stages[stage].won += won ? 1 : 0;
    }
  }
  for (StageChances::Stage& stage : chances.stages) {
    const int64_t weight = stage.decided + kPriorDeals;
    const int64_t sum = stage.won * kWhole + int64_t{kPriorDeals} * stage.set_permille;
    stage.permille = static_cast<int>((sum + weight / 2) / weight);
  }
  return chances;
}

query::v1::KpiForecast Forecast(const KpiDeals& deals, const ForecastRequest& request,
                                const KpiSettings& settings) {
  query::v1::KpiForecast forecast;
  ToProto(request.at, forecast.mutable_at());
  forecast.set_prior_deals(kPriorDeals);
  forecast.set_scope(request.scope.scope);
  forecast.set_scope_id(request.scope.id);
  if (request.closing) {
    forecast.set_from(FormatDay(request.closing->from));
    forecast.set_to(FormatDay(request.closing->to));
  }
  const ForecastAt now(deals, request.scope, request.at, request.closing, settings);
  std::map<std::string, CurrencyCells> cells = now.Cells(deals);
  std::map<std::string, Move> moves;
  if (request.since) {
    ToProto(*request.since, forecast.mutable_since());
    const ForecastAt then(deals, request.scope, *request.since, request.closing, settings);
    moves = Mover(then, now).Moves(deals);
    for (const auto& [currency, move] : moves) cells.try_emplace(currency);
  }
  for (const auto& [currency, of_currency] : cells) {
    query::v1::KpiForecastCurrency& told = *forecast.add_currencies();
    told.set_currency_code(currency);
    RunningSum sum;
    Cell total;
    const auto add = [&total](const Cell& cell) {
      total.amount += cell.amount;
      total.deals += cell.deals;
    };
    for (const auto& [month, cell] : of_currency.months) {
      query::v1::KpiForecastMonth& told_month = *told.add_months();
      told_month.set_month(FormatDay(month));
      Tell(cell, &sum, &told_month);
      add(cell);
    }
    // Of some months alone they stand apart.
    RunningSum overdue_sum;
    RunningSum undated_sum;
    Tell(of_currency.overdue, request.closing ? &overdue_sum : &sum, told.mutable_overdue());
    Tell(of_currency.undated, request.closing ? &undated_sum : &sum, told.mutable_undated());
    if (!request.closing) {
      add(of_currency.overdue);
      add(of_currency.undated);
    }
    told.mutable_total()->set_weighted(sum.rounded());
    told.mutable_total()->set_amount(Saturated(total.amount));
    told.mutable_total()->set_deals(total.deals);
    if (request.since) {
      *told.mutable_move() =
          ToMessage(moves[currency], FormatDay(Kpi::TallyDay(*request.since, settings)));
    }
  }
  for (size_t stage = 1; stage < now.chances().stages.size(); ++stage) {
    const StageChances::Stage& chance = now.chances().stages[stage];
    query::v1::KpiStageChance& told = *forecast.add_chances();
    told.set_stage(static_cast<touchpoint::v1::DealStage>(stage));
    told.set_permille(chance.permille);
    told.set_set_permille(chance.set_permille);
    told.set_decided(chance.decided);
    told.set_won(chance.won);
  }
  Calibrate(deals, request, settings, &forecast);
  return forecast;
}

}  // namespace rapport
