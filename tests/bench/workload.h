#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

// The touchpoints that the benchmarks fold.

namespace rapport::bench {

struct WorkloadOptions {
  int64_t clients = 500'000;
  int64_t touchpoints = 1'000'000;
  // Touchpoints of the first `clients` numbers go to each client once, the rest to random ones.
  // So many times a year each client gets in touch: how long it takes follows from that.
  int64_t touchpoints_a_year = 24;
  absl::Duration tick = absl::Hours(1);
  int partitions = 1;
  uint64_t seed = 1;
  // Relationship managers, each of whom has as many clients; 0: the touchpoints name none.
  int64_t owners = 0;
};

// Appends orders (60 %), mails of ours (28 %), calls (10 %) and a mix of all kinds (2 %: complaints
// and promises among them, which nobody settles) of about 200 bytes each, in the order of time,
// with ClockAdvanced in between. Returns the mean size in bytes.
double AppendWorkload(const WorkloadOptions& options, EventLog& log, const std::string& topic);

std::string ClientName(int64_t number);
// `number` is a client's, or any that is the same modulo WorkloadOptions::owners.
std::string OwnerName(int64_t number);

}  // namespace rapport::bench
