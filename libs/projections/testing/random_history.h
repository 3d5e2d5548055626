#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Random lives of clients, for property tests, the simulation and benchmarks. The same options give
// the same history on every machine: the generator is its own.

namespace rapport::testing {

// SplitMix64 (S. Vigna, public domain): one word of state, good enough for tests.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next();
  // 0 <= value < bound; bound > 0.
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(Next() % static_cast<uint64_t>(bound));
  }
  bool Chance(int percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

struct HistoryOptions {
  uint64_t seed = 1;
  int client_count = 10;
  // Touchpoints, duplicates and ClockAdvanced not counted.
  int touchpoint_count = 500;
  absl::Time start = absl::FromUnixSeconds(1735689600);  // 2025-01-01
  absl::Duration length = absl::Hours(365 * 24);
  // Share of touchpoints that arrive up to `longest_delay` late.
  int late_percent = 10;
  absl::Duration longest_delay = absl::Hours(20 * 24);
  // Share of touchpoints that arrive again, at any later place.
  int duplicate_percent = 5;
  // What the sources' times are multiples of, as where they tell dates or whole seconds only:
  // several steps of one matter then stand at one moment. Zero: microseconds.
  absl::Duration resolution = absl::ZeroDuration();
  // ClockAdvanced stands in the history each so often; none when zero.
  absl::Duration tick = absl::Hours(6);
  // Further time after the last touchpoint, so that silence shows.
  absl::Duration silence = absl::Hours(90 * 24);
};

// A history in its order of arrival. Clients differ: busy ones, silent ones, ones that stop
// half-way. Every kind of touchpoint that belongs to a client occurs when there are enough of them;
// ids of complaints, promises, deals, ... repeat, so that things are opened, moved and closed, and
// ends may come before beginnings. Actions on alerts name alerts that need not exist.
std::vector<touchpoint::v1::Touchpoint> RandomHistory(const HistoryOptions& options);

// One touchpoint of a random kind for `client_id`, at `at`, with an event_id made from `number`.
touchpoint::v1::Touchpoint RandomTouchpoint(const std::string& client_id, absl::Time at,
                                            uint64_t number, Random* random);

// A ClockAdvanced to `now`.
touchpoint::v1::Touchpoint Clock(absl::Time now);

// 16 bytes that differ for different numbers.
std::string EventIdOf(uint64_t number);

// Any order, all equally likely.
void Shuffle(std::vector<touchpoint::v1::Touchpoint>* touchpoints, Random* random);

}  // namespace rapport::testing
