#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/import/assign.h"
#include "libs/import/csv_reader.h"
#include "libs/import/mapping.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Makes the touchpoints of each group of rows, all of them or none. One thread at a time.
class GroupMapper {
 public:
  // Touchpoints later than `now` are refused: nothing has happened yet that lies ahead.
  GroupMapper(ImportPlan plan, absl::Time now) : plan_(std::move(plan)), now_(now) {}

  // Whether two rows belong to one group. Both have as many fields as there are columns.
  bool SameGroup(const CsvRow& first, const CsvRow& second) const;

  // Appends the touchpoints of the group, valid but for recorded_at, to `touchpoints`; none
  // when no rule is meant for it. InvalidArgument with the reason for people when the group cannot
  // be used; `bad_row` is then the row it lies in.
  absl::Status Map(absl::Span<const CsvRow> rows,
                   std::vector<touchpoint::v1::Touchpoint>* touchpoints, size_t* bad_row);

  size_t column_count() const { return plan_.column_count; }
  const std::string& source() const { return plan_.source; }

 private:
  absl::Status MapRule(const RulePlan& rule, const RowGroup& rows,
                       touchpoint::v1::Touchpoint touchpoint, size_t* bad_row,
                       std::vector<touchpoint::v1::Touchpoint>* made) const;

  const ImportPlan plan_;
  const absl::Time now_;
  absl::flat_hash_set<std::string> clients_;
  absl::flat_hash_set<EventId> event_ids_;
};

}  // namespace rapport
