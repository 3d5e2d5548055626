#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/kpi/deal_courses.h"
#include "libs/kpi/forecast.h"
#include "libs/kpi/periods.h"

namespace rapport {
namespace {

using query::v1::KpiCohort;
using query::v1::KpiDealCourse;
using State = DealStanding::State;

constexpr int kFirstStage = touchpoint::v1::DEAL_STAGE_LEAD;
constexpr int kLastStage = touchpoint::v1::DEAL_STAGE_WON;
constexpr size_t kMostGroups = 100;

using Amounts = std::map<std::string, MoneySum>;

// Deals of one month, or of all.
struct Gathered {
  int64_t opened = 0;
  int64_t won = 0;
  int64_t lost = 0;
  std::map<int, int64_t> reached;
  struct Time {
    int64_t days = 0;
    int64_t times = 0;
  };
  std::map<int, Time> in_stage;
};

struct Group {
  int64_t opened = 0;
  int64_t won = 0;
  int64_t lost = 0;
  Amounts amounts;
};

struct Loss {
  int64_t deals = 0;
  Amounts amounts;
};

void AddAmount(const DealStanding& deal, Amounts* amounts) {
  if (!deal.decided_currency.empty()) (*amounts)[deal.decided_currency].Add(deal.decided_amount);
}

template <class Message>
void TellAmounts(const Amounts& amounts, Message* told) {
  for (const auto& [currency, sum] : amounts) {
    touchpoint::v1::Money& money = *told->add_amounts();
    money.set_currency_code(currency);
    money.set_minor_units(sum.Saturated());
  }
}

// "referral" of DEAL_SOURCE_REFERRAL.
std::string SourceName(touchpoint::v1::DealSource source) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(touchpoint::v1::DealSource_Name(source), "DEAL_SOURCE_"));
}

class CohortReader {
 public:
  CohortReader(const CohortRequest& request, const KpiSettings& settings)
      : request_(request), settings_(settings) {}

  void Take(const KpiDealCourse& course) {
    const absl::Time opened = absl::FromUnixMillis(course.opened_at());
    const int32_t day = Kpi::TallyDay(opened, settings_);
    if (!request_.opened.Has(day) || opened > request_.until || !InScope(course, opened, day)) {
      return;
    }
    const DealStanding deal = StandingAt(course, request_.until);
    // What was taken off never was a deal.
    if (deal.state == State::kRemoved || deal.state == State::kNone) return;
    for (Gathered* const to : {&months_[MonthOf(day)], &total_}) {
      ++to->opened;
      to->won += deal.state == State::kWon ? 1 : 0;
      to->lost += deal.state == State::kLost ? 1 : 0;
      for (int stage = kFirstStage; stage <= deal.furthest; ++stage) ++to->reached[stage];
      AddTimes(course, to);
    }
    if (deal.state == State::kWon) {
      const int32_t won = Kpi::TallyDay(absl::FromUnixMillis(deal.decided_at), settings_);
      days_to_win_.push_back(std::max(0, won - day));
    }
    AddTo(SourceName(course.source()), deal, &sources_);
    if (!course.referrer_client_id().empty()) {
      AddTo(course.referrer_client_id(), deal, &referrers_);
    }
    if (deal.state != State::kLost) return;
    Loss& loss = losses_[course.loss_reason()];
    ++loss.deals;
    AddAmount(deal, &loss.amounts);
    if (!course.competitor().empty()) {
      Group& group = competitors_[course.competitor()];
      ++group.opened;
      ++group.lost;
      AddAmount(deal, &group.amounts);
    }
  }

  query::v1::KpiCohorts Tell() {
    query::v1::KpiCohorts cohorts;
    ToProto(request_.until, cohorts.mutable_until());
    cohorts.set_scope(request_.scope.scope);
    cohorts.set_scope_id(request_.scope.id);
    std::sort(days_to_win_.begin(), days_to_win_.end());
    if (!days_to_win_.empty()) {
      const size_t half = days_to_win_.size() / 2;
      const double upper = days_to_win_[half];
      const double lower = days_to_win_[(days_to_win_.size() - 1) / 2];
      cohorts.set_median_days_to_win((lower + upper) / 2);
    }
    for (const auto& [month, of_month] : months_) {
      KpiCohort& cohort = *cohorts.add_cohorts();
      cohort.set_month(FormatDay(month));
      TellCohort(of_month, &cohort);
      const absl::CivilDay end(absl::CivilMonth(CivilDayOf(month)) + 1);
      const int32_t age = Kpi::TallyDay(request_.until, settings_) - DayNumber(end);
      cohort.set_settling(cohort.open() > 0 &&
                          (days_to_win_.empty() || age < cohorts.median_days_to_win()));
    }
    TellCohort(total_, cohorts.mutable_total());
    for (const KpiCohort& cohort : cohorts.cohorts()) {
      if (cohort.settling()) cohorts.mutable_total()->set_settling(true);
    }
    TellLosses(&cohorts);
    TellGroups(sources_, cohorts.mutable_sources());
    TellGroups(referrers_, cohorts.mutable_referrers());
    TellGroups(competitors_, cohorts.mutable_competitors());
    return cohorts;
  }

