#include "libs/kpi/bonus_requests.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/kpi/catalogue.h"
#include "libs/kpi/periods.h"
#include "libs/kpi/requests.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

using query::v1::BonusStatement;

constexpr char kStagesReached[] = "stages_reached";
constexpr char kClients[] = "clients";
constexpr int kMostPeriods = 60;

std::string Text(const HttpRequest& request, const char* name) {
  return request.Query(name).value_or("");
}

// "presented" of DEAL_STAGE_PRESENTED.
std::string StageWord(touchpoint::v1::DealStage stage) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(touchpoint::v1::DealStage_Name(stage), "DEAL_STAGE_"));
}

// "2026-05", "2026-Q2" or "2026".
std::string PeriodText(const DayRange& period) {
  constexpr int kMonthDays = 31;
  constexpr int kQuarterDays = 92;
  constexpr int kMonthsOfQuarter = 3;
  const absl::CivilDay first = CivilDayOf(period.from);
  if (period.days() <= kMonthDays) return absl::FormatCivilTime(absl::CivilMonth(first));
  if (period.days() <= kQuarterDays) {
    return absl::StrCat(first.year(), "-Q", (first.month() - 1) / kMonthsOfQuarter + 1);
  }
  return absl::StrCat(first.year());
}

absl::StatusOr<BonusPeriod> KindOf(const std::string& text, const DayRange& period) {
  for (const BonusPeriod kind : {BonusPeriod::kMonth, BonusPeriod::kQuarter, BonusPeriod::kYear}) {
    const absl::CivilMonth first(CivilDayOf(period.from));
    const absl::CivilDay end(first + MonthsOf(kind));
    if (PeriodText(period) == text && DayNumber(end) == period.to) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "period is '", text, "'; pay is for a month, a quarter or a year: 2026-05, 2026-Q2, 2026"));
}

absl::Time Midnight(int32_t day, const FigureEnv& env) {
  return absl::FromCivil(CivilDayOf(day), env.settings.time_zone);
}

// Who belonged to a unit or to one below it when a day began.
absl::StatusOr<std::set<std::string>> PeopleIn(const std::string& unit, int32_t day,
                                               const Access* access, const FigureEnv& env) {
  std::set<std::string> people;
  if (access == nullptr) return people;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Access::Stay> stays,
                           access->StaysIn(unit, /*below=*/true));
  const absl::Time at = Midnight(day, env);
  for (const Access::Stay& stay : stays) {
    // Whoever came in the course of the day was there on it.
    const bool came = stay.from <= at || absl::ToCivilDay(stay.from, env.settings.time_zone) ==
                                             absl::ToCivilDay(at, env.settings.time_zone);
    if (came && at < stay.to) people.insert(stay.person_id);
  }
  return people;
}

// Who is paid by which scheme in one period.
class Payroll {
 public:
  static absl::StatusOr<Payroll> Of(const BonusSchemes& schemes, BonusPeriod kind,
                                    const DayRange& period, const Access* access,
                                    const FigureEnv& env) {
    Payroll payroll;
    const absl::CivilDay first = CivilDayOf(period.from);
    std::map<std::string, std::vector<std::string>> units_of;
    for (const BonusScheme& scheme : schemes.all()) {
      for (const std::string& person : scheme.people) units_of.try_emplace(person);
      for (const std::string& unit : scheme.units) {
        RAPPORT_ASSIGN_OR_RETURN(const std::set<std::string> people,
                                 Annotated(PeopleIn(unit, period.from, access, env), scheme.name));
        for (const std::string& person : people) units_of[person].push_back(unit);
      }
    }
    for (const auto& [person, units] : units_of) {
      const BonusScheme* const scheme = schemes.Find(person, units, kind, first);
      if (scheme == nullptr) continue;
      payroll.scheme_of_[person] = scheme;
      payroll.people_[scheme].push_back(person);
    }
    return payroll;
  }

