#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rapport {

// What this machine's clocks show at one moment.
struct ClockReading {
  absl::Time wall;
  // Time since the machine started, asleep or not, which nobody sets (CLOCK_BOOTTIME).
  absl::Duration since_boot;
  // Whether the kernel says that its clock is synchronised (NTP), and `wall` is that clock's time.
  bool synchronised = false;
};

// Reads the real ones.
ClockReading ReadClocks();

// Whether the wall clock may be believed before it becomes an event that can't be unwritten: a dead
// battery, a machine resumed from a snapshot or a slip of the hand puts it years or an hour ahead
// for seconds, and every client of the log would be judged at that time.
//
// The rule. Time must be at about the last tick, and in a process that runs, as much later as has
// passed on the clock since boot. A wall clock that is at most `max_step` ahead of that is
// believed. One that is further ahead is held, until
//   - the kernel says that its clock is synchronised; or
//   - it has run evenly for `steady`, and no more than `max_absence` are missing: so a machine that
//     was switched off for a weekend goes on by itself, while a wrong clock that is set right soon
//     after the start never ticks; or
//   - an operator has said what time it is.
// Behind the last tick no tick can be: the log's clock stands until time has come there, or an
// operator corrects it. Before the first tick of a log that holds nothing there is no one to judge,
// and the wall clock is believed.
//
// One thread at a time.
class ClockGuard {
 public:
  struct Limits {
    absl::Duration max_step = absl::Minutes(10);
    absl::Duration steady = absl::Minutes(10);
    absl::Duration max_absence = absl::Hours(30 * 24);
  };
  enum class Verdict {
    kBelieved,
    kHeld,    // the wall clock is too far ahead
    kStands,  // the log's clock is ahead of the wall clock, by more than max_step
  };

  explicit ClockGuard(const Limits& limits) : limits_(limits) {}

  // The log was last at `last`: its last tick, or when its last record was written where there is
  // no tick; InfinitePast() where it holds nothing.
  void Begin(absl::Time last, const ClockReading& now);
  // To be asked before each tick, and about as often as a wrong clock is to be noticed.
  Verdict Judge(const ClockReading& now);
  // A tick was written at `now`.
  void Ticked(const ClockReading& now);
  // An operator says that it is `said`. FailedPrecondition, naming both: the wall clock shows
  // another time, and would go on from there. Ok: Ticked, and it is believed.
  static absl::Status CheckConfirmation(absl::Time said, const ClockReading& now);

  // Why the last verdict is not kBelieved, and what to do; for people. Empty when it is.
  const std::string& reason() const { return reason_; }

 private:
  void NoticeSteps(const ClockReading& now);

  const Limits limits_;
  // Time was here when the clock since boot stood there; none: any time may be believed.
  std::optional<absl::Time> known_;
  absl::Duration known_since_boot_;
  // Since when, on the clock since boot, the wall clock has run evenly.
  std::optional<absl::Duration> even_since_;
  absl::Time even_wall_;
  std::string reason_;
};

}  // namespace rapport