 private:
  bool InScope(const KpiDealCourse& course, absl::Time at, int32_t day) const {
    if (request_.scope.everybody) return true;
    const auto stays = request_.scope.members.find(OwnerAt(course, at));
    return stays != request_.scope.members.end() &&
           std::any_of(stays->second.begin(), stays->second.end(),
                       [day](const DayRange& stay) { return stay.Has(day); });
  }

  // Days in the open stages that it left.
  void AddTimes(const KpiDealCourse& course, Gathered* to) const {
    const int64_t until = absl::ToUnixMillis(request_.until);
    int stage = touchpoint::v1::DEAL_STAGE_UNSPECIFIED;
    int32_t since = 0;
    for (const query::v1::KpiDealMoment& moment : course.moments()) {
      if (moment.at() > until) break;
      if (moment.stage() == stage) continue;
      const int32_t day = Kpi::TallyDay(absl::FromUnixMillis(moment.at()), settings_);
      if (stage >= kFirstStage && stage < kLastStage) {
        Gathered::Time& time = to->in_stage[stage];
        time.days += day - since;
        ++time.times;
      }
      stage = moment.stage();
      since = day;
    }
  }

  static void AddTo(const std::string& id, const DealStanding& deal,
                    std::map<std::string, Group>* groups) {
    Group& group = (*groups)[id];
    ++group.opened;
    group.won += deal.state == State::kWon ? 1 : 0;
    group.lost += deal.state == State::kLost ? 1 : 0;
    if (deal.state == State::kWon) AddAmount(deal, &group.amounts);
  }

  static void TellCohort(const Gathered& of, KpiCohort* cohort) {
    constexpr double kParts = 10'000;
    cohort->set_opened(of.opened);
    cohort->set_won(of.won);
    cohort->set_lost(of.lost);
    cohort->set_open(of.opened - of.won - of.lost);
    for (int stage = kFirstStage; stage <= kLastStage; ++stage) {
      query::v1::KpiStageCount& told = *cohort->add_stages();
      told.set_stage(static_cast<touchpoint::v1::DealStage>(stage));
      const auto reached = of.reached.find(stage);
      told.set_reached(reached == of.reached.end() ? 0 : reached->second);
      const auto time = of.in_stage.find(stage);
      if (time == of.in_stage.end()) continue;
      told.set_mean_days(std::round(static_cast<double>(time->second.days) /
                                    static_cast<double>(time->second.times) * kParts) /
                         kParts);
    }
  }

  void TellLosses(query::v1::KpiCohorts* cohorts) const {
    std::vector<std::pair<touchpoint::v1::DealLossReason, const Loss*>> losses;
    for (const auto& [reason, loss] : losses_) losses.emplace_back(reason, &loss);
    std::stable_sort(losses.begin(), losses.end(), [](const auto& a, const auto& b) {
      return a.second->deals > b.second->deals;
    });
    for (const auto& [reason, loss] : losses) {
      query::v1::KpiLossReason& told = *cohorts->add_loss_reasons();
      told.set_reason(reason);
      told.set_deals(loss->deals);
      TellAmounts(loss->amounts, &told);
    }
  }

  // The most won first, then the most opened.
  static void TellGroups(const std::map<std::string, Group>& groups,
                         google::protobuf::RepeatedPtrField<query::v1::KpiDealGroup>* out) {
    std::vector<std::pair<std::string, const Group*>> sorted;
    for (const auto& [id, group] : groups) sorted.emplace_back(id, &group);
    const auto most = [](const Group& group) {
      int64_t amount = 0;
      for (const auto& [currency, sum] : group.amounts) {
        amount = std::max(amount, sum.Saturated());
      }
      return std::tuple(group.won, amount, group.opened);
    };
    std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
      return most(*a.second) > most(*b.second);
    });
    for (const auto& [id, group] : sorted) {
      if (static_cast<size_t>(out->size()) == kMostGroups) break;
      query::v1::KpiDealGroup& told = *out->Add();
      told.set_id(id);
      told.set_opened(group->opened);
      told.set_won(group->won);
      told.set_lost(group->lost);
      TellAmounts(group->amounts, &told);
    }
  }

  const CohortRequest& request_;
  const KpiSettings& settings_;
  std::map<int32_t, Gathered> months_;
  Gathered total_;
  std::vector<int32_t> days_to_win_;
  std::map<touchpoint::v1::DealLossReason, Loss> losses_;
  std::map<std::string, Group> sources_;
  std::map<std::string, Group> referrers_;
  std::map<std::string, Group> competitors_;
};

}  // namespace

query::v1::KpiCohorts Cohorts(const query::v1::KpiDeals& deals, const CohortRequest& request,
                              const KpiSettings& settings) {
  CohortReader reader(request, settings);
  for (const KpiDealCourse& course : deals.deals()) reader.Take(course);
  return reader.Tell();
}

}  // namespace rapport
