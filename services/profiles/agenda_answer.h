#pragma once

#include "absl/status/statusor.h"
#include "libs/service/http.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/agenda.pb.h"

namespace rapport {

// GET /v1/agenda: what asks for something at the log's clock, by kind, of the owners that the
// request names and the caller sees; limit= of each kind. With kind=, which may be repeated, those
// alone; with one kind, cursor= goes on, and until= takes what is due by then in place of the
// kind's own span.
absl::StatusOr<query::v1::Agenda> ReadAgenda(const ProjectionHost& host,
                                             const HttpRequest& request);

}  // namespace rapport
