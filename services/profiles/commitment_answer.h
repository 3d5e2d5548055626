#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/projector/projection_view.h"
#include "libs/service/http.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/commitment.pb.h"

namespace rapport {

struct CommitmentQuery {
  OwnerFilter owners;
  std::optional<std::string> promiser;
  std::optional<std::string> client;
  // UNSPECIFIED: any.
  query::v1::CommitmentState state = query::v1::COMMITMENT_STATE_UNSPECIFIED;
  // When it is due; of what is over when it ended; of state=moved when it was moved last.
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();  // exclusive; those without a date have this one
  // Whether CommitmentList.groups are by who promised.
  bool by_promiser = false;
  PageRequest page;
};
// Promises when the log's clock is `clock`; InfinitePast() while there is none. `watermark` is left
// empty. DataLoss: an entry is damaged.
absl::StatusOr<query::v1::CommitmentList> ReadCommitments(const ProjectionView& view,
                                                          absl::Time clock,
                                                          const CommitmentQuery& query);

// GET /v1/commitments.
absl::StatusOr<query::v1::CommitmentList> AnswerCommitments(const ProjectionHost& host,
                                                            const HttpRequest& request);

}  // namespace rapport
