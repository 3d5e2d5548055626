#include "libs/kpi/requests.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/kpi/csv.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"

namespace rapport {
namespace {

using google::protobuf::Message;

constexpr size_t kMostSteps = 1'100;
constexpr DayRange kAlways = {std::numeric_limits<int32_t>::min(),
                              std::numeric_limits<int32_t>::max()};

int32_t DayOf(absl::Time at, const KpiSettings& settings) {
  if (at == absl::InfinitePast()) return kAlways.from;
  if (at == absl::InfiniteFuture()) return kAlways.to;
  return Kpi::TallyDay(at, settings);
}

// Who was there, and on what days: a move counts from the beginning of its day.
KpiMembers MembersOf(const std::vector<Access::Stay>& stays, const KpiSettings& settings) {
  KpiMembers members;
  for (const Access::Stay& stay : stays) {
    const DayRange days = {DayOf(stay.from, settings), DayOf(stay.to, settings)};
    if (!days.empty()) members[stay.person_id].push_back(days);
  }
  return members;
}

class RequestReader {
 public:
  RequestReader(const HttpRequest& request, const Access* access, const FigureEnv& env)
      : request_(request), access_(access), env_(env), caller_(CallerOf(request)) {}

  absl::StatusOr<FigureRequest> Read(std::vector<const KpiSpec*> kpis) const {
    FigureRequest figures;
    figures.kpis = std::move(kpis);
    RAPPORT_ASSIGN_OR_RETURN(figures.scope, ReadScope());
    RAPPORT_ASSIGN_OR_RETURN(figures.period, ReadPeriod());
    RAPPORT_ASSIGN_OR_RETURN(figures.step, ParseStep(Text("step")));
    if (StepsOf(figures.period, figures.step).size() > kMostSteps) {
      return absl::InvalidArgumentError(
          absl::StrCat("step is '", Text("step"), "', of which the period has more than ",
                       kMostSteps, "; ask for longer ones, or a shorter period"));
    }
    if (const std::string segment = Text("segment"); !segment.empty()) {
      RAPPORT_ASSIGN_OR_RETURN(
          const int number, ParseEnum("segment", segment, *touchpoint::v1::Segment_descriptor()));
      figures.segment = static_cast<uint8_t>(number);
    }
    figures.currency = Text("currency");
    if (!figures.currency.empty() && CurrencyDigits(figures.currency) < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "currency is '", figures.currency, "', which is no ISO 4217 currency, such as EUR"));
    }
    if (const std::string day = Text("as_reported_on"); !day.empty()) {
      RAPPORT_ASSIGN_OR_RETURN(const DayRange reported, ParsePeriod("as_reported_on", day));
      if (reported.days() != 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("as_reported_on is '", day, "'; write a day, such as 2026-05-31"));
      }
      figures.as_reported_on = reported.from;
    }
    return figures;
  }

  absl::StatusOr<KpiCompare> ReadCompare() const {
    const std::string compare = Text("compare");
    if (compare.empty()) return KpiCompare::kNone;
    if (compare == "previous") return KpiCompare::kPrevious;
    if (compare == "year") return KpiCompare::kYear;
    return absl::InvalidArgumentError(
        absl::StrCat("compare is '", compare, "'; there are: previous, year"));
  }

  std::string Text(const char* name) const { return request_.Query(name).value_or(""); }

 private:
  absl::StatusOr<DayRange> ReadPeriod() const {
    const std::string from = Text("from");
    const std::string to = Text("to");
    if (from.empty() && !to.empty()) {
      return absl::InvalidArgumentError("to is given without from: say where the period begins");
    }
    if (from.empty()) {
      if (env_.clock == absl::InfinitePast()) {
        return absl::InvalidArgumentError(
            "from is missing, and the log has no time yet by which this month is known; write "
            "from=2026-05");
      }
      const int32_t today = Kpi::TallyDay(env_.clock, env_.settings);
      return ParsePeriod("from", absl::FormatCivilTime(absl::CivilMonth(CivilDayOf(today))));
    }
    RAPPORT_ASSIGN_OR_RETURN(DayRange period, ParsePeriod("from", from));
    if (to.empty()) return period;
    RAPPORT_ASSIGN_OR_RETURN(const DayRange last, ParsePeriod("to", to));
    period.to = last.to;
    if (period.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("from is '", from, "' and to is '", to, "', which ends before it begins"));
    }
    return period;
  }

  absl::StatusOr<FigureScope> ReadScope() const {
    const std::string text = Text("scope");
    if (text.empty()) return caller_.sees_all ? FigureScope() : Mine();
    if (text == "mine") return Mine();
    if (text == "firm") {
      if (caller_.sees_all) return FigureScope();
      return absl::PermissionDeniedError(
          "scope is 'firm', and you do not see all of it; scope=mine has everybody whom you see");
    }
    const std::vector<std::string> halves = absl::StrSplit(text, absl::MaxSplits(':', 1));
    if (halves.size() == 2 && !halves[1].empty()) {
      if (halves[0] == "owner") return OwnerScope(halves[1]);
      if (halves[0] == "team" || halves[0] == "branch") return UnitScope(halves[0], halves[1]);
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "scope is '", text, "'; write firm, mine, owner:<id>, team:<id> or branch:<id>"));
  }

  FigureScope Mine() const {
    FigureScope scope{.scope = "mine", .everybody = caller_.sees_all};
    if (caller_.owners != nullptr && !caller_.sees_all) {
      for (const std::string& owner : *caller_.owners) scope.members[owner] = {kAlways};
    }
    return scope;
  }

  absl::StatusOr<FigureScope> OwnerScope(const std::string& id) const {
    if (!caller_.Sees(id)) {
      return absl::NotFoundError(absl::StrCat("scope is 'owner:", id,
                                              "', and there is no such owner whose figures you may "
                                              "see"));
    }
    const std::string name = access_ == nullptr ? "" : access_->NameOf(id);
    if (access_ != nullptr && name.empty() && Text("by") == "agent") {
      // Of agents nothing tells whether they are there but the organisation.
      const absl::Status works = access_->CheckWorksHere(id);
      if (!works.ok()) return absl::NotFoundError(absl::StrCat("scope: ", works.message()));
    }
    return FigureScope{
        .scope = "owner", .id = id, .name = name, .everybody = false, .members = {{id, {kAlways}}}};
  }

  absl::StatusOr<FigureScope> UnitScope(const std::string& kind, const std::string& id) const {
    const std::vector<Access::Unit> units =
        access_ == nullptr ? std::vector<Access::Unit>() : access_->Units();
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const Access::Unit& one) { return one.unit_id == id; });
    bool visible = unit != units.end();
    if (visible && !caller_.sees_all) {
      RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> people, access_->OwnersIn(id));
      visible = !people.empty() &&
                std::all_of(people.begin(), people.end(),
                            [this](const std::string& person) { return caller_.Sees(person); });
    }
    if (!visible) {
      std::vector<std::string> there;
      for (const Access::Unit& one : units) {
        if (caller_.sees_all) there.push_back(one.unit_id);
      }
      return absl::NotFoundError(absl::StrCat(
          "scope is '", kind, ":", id, "', and there is no such unit whose figures you may see",
          there.empty() ? "" : absl::StrCat("; there are: ", absl::StrJoin(there, ", "))));
    }
    if ((unit->kind == "team" || unit->kind == "branch") && unit->kind != kind) {
      return absl::InvalidArgumentError(absl::StrCat("scope is '", kind, ":", id, "', and '", id,
                                                     "' is a ", unit->kind, "; write ", unit->kind,
                                                     ":", id));
    }
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<Access::Stay> stays,
                             access_->StaysIn(id, /*below=*/true));
    return FigureScope{.scope = kind,
                       .id = id,
                       .name = unit->name,
                       .everybody = false,
                       .members = MembersOf(stays, env_.settings)};
  }

  const HttpRequest& request_;
  const Access* const access_;
  const FigureEnv& env_;
  const Caller& caller_;
};

