#include "libs/bonus/statement.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/bonus/exact.h"

namespace rapport {
namespace {

using query::v1::BonusCliff;
using query::v1::BonusLine;
using query::v1::BonusStatement;
using query::v1::KPI_DIRECTION_DOWN;

constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kHundred = 100;

// As known now, and as reported.
constexpr std::array<bool, 2> kBothWays = {false, true};

Exact ExactOf(const BonusFigure::Ratio& ratio) { return {ratio.numerator, ratio.denominator}; }
Exact ExactOf(const Millionths& number) { return {number.value, kMillion}; }

double FourDecimals(const Exact& value) {
  constexpr int64_t kScale = 10'000;
  return Rounded(value * kScale).convert_to<double>() / kScale;
}

// How far the plan is met; 1 is in full.
std::optional<Exact> Attainment(const std::optional<BonusFigure::Ratio>& fact,
                                const std::optional<int64_t>& plan,
                                query::v1::KpiDirection better) {
  if (!fact || !plan || *plan == 0) return std::nullopt;
  if (better == KPI_DIRECTION_DOWN) return IsAttained(fact, plan, better) ? 1 : 0;
  if (*plan < 0) return std::nullopt;
  return ExactOf(*fact) / *plan;
}

std::string PercentText(const Exact& share) {
  std::string text = absl::StrFormat("%.4f", FourDecimals(share * kHundred));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return absl::StrCat(text, " %");
}

// Reckons one scheme for one person.
class Reckoner {
 public:
  Reckoner(const BonusScheme& scheme, const std::string& person,
           const std::vector<std::string>& people, BonusFigures& figures)
      : scheme_(scheme), person_(person), people_(people), figures_(figures) {}

  absl::StatusOr<BonusStatement> Reckon() {
    statement_.set_scheme(scheme_.name);
    statement_.set_person_id(person_);
    statement_.set_currency_code(scheme_.currency);
    if (scheme_.base) statement_.set_base(*scheme_.base);
    for (const query::v1::BonusWarning& warning : scheme_.warnings) {
      *statement_.add_warnings() = warning;
    }
    for (const BonusRule& rule : scheme_.rules) {
      rule_ = &rule;
      first_line_ = statement_.lines_size();
      RAPPORT_RETURN_IF_ERROR(
          std::visit([this](const auto& pays) { return Pay(pays); }, rule.pays));
      Limit();
    }
    int64_t known = 0;
    int64_t reported = 0;
    for (const BonusLine& line : statement_.lines()) {
      if (__builtin_add_overflow(known, line.money(), &known) ||
          __builtin_add_overflow(reported, line.money_as_reported(), &reported)) {
        return absl::OutOfRangeError("the sum of a statement is beyond 64 bits");
      }
    }
    statement_.set_sum_of_lines(known);
    statement_.set_total(Within(known, scheme_.floor, scheme_.cap));
    statement_.set_total_as_reported(Within(reported, scheme_.floor, scheme_.cap));
    return std::move(statement_);
  }

 private:
  static int64_t Within(int64_t money, const std::optional<int64_t>& floor,
                        const std::optional<int64_t>& cap) {
    if (floor) money = std::max(money, *floor);
    if (cap) money = std::min(money, *cap);
    return money;
  }

  // Puts floor and cap of the rule on what its lines pay together: the difference goes to its last
  // line, which tells what it was before.
  void Limit() {
    if (!rule_->floor && !rule_->cap) return;
    int64_t known = 0;
    int64_t reported = 0;
    for (int i = first_line_; i < statement_.lines_size(); ++i) {
      known += statement_.lines(i).money();
      reported += statement_.lines(i).money_as_reported();
    }
    BonusLine& last = *statement_.mutable_lines(statement_.lines_size() - 1);
    const int64_t change = Within(known, rule_->floor, rule_->cap) - known;
    last.set_money_as_reported(last.money_as_reported() +
                               Within(reported, rule_->floor, rule_->cap) - reported);
    if (change == 0) return;
    last.set_before_limits(last.money());
    last.set_money(last.money() + change);
    absl::StrAppend(last.mutable_reckoning(), change > 0 ? "; the floor of " : "; the cap of ",
                    MoneyText(change > 0 ? *rule_->floor : *rule_->cap), " makes it ",
                    MoneyText(last.money()));
  }

  std::string MoneyText(int64_t money) const { return FormatMoney(money, scheme_.currency); }

