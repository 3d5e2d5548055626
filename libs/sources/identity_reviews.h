#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/identity/identifier.h"
#include "libs/sources/identifier_index.h"

namespace rapport {

// Two clients whom identifiers of one contact, or one identifier, name. A person decides: merges
// them, finds that they are not one, or mends an identifier.
struct IdentityReview {
  std::string review_id;  // ReviewIdOf the two
  // Those that name the clients, in their order, as of the last contact.
  std::vector<Identifier> identifiers;
  // Who got the first contact, or else whose claim to the identifier is the latest.
  std::string client_id;
  std::string other_client_id;
  std::string touchpoint;  // the first contact: "source source_event_id"; empty: there was none
  absl::Time first_at = absl::InfiniteFuture();  // of the contacts
  absl::Time last_at = absl::InfinitePast();
  int64_t contacts = 0;
};

// What a person has to decide, each pair of clients once, by client ids, at most `limit`. All of it
// is found from the log, so that each process tells the same. A review is settled, and not among
// them, once the two are merged or were found not to be one, or the identifiers no longer name
// both. Unavailable: a partition is not open.
absl::StatusOr<std::vector<IdentityReview>> ListReviews(const IdentifierIndex& index, size_t limit);

// 32 hexadecimal digits that follow from the two clients, in whichever order.
std::string ReviewIdOf(const std::string& client_id, const std::string& other_client_id);
// The review, if it is to be decided. NotFound: it is not, or no longer.
absl::StatusOr<IdentityReview> FindReview(const IdentifierIndex& index,
                                          const std::string& review_id);

}  // namespace rapport
