#include "libs/sources/identity_reviews.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

// By the two clients, the smaller id first.
using Reviews = std::map<std::pair<std::string, std::string>, IdentityReview>;

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
             const state::v1::MetContradiction& met, Reviews* reviews) {
  const std::optional<ContradictionKey> key = DecodeContradictionKey(met.key());
  if (!key) return;
  const std::string client = index.Follow(client_id).client_id;
  const std::string other = index.Follow(key->other_client_id).client_id;
  if (client == other) return;
  std::vector<Identifier> identifiers = Parse(key->identifier_keys);
  if (!Names(index, identifiers, client) || !Names(index, identifiers, other)) return;
  IdentityReview& review = (*reviews)[std::minmax(client, other)];
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
  Reviews all;
  RAPPORT_RETURN_IF_ERROR(index.EachMetContradiction(
      [&](const std::string& client_id, const state::v1::MetContradiction& met) {
        TakeMet(index, client_id, met, &all);
      }));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Identifier> contradictions,
                           index.Contradictions(limit));
  for (const Identifier& identifier : contradictions) {
    const Identification found = index.Find(identifier);
    if (found.standing != Standing::kContradiction) continue;
    const std::string& latest = found.clients.front().client_id;
    for (size_t i = 1; i < found.clients.size(); ++i) {
      const std::string& other = found.clients[i].client_id;
      all.try_emplace(std::minmax(latest, other), IdentityReview{.identifiers = {identifier},
                                                                 .client_id = latest,
                                                                 .other_client_id = other,
                                                                 .touchpoint = ""});
    }
  }
  std::vector<IdentityReview> reviews;
  for (auto& [clients, review] : all) {
    if (reviews.size() == limit) break;
    reviews.push_back(std::move(review));
  }
  return reviews;
}

}  // namespace rapport