  BonusLine& AddLine(const char* kind, const std::string& kpi, const BonusFigure& figure) {
    BonusLine& line = *statement_.add_lines();
    line.set_rule(rule_->name);
    line.set_kind(kind);
    line.set_kpi(kpi);
    line.set_unit(figure.unit);
    line.set_better(figure.better);
    *line.mutable_figure() = figure.shown;
    line.set_touchpoints(figure.touchpoints);
    if (const auto percent = AttainmentPercent(figure.known, figure.plan, figure.better)) {
      line.set_attainment_percent(*percent);
    }
    return line;
  }

  void TellLack(const BonusFigure& figure, bool needs_plan, BonusLine* line) const {
    if (needs_plan && (!figure.plan || *figure.plan == 0)) {
      line->set_lacks("no_plan");
      line->set_reckoning("no plan is set");
    } else if (!figure.known) {
      line->set_lacks("no_figure");
      line->set_reckoning("there is no figure");
    }
  }

  void AddCliff(const std::string& kpi, const BonusFigure& figure, double at, int64_t before,
                int64_t after) {
    BonusCliff& cliff = *statement_.add_cliffs();
    cliff.set_rule(rule_->name);
    cliff.set_kpi(kpi);
    cliff.set_at(at);
    cliff.set_before(before);
    cliff.set_after(after);
    if (figure.shown.has_value()) cliff.set_now(figure.shown.value());
    cliff.set_unit(figure.unit);
  }

  absl::Status Pay(const ThresholdRule& rule) {
    RAPPORT_ASSIGN_OR_RETURN(const BonusFigure figure,
                             figures_.Of(person_, rule.kpi, scheme_.currency));
    BonusLine& line = AddLine("threshold", rule.kpi, figure);
    const bool met = IsAttained(figure.known, figure.plan, figure.better);
    if (met) line.set_money(rule.bonus);
    if (IsAttained(figure.reported, figure.plan, figure.better)) {
      line.set_money_as_reported(rule.bonus);
    }
    line.set_reckoning(
        absl::StrCat(met ? "the plan is met: " : "the plan is not met: ", MoneyText(line.money())));
    TellLack(figure, /*needs_plan=*/true, &line);
    if (figure.plan && *figure.plan != 0) {
      const bool down = figure.better == KPI_DIRECTION_DOWN;
      AddCliff(rule.kpi, figure, figure.shown.plan().value(), down ? rule.bonus : 0,
               down ? 0 : rule.bonus);
    }
    return absl::OkStatus();
  }

  absl::Status Pay(const PercentageRule& rule) {
    RAPPORT_ASSIGN_OR_RETURN(const BonusFigure figure,
                             figures_.Of(person_, rule.kpi, scheme_.currency));
    BonusLine& line = AddLine("percentage", rule.kpi, figure);
    line.set_percent(rule.percent.text);
    const bool needs_plan = rule.beyond_plan;
    const bool has_plan = figure.plan && *figure.plan != 0;
    for (const bool as_reported : kBothWays) {
      const auto& fact = as_reported ? figure.reported : figure.known;
      if (!fact || (needs_plan && !has_plan)) continue;
      Exact base = ExactOf(*fact);
      if (needs_plan) base -= *figure.plan;
      // What was taken back beyond what was sold is not asked of people.
      if (base < 0) base = 0;
      RAPPORT_ASSIGN_OR_RETURN(const int64_t money,
                               RoundedToInteger(base * ExactOf(rule.percent) / kHundred));
      as_reported ? line.set_money_as_reported(money) : line.set_money(money);
      if (as_reported) continue;
      RAPPORT_ASSIGN_OR_RETURN(const int64_t shown, RoundedToInteger(base));
      line.set_reckoning(absl::StrCat(rule.percent.text, " % of ", MoneyText(shown),
                                      needs_plan ? " beyond the plan" : "", " = ",
                                      MoneyText(money)));
    }
    TellLack(figure, needs_plan, &line);
    return absl::OkStatus();
  }

  static Exact Counted(const MatrixRow& row, Exact attainment) {
    if (row.least_percent && attainment * kHundred < ExactOf(*row.least_percent)) return 0;
    if (row.most_percent) {
      attainment = std::min<Exact>(attainment, ExactOf(*row.most_percent) / kHundred);
    }
    return std::max<Exact>(attainment, 0);
  }

