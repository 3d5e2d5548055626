#pragma once

#include <array>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/service/http.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/pipeline.pb.h"

namespace rapport {

// What GET /v1/pipeline/deals takes besides wait_for=.
inline constexpr std::array<absl::string_view, 16> kDealListParameters = {"owner",
                                                                          "team",
                                                                          "branch",
                                                                          "stage",
                                                                          "kind",
                                                                          "source",
                                                                          "campaign",
                                                                          "competitor",
                                                                          "product_area",
                                                                          "closing_before",
                                                                          "days_past_close",
                                                                          "attention",
                                                                          "q",
                                                                          "sort",
                                                                          "cursor",
                                                                          "limit"};

// GET /v1/pipeline/deals: deals on the board, of some owners or all; in the stages of stage= and of
// the kinds of kind=, from the sources of source= and the campaigns of campaign=, about one of
// product_area=, lost to one of competitor= (these three as words, whatever their case), expected
// to be closed before closing_before=, at least days_past_close= days past that, with all words of
// q= in their title or their client's name; with attention=true those alone that are past their
// close or long in their stage. In the order of sort=: stage_age (the longest in its stage first),
// closing (the soonest first), amount (by currency, the largest first); what has no such value
// comes last. Reads all deals of these owners.
absl::StatusOr<query::v1::DealList> ListDeals(const ProjectionHost& host,
                                              const HttpRequest& request);

}  // namespace rapport
