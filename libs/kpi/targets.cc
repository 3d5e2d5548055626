#include "libs/kpi/targets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/kpi/periods.h"

namespace rapport {
namespace {

using query::v1::KpiFigure;
using touchpoint::v1::TargetScope;

constexpr std::array<std::pair<absl::string_view, TargetScope>, 4> kScopes = {{
    {"owner", touchpoint::v1::TARGET_SCOPE_OWNER},
    {"team", touchpoint::v1::TARGET_SCOPE_TEAM},
    {"branch", touchpoint::v1::TARGET_SCOPE_BRANCH},
    {"firm", touchpoint::v1::TARGET_SCOPE_FIRM},
}};

double FourDecimals(double value) {
  constexpr double kParts = 10'000;
  return std::round(value * kParts) / kParts;
}

bool IsMoney(const KpiSpec& kpi) {
  return kpi.unit == query::v1::KPI_UNIT_MONEY || kpi.unit == query::v1::KPI_UNIT_MONEY_PER_DAY;
}

// Whether the figure of a period is the sum of those of its days, so that a part of the period
// should have reached a part of the plan.
bool GrowsWithTime(const KpiSpec& kpi) {
  return kpi.shape == KpiShape::kRatio && kpi.denominator.empty() &&
         std::all_of(kpi.numerator.begin(), kpi.numerator.end(),
                     [](const KpiTerm& term) { return term.time == TermTime::kFlow; });
}

DayRange DaysOf(const touchpoint::v1::TargetSet& target, absl::TimeZone zone) {
  const auto day = [zone](const google::protobuf::Timestamp& at) {
    return DayNumber(absl::ToCivilDay(FromProto(at), zone));
  };
  return {day(target.period_start_at()), day(target.period_end_at())};
}

absl::StatusOr<int32_t> ReadDay(absl::string_view name, const std::string& text) {
  RAPPORT_ASSIGN_OR_RETURN(const DayRange day, ParsePeriod(name, text));
  if (day.days() == 1) return day.from;
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is '", text, "'; write a day, such as 2026-05-01"));
}

absl::StatusOr<DayRange> ReadDays(const query::v1::Target& order) {
  const bool has_days = !order.from().empty() || !order.to().empty();
  if (!order.period().empty()) {
    if (has_days) {
      return absl::InvalidArgumentError("period and from, to: write either of them");
    }
    return ParsePeriod("period", order.period());
  }
  if (!has_days) {
    return absl::InvalidArgumentError("period is missing; write one, such as 2026-05 or 2026-Q2");
  }
  RAPPORT_ASSIGN_OR_RETURN(const int32_t from, ReadDay("from", order.from()));
  RAPPORT_ASSIGN_OR_RETURN(const int32_t to, ReadDay("to", order.to()));
  if (from < to) return DayRange{from, to};
  return absl::InvalidArgumentError(
      absl::StrCat("to, ", order.to(), ", is not after from, ", order.from()));
}

absl::Status CheckScope(const KpiSpec& kpi, const query::v1::Target& order) {
  const auto known = std::find_if(kScopes.begin(), kScopes.end(),
                                  [&](const auto& one) { return one.first == order.scope(); });
  if (known == kScopes.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scope is '", order.scope(), "'; there are: owner, team, branch, firm"));
  }
  const bool firm = known->second == touchpoint::v1::TARGET_SCOPE_FIRM;
  if (firm != order.scope_id().empty()) {
    return absl::InvalidArgumentError(
        firm ? absl::StrCat("scope_id is '", order.scope_id(), "', and the firm has none")
             : absl::StrCat("scope_id is missing: which ", order.scope(), "?"));
  }
  if (kpi.moved_by == "firm" && !firm) {
    return absl::InvalidArgumentError(
        absl::StrCat("kpi: '", kpi.code, "' is moved by the firm as a whole, and not by a ",
                     order.scope(), "; set it for the firm"));
  }
  if (kpi.moved_by == "unit" && order.scope() == "owner") {
    return absl::InvalidArgumentError(
        absl::StrCat("kpi: '", kpi.code,
                     "' is moved by a unit, and not by one person; set it for a team, a branch or "
                     "the firm"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadValue(const KpiSpec& kpi, const query::v1::Target& order) {
  constexpr double kMost = 9e15;  // whole numbers stand exactly in a double up to here
  constexpr double kHundred = 100;
  const double value = order.value();
  const double scaled = value * static_cast<double>(PlanScale(kpi));
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("value is ", value, ", ", why));
  };
  if (!std::isfinite(value) || std::abs(scaled) > kMost) return wrong("which is too large");
  if (value < 0 && kpi.kpi != touchpoint::v1::KPI_NPS &&
      kpi.kpi != touchpoint::v1::KPI_REVENUE_GROWTH) {
    return wrong("below 0");
  }
  if (kpi.unit == query::v1::KPI_UNIT_PERCENT && value > kHundred &&
      kpi.kpi != touchpoint::v1::KPI_REVENUE_GROWTH) {
    return wrong("and 100 % is the most that there is; write 95 for 95 %");
  }
  constexpr double kNoise = 1e-6;
  if (std::abs(scaled - std::round(scaled)) > kNoise * std::max(1.0, std::abs(scaled))) {
    return wrong(PlanScale(kpi) == 1 ? "and no whole number"
                                     : "and has too many decimals for its unit");
  }
  return std::llround(scaled);
}

std::optional<BonusFigure::Ratio> RatioOf(const KpiSpec& kpi, bool has_numbers, int64_t numerator,
                                          int64_t denominator, std::optional<double> value) {
  const int64_t scale = PlanScale(kpi) * kpi.scale;
  int64_t scaled = 0;
  if (kpi.shape == KpiShape::kRatio && has_numbers &&
      !__builtin_mul_overflow(numerator, scale, &scaled)) {
    if (denominator == 0) return std::nullopt;
    return denominator < 0 ? BonusFigure::Ratio{-scaled, -denominator}
                           : BonusFigure::Ratio{scaled, denominator};
  }
  if (!value) return std::nullopt;
  // As it is shown: with four decimals.
  constexpr int64_t kParts = 10'000;
  return BonusFigure::Ratio{
      std::llround(*value * static_cast<double>(PlanScale(kpi)) * static_cast<double>(kParts)),
      kParts};
}

// The part of a period that is over at `now`: of all its days, or of those from Monday to Friday.
double PartOver(const DayRange& days, absl::Time now, absl::TimeZone zone, bool working_days) {
  double whole = 0;
  double over = 0;
  for (int32_t day = days.from; day < days.to; ++day) {
    const absl::CivilDay civil = CivilDayOf(day);
    const absl::Weekday weekday = absl::GetWeekday(civil);
    if (working_days && (weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday)) {
      continue;
    }
    const absl::Time begin = absl::FromCivil(civil, zone);
    const absl::Time end = absl::FromCivil(civil + 1, zone);
    whole += 1;
    over += std::clamp(absl::FDivDuration(now - begin, end - begin), 0.0, 1.0);
  }
  return whole == 0 ? 1 : over / whole;
}

// Puts plans beside figures as they stood at `now`.
class PlanAdder {
 public:
  PlanAdder(const PlanBook& book, absl::TimeZone zone, absl::Time now)
      : book_(book), zone_(zone), now_(now) {}

  void Add(const KpiSpec& kpi, absl::string_view scope, absl::string_view scope_id,
           const std::string& currency, KpiFigure* figure) const {
    const absl::StatusOr<DayRange> from = ParsePeriod("from", figure->from());
    const absl::StatusOr<DayRange> to = ParsePeriod("to", figure->to());
    if (!from.ok() || !to.ok()) return;
    const Plan* const plan = book_.Find(kpi, scope, scope_id, {from->from, to->from}, currency);
    if (plan != nullptr) *figure->mutable_plan() = ToPlan(*plan, *figure, now_, zone_);
  }

  void AddTo(absl::string_view scope, absl::string_view scope_id,
             query::v1::KpiSeries* series) const {
    const absl::StatusOr<const KpiSpec*> kpi = FindKpi(series->code());
    if (!kpi.ok()) return;
    const auto add = [&](KpiFigure* figure) {
      Add(**kpi, scope, scope_id, series->currency_code(), figure);
    };
    add(series->mutable_total());
    for (KpiFigure& figure : *series->mutable_steps()) add(&figure);
    if (series->has_compared()) add(series->mutable_compared());
    for (KpiFigure& figure : *series->mutable_compared_steps()) add(&figure);
  }

 private:
  const PlanBook& book_;
  const absl::TimeZone zone_;
  const absl::Time now_;
};

}  // namespace

PlanBook::PlanBook(const state::v1::KpiState& state, absl::TimeZone zone) {
  for (const state::v1::KpiTarget& one : state.targets()) {
    const touchpoint::v1::TargetSet& target = one.target();
    Plan plan{.kpi = FindKpi(target.kpi()),
              .scope_id = target.scope_id(),
              .days = DaysOf(target, zone),
              .value = target.has_amount() ? target.amount().minor_units() : target.units(),
              .currency = target.amount().currency_code(),
              .set_by = one.set_by(),
              .set_at = one.stamp().occurred_at()};
    for (const auto& [name, scope] : kScopes) {
      if (scope == target.scope()) plan.scope = std::string(name);
    }
    if (plan.kpi == nullptr || plan.scope.empty() || plan.days.empty()) continue;
    plans_.push_back(std::move(plan));
  }
}

PlanBook::PlanBook(const query::v1::Targets& targets) {
  for (const query::v1::Target& target : targets.targets()) {
    absl::StatusOr<Plan> plan = ReadTarget(target);
    if (!plan.ok()) continue;
    plan->set_by = target.set_by();
    plan->set_at = target.set_at();
    plans_.push_back(*std::move(plan));
  }
}

const Plan* PlanBook::Find(const KpiSpec& kpi, absl::string_view scope, absl::string_view scope_id,
                           const DayRange& days, absl::string_view currency) const {
  for (const Plan& plan : plans_) {
    if (plan.kpi == &kpi && plan.scope == scope && plan.scope_id == scope_id && plan.days == days &&
        plan.value != 0 && (!IsMoney(kpi) || plan.currency == currency)) {
      return &plan;
    }
  }
  return nullptr;
}

const Plan* PlanBook::FindSame(const Plan& plan) const {
  const auto same = std::find_if(plans_.begin(), plans_.end(),
                                 [&](const Plan& one) { return one.IsForSame(plan); });
  return same == plans_.end() ? nullptr : &*same;
}

int64_t PlanScale(const KpiSpec& kpi) {
  constexpr int64_t kPermille = 10;
  constexpr int64_t kThousandths = 1000;
  switch (kpi.unit) {
    case query::v1::KPI_UNIT_PERCENT:
      return kPermille;
    case query::v1::KPI_UNIT_POINTS:
      return kpi.kpi == touchpoint::v1::KPI_NPS ? kPermille : kThousandths;
    case query::v1::KPI_UNIT_DAYS:
      return kThousandths;
    default:
      return 1;
  }
}

query::v1::Target ToTarget(const Plan& plan) {
  query::v1::Target target;
  target.set_kpi(std::string(plan.kpi->code));
  target.set_scope(plan.scope);
  target.set_scope_id(plan.scope_id);
  target.set_from(FormatDay(plan.days.from));
  target.set_to(FormatDay(plan.days.to));
  target.set_value(static_cast<double>(plan.value) / static_cast<double>(PlanScale(*plan.kpi)));
  target.set_currency_code(plan.currency);
  target.set_set_by(plan.set_by);
  *target.mutable_set_at() = plan.set_at;
  return target;
}

absl::StatusOr<Plan> ReadTarget(const query::v1::Target& order) {
  const absl::StatusOr<const KpiSpec*> kpi = FindKpi(order.kpi());
  if (!kpi.ok()) return absl::InvalidArgumentError(kpi.status().message());
  if ((*kpi)->kpi == touchpoint::v1::KPI_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        absl::StrCat("kpi: no plan can be set for '", order.kpi(), "'"));
  }
  RAPPORT_RETURN_IF_ERROR(CheckScope(**kpi, order));
  Plan plan{.kpi = *kpi, .scope = order.scope(), .scope_id = order.scope_id()};
  RAPPORT_ASSIGN_OR_RETURN(plan.days, ReadDays(order));
  RAPPORT_ASSIGN_OR_RETURN(plan.value, ReadValue(**kpi, order));
  if (IsMoney(**kpi)) {
    if (CurrencyDigits(order.currency_code()) < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("currency_code is '", order.currency_code(), "', and '", order.kpi(),
                       "' is money: write an ISO 4217 code such as EUR, GBP or USD"));
    }
    plan.currency = order.currency_code();
  } else if (!order.currency_code().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("currency_code is '", order.currency_code(),
                                                   "', and '", order.kpi(),
                                                   "' is no money; leave it"));
  }
  return plan;
}