  absl::Status Pay(const MatrixRule& rule) {
    for (const MatrixRow& row : rule.rows) {
      RAPPORT_ASSIGN_OR_RETURN(const BonusFigure figure,
                               figures_.Of(person_, row.kpi, scheme_.currency));
      BonusLine& line = AddLine("matrix", row.kpi, figure);
      line.set_weight(row.weight.text);
      const Exact part = ExactOf(row.weight) * rule.bonus;
      for (const bool as_reported : kBothWays) {
        const std::optional<Exact> attainment =
            Attainment(as_reported ? figure.reported : figure.known, figure.plan, figure.better);
        if (!attainment) continue;
        const Exact counted = Counted(row, *attainment);
        RAPPORT_ASSIGN_OR_RETURN(const int64_t money, RoundedToInteger(part * counted));
        as_reported ? line.set_money_as_reported(money) : line.set_money(money);
        if (as_reported) continue;
        line.set_counted_percent(FourDecimals(counted * kHundred));
        line.set_reckoning(absl::StrCat(row.weight.text, " x ", PercentText(counted), " x ",
                                        MoneyText(rule.bonus), " = ", MoneyText(money)));
      }
      TellLack(figure, /*needs_plan=*/true, &line);
      RAPPORT_RETURN_IF_ERROR(AddRowCliff(row, figure, part));
    }
    return absl::OkStatus();
  }

  absl::Status AddRowCliff(const MatrixRow& row, const BonusFigure& figure, const Exact& part) {
    if (!figure.plan || *figure.plan == 0) return absl::OkStatus();
    const double plan = figure.shown.plan().value();
    if (figure.better == KPI_DIRECTION_DOWN) {
      RAPPORT_ASSIGN_OR_RETURN(const int64_t full, RoundedToInteger(part * Counted(row, 1)));
      AddCliff(row.kpi, figure, plan, full, 0);
    } else if (row.least_percent && row.least_percent->value > 0) {
      const Exact least = ExactOf(*row.least_percent) / kHundred;
      RAPPORT_ASSIGN_OR_RETURN(const int64_t money, RoundedToInteger(part * Counted(row, least)));
      AddCliff(row.kpi, figure, plan * row.least_percent->value / kMillion / kHundred, 0, money);
    }
    return absl::OkStatus();
  }

  absl::Status Pay(const StagePointsRule& rule) {
    for (const auto& [stage, points] : rule.points) {
      RAPPORT_ASSIGN_OR_RETURN(const BonusFigure figure, figures_.Reached(person_, stage));
      BonusLine& line = AddLine("stage_points", "", figure);
      line.set_stage(stage);
      line.set_points(points);
      for (const bool as_reported : kBothWays) {
        const auto& deals = as_reported ? figure.reported : figure.known;
        if (!deals) continue;
        const Exact all = ExactOf(*deals) * points;
        RAPPORT_ASSIGN_OR_RETURN(const int64_t money, RoundedToInteger(all * rule.per_point));
        as_reported ? line.set_money_as_reported(money) : line.set_money(money);
        if (as_reported) continue;
        line.set_reckoning(absl::StrCat(deals->numerator, " x ", points, " points x ",
                                        MoneyText(rule.per_point), " = ", MoneyText(money)));
      }
      TellLack(figure, /*needs_plan=*/false, &line);
    }
    return absl::OkStatus();
  }

  struct Place {
    int rank = 0;  // 0: none, since there is no figure
    int64_t prize = 0;
    // The person or the first of those who are one rank above.
    const BonusFigure* above = nullptr;
    int64_t prize_above = 0;
  };

  static bool IsBetter(const BonusFigure& a, const BonusFigure& b, bool as_reported) {
    const auto& left = as_reported ? a.reported : a.known;
    const auto& right = as_reported ? b.reported : b.known;
    if (!left || !right) return left.has_value() && !right.has_value();
    return a.better == KPI_DIRECTION_DOWN ? ExactOf(*left) < ExactOf(*right)
                                          : ExactOf(*left) > ExactOf(*right);
  }