  const BonusScheme* SchemeOf(const std::string& person) const {
    const auto found = scheme_of_.find(person);
    return found == scheme_of_.end() ? nullptr : found->second;
  }
  const std::vector<std::string>& PeopleOf(const BonusScheme* scheme) const {
    return people_.at(scheme);
  }
  std::vector<std::string> People() const {
    std::vector<std::string> people;
    for (const auto& [person, scheme] : scheme_of_) people.push_back(person);
    return people;
  }

 private:
  template <class T>
  static absl::StatusOr<T> Annotated(absl::StatusOr<T> result, const std::string& scheme) {
    if (result.ok()) return result;
    return Annotate(result.status(), absl::StrCat("scheme '", scheme, "'"));
  }

  std::map<std::string, const BonusScheme*> scheme_of_;
  std::map<const BonusScheme*, std::vector<std::string>> people_;
};

// KPIs that a scheme pays for, and what else it has to know.
std::vector<const KpiSpec*> KpisOf(const BonusScheme& scheme) {
  std::set<std::string> codes;
  for (const BonusRule& rule : scheme.rules) {
    if (const auto* threshold = std::get_if<ThresholdRule>(&rule.pays)) {
      codes.insert(threshold->kpi);
    } else if (const auto* percentage = std::get_if<PercentageRule>(&rule.pays)) {
      codes.insert(percentage->kpi);
    } else if (const auto* matrix = std::get_if<MatrixRule>(&rule.pays)) {
      for (const MatrixRow& row : matrix->rows) codes.insert(row.kpi);
    } else if (const auto* contest = std::get_if<ContestRule>(&rule.pays)) {
      codes.insert(contest->kpi);
      codes.insert(kClients);
    } else {
      codes.insert(kStagesReached);
    }
  }
  std::vector<const KpiSpec*> kpis;
  for (const std::string& code : codes) {
    // Those that are not there have refused the scheme.
    const absl::StatusOr<const KpiSpec*> kpi = FindKpi(code);
    if (kpi.ok()) kpis.push_back(*kpi);
  }
  return kpis;
}

BonusReckoning ReckoningOf(const BonusScheme* scheme, std::vector<std::string> people,
                           const DayRange& period, std::optional<int32_t> as_reported_on,
                           const FigureEnv& env) {
  constexpr DayRange kAlways = {std::numeric_limits<int32_t>::min(),
                                std::numeric_limits<int32_t>::max()};
  FigureRequest request;
  request.kpis = KpisOf(*scheme);
  request.period = period;
  request.each_person = true;
  request.currency = scheme->currency;
  request.as_reported_on = as_reported_on;
  request.scope.scope = "mine";
  request.scope.everybody = false;
  for (const std::string& person : people) request.scope.members[person] = {kAlways};
  return {.scheme = scheme,
          .people = std::move(people),
          .period = period,
          .plan = std::make_shared<const FigurePlan>(std::move(request), env)};
}

// Figures of one reckoning.
class SumFigures final : public BonusFigures {
 public:
  SumFigures(const BonusReckoning& reckoning, const SumTable& table, const PlanBook& book)
      : reckoning_(reckoning), plan_(*reckoning.plan), table_(table), book_(book) {}