// Whether the table tells anything of the owner of the scope, or the organisation does.
absl::Status CheckOwner(const FigureRequest& request, const SumTable& table) {
  if (request.looked_up == nullptr) return absl::OkStatus();
  const FigureScope& scope = request.scope;
  for (const auto& [key, slots] : table.rows()) {
    if (key.who == scope.id) return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("scope is 'owner:", scope.id,
                                          "', and nobody of that name works here or ever had a "
                                          "client"));
}

absl::StatusOr<std::vector<const KpiSpec*>> ReadKpis(const HttpRequest& request, bool by_agent) {
  std::vector<const KpiSpec*> kpis;
  for (const std::string& value : QueryAll(request, "kpi")) {
    for (const absl::string_view code : absl::StrSplit(value, ',', absl::SkipEmpty())) {
      RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const spec, FindKpi(code));
      kpis.push_back(spec);
    }
  }
  if (!kpis.empty()) return kpis;
  for (const KpiSpec& spec : AllKpis()) {
    if (spec.by_agent || !by_agent) kpis.push_back(&spec);
  }
  return kpis;
}

absl::Status CheckAgents(const std::vector<const KpiSpec*>& kpis) {
  for (const KpiSpec* const spec : kpis) {
    if (spec->by_agent) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "by is 'agent', and ", spec->code, " is known by owner alone; GET /v1/kpis tells which ",
        "are known by who did it"));
  }
  return absl::OkStatus();
}

