#include "services/pipeline/deal_list.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "libs/base/folded_words.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"
#include "services/pipeline/board.h"

namespace rapport {
namespace {

using state::v1::DealRow;

struct DealListRequest {
  OwnerFilter owners;
  std::set<int> stages;
  std::set<int> kinds;
  std::set<int> sources;
  // Folded; one of them, where there are any.
  std::vector<std::string> campaigns;
  std::vector<std::string> competitors;
  std::vector<std::string> product_areas;
  int64_t days_past_close = 0;
  std::optional<absl::Time> closing_before;
  bool attention = false;
  std::vector<std::string> words;  // folded
  std::string sort;
  PageRequest page;
};

std::string Folded(absl::string_view text) { return absl::StrJoin(FoldedWords(text), " "); }

std::vector<std::string> FoldedValues(const HttpRequest& request, absl::string_view name) {
  std::vector<std::string> values = QueryAll(request, name);
  for (std::string& value : values) value = Folded(value);
  return values;
}

// Whether there is nothing to choose by, or one of `values` is chosen.
template <class Values>
bool IsChosen(const std::vector<std::string>& chosen, const Values& values) {
  return chosen.empty() || std::any_of(values.begin(), values.end(), [&](const auto& value) {
           return std::find(chosen.begin(), chosen.end(), Folded(value)) != chosen.end();
         });
}

absl::StatusOr<DealListRequest> ReadDealListRequest(const ProjectionHost& host,
                                                    const HttpRequest& request) {
  DealListRequest list;
  RAPPORT_ASSIGN_OR_RETURN(list.owners, OwnerFilter::Of(request, host.env().http->access()));
  RAPPORT_ASSIGN_OR_RETURN(list.stages,
                           QueryEnums(request, "stage", *touchpoint::v1::DealStage_descriptor()));
  RAPPORT_ASSIGN_OR_RETURN(list.kinds,
                           QueryEnums(request, "kind", *touchpoint::v1::DealKind_descriptor()));
  RAPPORT_ASSIGN_OR_RETURN(list.sources,
                           QueryEnums(request, "source", *touchpoint::v1::DealSource_descriptor()));
  list.campaigns = FoldedValues(request, "campaign");
  list.competitors = FoldedValues(request, "competitor");
  list.product_areas = FoldedValues(request, "product_area");
  constexpr int64_t kMostDays = 36'500;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> days,
                           QueryNumber(request, "days_past_close", 1, kMostDays));
  list.days_past_close = days.value_or(0);
  RAPPORT_ASSIGN_OR_RETURN(list.closing_before, QueryTime(request, "closing_before"));
  RAPPORT_ASSIGN_OR_RETURN(list.attention, QueryFlag(request, "attention"));
  list.words = FoldedWords(request.Query("q").value_or(""));
  list.sort = request.Query("sort").value_or("stage_age");
  if (list.sort != "stage_age" && list.sort != "closing" && list.sort != "amount") {
    return absl::InvalidArgumentError(
        absl::StrCat("sort is '", list.sort, "'; there are: stage_age, closing, amount"));
  }
  std::string prefix;
  AppendKeyString(&prefix, list.sort);
  RAPPORT_ASSIGN_OR_RETURN(list.page, ReadPageRequest(request, prefix));
  return list;
}

bool Passes(const DealRow& row, const query::v1::DealSummary& summary,
            const DealListRequest& list) {
  if (!list.stages.empty() && !list.stages.contains(row.stage())) return false;
  if (!list.kinds.empty() && !list.kinds.contains(row.kind())) return false;
  if (!list.sources.empty() && !list.sources.contains(row.source())) return false;
  if (!IsChosen(list.campaigns, std::array{row.campaign()}) ||
      !IsChosen(list.competitors, std::array{row.competitor()}) ||
      !IsChosen(list.product_areas, row.product_areas()) ||
      summary.days_past_close() < list.days_past_close) {
    return false;
  }
  if (list.closing_before && (!row.has_expected_close_at() ||
                              FromProto(row.expected_close_at()) >= *list.closing_before)) {
    return false;
  }
  if (list.attention && !summary.past_close() && !summary.long_in_stage()) return false;
  return list.words.empty() ||
         BeginWith(FoldedWords(absl::StrCat(row.title(), " ", row.client_name())), list.words);
}

std::string PlaceOf(const DealRow& row, const std::string& client_id, const std::string& sort) {
  const auto moment = [](bool has, const google::protobuf::Timestamp& at) {
    return has ? absl::ToUnixMicros(FromProto(at)) : std::numeric_limits<int64_t>::max();
  };
  std::string place;
  AppendKeyString(&place, sort);
  if (sort == "amount") {
    // No currency has such a code.
    AppendKeyString(&place, row.has_amount() ? row.amount().currency_code() : "~");
    // The smallest number has no opposite.
    constexpr int64_t kLeast = -std::numeric_limits<int64_t>::max();
    AppendOrdered64(&place, -std::max(row.amount().minor_units(), kLeast));
  } else if (sort == "closing") {
    AppendOrdered64(&place, moment(row.has_expected_close_at(), row.expected_close_at()));
  } else {
    AppendOrdered64(&place, moment(row.has_stage_since_at(), row.stage_since_at()));
  }
  AppendKeyString(&place, row.deal_id());
  AppendKeyString(&place, client_id);
  return place;
}

}  // namespace

absl::StatusOr<query::v1::DealList> ListDeals(const ProjectionHost& host,
                                              const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const DealListRequest list, ReadDealListRequest(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(const auto shared, SharedDeals(reading.view));
  std::vector<std::string> prefixes;
  for (const std::string& owner : list.owners.owners()) {
    AppendKeyString(&prefixes.emplace_back(), owner);
  }
  if (list.owners.everybody()) prefixes.emplace_back();
  // The first ones behind the beginning of the page, and one more, which tells of another page.
  std::map<std::string, query::v1::DealSummary> by_place;
  int64_t count = 0;
  bool readable = true;
  DealRow row;
  for (const std::string& prefix : prefixes) {
    RAPPORT_RETURN_IF_ERROR(reading.view.Scan(
        kBoardIndex, {.prefix = prefix}, [&](const ProjectionView::IndexEntry& entry) {
          readable = row.ParseFromString(entry.value);
          if (!readable || !StandsWith(entry.client_id, row, shared)) return readable;
          query::v1::DealSummary summary = SummaryOf(entry.client_id, row, reading.clock);
          if (!Passes(row, summary, list)) return true;
          ++count;
          std::string place = PlaceOf(row, entry.client_id, list.sort);
          if (place <= list.page.after) return true;
          by_place.emplace(std::move(place), std::move(summary));
          if (by_place.size() > list.page.limit + 1) by_place.erase(std::prev(by_place.end()));
          return true;
        }));
  }
  if (!readable) return absl::DataLossError("an entry of the board is damaged");
  query::v1::DealList answer;
  for (auto& [place, summary] : by_place) {
    if (static_cast<size_t>(answer.deals_size()) == list.page.limit) {
      answer.set_next_cursor(answer.deals(answer.deals_size() - 1).cursor());
      break;
    }
    summary.set_cursor(EncodeCursor(place));
    *answer.add_deals() = std::move(summary);
  }
  answer.set_count(count);
  *answer.mutable_watermark() = std::move(reading.watermark);
  return answer;
}

}  // namespace rapport
