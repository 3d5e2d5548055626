#include "libs/sources/identity_reviews.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"

namespace rapport {
namespace {

// Two clients, the smaller id first.
using Pair = std::pair<std::string, std::string>;
using Pairs = std::set<Pair>;
using Reviews = std::map<Pair, IdentityReview>;

// Those who were found not to be one, as whom they go on under by now.
absl::StatusOr<Pairs> DistinctPairs(const IdentifierIndex& index) {
  Pairs pairs;
  RAPPORT_RETURN_IF_ERROR(index.EachDistinctPair([&](const std::string& client_id,
                                                     const std::string& other) {
    pairs.insert(std::minmax({index.Follow(client_id).client_id, index.Follow(other).client_id}));
  }));
  return pairs;
}

// Calls `visit` with the others who have the identifier beside the latest, and are not known not to
// be the same.
template <class Visit>
void EachOther(const Identification& found, const Pairs& distinct, Visit visit) {
  const std::string& latest = found.clients.front().client_id;
  for (size_t i = 1; i < found.clients.size(); ++i) {
    const std::string& other = found.clients[i].client_id;
    const Pair pair = std::minmax({latest, other});
    if (!distinct.contains(pair)) visit(pair, latest, other);
  }
}

// Whether a contact with one of the identifiers might be given to the client.
bool Names(const IdentifierIndex& index, const std::vector<Identifier>& identifiers,
           const std::string& client_id) {
  return std::any_of(identifiers.begin(), identifiers.end(), [&](const Identifier& identifier) {
    const Identification found = index.Find(identifier);
    if (found.standing == Standing::kShared) return false;
    return std::any_of(found.clients.begin(), found.clients.end(),
                       [&](const KnownClient& client) { return client.client_id == client_id; });
  });
}

std::vector<Identifier> Parse(const std::vector<std::string>& keys) {
  std::vector<Identifier> identifiers;
  for (const std::string& key : keys) {
    absl::StatusOr<Identifier> identifier = ParseKey(key);
    if (identifier.ok()) identifiers.push_back(*std::move(identifier));
  }
  return identifiers;
}

// Adds what contacts of one client told, if it still is so.
void TakeMet(const IdentifierIndex& index, const std::string& client_id,
             const state::v1::MetContradiction& met, const Pairs& distinct, Reviews* reviews) {
  const std::optional<ContradictionKey> key = DecodeContradictionKey(met.key());
  if (!key) return;
  const std::string client = index.Follow(client_id).client_id;
  const std::string other = index.Follow(key->other_client_id).client_id;
  const Pair pair = std::minmax({client, other});
  if (client == other || distinct.contains(pair)) return;
  std::vector<Identifier> identifiers = Parse(key->identifier_keys);
  if (!Names(index, identifiers, client) || !Names(index, identifiers, other)) return;
  IdentityReview& review = (*reviews)[pair];
  const absl::Time first = FromProto(met.first().occurred_at());
  const absl::Time last = FromProto(met.last().occurred_at());
  if (first < review.first_at) {
    review.first_at = first;
    review.touchpoint = met.first_contact();
    review.client_id = client;
    review.other_client_id = other;
  }
  if (last > review.last_at) {
    review.last_at = last;
    review.identifiers = std::move(identifiers);
  }
  review.contacts += met.contacts();
}

}  // namespace

absl::StatusOr<std::vector<IdentityReview>> ListReviews(const IdentifierIndex& index,
                                                        size_t limit) {
  RAPPORT_ASSIGN_OR_RETURN(const Pairs distinct, DistinctPairs(index));
  Reviews all;
  RAPPORT_RETURN_IF_ERROR(index.EachMetContradiction(
      [&](const std::string& client_id, const state::v1::MetContradiction& met) {
        TakeMet(index, client_id, met, distinct, &all);
      }));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Identifier> contradictions,
                           index.Contradictions(limit, [&](const Identification& found) {
                             bool any = false;
                             EachOther(found, distinct, [&](const auto&...) { any = true; });
                             return any;
                           }));
  for (const Identifier& identifier : contradictions) {
    const Identification found = index.Find(identifier);
    if (found.standing != Standing::kContradiction) continue;
    EachOther(found, distinct,
              [&](const Pair& pair, const std::string& latest, const std::string& other) {
                all.try_emplace(pair, IdentityReview{.review_id = "",
                                                     .identifiers = {identifier},
                                                     .client_id = latest,
                                                     .other_client_id = other,
                                                     .touchpoint = ""});
              });
  }
  std::vector<IdentityReview> reviews;
  for (auto& [clients, review] : all) {
    if (reviews.size() == limit) break;
    review.review_id = ReviewIdOf(clients.first, clients.second);
    reviews.push_back(std::move(review));
  }
  return reviews;
}

std::string ReviewIdOf(const std::string& client_id, const std::string& other_client_id) {
  const Pair pair = std::minmax({client_id, other_client_id});
  return MakeEventId(pair.first, pair.second).ToHex();
}

absl::StatusOr<IdentityReview> FindReview(const IdentifierIndex& index,
                                          const std::string& review_id) {
  RAPPORT_ASSIGN_OR_RETURN(std::vector<IdentityReview> reviews,
                           ListReviews(index, std::numeric_limits<size_t>::max()));
  for (IdentityReview& review : reviews) {
    if (review.review_id == review_id) return std::move(review);
  }
  return absl::NotFoundError(
      absl::StrCat("there is no review '", review_id,
                   "' to decide: the two were merged or found not to be one, a mark was mended, or "
                   "there never was one. GET /v1/identities/reviews tells what there is"));
}

}  // namespace rapport