// What an owner without a name in the organisation is looked up by.
FigurePlan PlanOf(FigureRequest figures, FigureEnv env) {
  static const auto* const portfolio =
      new KpiSpec{.code = "portfolio", .numerator = {{Measure::kPortfolio, TermTime::kAtEnd}}};
  const bool unknown = figures.scope.scope == "owner" && figures.scope.name.empty();
  if (unknown && !figures.by_agent && !figures.one_client) figures.looked_up = portfolio;
  return {std::move(figures), std::move(env)};
}

template <class Tell>
PlannedAnswer Planned(FigureRequest figures, const FigureEnv& env, Tell tell) {
  auto plan = std::make_shared<const FigurePlan>(PlanOf(std::move(figures), env));
  return {.plan = plan,
          .tell = [plan, tell = std::move(tell)](
                      const SumTable& table) -> absl::StatusOr<std::unique_ptr<Message>> {
            RAPPORT_RETURN_IF_ERROR(CheckOwner(plan->request(), table));
            return tell(*plan, table);
          }};
}

template <class M>
std::unique_ptr<Message> Boxed(M message) {
  return std::make_unique<M>(std::move(message));
}

// The one currency in which a KPI is told.
absl::StatusOr<std::string> OneCurrency(const FigurePlan& plan, const SumTable& table,
                                        const KpiSpec& spec) {
  const std::vector<std::string> currencies = plan.CurrenciesOf(table, spec);
  if (currencies.size() == 1) return currencies.front();
  return absl::InvalidArgumentError(absl::StrCat(
      spec.code, " is in ", absl::StrJoin(currencies, ", "), ": say which with currency=",
      currencies.front(), ", or set kpi.reporting_currency and kpi.rates in the configuration"));
}

// Whose days are in no unit, of everybody of whom the table tells.
KpiMembers Unplaced(const SumTable& table, const std::vector<KpiMembers>& units) {
  std::set<std::string> people;
  for (const auto& [key, slots] : table.rows()) people.insert(key.who);
  for (const auto& [who, slots] : table.holders()) people.insert(who);
  KpiMembers rest;
  for (const std::string& person : people) {
    std::vector<DayRange> stays;
    for (const KpiMembers& unit : units) {
      const auto of_person = unit.find(person);
      if (of_person == unit.end()) continue;
      stays.insert(stays.end(), of_person->second.begin(), of_person->second.end());
    }
    std::sort(stays.begin(), stays.end(),
              [](const DayRange& a, const DayRange& b) { return a.from < b.from; });
    int32_t from = kAlways.from;
    for (const DayRange& stay : stays) {
      if (from < stay.from) rest[person].push_back({from, stay.from});
      from = std::max(from, stay.to);
    }
    if (from < kAlways.to) rest[person].push_back({from, kAlways.to});
  }
  return rest;
}

// The days on which both count.
KpiMembers Both(const KpiMembers& a, const KpiMembers& b) {
  KpiMembers both;
  for (const auto& [who, stays] : a) {
    const auto others = b.find(who);
    if (others == b.end()) continue;
    for (const DayRange& stay : stays) {
      for (const DayRange& other : others->second) {
        const DayRange common = {std::max(stay.from, other.from), std::min(stay.to, other.to)};
        if (!common.empty()) both[who].push_back(common);
      }
    }
  }
  return both;
}