touchpoint::v1::TargetSet ToTargetSet(const Plan& plan, absl::TimeZone zone) {
  touchpoint::v1::TargetSet target;
  target.set_kpi(plan.kpi->kpi);
  for (const auto& [name, scope] : kScopes) {
    if (name == plan.scope) target.set_scope(scope);
  }
  target.set_scope_id(plan.scope_id);
  ToProto(absl::FromCivil(CivilDayOf(plan.days.from), zone), target.mutable_period_start_at());
  ToProto(absl::FromCivil(CivilDayOf(plan.days.to), zone), target.mutable_period_end_at());
  if (plan.currency.empty()) {
    target.set_units(plan.value);
  } else {
    target.mutable_amount()->set_minor_units(plan.value);
    target.mutable_amount()->set_currency_code(plan.currency);
  }
  return target;
}

std::optional<BonusFigure::Ratio> FactOf(const KpiSpec& kpi, const KpiFigure& figure) {
  return RatioOf(kpi, figure.has_numerator() && figure.has_denominator(), figure.numerator(),
                 figure.denominator(),
                 figure.has_value() ? std::optional(figure.value()) : std::nullopt);
}

std::optional<BonusFigure::Ratio> ReportedFactOf(const KpiSpec& kpi, const KpiFigure& figure) {
  const query::v1::KpiReported& reported = figure.reported();
  return RatioOf(kpi, reported.has_numerator() && reported.has_denominator(), reported.numerator(),
                 reported.denominator(),
                 reported.has_value() ? std::optional(reported.value()) : std::nullopt);
}

