#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/kpi/figures.h"
#include "libs/projector/projection_view.h"
#include "libs/service/access.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What single clients and single touchpoints add to a figure.

namespace rapport {

// One client's part.
struct ClientPart {
  std::string client_id;
  std::string owner_id;  // who has it now
  SumTable table;
};

// Calls `visit` with each client of the view that adds something to what the plan asks, in the
// order of their ids, those before `from` left out, until it returns false. DataLoss: a state is
// damaged.
absl::Status VisitClientParts(const ProjectionView& view, const FigurePlan& plan,
                              absl::string_view from,
                              const std::function<bool(ClientPart part)>& visit);

// Adds a row for each client of the view whom the caller sees, and one with no id for all others.
absl::Status AddClientRows(const ProjectionView& view, const FigurePlan& plan, const KpiSpec& spec,
                           const Caller& caller, query::v1::KpiBreakdown* breakdown);

// What each of a client's touchpoints adds to the figure, in their order: the difference of what
// the client adds before and after it; what comes by itself on a later day is a part without one.
// Parts that add nothing are left out; all together are what the client adds. Cursors are set.
absl::StatusOr<std::vector<query::v1::KpiPart>> ExplainClient(
    const std::string& client_id, std::vector<touchpoint::v1::Touchpoint> touchpoints,
    const FigurePlan& plan, const KpiSpec& spec, const std::string& currency);

// Place of a part, as in its cursor.
std::string PartPlace(absl::string_view client_id, uint32_t number);

// What became known after it was to be reported, and after `since`, of days of the period.
absl::StatusOr<query::v1::KpiChanges> ChangesOf(const ProjectionView& view, const FigurePlan& plan,
                                                const KpiSpec& spec, int32_t since);

}  // namespace rapport