  absl::StatusOr<BonusFigure> Of(const std::string& person, const std::string& kpi,
                                 const std::string& currency) override {
    RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const spec, FindKpi(kpi));
    const bool money =
        spec->unit == query::v1::KPI_UNIT_MONEY || spec->unit == query::v1::KPI_UNIT_MONEY_PER_DAY;
    RAPPORT_ASSIGN_OR_RETURN(BonusFigure figure, Read(*spec, spec->is_money() ? currency : "",
                                                      FigurePart{.who = person}));
    const Plan* const plan =
        book_.Find(*spec, "owner", person, reckoning_.period, money ? currency : "");
    if (plan != nullptr) {
      figure.plan = plan->value;
      *figure.shown.mutable_plan() =
          ToPlan(*plan, figure.shown, plan_.env().clock, plan_.env().settings.time_zone);
    }
    figure.touchpoints = PathOf(kpi, person, spec->is_money() ? currency : "");
    return figure;
  }

  absl::StatusOr<BonusFigure> Reached(const std::string& person,
                                      touchpoint::v1::DealStage stage) override {
    RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const spec, FindKpi(kStagesReached));
    RAPPORT_ASSIGN_OR_RETURN(
        BonusFigure figure, Read(*spec, "", FigurePart{.who = person, .detail = StageWord(stage)}));
    figure.touchpoints = PathOf(kStagesReached, person, "");
    return figure;
  }

  absl::StatusOr<touchpoint::v1::Segment> MainSegment(const std::string& person) override {
    RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const spec, FindKpi(kClients));
    touchpoint::v1::Segment main = touchpoint::v1::SEGMENT_UNSPECIFIED;
    int64_t most = 0;
    for (const touchpoint::v1::Segment segment :
         {touchpoint::v1::SEGMENT_PERSONAL, touchpoint::v1::SEGMENT_BUSINESS,
          touchpoint::v1::SEGMENT_CORPORATE}) {
      RAPPORT_ASSIGN_OR_RETURN(
          const Figure figure,
          plan_.FigureOf(table_, *spec, "", reckoning_.period,
                         FigurePart{.who = person, .segment = static_cast<uint8_t>(segment)}));
      if (figure.numerator.all <= most) continue;
      most = figure.numerator.all;
      main = segment;
    }
    return main;
  }

 private:
  absl::StatusOr<BonusFigure> Read(const KpiSpec& spec, const std::string& currency,
                                   const FigurePart& part) const {
    BonusFigure figure;
    RAPPORT_ASSIGN_OR_RETURN(figure.shown,
                             plan_.ToldFigure(table_, spec, currency, reckoning_.period, part));
    figure.known = FactOf(spec, figure.shown);
    figure.reported = ReportedFactOf(spec, figure.shown);
    figure.unit = spec.unit;
    figure.better = spec.better;
    return figure;
  }

  std::string PathOf(const std::string& kpi, const std::string& person,
                     const std::string& currency) const {
    const std::string period = PeriodText(reckoning_.period);
    return absl::StrCat("/v1/kpis/", kpi, "/touchpoints?scope=", PercentEncode("owner:" + person),
                        "&from=", period, "&to=", period,
                        currency.empty() ? "" : absl::StrCat("&currency=", currency));
  }

  const BonusReckoning& reckoning_;
  const FigurePlan& plan_;
  const SumTable& table_;
  const PlanBook& book_;
};

// Whether the caller may see what a person is paid.
bool SeesPay(const Caller& caller, const std::string& person) {
  if (caller.is_staff && caller.id == person) return true;
  return caller.Sees(person) && caller.May(Permission::kSetPlans);
}

// How long figures of a period may still change by themselves.
bool IsSettled(const BonusReckoning& reckoning, const FigureEnv& env) {
  int longest = 0;
  for (const KpiSpec* const kpi : reckoning.plan->request().kpis) {
    longest = std::max(longest, kpi->settles_after_days);
  }
  return env.clock != absl::InfinitePast() &&
         Kpi::TallyDay(env.clock, env.settings) >= reckoning.period.to + longest;
}

}  // namespace

absl::StatusOr<BonusKpi> FindBonusKpi(absl::string_view code) {
  RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const kpi, FindKpi(code));
  return BonusKpi{
      .unit = kpi->unit, .better = kpi->better, .person_moves = kpi->moved_by == "person"};
}

absl::StatusOr<BonusSchemes> BonusSchemesOf(const config::v1::Kpis& section) {
  if (section.bonus_schemes_file().empty()) return BonusSchemes();
  return BonusSchemes::Load(section.bonus_schemes_file(), FindBonusKpi);
}

