#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projections/testing/random_history.h"
#include "libs/touchpoint/record.h"

namespace rapport::testing {

// A random history with event ids of its own: those of another `part` differ.
inline std::vector<touchpoint::v1::Touchpoint> NumberedHistory(const HistoryOptions& options,
                                                               uint64_t part) {
  std::vector<touchpoint::v1::Touchpoint> history = RandomHistory(options);
  for (touchpoint::v1::Touchpoint& touchpoint : history) {
    if (touchpoint.has_clock_advanced()) continue;
    // Every history numbers its touchpoints from 0.
    uint64_t number = 0;
    RAPPORT_CHECK(absl::SimpleAtoi(touchpoint.source_event_id(), &number));
    touchpoint.set_event_id(EventIdOf(part << 32 | number));
  }
  return history;
}

// A clock goes to every partition.
inline void AddRecords(const touchpoint::v1::Touchpoint& touchpoint, int partitions,
                       std::vector<Record>* records) {
  if (!touchpoint.has_clock_advanced()) {
    records->push_back(MakeRecord(touchpoint));
    return;
  }
  for (int i = 0; i < partitions; ++i) {
    records->push_back(MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(i)));
  }
}

// Appends all of it in batches; the first error ends it.
inline absl::Status AppendAll(EventLog& log, const std::string& topic, int partitions,
                              const std::vector<touchpoint::v1::Touchpoint>& history) {
  constexpr size_t kBatch = 500;
  std::vector<Record> records;
  for (size_t i = 0; i < history.size(); ++i) {
    AddRecords(history[i], partitions, &records);
    if (records.size() < kBatch && i + 1 < history.size()) continue;
    RAPPORT_RETURN_IF_ERROR(log.Append(topic, records).status());
    records.clear();
  }
  return absl::OkStatus();
}

}  // namespace rapport::testing
