#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Puts together the answers to one request that several processes gave, each from its own
// partitions; all are of the type of `merged`, a message of query.v1:
// - the watermarks' partitions are joined;
// - rows of a list (the repeated field whose messages have a `cursor`) are ordered by the bytes of
//   their cursors, those with the same cursor dropped, and cut at `limit`; next_cursor is then the
//   last row's if any part has more; a part that goes on behind its next_cursor says nothing of
//   what is there, so that no row of others behind it is taken;
// - `more` is true if it is so of a part, or rows were cut; `count` is the sum of the parts', and
//   `count_is_least` true if it is so of a part;
// - the columns of a Board are joined by stage, sums added, each column's deals merged and cut;
// - the sections of an Agenda are joined by kind, counts added, each one's items merged and cut;
// - other repeated messages that have a `partition` (of a ProjectionStatus) are joined in its
//   order;
// - all else is taken from the first part.
// InvalidArgument: a cursor or type that cannot be merged.
absl::Status MergeAnswers(const std::vector<std::unique_ptr<google::protobuf::Message>>& parts,
                          size_t limit, google::protobuf::Message* merged);

// Says in an answer that has a watermark what it lacks: the partitions stand in the watermark, and
// what it counts is the least that there is (`more`, `count_is_least`).
void MarkMissing(const std::vector<Partition>& missing, google::protobuf::Message* answer);

}  // namespace rapport