absl::StatusOr<BonusStatement> BonusReckoning::Tell(const std::string& person, const Access* access,
                                                    const SumTable& table,
                                                    const PlanBook& book) const {
  SumFigures figures(*this, table, book);
  RAPPORT_ASSIGN_OR_RETURN(BonusStatement statement, ReckonBonus(*scheme, person, people, figures));
  const FigureEnv& env = plan->env();
  if (access != nullptr) statement.set_person_name(access->NameOf(person));
  statement.set_from(FormatDay(period.from));
  statement.set_to(FormatDay(period.to));
  if (env.clock != absl::InfinitePast()) {
    ToProto(std::min(env.clock, Midnight(period.to, env)), statement.mutable_until());
  }
  statement.set_settled(IsSettled(*this, env));
  *statement.mutable_settings() = plan->SettingsUsed();
  return statement;
}

absl::StatusOr<PlannedStatement> PlanStatement(const HttpRequest& request, const Access* access,
                                               const FigureEnv& env, const BonusSchemes& schemes) {
  const Caller& caller = CallerOf(request);
  std::string person = Text(request, "person");
  if (person.empty() && caller.is_staff) person = caller.id;
  if (person.empty()) return absl::InvalidArgumentError("person is missing: whose statement?");
  const std::string text = Text(request, "period");
  if (text.empty()) {
    return absl::InvalidArgumentError("period is missing; write one, such as 2026-05");
  }
  RAPPORT_ASSIGN_OR_RETURN(const DayRange period, ParsePeriod("period", text));
  RAPPORT_ASSIGN_OR_RETURN(const BonusPeriod kind, KindOf(text, period));
  std::optional<int32_t> reported;
  if (const std::string day = Text(request, "as_reported_on"); !day.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const DayRange known, ParsePeriod("as_reported_on", day));
    if (known.days() != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("as_reported_on is '", day, "'; write a day, such as 2026-06-02"));
    }
    reported = known.from;
  }
  if (!SeesPay(caller, person)) {
    return absl::NotFoundError(
        absl::StrCat("person is '", person, "', and there is no such statement that you may see"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const Payroll payroll, Payroll::Of(schemes, kind, period, access, env));
  const BonusScheme* const scheme = payroll.SchemeOf(person);
  if (scheme == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "no bonus scheme of a ", BonusPeriodName(kind), " holds for '", person, "' in ", text,
        schemes.all().empty() ? "; kpi.bonus_schemes_file of the configuration names none" : ""));
  }
  return PlannedStatement{
      .person = person,
      .reckoning = ReckoningOf(scheme, payroll.PeopleOf(scheme), period, reported, env)};
}

