#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/import/try_import.h"
#include "libs/kpi/deal_courses.h"
#include "libs/kpi/forecast.h"
#include "libs/kpi/periods.h"
#include "libs/kpi/sums.h"
#include "libs/projections/kpi/kpi.h"

// Figures of real orders and of a real funnel: the Online Retail sample against a script that
// reckons them from its rows alone, and what the Olist data says of itself where
// RAPPORT_DATA_SETS names the folder that holds it.

namespace rapport {
namespace {

using States = std::map<std::string, state::v1::KpiState>;

std::vector<MappingFile> Mappings(const std::vector<std::string>& names) {
  std::vector<MappingFile> mappings;
  for (const std::string& name : names) {
    absl::StatusOr<MappingFile> mapping =
        MappingFile::Load(absl::StrCat(RAPPORT_DEPLOY_FOLDER, "/import/", name, ".textproto"));
    EXPECT_OK(mapping.status());
    mappings.push_back(*std::move(mapping));
  }
  return mappings;
}

KpiSettings SettingsIn(const char* zone) {
  KpiSettings settings;
  EXPECT_TRUE(absl::LoadTimeZone(zone, &settings.time_zone));
  return settings;
}

// The clients of an import, folded.
States Fold(const std::vector<std::string>& paths, const std::vector<std::string>& mappings,
            const KpiSettings& settings) {
  const absl::StatusOr<Tried> tried = TryImport(paths, Mappings(mappings));
  EXPECT_OK(tried);
  States states;
  if (!tried.ok()) return states;
  FoldOutput none;
  for (const touchpoint::v1::Touchpoint& touchpoint : tried->touchpoints) {
    if (!Kpi::Wants(touchpoint)) continue;
    EXPECT_OK(Kpi::Apply({.client_id = touchpoint.client_id()}, touchpoint, settings,
                         states[touchpoint.client_id()], none));
  }
  return states;
}

// The firm's sums of all clients.
class Sums {
 public:
  Sums(const States& states, const KpiSettings& settings) {
    for (const auto& [client, state] : states) {
      VisitContributions(state, settings, [this](const Contribution& contribution) {
        if (contribution.scope != TallyScope::kOwner) return;
        sums_[contribution.measure][contribution.day] += contribution.amount;
      });
    }
  }
  int64_t Flow(Measure measure, const DayRange& days) const {
    int64_t sum = 0;
    const auto of_measure = sums_.find(measure);
    if (of_measure == sums_.end()) return 0;
    for (auto day = of_measure->second.lower_bound(days.from);
         day != of_measure->second.end() && day->first < days.to; ++day) {
      sum += day->second;
    }
    return sum;
  }
  int64_t Stock(Measure measure, int32_t before) const {
    return Flow(measure, {std::numeric_limits<int32_t>::min(), before});
  }

 private:
  std::map<Measure, std::map<int32_t, int64_t>> sums_;
};

std::string OutputOf(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> part;
  while (pipe != nullptr && fgets(part.data(), part.size(), pipe.get()) != nullptr) {
    output += part.data();
  }
  return output;
}

TEST(KpiDataSetsTest, OnlineRetailIsWhatAScriptMakesOfTheSameRows) {
  const std::string sample = RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz";
  const KpiSettings settings = SettingsIn("Europe/London");
  const Sums sums(Fold({sample}, {"online_retail"}, settings), settings);
  std::string lines;
  const absl::CivilMonth first(2010, 12);
  for (int i = 0; i <= 12; ++i) {
    const DayRange days = {DayNumber(absl::CivilDay(first + i)),
                           DayNumber(absl::CivilDay(first + i + 1))};
    absl::StrAppend(&lines, absl::FormatCivilTime(first + i), " revenue=",
                    sums.Flow(Measure::kOrdered, days) - sums.Flow(Measure::kCancelled, days),
                    " orders=", sums.Flow(Measure::kOrders, days),
                    " new=", sums.Flow(Measure::kNewClients, days),
                    " repeat=", sums.Stock(Measure::kSecondOrders, days.to), "/",
                    sums.Stock(Measure::kFirstOrders, days.to),
                    " start=", sums.Stock(Measure::kClients, days.from),
                    " lost=", sums.Flow(Measure::kLostClients, days),
                    " back=", sums.Flow(Measure::kBackClients, days), "\n");
  }
  EXPECT_EQ(lines, OutputOf(absl::StrCat("python3 " ORACLE " ", sample)));
}

// 842 of 8,000 leads were won: 10.525 %.
TEST(KpiDataSetsTest, OlistFunnel) {
  const char* const folder = std::getenv("RAPPORT_DATA_SETS");
  if (folder == nullptr) GTEST_SKIP() << "RAPPORT_DATA_SETS names no folder with olist_funnel";
  const auto path = [folder](const char* name) {
    return absl::StrCat(folder, "/olist_funnel/", name);
  };
  const KpiSettings settings = SettingsIn("America/Sao_Paulo");
  const States states = Fold(
      {path("olist_marketing_qualified_leads_dataset.csv"), path("olist_closed_deals_dataset.csv")},
      {"olist_leads", "olist_deals"}, settings);
  const Sums sums(states, settings);
  const DayRange all = {0, DayNumber(absl::CivilDay(2030, 1, 1))};
  EXPECT_EQ(sums.Flow(Measure::kOpenedDeals, all), 8000);
  EXPECT_EQ(sums.Flow(Measure::kOpenedWon, all), 842);
  query::v1::KpiDeals deals;
  for (const auto& [client, state] : states) AddCourses(state, client, settings, &deals);
  CohortRequest request;
  request.opened = {DayNumber(absl::CivilDay(2017, 6, 1)), DayNumber(absl::CivilDay(2018, 6, 1))};
  request.until = absl::FromCivil(absl::CivilDay(2018, 12, 1), settings.time_zone);
  const query::v1::KpiCohorts cohorts = Cohorts(deals, request, settings);
  EXPECT_EQ(cohorts.cohorts_size(), 12);
  EXPECT_EQ(cohorts.total().opened(), 8000);
  EXPECT_EQ(cohorts.total().won(), 842);
  EXPECT_EQ(cohorts.total().won() * 100'000 / cohorts.total().opened(), 10'525);
  int64_t opened = 0;
  int64_t won = 0;
  for (const query::v1::KpiCohort& cohort : cohorts.cohorts()) {
    opened += cohort.opened();
    won += cohort.won();
  }
  EXPECT_EQ(opened, cohorts.total().opened());
  EXPECT_EQ(won, cohorts.total().won());
  // The one that was won before its first contact counts, and took no days.
  EXPECT_GE(cohorts.median_days_to_win(), 0);
}

}  // namespace
}  // namespace rapport
