#include "libs/kpi/plan_requests.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/base/event_id.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/kpi/forecast.h"
#include "libs/kpi/periods.h"
#include "libs/kpi/requests.h"
#include "libs/serving/query_values.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using query::v1::KpiDeals;

constexpr char kSource[] = "targets";
constexpr int kMostTargets = 2'000;
constexpr size_t kMostProblems = 50;
constexpr int kCohortMonths = 12;

std::string Text(const HttpRequest& request, const char* name) {
  return request.Query(name).value_or("");
}

// A day's beginning, or a moment; nullopt when it is missing.
absl::StatusOr<std::optional<absl::Time>> ReadMoment(const HttpRequest& request, const char* name,
                                                     const FigureEnv& env) {
  const std::string text = Text(request, name);
  if (text.empty()) return std::optional<absl::Time>();
  absl::Time at;
  std::string error;
  if (const absl::StatusOr<DayRange> day = ParsePeriod(name, text); day.ok() && day->days() == 1) {
    at = absl::FromCivil(CivilDayOf(day->from), env.settings.time_zone);
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &at, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is '", text, "'; write a day, such as 2026-05-31, or a moment in RFC 3339"));
  }
  if (at > env.clock) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is '", text, "', which is after the log's clock, ",
                     absl::FormatTime(absl::RFC3339_sec, env.clock, env.settings.time_zone)));
  }
  return std::optional<absl::Time>(at);
}

// From the beginning of from= to the end of to=; nullopt when both are missing.
absl::StatusOr<std::optional<DayRange>> ReadMonths(const HttpRequest& request) {
  const std::string from = Text(request, "from");
  const std::string to = Text(request, "to");
  if (from.empty() && to.empty()) return std::optional<DayRange>();
  RAPPORT_ASSIGN_OR_RETURN(DayRange months, ParsePeriod("from", from.empty() ? to : from));
  if (!to.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const DayRange last, ParsePeriod("to", to));
    months.to = last.to;
  }
  if (months.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("from is '", from, "' and to is '", to, "', which ends before it begins"));
  }
  if (MonthOf(months.from) != months.from || MonthOf(months.to) != months.to) {
    return absl::InvalidArgumentError(
        absl::StrCat("from is '", from, "' and to is '", to,
                     "'; deals are told by whole months: write 2026-05, 2026-Q2 or 2026"));
  }
  return std::optional<DayRange>(months);
}

absl::Status NeedClock(const FigureEnv& env) {
  if (env.clock != absl::InfinitePast()) return absl::OkStatus();
  return absl::FailedPreconditionError("the log has no time yet");
}

query::v1::KpiSettingsUsed SettingsUsed(const FigureEnv& env) {
  return FigurePlan(FigureRequest{}, env).SettingsUsed();
}

// Reads an order for plans, and gathers all that is wrong with it.
class TargetsReader {
 public:
  TargetsReader(const HttpRequest& request, const Access* access, const FigureEnv& env,
                const PlanBook& book, absl::Time now)
      : caller_(CallerOf(request)), access_(access), env_(env), book_(book), now_(now) {}

  absl::StatusOr<PlannedTargets> Read(const query::v1::TargetOrder& order) {
    if (order.targets().empty()) {
      return absl::InvalidArgumentError("targets: there are none in the order");
    }
    if (order.targets_size() > kMostTargets) {
      return absl::InvalidArgumentError(absl::StrCat("targets: has ", order.targets_size(),
                                                     " plans; the most are ", kMostTargets));
    }
    for (int i = 0; i < order.targets_size(); ++i) {
      const query::v1::Target& target = order.targets(i);
      place_ = target.line() > 0 ? absl::StrCat("line ", target.line())
                                 : absl::StrCat("targets[", i, "]");
      const absl::Status taken = Take(target);
      if (absl::IsPermissionDenied(taken)) return Annotate(taken, place_);
      if (!taken.ok() && problems_.size() < kMostProblems) {
        problems_.push_back(absl::StrCat(place_, ": ", taken.message()));
      }
    }
    if (!problems_.empty()) {
      return absl::InvalidArgumentError(absl::StrJoin(problems_, "; "));
    }
    return std::move(planned_);
  }

