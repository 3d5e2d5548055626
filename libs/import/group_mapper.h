#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/identity/identifier.h"
#include "libs/import/csv_reader.h"
#include "libs/import/evaluate.h"
#include "libs/import/first_of_clients.h"
#include "libs/import/mapped_touchpoint.h"
#include "libs/import/mapping.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// What the files of a mapping have made so far. One thread at a time.
struct MadeSoFar {
  // `folder`: of a temporary file; `file_count`: how many files the mapping has.
  MadeSoFar(std::string folder, size_t file_count)
      : several_files(file_count > 1), first_of_clients(std::move(folder)) {}

  struct Given {
    // Hash of what has the id: its client where it is made once, else what it holds, if there are
    // several files in which it may stand again.
    uint64_t mark = 0;
    int file = 0;  // the first that had it; -1 where it is made once for its client
  };
  const bool several_files;
  absl::flat_hash_map<EventId, Given> event_ids;
  FirstOfClients first_of_clients;
};

// Makes the touchpoints of each group of rows of a file, all of them or none. One thread at a time.
class GroupMapper {
 public:
  // Touchpoints later than `now` are refused: nothing has happened yet that lies ahead. `file` is
  // the number of the file; `made` outlives this, and belongs to all files of the mapping.
  GroupMapper(ImportPlan plan, absl::Time now, int file, MadeSoFar* made)
      : plan_(std::move(plan)), now_(now), file_(file), so_far_(*made) {}

  // Whether rows are gathered in groups, or each is one.
  bool has_groups() const { return !plan_.group_columns.empty(); }
  // Nullopt: the row has not all group columns.
  std::optional<absl::uint128> GroupKeyOf(const CsvRow& row) const;
  // Why the row is to be left out; null when it is not.
  const std::string* SkipReason(const CsvRow& row) const;
  // Puts the rows of a group in the order of time, where the mapping tells the time of a row; one
  // that has none stays behind the row before it.
  void SortByTime(std::vector<CsvRow>* rows) const;

  enum class Outcome {
    kUsed,      // they made something
    kNotMeant,  // no rule is meant for them
    kRepeated,  // another file made just the same of them
  };
  // Appends the touchpoints of the group, valid but for recorded_at, to `touchpoints`; what is made
  // once for each client goes to FirstOfClients. InvalidArgument or OutOfRange with the reason for
  // people when the group cannot be used; `bad_row` is then the row it lies in. Unavailable: a
  // temporary file.
  absl::StatusOr<Outcome> Map(absl::Span<const CsvRow> rows,
                              std::vector<MappedTouchpoint>* touchpoints, size_t* bad_row);

  // Of the file; numbers_rows(): behind them follows the number of the row.
  size_t column_count() const { return plan_.column_count; }
  bool numbers_rows() const { return plan_.numbers_rows; }
  const std::string& source() const { return plan_.source; }
  // "InvoiceNo".
  const std::string& group_name() const { return plan_.group_name; }

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
  // Tells whose identifier it is, from when its client was met.
  touchpoint::v1::Touchpoint MakeLink(const Identifier& identifier,
                                      const touchpoint::v1::Touchpoint& met) const;
  // What a group makes, before it is known to be good.
  struct Making {
    touchpoint::v1::Touchpoint header;  // what all of them have in common
    std::vector<MappedTouchpoint> touchpoints;
    std::vector<std::pair<int, MappedTouchpoint>> once;  // by FirstOfClients' `what`
    bool used = false;
    int repeated = 0;
  };
  absl::Status MapRule(const RulePlan& rule, absl::Span<const CsvRow> rows, size_t* bad_row,
                       Making* making) const;
  absl::Status MakeTouchpoint(const RulePlan& rule, RowGroup* group, Making* making) const;
  void AddLink(const Identifier& identifier, Making* making) const;
  // False: it has not happened.
  absl::StatusOr<bool> SetTime(const RulePlan& rule, const RowGroup& group,
                               touchpoint::v1::Touchpoint* touchpoint) const;
  absl::Status SetFields(const RulePlan& rule, RowGroup* group,
                         touchpoint::v1::Touchpoint* touchpoint) const;
  // Hash of what may have the same event id and be the same.
  static uint64_t MarkOf(const touchpoint::v1::Touchpoint& touchpoint, bool once);
  // False: another file has made just the same. InvalidArgument: there has been another one with
  // this event id.
  absl::StatusOr<bool> IsNew(const touchpoint::v1::Touchpoint& touchpoint, bool once,
                             const Making& making) const;

  const ImportPlan plan_;
  const absl::Time now_;
  const int file_;
  MadeSoFar& so_far_;
};

}  // namespace rapport