class Breakdown {
 public:
  Breakdown(const KpiSpec& spec, std::string by, const Access* access)
      : spec_(spec), by_(std::move(by)), access_(access) {}

  // Units, when the rows are of them, and the days on which they change.
  absl::Status ReadUnits(FigureRequest* figures, const KpiSettings& settings) {
    if (by_ != "team" || access_ == nullptr) return absl::OkStatus();
    for (Access::Unit& unit : access_->Units()) {
      RAPPORT_ASSIGN_OR_RETURN(const std::vector<Access::Stay> stays,
                               access_->StaysIn(unit.unit_id, /*below=*/false));
      members_.push_back(MembersOf(stays, settings));
      for (const auto& [who, days] : members_.back()) {
        for (const DayRange& stay : days) {
          figures->further_bounds.push_back(stay.from);
          figures->further_bounds.push_back(stay.to);
        }
      }
      units_.push_back(std::move(unit));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<query::v1::KpiBreakdown> Tell(const FigurePlan& plan,
                                               const SumTable& table) const {
    query::v1::KpiBreakdown breakdown;
    breakdown.set_by(by_);
    if (by_ == "currency") return ByCurrency(plan, table, std::move(breakdown));
    RAPPORT_ASSIGN_OR_RETURN(const std::string currency, OneCurrency(plan, table, spec_));
    RAPPORT_ASSIGN_OR_RETURN(*breakdown.mutable_series(), plan.SeriesOf(table, spec_, currency));
    const auto add = [&](const std::string& id, const std::string& name, const FigurePart& part) {
      return AddRow(plan, table, currency, id, name, part, &breakdown);
    };
    if (by_ == "owner" || by_ == "agent") {
      std::set<std::string> people;
      for (const auto& [key, slots] : table.rows()) people.insert(key.who);
      for (const auto& [who, slots] : table.holders()) people.insert(who);
      for (const std::string& who : people) {
        RAPPORT_RETURN_IF_ERROR(add(who, NameOf(who), {.who = who}));
      }
    } else if (by_ == "segment") {
      for (int number = 0; number <= touchpoint::v1::Segment_MAX; ++number) {
        std::string name = touchpoint::v1::Segment_Name(number);
        const std::string id = number == 0 ? "" : absl::AsciiStrToLower(name.substr(8));
        RAPPORT_RETURN_IF_ERROR(add(id, "", {.segment = static_cast<uint8_t>(number)}));
      }
    } else if (by_ == "detail") {
      for (const std::string& detail : plan.DetailsOf(table, spec_)) {
        RAPPORT_RETURN_IF_ERROR(add(detail, "", {.detail = detail}));
      }
    } else if (by_ == "team") {
      const FigureScope& scope = plan.request().scope;
      for (size_t i = 0; i < units_.size(); ++i) {
        const KpiMembers members = scope.everybody ? members_[i] : Both(members_[i], scope.members);
        RAPPORT_RETURN_IF_ERROR(add(units_[i].unit_id, units_[i].name, {.members = &members}));
      }
      const KpiMembers unplaced = Unplaced(table, members_);
      const KpiMembers rest = scope.everybody ? unplaced : Both(unplaced, scope.members);
      RAPPORT_RETURN_IF_ERROR(add("", "", {.members = &rest}));
    }
    return breakdown;
  }

 private:
  // A row, unless there is nothing in it.
  absl::Status AddRow(const FigurePlan& plan, const SumTable& table, const std::string& currency,
                      const std::string& id, const std::string& name, const FigurePart& part,
                      query::v1::KpiBreakdown* breakdown) const {
    RAPPORT_ASSIGN_OR_RETURN(query::v1::KpiFigure figure,
                             plan.ToldFigure(table, spec_, currency, plan.request().period, part));
    const bool nothing = figure.numerator() == 0 && figure.n() == 0 &&
                         (spec_.denominator.empty() || figure.denominator() == 0);
    if (nothing && !(figure.has_value() && figure.value() != 0)) return absl::OkStatus();
    query::v1::KpiRow& row = *breakdown->add_rows();
    row.set_id(id);
    row.set_name(name);
    *row.mutable_figure() = std::move(figure);
    return absl::OkStatus();
  }

  absl::StatusOr<query::v1::KpiBreakdown> ByCurrency(const FigurePlan& plan, const SumTable& table,
                                                     query::v1::KpiBreakdown breakdown) const {
    const std::vector<std::string> currencies = plan.CurrenciesOf(table, spec_);
    RAPPORT_ASSIGN_OR_RETURN(*breakdown.mutable_series(),
                             plan.SeriesOf(table, spec_, currencies.front()));
    for (const std::string& currency : currencies) {
      RAPPORT_RETURN_IF_ERROR(
          AddRow(plan, table, currency, currency, "", FigurePart(), &breakdown));
    }
    return breakdown;
  }

  std::string NameOf(const std::string& who) const {
    return access_ == nullptr ? "" : access_->NameOf(who);
  }

  const KpiSpec& spec_;
  const std::string by_;
  const Access* const access_;
  std::vector<Access::Unit> units_;
  std::vector<KpiMembers> members_;
};

absl::Status CheckParts(const KpiSpec& spec, const std::string& by) {
  static constexpr std::array<absl::string_view, 7> kAll = {
      "owner", "agent", "team", "segment", "client", "detail", "currency"};
  if (std::find(kAll.begin(), kAll.end(), by) == kAll.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("by is '", by, "'; there are: ", absl::StrJoin(kAll, ", ")));
  }
  const bool holders =
      std::any_of(spec.denominator.begin(), spec.denominator.end(),
                  [](const KpiTerm& term) { return term.time == TermTime::kHolders; });
  if (by == "detail" && spec.detail.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("by is 'detail', and ", spec.code,
                                                   " has none; GET /v1/kpis tells which have"));
  }
  if (by == "currency" && !spec.is_money()) {
    return absl::InvalidArgumentError(
        absl::StrCat("by is 'currency', and ", spec.code, " is no money"));
  }
  const bool of_clients = by == "client" || by == "segment";
  const bool whole = spec.shape == KpiShape::kVelocity || spec.shape == KpiShape::kTopShare;
  if (of_clients && (holders || (whole && by == "client"))) {
    return absl::InvalidArgumentError(absl::StrCat("by is '", by, "', and ", spec.code,
                                                   " is no sum over ", by, "s; by=owner tells it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KpiSettings> KpiSettingsOf(const config::v1::Kpis& section) {
  KpiSettings settings;
  if (!absl::LoadTimeZone(section.time_zone(), &settings.time_zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("kpi.time_zone is '", section.time_zone(),
                     "', which is no time zone of the IANA data base, such as Europe/Berlin"));
  }
  settings.grace_days = static_cast<int>(section.grace_days());
  settings.new_client_days = static_cast<int>(section.new_client_days());
  settings.service_level_seconds = static_cast<int>(section.service_level_seconds());
  settings.lost_after_days.fill(static_cast<int>(section.lost_after_days()));
  for (const config::v1::SegmentDays& of_segment : section.lost_after_days_of()) {
    RAPPORT_ASSIGN_OR_RETURN(const int segment,
                             ParseEnum("kpi.lost_after_days_of.segment", of_segment.segment(),
                                       *touchpoint::v1::Segment_descriptor()));
    if (of_segment.days() < 1 || of_segment.days() > 3650) {
      return absl::InvalidArgumentError(
          absl::StrCat("kpi.lost_after_days_of.days is ", of_segment.days(), "; write 1 to 3650"));
    }
    settings.lost_after_days[static_cast<size_t>(segment)] = static_cast<int>(of_segment.days());
  }
  return settings;
}

absl::StatusOr<FigureEnv> FigureEnvOf(const config::v1::Kpis& section) {
  FigureEnv env;
  RAPPORT_ASSIGN_OR_RETURN(env.settings, KpiSettingsOf(section));
  RAPPORT_ASSIGN_OR_RETURN(env.rates, KpiRates::Of(section));
  env.time_zone = section.time_zone();
  return env;
}

absl::StatusOr<PlannedAnswer> PlanValues(const HttpRequest& request, const Access* access,
                                         const FigureEnv& env) {
  const RequestReader reader(request, access, env);
  const std::string by = reader.Text("by");
  if (!by.empty() && by != "owner" && by != "agent") {
    return absl::InvalidArgumentError(absl::StrCat(
        "by is '", by, "'; there are: owner (whose clients they were), agent (who ", "did it)"));
  }
  RAPPORT_ASSIGN_OR_RETURN(std::vector<const KpiSpec*> kpis, ReadKpis(request, by == "agent"));
  if (by == "agent") RAPPORT_RETURN_IF_ERROR(CheckAgents(kpis));
  RAPPORT_ASSIGN_OR_RETURN(FigureRequest figures, reader.Read(std::move(kpis)));
  RAPPORT_ASSIGN_OR_RETURN(figures.compare, reader.ReadCompare());
  figures.by_agent = by == "agent";
  return Planned(std::move(figures), env,
                 [](const FigurePlan& plan,
                    const SumTable& table) -> absl::StatusOr<std::unique_ptr<Message>> {
                   RAPPORT_ASSIGN_OR_RETURN(query::v1::KpiValues values, plan.Values(table));
                   return Boxed(std::move(values));
                 });
}

absl::StatusOr<PlannedAnswer> PlanWaterfall(const HttpRequest& request, const Access* access,
                                            const FigureEnv& env) {
  const RequestReader reader(request, access, env);
  RAPPORT_ASSIGN_OR_RETURN(FigureRequest figures, reader.Read({&WaterfallSpec()}));
  return Planned(std::move(figures), env,
                 [](const FigurePlan& plan,
                    const SumTable& table) -> absl::StatusOr<std::unique_ptr<Message>> {
                   return Boxed(plan.Waterfall(table));
                 });
}

absl::StatusOr<PlannedAnswer> PlanBreakdown(const HttpRequest& request, const Access* access,
                                            const FigureEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const spec, FindKpi(request.PathValue("kpi")));
  const RequestReader reader(request, access, env);
  std::string by = reader.Text("by");
  if (by.empty()) by = "owner";
  RAPPORT_RETURN_IF_ERROR(CheckParts(*spec, by));
  if (by == "agent") RAPPORT_RETURN_IF_ERROR(CheckAgents({spec}));
  if (by == "client" && !CallerOf(request).May(Permission::kReadClients)) {
    return absl::PermissionDeniedError("by=client names clients, which you may not read");
  }
  RAPPORT_ASSIGN_OR_RETURN(FigureRequest figures, reader.Read({spec}));
  figures.by_agent = by == "agent";
  figures.each_person = by == "owner" || by == "team";
  Breakdown breakdown(*spec, by, access);
  RAPPORT_RETURN_IF_ERROR(breakdown.ReadUnits(&figures, env.settings));
  FigureEnv own = env;
  // Each currency as it is.
  if (by == "currency") own.rates = KpiRates();
  return Planned(
      std::move(figures), own,
      [breakdown = std::move(breakdown), request, by](const FigurePlan& plan, const SumTable& table)
          -> absl::StatusOr<std::unique_ptr<Message>> {
        RAPPORT_ASSIGN_OR_RETURN(query::v1::KpiBreakdown told, breakdown.Tell(plan, table));
        if (by != "client") RAPPORT_RETURN_IF_ERROR(SortAndCut(request, &told));
        return Boxed(std::move(told));
      });
}

absl::StatusOr<PlannedAnswer> PlanTouchpoints(const HttpRequest& request, const Access* access,
                                              const FigureEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const found, FindKpi(request.PathValue("kpi")));
  if (!found->adds_up() && found->shape != KpiShape::kQuantile) {
    return absl::InvalidArgumentError(
        absl::StrCat(found->code, " is no sum of touchpoints; what it is made of are: won_deals, ",
                     "won_amount, days_to_win, open_deals, revenue"));
  }
  const auto parts = std::make_shared<const KpiSpec>(PartsSpec(*found));
  const RequestReader reader(request, access, env);
  RAPPORT_ASSIGN_OR_RETURN(FigureRequest figures, reader.Read({parts.get()}));
  const std::string by = reader.Text("by");
  if (by == "agent") RAPPORT_RETURN_IF_ERROR(CheckAgents({found}));
  if (!by.empty() && by != "agent" && by != "owner") {
    return absl::InvalidArgumentError(absl::StrCat("by is '", by, "'; there are: owner, agent"));
  }
  figures.by_agent = by == "agent";
  figures.one_client = request.Query("client").has_value();
  // The plan points to the KPI.
  figures.kept_alive = parts;
  return Planned(std::move(figures), env,
                 [parts](const FigurePlan& plan,
                         const SumTable& table) -> absl::StatusOr<std::unique_ptr<Message>> {
                   RAPPORT_ASSIGN_OR_RETURN(const std::string currency,
                                            OneCurrency(plan, table, *parts));
                   query::v1::KpiTouchpoints told;
                   RAPPORT_ASSIGN_OR_RETURN(
                       *told.mutable_figure(),
                       plan.ToldFigure(table, *parts, currency, plan.request().period, {}));
                   told.set_currency_code(currency);
                   return Boxed(std::move(told));
                 });
}

absl::StatusOr<PlannedAnswer> PlanChanges(const HttpRequest& request, const Access* access,
                                          const FigureEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(const KpiSpec* const found, FindKpi(request.PathValue("kpi")));
  const auto parts = std::make_shared<const KpiSpec>(PartsSpec(*found));
  const RequestReader reader(request, access, env);
  RAPPORT_ASSIGN_OR_RETURN(FigureRequest figures, reader.Read({parts.get()}));
  figures.kept_alive = parts;
  figures.each_person = true;
  return Planned(
      std::move(figures), env,
      [](const FigurePlan&, const SumTable&) -> absl::StatusOr<std::unique_ptr<Message>> {
        return Boxed(query::v1::KpiChanges());
      });
}

query::v1::KpiCatalogue CatalogueOf(const FigureEnv& env) {
  query::v1::KpiCatalogue catalogue;
  for (const KpiSpec& spec : AllKpis()) *catalogue.add_kpis() = ToDefinition(spec);
  *catalogue.mutable_settings() = FigurePlan({}, env).SettingsUsed();
  return catalogue;
}

absl::Status SortAndCut(const HttpRequest& request, query::v1::KpiBreakdown* breakdown) {
  const std::string sort = request.Query("sort").value_or("value");
  if (sort != "value" && sort != "name") {
    return absl::InvalidArgumentError(absl::StrCat("sort is '", sort, "'; there are: value, name"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
  std::vector<std::pair<std::string, query::v1::KpiRow>> rows;
  for (query::v1::KpiRow& row : *breakdown->mutable_rows()) {
    std::string place;
    if (sort == "name") {
      AppendKeyString(&place, row.name().empty() ? row.id() : row.name());
    } else {
      const query::v1::KpiFigure& figure = row.figure();
      const int64_t value =
          figure.has_numerator() ? figure.numerator() : static_cast<int64_t>(figure.value());
      AppendOrdered64(&place, -std::max(value, -std::numeric_limits<int64_t>::max()));
    }
    AppendKeyString(&place, row.id());
    rows.emplace_back(std::move(place), std::move(row));
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  breakdown->set_row_count(static_cast<int64_t>(rows.size()));
  breakdown->clear_rows();
  for (auto& [place, row] : rows) {
    if (place <= page.after) continue;
    if (static_cast<size_t>(breakdown->rows_size()) == page.limit) {
      breakdown->set_next_cursor(breakdown->rows(breakdown->rows_size() - 1).cursor());
      break;
    }
    row.set_cursor(EncodeCursor(place));
    *breakdown->add_rows() = std::move(row);
  }
  return absl::OkStatus();
}

KpiSpec PartsSpec(const KpiSpec& spec) {
  KpiSpec parts = spec;
  if (spec.shape == KpiShape::kQuantile) {
    const auto mean = std::find_if(spec.asides.begin(), spec.asides.end(),
                                   [](const KpiAsideSpec& aside) { return aside.name == "mean"; });
    parts.shape = KpiShape::kRatio;
    parts.numerator = mean->numerator;
    parts.denominator = mean->denominator;
    parts.scale = mean->scale;
  }
  parts.asides.clear();
  parts.weight.clear();
  return parts;
}

HttpResponse KpiResponse(const HttpRequest& request, const Message& answer) {
  if (!absl::StrContains(request.HeaderValue("accept"), "text/csv")) {
    return MessageResponse(request, answer);
  }
  return {.content_type = "text/csv; charset=utf-8", .body = KpiCsv(answer)};
}

}  // namespace rapport