 private:
  absl::Status Take(const query::v1::Target& target) {
    RAPPORT_ASSIGN_OR_RETURN(Plan plan, ReadTarget(target));
    RAPPORT_RETURN_IF_ERROR(CheckScope(plan));
    for (const Plan& other : taken_) {
      if (other.IsForSame(plan)) {
        return absl::InvalidArgumentError("stands there twice: kpi, scope and period are the same");
      }
    }
    const Plan* const before = book_.FindSame(plan);
    query::v1::TargetStep& step = *planned_.answer.add_steps();
    plan.set_by = caller_.is_staff ? caller_.id : "";
    ToProto(now_, &plan.set_at);
    *step.mutable_target() = ToTarget(plan);
    if (before != nullptr) {
      step.set_before(static_cast<double>(before->value) /
                      static_cast<double>(PlanScale(*before->kpi)));
    }
    const bool kept =
        before != nullptr && before->value == plan.value && before->currency == plan.currency;
    step.set_what(kept ? "kept" : before == nullptr ? "set" : "changed");
    if (!kept) RAPPORT_RETURN_IF_ERROR(AddTouchpoint(plan));
    taken_.push_back(std::move(plan));
    return absl::OkStatus();
  }

  absl::Status AddTouchpoint(const Plan& plan) {
    touchpoint::v1::Touchpoint& touchpoint = planned_.touchpoints.emplace_back();
    ToProto(now_, touchpoint.mutable_occurred_at());
    ToProto(now_, touchpoint.mutable_recorded_at());
    touchpoint.set_channel(touchpoint::v1::CHANNEL_BACK_OFFICE);
    touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
    if (caller_.is_staff) {
      touchpoint.set_agent_id(caller_.id);
      touchpoint.set_recorded_by(caller_.id);
    }
    touchpoint.set_source(kSource);
    touchpoint.set_source_event_id(absl::StrCat(
        plan.kpi->code, "/", plan.scope, "/", plan.scope_id, "/", FormatDay(plan.days.from), "/",
        FormatDay(plan.days.to), "/", absl::ToUnixMicros(now_)));
    touchpoint.set_event_id(std::string(MakeEventId(kSource, touchpoint.source_event_id()).view()));
    *touchpoint.mutable_target_set() = ToTargetSet(plan, env_.settings.time_zone);
    return ValidateTouchpoint(touchpoint);
  }

  // Whether it exists, and is the caller's to plan.
  absl::Status CheckScope(const Plan& plan) const {
    const auto not_theirs = [this] {
      return absl::PermissionDeniedError(absl::StrCat(
          caller_.Name(), " may set plans for those whose clients they see, and for no others"));
    };
    if (plan.scope == "firm") return caller_.sees_all ? absl::OkStatus() : not_theirs();
    if (plan.scope == "owner") {
      if (access_ != nullptr) {
        RAPPORT_RETURN_IF_ERROR(Annotate(access_->CheckWorksHere(plan.scope_id), "scope_id"));
      }
      return caller_.Sees(plan.scope_id) ? absl::OkStatus() : not_theirs();
    }
    const std::vector<Access::Unit> units =
        access_ == nullptr ? std::vector<Access::Unit>() : access_->Units();
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Access::Unit& one) {
      return one.unit_id == plan.scope_id;
    });
    if (unit == units.end()) {
      std::vector<std::string> there;
      for (const Access::Unit& one : units) there.push_back(one.unit_id);
      return absl::InvalidArgumentError(
          absl::StrCat("scope_id is '", plan.scope_id, "', and there is no such ", plan.scope,
                       there.empty() ? "; no units are known: rapport staff import"
                                     : absl::StrCat("; there are: ", absl::StrJoin(there, ", "))));
    }
    if ((unit->kind == "team" || unit->kind == "branch") && unit->kind != plan.scope) {
      return absl::InvalidArgumentError(
          absl::StrCat("scope is '", plan.scope, "', and '", plan.scope_id, "' is a ", unit->kind));
    }
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> people,
                             access_->OwnersIn(plan.scope_id));
    const bool sees = caller_.sees_all ||
                      (!people.empty() &&
                       std::all_of(people.begin(), people.end(), [this](const std::string& person) {
                         return caller_.Sees(person);
                       }));
    return sees ? absl::OkStatus() : not_theirs();
  }

  const Caller& caller_;
  const Access* const access_;
  const FigureEnv& env_;
  const PlanBook& book_;
  const absl::Time now_;
  std::string place_;
  std::vector<Plan> taken_;
  std::vector<std::string> problems_;
  PlannedTargets planned_;
};

