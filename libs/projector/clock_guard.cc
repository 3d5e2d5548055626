#include "libs/projector/clock_guard.h"

#include <sys/timex.h>
#include <time.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rapport {
namespace {

// A clock that is slewed gains or loses no more than this while it is watched.
constexpr absl::Duration kEvenness = absl::Seconds(2);
// An operator reads a watch, and types.
constexpr absl::Duration kOperatorError = absl::Minutes(5);

std::string Moment(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

std::string Length(absl::Duration duration) {
  duration = absl::Trunc(duration, absl::Seconds(1));
  const absl::Duration days = absl::Trunc(duration, absl::Hours(24));
  if (days >= absl::Hours(72)) return absl::StrCat(absl::ToInt64Hours(days) / 24, " days");
  return absl::FormatDuration(duration);
}

}  // namespace

ClockReading ReadClocks() {
  ClockReading reading;
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  reading.since_boot = absl::DurationFromTimespec(boot);
  reading.wall = absl::Now();
  timex kernel{};
  const int state = adjtimex(&kernel);
  if (state < 0 || state == TIME_ERROR || (kernel.status & STA_UNSYNC) != 0) return reading;
  // A wall clock of this process alone (a time namespace, a preloaded library) is not the kernel's.
  const int64_t fraction = kernel.time.tv_usec;
  const absl::Duration below =
      (kernel.status & STA_NANO) != 0 ? absl::Nanoseconds(fraction) : absl::Microseconds(fraction);
  const absl::Time kernel_time = absl::FromUnixSeconds(kernel.time.tv_sec) + below;
  reading.synchronised = absl::AbsDuration(kernel_time - reading.wall) < kEvenness;
  return reading;
}

void ClockGuard::Begin(absl::Time last, const ClockReading& now) {
  known_.reset();
  if (last != absl::InfinitePast()) known_ = last;
  known_since_boot_ = now.since_boot;
  even_since_.reset();
  reason_.clear();
}

void ClockGuard::Ticked(const ClockReading& now) {
  known_ = now.wall;
  known_since_boot_ = now.since_boot;
}

void ClockGuard::NoticeSteps(const ClockReading& now) {
  const bool even =
      even_since_.has_value() &&
      absl::AbsDuration((now.wall - even_wall_) - (now.since_boot - *even_since_)) <= kEvenness;
  if (even) return;
  even_since_ = now.since_boot;
  even_wall_ = now.wall;
}

ClockGuard::Verdict ClockGuard::Judge(const ClockReading& now) {
  NoticeSteps(now);
  reason_.clear();
  if (!known_) return Verdict::kBelieved;
  const absl::Duration passed = std::max(now.since_boot - known_since_boot_, absl::ZeroDuration());
  const absl::Duration ahead = now.wall - (*known_ + passed);
  if (now.wall < *known_ - limits_.max_step) {
    reason_ =
        absl::StrCat("the log's clock is at ", Moment(*known_), ", ", Length(*known_ - now.wall),
                     " ahead of this machine's, which shows ", Moment(now.wall),
                     ", and stands until then: set this machine's clock if it is wrong; if the "
                     "log's is, correct "
                     "it with `rapport clock set`");
    return Verdict::kStands;
  }
  if (ahead <= limits_.max_step || now.synchronised) return Verdict::kBelieved;
  const absl::Duration even = now.since_boot - *even_since_;
  const bool absence = ahead <= limits_.max_absence;
  if (absence && even >= limits_.steady) return Verdict::kBelieved;
  reason_ = absl::StrCat(
      "this machine's clock shows ", Moment(now.wall), ", ", Length(ahead), " ahead of the ",
      Moment(*known_ + passed), " that the log's last tick lets expect, and is not believed until ",
      absence ? absl::StrCat("it has run evenly for another ", Length(limits_.steady - even), ", ")
              : "",
      "the kernel says that it is synchronised (NTP), or an operator says what time it is "
      "(`rapport clock set`)");
  return Verdict::kHeld;
}

absl::Status ClockGuard::CheckConfirmation(absl::Time said, const ClockReading& now) {
  if (absl::AbsDuration(said - now.wall) > kOperatorError) {
    return absl::FailedPreconditionError(absl::StrCat(
        "you say that it is ", Moment(said), ", but the clock of the machine that ticks shows ",
        Moment(now.wall), ", and would go on from there: set that machine's clock first"));
  }
  return absl::OkStatus();
}

}  // namespace rapport
