#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/state/v1/deal_pipeline.pb.h"

namespace rapport {

// A line of the board, as stored, put for readers.
query::v1::DealSummary ToSummary(const std::string& client_id, const state::v1::DealRow& row);

// The amount times the chance of winning, in minor units; half a unit is rounded away from zero.
int64_t WeightedMinorUnits(const state::v1::DealRow& row);

// Puts deals into their columns and adds them up.
class BoardBuilder {
 public:
  // At most `deals_per_column` are listed; all are counted.
  explicit BoardBuilder(size_t deals_per_column) : deals_per_column_(deals_per_column) {}

  // `place`: what orders the deals of a column.
  void Add(const std::string& place, const std::string& client_id, const state::v1::DealRow& row);
  query::v1::Board Build() &&;

 private:
  struct Column {
    int64_t deal_count = 0;
    std::map<std::string, query::v1::BoardSum> sums;         // by currency
    std::map<std::string, query::v1::DealSummary> by_place;  // the first ones
  };

  const size_t deals_per_column_;
  std::map<touchpoint::v1::DealStage, Column> columns_;
};

// A deal with its history, put for readers; `as_of` and `watermark` are left out.
query::v1::Deal ToDeal(const std::string& client_id, const state::v1::Deal& deal,
                       const state::v1::DealRow& row);

}  // namespace rapport
