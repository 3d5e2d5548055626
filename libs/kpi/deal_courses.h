#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projector/projection_view.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/state/v1/kpi.pb.h"

// Deals with all that happened to them, and how each stood at any moment.

namespace rapport {

// Adds the deals of a client. A handover counts from the beginning of its day.
void AddCourses(const state::v1::KpiState& state, const std::string& client_id,
                const KpiSettings& settings, query::v1::KpiDeals* deals);
// The deals of all clients in the view; watermark is left out.
absl::Status ReadCourses(const ProjectionView& view, const KpiSettings& settings,
                         query::v1::KpiDeals* deals);

// How a deal stood at a moment, what happened at it included.
struct DealStanding {
  enum class State { kNone, kOpen, kWon, kLost, kRemoved };
  State state = State::kNone;  // kNone: it was not there yet
  touchpoint::v1::DealStage stage = touchpoint::v1::DEAL_STAGE_UNSPECIFIED;
  // How far it had come: WON at most, LEAD at least.
  touchpoint::v1::DealStage furthest = touchpoint::v1::DEAL_STAGE_LEAD;
  std::optional<int> judged_permille;
  int64_t amount = 0;
  std::string currency;  // empty: no amount
  std::optional<int32_t> close_day;
  // Since when it is won or lost, with the amount of that moment; milliseconds.
  int64_t decided_at = 0;
  int64_t decided_amount = 0;
  std::string decided_currency;
};
DealStanding StandingAt(const query::v1::KpiDealCourse& course, absl::Time at);

// The client's owner at a moment; empty: nobody.
const std::string& OwnerAt(const query::v1::KpiDealCourse& course, absl::Time at);

}  // namespace rapport