// Whether the caller sees the figures of a plan's scope.
bool Sees(const Caller& caller, const Access* access, const Plan& plan) {
  if (caller.sees_all) return true;
  if (plan.scope == "firm") return false;
  if (plan.scope == "owner") return caller.Sees(plan.scope_id);
  if (access == nullptr) return false;
  const absl::StatusOr<std::vector<std::string>> people = access->OwnersIn(plan.scope_id);
  return people.ok() && !people->empty() &&
         std::all_of(people->begin(), people->end(),
                     [&](const std::string& person) { return caller.Sees(person); });
}

}  // namespace

absl::StatusOr<std::function<query::v1::KpiForecast(const KpiDeals&)>> PlanForecast(
    const HttpRequest& request, const Access* access, const FigureEnv& env) {
  RAPPORT_RETURN_IF_ERROR(NeedClock(env));
  const auto forecast = std::make_shared<ForecastRequest>();
  RAPPORT_ASSIGN_OR_RETURN(forecast->scope, ReadScope(request, access, env));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> at, ReadMoment(request, "at", env));
  forecast->at = at.value_or(env.clock);
  RAPPORT_ASSIGN_OR_RETURN(forecast->since, ReadMoment(request, "since", env));
  if (forecast->since && *forecast->since >= forecast->at) {
    return absl::InvalidArgumentError(
        absl::StrCat("since is '", Text(request, "since"), "', which is not before at"));
  }
  RAPPORT_ASSIGN_OR_RETURN(forecast->closing, ReadMonths(request));
  return [forecast, env](const KpiDeals& deals) {
    query::v1::KpiForecast told = Forecast(deals, *forecast, env.settings);
    *told.mutable_settings() = SettingsUsed(env);
    return told;
  };
}

absl::StatusOr<std::function<query::v1::KpiCohorts(const KpiDeals&)>> PlanCohorts(
    const HttpRequest& request, const Access* access, const FigureEnv& env) {
  RAPPORT_RETURN_IF_ERROR(NeedClock(env));
  const auto cohorts = std::make_shared<CohortRequest>();
  RAPPORT_ASSIGN_OR_RETURN(cohorts->scope, ReadScope(request, access, env));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<DayRange> months, ReadMonths(request));
  const absl::CivilMonth current(absl::ToCivilMonth(env.clock, env.settings.time_zone));
  cohorts->opened = months.value_or(DayRange{DayNumber(absl::CivilDay(current - kCohortMonths + 1)),
                                             DayNumber(absl::CivilDay(current + 1))});
  cohorts->until = env.clock;
  return [cohorts, env](const KpiDeals& deals) {
    query::v1::KpiCohorts told = Cohorts(deals, *cohorts, env.settings);
    *told.mutable_settings() = SettingsUsed(env);
    return told;
  };
}

absl::StatusOr<query::v1::Targets> TargetsFor(const HttpRequest& request, const Access* access,
                                              const FigureEnv& env, const PlanBook& book) {
  const KpiSpec* kpi = nullptr;
  if (const std::string code = Text(request, "kpi"); !code.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(kpi, FindKpi(code));
  }
  std::optional<DayRange> period;
  if (const std::string text = Text(request, "period"); !text.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(period, ParsePeriod("period", text));
  }
  std::optional<FigureScope> scope;
  if (!Text(request, "scope").empty() && Text(request, "scope") != "mine") {
    RAPPORT_ASSIGN_OR_RETURN(scope, ReadScope(request, access, env));
  }
  const Caller& caller = CallerOf(request);
  query::v1::Targets answer;
  for (const Plan& plan : book.all()) {
    if (kpi != nullptr && plan.kpi != kpi) continue;
    if (scope && (plan.scope != scope->scope || plan.scope_id != scope->id)) continue;
    if (period && (plan.days.from >= period->to || plan.days.to <= period->from)) continue;
    if (Sees(caller, access, plan)) *answer.add_targets() = ToTarget(plan);
  }
  return answer;
}

absl::StatusOr<PlannedTargets> PlanTargets(const HttpRequest& request, const Access* access,
                                           const FigureEnv& env, const PlanBook& book,
                                           absl::Time now) {
  query::v1::TargetOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  return TargetsReader(request, access, env, book, now).Read(order);
}

}  // namespace rapport
