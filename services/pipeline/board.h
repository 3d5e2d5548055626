#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/money.h"
#include "libs/projector/projection_view.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/state/v1/deal_pipeline.pb.h"

namespace rapport {

// The amount times the chance of winning, in minor units; half a unit is rounded away from zero.
int64_t WeightedMinorUnits(const state::v1::DealRow& row);

// Puts deals into their columns and adds them up.
class BoardBuilder {
 public:
  // At most `deals_per_column` are listed, as they stand at `now`; all are counted.
  BoardBuilder(size_t deals_per_column, absl::Time now)
      : deals_per_column_(deals_per_column), now_(now) {}

  // `place`: what orders the deals of a column.
  void Add(const std::string& place, const std::string& client_id, const state::v1::DealRow& row);
  query::v1::Board Build() &&;

 private:
  struct Sums {
    MoneySum amount;
    MoneySum weighted;
  };
  struct Column {
    int64_t deal_count = 0;
    std::map<std::string, Sums> sums;                        // by currency
    std::map<std::string, query::v1::DealSummary> by_place;  // the first ones
  };

  const size_t deals_per_column_;
  const absl::Time now_;
  std::map<touchpoint::v1::DealStage, Column> columns_;
};

// A deal as it stands with one client.
struct DealPlace {
  std::string client_id;
  state::v1::DealRow row;
};

// Where a deal stands, by what was told last: with the first of them, and not with the others, of
// whom it had been told before. Empty when there is no such deal. DataLoss: an entry is damaged.
absl::StatusOr<std::vector<DealPlace>> FindDeal(const ProjectionView& view,
                                                absl::string_view deal_id);

// The deals that stand with several clients, each as FindDeal gives it. Reads all.
absl::StatusOr<absl::btree_map<std::string, std::vector<DealPlace>>> SharedDeals(
    const ProjectionView& view);

// Whether the deal stands on the board with that client, rather than with another.
bool StandsWith(const std::string& client_id, const state::v1::DealRow& row,
                const absl::btree_map<std::string, std::vector<DealPlace>>& shared);

// A deal with its history, put for readers at `now`; `as_of` and `watermark` are left out.
query::v1::Deal ToDeal(const std::string& client_id, const state::v1::Deal& deal,
                       const state::v1::DealRow& row, absl::Time now);

}  // namespace rapport
