#pragma once

#include <optional>
#include <set>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/projector/projection_view.h"
#include "libs/service/http.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/agenda.pb.h"

namespace rapport {

struct AgendaQuery {
  OwnerFilter owners;
  std::set<int> kinds;  // numbers of query.v1.AgendaKind; empty: all
  // With one kind: what is due by then, in place of the kind's own span.
  std::optional<absl::Time> until;
  PageRequest page;  // `after` with one kind alone
};
// What asks for something when the log's clock is `clock`; InfinitePast() while there is none.
// `watermark` is left empty. DataLoss: an entry is damaged.
absl::StatusOr<query::v1::Agenda> ReadAgenda(const ProjectionView& view, absl::Time clock,
                                             const AgendaQuery& query);

// GET /v1/agenda: what asks for something at the log's clock, by kind, of the owners that the
// request names and the caller sees; limit= of each kind. With kind=, which may be repeated, those
// alone; with one kind, cursor= goes on, and until= takes what is due by then in place of the
// kind's own span.
absl::StatusOr<query::v1::Agenda> AnswerAgenda(const ProjectionHost& host,
                                               const HttpRequest& request);

}  // namespace rapport
