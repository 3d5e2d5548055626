#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/identity/identifier.h"
#include "libs/import/csv_reader.h"
#include "libs/import/evaluate.h"
#include "libs/import/mapping.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// A touchpoint, and the first line of what it was made of.
struct MappedTouchpoint {
  touchpoint::v1::Touchpoint touchpoint;
  int64_t line = 0;
};

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
  absl::Status Map(absl::Span<const CsvRow> rows, std::vector<MappedTouchpoint>* touchpoints,
                   size_t* bad_row);

  size_t column_count() const { return plan_.column_count; }
  const std::string& source() const { return plan_.source; }

 private:
  // Those that are meant for the group, or for a row of it.
  std::vector<const RulePlan*> RulesFor(absl::Span<const CsvRow> rows) const;
  struct Client {
    std::string client_id;
    std::optional<Identifier> identifier;  // that it was made of
  };
  // The one to whom all rows of the group belong.
  absl::StatusOr<Client> ClientOf(absl::Span<const CsvRow> rows, size_t* bad_row) const;
  absl::StatusOr<Client> ClientOfRow(const RowGroup& row) const;
  // Tells whose identifier it is, as soon as its client was met.
  touchpoint::v1::Touchpoint MakeLink(const Identifier& identifier,
                                      const touchpoint::v1::Touchpoint& met) const;
  // `header`: what all touchpoints of the group have in common.
  absl::Status MapRule(const RulePlan& rule, absl::Span<const CsvRow> rows,
                       const touchpoint::v1::Touchpoint& header, size_t* bad_row,
                       std::vector<MappedTouchpoint>* made) const;
  absl::Status MakeTouchpoint(const RulePlan& rule, RowGroup* group,
                              touchpoint::v1::Touchpoint touchpoint,
                              std::vector<MappedTouchpoint>* made) const;
  // False: it has not happened.
  absl::StatusOr<bool> SetTime(const RulePlan& rule, const RowGroup& group,
                               touchpoint::v1::Touchpoint* touchpoint) const;
  absl::Status SetFields(const RulePlan& rule, RowGroup* group,
                         touchpoint::v1::Touchpoint* touchpoint) const;
  // InvalidArgument: there has been one with this event id.
  absl::Status CheckNew(const touchpoint::v1::Touchpoint& touchpoint,
                        const std::vector<MappedTouchpoint>& made) const;

  const ImportPlan plan_;
  const absl::Time now_;
  absl::flat_hash_set<std::string> clients_;
  absl::flat_hash_set<EventId> event_ids_;
};

}  // namespace rapport
