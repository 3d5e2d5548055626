#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/projector/projection_view.h"
#include "libs/service/http.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/search.pb.h"

namespace rapport {

// GET /v1/search: clients, their people and their marks that q= may mean (search.h), of those whom
// owner=, team= and branch= name and the caller sees. Work is bounded: of words that many have,
// only so many are looked at, and `more` says so.
absl::StatusOr<query::v1::SearchAnswer> SearchClients(const ProjectionHost& host,
                                                      const HttpRequest& request);

// Clients that have all of `words` (folded; each as the beginning of one of theirs), by the lists
// of words.
struct WordMatches {
  // Of a single word in its order, whoever has it exactly so first.
  std::vector<std::string> client_ids;
  // Whether all are among them, beside some who may have not all of the words. If not, many have
  // each of the words, and there may be others.
  bool complete = false;
};
// Goes by the two longest words. Reads at most `most` entries for each, of two words so many in
// each partition; fewer where that is enough to have all, or for a single word `enough` clients.
absl::StatusOr<WordMatches> FindByWords(const ProjectionView& view, const OwnerFilter& owners,
                                        const std::vector<std::string>& words, size_t enough,
                                        size_t most);

}  // namespace rapport
