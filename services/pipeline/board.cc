#include "services/pipeline/board.h"

#include <utility>

#include "libs/serving/page.h"

namespace rapport {

query::v1::DealSummary ToSummary(const std::string& client_id, const state::v1::DealRow& row) {
  query::v1::DealSummary summary;
  summary.set_deal_id(row.deal_id());
  summary.set_client_id(client_id);
  summary.set_title(row.title());
  summary.set_owner_id(row.owner_id());
  summary.set_stage(row.stage());
  if (row.has_stage_since_at()) *summary.mutable_stage_at() = row.stage_since_at();
  if (row.has_amount()) *summary.mutable_amount() = row.amount();
  summary.set_probability_permille(row.probability_permille());
  if (row.has_expected_close_at()) {
    *summary.mutable_expected_close_at() = row.expected_close_at();
  }
  return summary;
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
    query::v1::BoardSum& sum = column.sums[currency];
    sum.mutable_amount()->set_currency_code(currency);
    sum.mutable_amount()->set_minor_units(sum.amount().minor_units() + row.amount().minor_units());
    sum.mutable_weighted()->set_currency_code(currency);
    sum.mutable_weighted()->set_minor_units(sum.weighted().minor_units() + WeightedMinorUnits(row));
  }
  const bool full = column.by_place.size() == deals_per_column_;
  if (full && place > column.by_place.rbegin()->first) return;
  query::v1::DealSummary summary = ToSummary(client_id, row);
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
    for (auto& [currency, sum] : from.sums) *column.add_sums() = std::move(sum);
    for (auto& [place, deal] : from.by_place) *column.add_deals() = std::move(deal);
  }
  return board;
}

query::v1::Deal ToDeal(const std::string& client_id, const state::v1::Deal& deal,
                       const state::v1::DealRow& row) {
  query::v1::Deal answer;
  *answer.mutable_summary() = ToSummary(client_id, row);
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
  if (deal.has_won()) *answer.mutable_won_at() = deal.won().occurred_at();
  answer.set_contract_id(deal.contract_id());
  if (deal.has_lost()) *answer.mutable_lost_at() = deal.lost().occurred_at();
  answer.set_loss_reason(deal.loss_reason());
  answer.set_loss_note(deal.loss_note());
  answer.set_competitor(deal.competitor());
  return answer;
}

}  // namespace rapport
