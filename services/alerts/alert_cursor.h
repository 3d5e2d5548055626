#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// A place in the alerts log over all its partitions: the id of each event of the stream, from which
// it can be resumed, and the cursor of a web hook.
struct AlertCursor {
  std::vector<int64_t> next;  // offset of the next record, by partition

  // "0-15.1-7": the next offset after each partition's number.
  std::string ToText() const;
  // A partition that `text` does not name begins at offset 0. InvalidArgument: anything but the
  // form above, or a partition that there is not.
  static absl::StatusOr<AlertCursor> Parse(absl::string_view text, int partitions);

  bool IsBefore(const RecordPosition& position) const {
    return next[static_cast<size_t>(position.partition.value())] <= position.offset.value();
  }
  void MoveBehind(const RecordPosition& position) {
    next[static_cast<size_t>(position.partition.value())] = position.offset.value() + 1;
  }
  bool operator==(const AlertCursor&) const = default;
};

// "3:17".
std::string PositionText(const RecordPosition& position);

}  // namespace rapport
