#include "services/pipeline/board.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/serving/page.h"

namespace rapport {

bool StandsWith(const std::string& client_id, const state::v1::DealRow& row,
                const absl::btree_map<std::string, std::vector<DealPlace>>& shared) {
  const auto places = shared.find(row.deal_id());
  return places == shared.end() || places->second.empty() ||
         places->second.front().client_id == client_id;
}

int64_t WeightedMinorUnits(const state::v1::DealRow& row) {
  constexpr int64_t kWhole = 1000;
  const int64_t units = row.amount().minor_units();
  const int64_t permille = row.probability_permille();
  // The thousands first, so that large amounts don't overflow.
  const int64_t rest = units % kWhole * permille;
  const int64_t half = rest < 0 ? -kWhole / 2 : kWhole / 2;
  return units / kWhole * permille + (rest + half) / kWhole;
}

void BoardBuilder::Add(const std::string& place, const std::string& client_id,
                       const state::v1::DealRow& row) {
  Column& column = columns_[row.stage()];
  ++column.deal_count;
  if (row.has_amount()) {
    const std::string& currency = row.amount().currency_code();
    Sums& sum = column.sums[currency];
    sum.amount.Add(row.amount().minor_units());
    sum.weighted.Add(WeightedMinorUnits(row));
  }
  // Sums alone are asked for.
  if (deals_per_column_ == 0) return;
  const bool full = column.by_place.size() == deals_per_column_;
  if (full && place > column.by_place.rbegin()->first) return;
  query::v1::DealSummary summary = SummaryOf(client_id, row, now_);
  summary.set_cursor(EncodeCursor(place));
  column.by_place.emplace(place, std::move(summary));
  if (full) column.by_place.erase(std::prev(column.by_place.end()));
}

query::v1::Board BoardBuilder::Build() && {
  query::v1::Board board;
  for (auto& [stage, from] : columns_) {
    query::v1::BoardColumn& column = *board.add_columns();
    column.set_stage(stage);
    column.set_deal_count(from.deal_count);
    for (const auto& [currency, sum] : from.sums) {
      query::v1::BoardSum& told = *column.add_sums();
      told.mutable_amount()->set_currency_code(currency);
      told.mutable_amount()->set_minor_units(sum.amount.Saturated());
      told.mutable_weighted()->set_currency_code(currency);
      told.mutable_weighted()->set_minor_units(sum.weighted.Saturated());
      told.set_out_of_range(sum.amount.OutOfRange() || sum.weighted.OutOfRange());
    }
    for (auto& [place, deal] : from.by_place) *column.add_deals() = std::move(deal);
  }
  return board;
}

absl::StatusOr<std::vector<DealPlace>> FindDeal(const ProjectionView& view,
                                                absl::string_view deal_id) {
  std::string prefix;
  AppendKeyString(&prefix, deal_id);
  std::vector<DealPlace> places;
  bool readable = true;
  RAPPORT_RETURN_IF_ERROR(
      view.Scan(kDealIndex, {.prefix = prefix}, [&](const ProjectionView::IndexEntry& entry) {
        DealPlace& place = places.emplace_back();
        place.client_id = entry.client_id;
        return readable = place.row.ParseFromString(entry.value);
      }));
  if (!readable) return absl::DataLossError("an entry of the list of deals is damaged");
  std::sort(places.begin(), places.end(), [](const DealPlace& a, const DealPlace& b) {
    if (StandsBefore(a.row, b.row)) return true;
    return !StandsBefore(b.row, a.row) && a.client_id < b.client_id;
  });
  return places;
}

absl::StatusOr<absl::btree_map<std::string, std::vector<DealPlace>>> SharedDeals(
    const ProjectionView& view) {
  absl::flat_hash_set<std::string> seen;
  absl::btree_map<std::string, std::vector<DealPlace>> shared;
  RAPPORT_RETURN_IF_ERROR(view.Scan(kDealIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
    absl::string_view key = entry.sort_key;
    std::string deal_id;
    if (ConsumeKeyString(&key, &deal_id) && !seen.insert(deal_id).second) shared[deal_id];
    return true;
  }));
  for (auto& [deal_id, places] : shared) {
    RAPPORT_ASSIGN_OR_RETURN(places, FindDeal(view, deal_id));
  }
  return shared;
}

query::v1::Deal ToDeal(const std::string& client_id, const state::v1::Deal& deal,
                       const state::v1::DealRow& row, absl::Time now) {
  query::v1::Deal answer;
  *answer.mutable_summary() = SummaryOf(client_id, row, now);
  if (deal.has_opened()) *answer.mutable_opened_at() = deal.opened().occurred_at();
  answer.set_kind(deal.kind());
  answer.set_source(deal.source());
  answer.set_referrer_client_id(deal.referrer_client_id());
  answer.set_campaign(deal.campaign());
  *answer.mutable_product_areas() = deal.product_areas();
  for (const state::v1::StageEntry& entry : deal.stages()) {
    query::v1::DealStep& step = *answer.add_steps();
    *step.mutable_occurred_at() = entry.stamp().occurred_at();
    step.set_stage(entry.stage());
    if (entry.has_probability_permille()) {
      step.set_probability_permille(entry.probability_permille());
    }
  }
  if (IsWon(deal)) {
    *answer.mutable_won_at() = deal.won().occurred_at();
    answer.set_contract_id(deal.contract_id());
  }
  if (IsLost(deal)) {
    *answer.mutable_lost_at() = deal.lost().occurred_at();
    answer.set_loss_reason(deal.loss_reason());
    answer.set_loss_note(deal.loss_note());
    answer.set_competitor(deal.competitor());
  }
  if (IsRemoved(deal)) {
    *answer.mutable_removed_at() = deal.removed().occurred_at();
    answer.set_removal_reason(deal.removal_reason());
    answer.set_moved_to_client_id(deal.moved_to_client_id());
  }
  return answer;
}

}  // namespace rapport
