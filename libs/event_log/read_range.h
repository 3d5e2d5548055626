#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Calls `visit` with the records of [from, end) of a partition, in order and some thousands at a
// time; ok when all of it has been read, offsets without a record included. A `visit` that does not
// return ok ends the reading with its status. Unavailable: the log gave nothing for 5 s though it
// reaches to `end`, which is not past its end. FailedPrecondition: records are missing. Otherwise
// as LogReader::Read.
absl::Status ReadRange(
    EventLog& log, absl::string_view topic, Partition partition, Offset from, Offset end,
    const std::function<absl::Status(const HeaderDecoder&, absl::Span<const RecordView>)>& visit);

// The same for all that the partition holds by now, from `from` or its beginning, whichever is
// later.
absl::Status ReadToEnd(
    EventLog& log, absl::string_view topic, Partition partition, Offset from,
    const std::function<absl::Status(const HeaderDecoder&, absl::Span<const RecordView>)>& visit);

}  // namespace rapport