  static Place PlaceOf(const ContestRule& rule, const std::vector<BonusFigure>& all,
                       const BonusFigure& own, bool as_reported) {
    Place place;
    const auto& fact = as_reported ? own.reported : own.known;
    if (!fact) return place;
    place.rank = 1;
    for (const BonusFigure& other : all) {
      if (!IsBetter(other, own, as_reported)) continue;
      ++place.rank;
      if (place.above == nullptr || IsBetter(*place.above, other, as_reported)) {
        place.above = &other;
      }
    }
    const auto prize_of = [&rule](int rank) {
      const auto index = static_cast<size_t>(rank - 1);
      return index < rule.prizes.size() ? rule.prizes[index] : 0;
    };
    // Where more is better, nothing wins nothing, whoever else has as little.
    if (own.better == KPI_DIRECTION_DOWN || fact->numerator > 0) place.prize = prize_of(place.rank);
    if (place.above != nullptr) {
      place.prize_above = prize_of(PlaceOf(rule, all, *place.above, as_reported).rank);
    }
    return place;
  }

  absl::Status Pay(const ContestRule& rule) {
    std::vector<BonusFigure> all;
    size_t own = people_.size();
    for (const std::string& one : people_) {
      if (one == person_) own = all.size();
      RAPPORT_ASSIGN_OR_RETURN(all.emplace_back(), figures_.Of(one, rule.kpi, scheme_.currency));
    }
    if (own == people_.size()) {
      return absl::InternalError(absl::StrCat("'", person_, "' is not among those of the scheme"));
    }
    BonusLine& line = AddLine("contest", rule.kpi, all[own]);
    const Place known = PlaceOf(rule, all, all[own], /*as_reported=*/false);
    line.set_rank(known.rank);
    line.set_money(known.prize);
    line.set_money_as_reported(PlaceOf(rule, all, all[own], /*as_reported=*/true).prize);
    line.set_reckoning(
        absl::StrCat("rank ", known.rank, " of ", people_.size(), ": ", MoneyText(known.prize)));
    TellLack(all[own], /*needs_plan=*/false, &line);
    if (known.above != nullptr && known.prize_above != known.prize &&
        known.above->shown.has_value()) {
      AddCliff(rule.kpi, all[own], known.above->shown.value(), known.prize, known.prize_above);
    }
    return WarnOfPortfolios(rule);
  }

  absl::Status WarnOfPortfolios(const ContestRule& rule) {
    RAPPORT_ASSIGN_OR_RETURN(const touchpoint::v1::Segment own, figures_.MainSegment(person_));
    for (const std::string& other : people_) {
      RAPPORT_ASSIGN_OR_RETURN(const touchpoint::v1::Segment segment, figures_.MainSegment(other));
      if (segment == own || segment == touchpoint::v1::SEGMENT_UNSPECIFIED ||
          own == touchpoint::v1::SEGMENT_UNSPECIFIED) {
        continue;
      }
      query::v1::BonusWarning& warning = *statement_.add_warnings();
      warning.set_kind(query::v1::BONUS_WARNING_KIND_PORTFOLIOS_NOT_ALIKE);
      warning.set_scheme(scheme_.name);
      warning.set_rule(rule_->name);
      warning.set_kpi(rule.kpi);
      warning.set_text(absl::StrCat("'", person_, "' has mostly clients of ",
                                    touchpoint::v1::Segment_Name(own), ", and '", other, "' of ",
                                    touchpoint::v1::Segment_Name(segment),
                                    ": they are not compared like with like"));
      return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  const BonusScheme& scheme_;
  const std::string& person_;
  const std::vector<std::string>& people_;
  BonusFigures& figures_;
  BonusStatement statement_;
  const BonusRule* rule_ = nullptr;
  int first_line_ = 0;
};

}  // namespace

absl::StatusOr<BonusStatement> ReckonBonus(const BonusScheme& scheme, const std::string& person,
                                           const std::vector<std::string>& people,
                                           BonusFigures& figures) {
  return Reckoner(scheme, person, people, figures).Reckon();
}

std::optional<double> AttainmentPercent(const std::optional<BonusFigure::Ratio>& fact,
                                        const std::optional<int64_t>& plan,
                                        query::v1::KpiDirection better) {
  const std::optional<Exact> attainment = Attainment(fact, plan, better);
  if (!attainment) return std::nullopt;
  return FourDecimals(*attainment * kHundred);
}

bool IsAttained(const std::optional<BonusFigure::Ratio>& fact, const std::optional<int64_t>& plan,
                query::v1::KpiDirection better) {
  if (!fact || !plan || *plan == 0) return false;
  const Exact value = ExactOf(*fact);
  return better == KPI_DIRECTION_DOWN ? value <= *plan : value >= *plan;
}

}  // namespace rapport
