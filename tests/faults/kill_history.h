#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "tests/faults/history.h"

// What the child of the kill test appends, and its parent expects.

namespace rapport::testing {

// Threads of the child that append.
inline constexpr int kAppenders = 2;

// What the child tells its parent over the pipe.
struct KillReport {
  enum What : int32_t {
    kOpen,      // the host is open
    kServing,   // all partitions of all projections can be read
    kAppended,  // `appender` has the first `count` of its history acknowledged
  };
  What what;
  int32_t appender;
  int64_t count;
};
inline constexpr int kReportPipe = 3;

// The history that an appender of the child of one round appends.
inline std::vector<touchpoint::v1::Touchpoint> KillHistory(uint64_t seed, int round, int appender) {
  const uint64_t part = static_cast<uint64_t>(round) * kAppenders + static_cast<uint64_t>(appender);
  HistoryOptions options;
  options.seed = seed * 1'000'003 + part;
  options.client_count = 600;
  options.touchpoint_count = 300;
  options.start += round * absl::Hours(24 * 10);
  options.length = absl::Hours(24 * 30);
  options.silence = absl::ZeroDuration();
  return NumberedHistory(options, part);
}

}  // namespace rapport::testing
