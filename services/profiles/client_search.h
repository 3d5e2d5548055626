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
// of words, in no order that means anything.
struct WordMatches {
  std::vector<std::string> client_ids;
  // Whether these are all. If not, there are others, or many have each of the words.
  bool complete = false;
};
// Reads at most `most` entries for each word; fewer where that is enough to have all, or for a
// single word `enough` clients.
absl::StatusOr<WordMatches> FindByWords(const ProjectionView& view, const OwnerFilter& owners,
                                        const std::vector<std::string>& words, size_t enough,
                                        size_t most);

}  // namespace rapport