query::v1::KpiPlan ToPlan(const Plan& plan, const KpiFigure& figure, absl::Time now,
                          absl::TimeZone zone) {
  const KpiSpec& kpi = *plan.kpi;
  query::v1::KpiPlan told;
  const double value = static_cast<double>(plan.value) / static_cast<double>(PlanScale(kpi));
  told.set_value(value);
  told.set_currency_code(plan.currency);
  told.set_set_by(plan.set_by);
  *told.mutable_set_at() = plan.set_at;
  const std::optional<BonusFigure::Ratio> fact = FactOf(kpi, figure);
  told.set_attained(IsAttained(fact, plan.value, kpi.better));
  if (kpi.better != query::v1::KPI_DIRECTION_DOWN) {
    const std::optional<double> percent = AttainmentPercent(fact, plan.value, kpi.better);
    if (percent) told.set_attainment_percent(*percent);
  }
  if (GrowsWithTime(kpi)) {
    told.set_pace(FourDecimals(value * PartOver(plan.days, now, zone, /*working_days=*/false)));
    told.set_pace_working_days(
        FourDecimals(value * PartOver(plan.days, now, zone, /*working_days=*/true)));
  }
  return told;
}

void AddPlans(const PlanBook& book, absl::TimeZone zone, query::v1::KpiValues* values) {
  if (values->segment() != touchpoint::v1::SEGMENT_UNSPECIFIED || values->by() == "agent") return;
  const PlanAdder adder(book, zone, FromProto(values->until()));
  for (query::v1::KpiSeries& series : *values->mutable_series()) {
    adder.AddTo(values->scope(), values->scope_id(), &series);
  }
}

void AddPlans(const PlanBook& book, const FigurePlan& figures, query::v1::KpiBreakdown* breakdown) {
  const FigureRequest& request = figures.request();
  if (request.segment || request.by_agent) return;
  const PlanAdder adder(book, figures.env().settings.time_zone, figures.env().clock);
  query::v1::KpiSeries& series = *breakdown->mutable_series();
  adder.AddTo(request.scope.scope, request.scope.id, &series);
  const absl::StatusOr<const KpiSpec*> kpi = FindKpi(series.code());
  if (!kpi.ok()) return;
  for (query::v1::KpiRow& row : *breakdown->mutable_rows()) {
    if (breakdown->by() == "owner") {
      adder.Add(**kpi, "owner", row.id(), series.currency_code(), row.mutable_figure());
    } else if (breakdown->by() == "team") {
      for (const char* const scope : {"team", "branch"}) {
        adder.Add(**kpi, scope, row.id(), series.currency_code(), row.mutable_figure());
      }
    }
  }
}

}  // namespace rapport