absl::StatusOr<PlannedWhatIf> PlanWhatIf(const HttpRequest& request, const Access* access,
                                         const FigureEnv& env, const BonusSchemes& schemes) {
  const auto proposed = std::make_shared<BonusSchemes>();
  RAPPORT_ASSIGN_OR_RETURN(*proposed, BonusSchemes::Parse("body", request.body, FindBonusKpi));
  const std::string from = Text(request, "from");
  if (from.empty()) {
    return absl::InvalidArgumentError("from is missing; write a past period, such as 2026");
  }
  RAPPORT_ASSIGN_OR_RETURN(DayRange all, ParsePeriod("from", from));
  if (const std::string to = Text(request, "to"); !to.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const DayRange last, ParsePeriod("to", to));
    all.to = last.to;
  }
  const Caller& caller = CallerOf(request);
  const std::string only = Text(request, "person");
  PlannedWhatIf planned;
  const int32_t today = env.clock == absl::InfinitePast() ? std::numeric_limits<int32_t>::min()
                                                          : Kpi::TallyDay(env.clock, env.settings);
  std::set<BonusPeriod> kinds;
  for (const BonusScheme& scheme : proposed->all()) {
    kinds.insert(scheme.period);
    planned.warnings.insert(planned.warnings.end(), scheme.warnings.begin(), scheme.warnings.end());
  }
  // So that a scheme that begins next year can be tried on the last one, it holds at all times.
  BonusSchemes timeless = proposed->AtAllTimes();
  *proposed = std::move(timeless);
  int periods = 0;
  for (const BonusPeriod kind : kinds) {
    for (absl::CivilMonth first(CivilDayOf(all.from)); DayNumber(absl::CivilDay(first)) < all.to;
         first += MonthsOf(kind)) {
      const DayRange period = {DayNumber(absl::CivilDay(first)),
                               DayNumber(absl::CivilDay(first + MonthsOf(kind)))};
      if (period.from < all.from || period.to > all.to || period.to > today) continue;
      if (++periods > kMostPeriods) {
        return absl::InvalidArgumentError(
            absl::StrCat("from and to have more than ", kMostPeriods, " periods; take fewer"));
      }
      RAPPORT_ASSIGN_OR_RETURN(const Payroll then,
                               Payroll::Of(*proposed, kind, period, access, env));
      RAPPORT_ASSIGN_OR_RETURN(const Payroll now, Payroll::Of(schemes, kind, period, access, env));
      std::map<const BonusScheme*, size_t> places;
      const auto place_of = [&](const Payroll& payroll, const BonusScheme* scheme) {
        const auto [place, is_new] = places.try_emplace(scheme, planned.reckonings.size());
        if (is_new) {
          planned.reckonings.push_back(
              ReckoningOf(scheme, payroll.PeopleOf(scheme), period, std::nullopt, env));
          planned.reckonings.back().schemes = proposed;
        }
        return place->second;
      };
      for (const std::string& person : then.People()) {
        if ((!only.empty() && person != only) || !SeesPay(caller, person)) continue;
        PlannedWhatIf::Row row{.person = person, .proposed = place_of(then, then.SchemeOf(person))};
        if (const BonusScheme* const present = now.SchemeOf(person); present != nullptr) {
          row.present = place_of(now, present);
        }
        planned.rows.push_back(std::move(row));
      }
    }
  }
  if (periods == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("from is '", from, "', and no period of the schemes is within and over by ",
                     env.clock == absl::InfinitePast() ? "now" : FormatDay(today)));
  }
  if (planned.rows.empty()) {
    return absl::NotFoundError("the proposed schemes are for nobody whose pay you may see");
  }
  return planned;
}

absl::StatusOr<query::v1::BonusWhatIf> PlannedWhatIf::Tell(const Access* access,
                                                           const std::vector<SumTable>& tables,
                                                           const PlanBook& book) const {
  query::v1::BonusWhatIf answer;
  std::map<std::string, std::pair<int64_t, int64_t>> sums;
  for (const Row& row : rows) {
    query::v1::BonusComparison& told = *answer.add_comparisons();
    RAPPORT_ASSIGN_OR_RETURN(
        *told.mutable_proposed(),
        reckonings[row.proposed].Tell(row.person, access, tables[row.proposed], book));
    sums[told.proposed().currency_code()].first += told.proposed().total();
    if (!row.present) continue;
    RAPPORT_ASSIGN_OR_RETURN(
        *told.mutable_present(),
        reckonings[*row.present].Tell(row.person, access, tables[*row.present], book));
    sums[told.present().currency_code()].second += told.present().total();
  }
  for (const auto& [currency, sum] : sums) {
    query::v1::BonusSum& told = *answer.add_sums();
    told.set_currency_code(currency);
    told.set_proposed(sum.first);
    told.set_present(sum.second);
  }
  for (const query::v1::BonusWarning& warning : warnings) *answer.add_warnings() = warning;
  return answer;
}

query::v1::BonusSchemeList SchemesFor(const BonusSchemes& schemes) {
  query::v1::BonusSchemeList list;
  for (const BonusScheme& scheme : schemes.all()) {
    query::v1::BonusSchemeSummary& told = *list.add_schemes();
    told.set_name(scheme.name);
    told.set_from(absl::FormatCivilTime(scheme.from));
    if (scheme.to) told.set_to(absl::FormatCivilTime(*scheme.to));
    told.set_period(std::string(BonusPeriodName(scheme.period)));
    told.set_currency_code(scheme.currency);
    told.mutable_people()->Assign(scheme.people.begin(), scheme.people.end());
    told.mutable_units()->Assign(scheme.units.begin(), scheme.units.end());
    for (const query::v1::BonusWarning& warning : scheme.warnings) *told.add_warnings() = warning;
  }
  return list;
}

}  // namespace rapport
