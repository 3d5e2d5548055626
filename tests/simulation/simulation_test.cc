// Runs the simulated world of simulation.h for many seeds. RAPPORT_SEEDS sets how many (default
// 200); RAPPORT_SEED runs that one alone.

#include "tests/simulation/simulation.h"

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = otherwise;
  RAPPORT_CHECK(text == nullptr || absl::SimpleAtoi(text, &value), name, " is no number: ", text);
  return value;
}

void Add(const SimulationCounts& one, SimulationCounts* all) {
  all->records += one.records;
  all->alerts += one.alerts;
  all->dead_letters += one.dead_letters;
  all->retellings += one.retellings;
  all->log_faults += one.log_faults;
  all->deaths += one.deaths;
  all->takeovers += one.takeovers;
  all->cut_off_rebuilds += one.cut_off_rebuilds;
  all->power_cuts += one.power_cuts;
  all->restored_logs += one.restored_logs;
  all->late_owners += one.late_owners;
  all->changed_settings += one.changed_settings;
}

TEST(SimulationTest, StateAndAlertsAreExactWhateverHappens) {
  const uint64_t one = FromEnvironment("RAPPORT_SEED", 0);
  const uint64_t first = one > 0 ? one : 1;
  const uint64_t last = one > 0 ? one : FromEnvironment("RAPPORT_SEEDS", 200);
  SimulationCounts all;
  for (uint64_t seed = first; seed <= last; ++seed) {
    Simulation simulation(seed);
    const std::vector<std::string> failures = simulation.Run();
    EXPECT_TRUE(failures.empty()) << "seed " << seed
                                  << " failed; run it alone with RAPPORT_SEED=" << seed
                                  << " simulation_test:\n"
                                  << absl::StrJoin(failures, "\n");
    Add(simulation.counts(), &all);
  }
  std::cout << "seeds " << first << " to " << last << ": " << all.records << " records, "
            << all.alerts << " alerts, " << all.dead_letters << " dead letters, " << all.retellings
            << " retellings, " << all.log_faults << " faults of the log, " << all.deaths
            << " deaths, " << all.takeovers << " takeovers, " << all.cut_off_rebuilds
            << " rebuilds cut off, " << all.power_cuts << " power cuts, " << all.restored_logs
            << " older logs, " << all.late_owners << " late owners, " << all.changed_settings
            << " changed settings\n";
  // A world where nothing happens proves nothing.
  if (last - first < 100) return;
  const int64_t least = static_cast<int64_t>(last - first + 1);
  EXPECT_GT(all.alerts, least);
  EXPECT_GT(all.dead_letters, least);
  EXPECT_GT(all.retellings, least);
  EXPECT_GT(all.log_faults, least);
  EXPECT_GT(all.deaths, least);
  EXPECT_GT(all.takeovers, least / 2);
  EXPECT_GT(all.cut_off_rebuilds, least / 10);
  EXPECT_GT(all.power_cuts, least);
  EXPECT_GT(all.restored_logs, least / 20);
  EXPECT_GT(all.late_owners, least / 5);
  EXPECT_GT(all.changed_settings, least / 20);
}

}  // namespace
}  // namespace rapport::testing
