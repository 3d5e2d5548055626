#include "libs/sources/contact_resolver.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

// Pairs of clients that are kept; those beyond stand in the log alone.
constexpr size_t kMostReviews = 1000;

// What the identifiers of a contact lead to.
struct Choice {
  std::optional<KnownClient> registered;
  std::optional<KnownClient> provisional;
  // Another registered client that one of the identifiers, or a later one, names.
  std::string other_client_id;
  std::vector<Identifier> review;
};

void TakeRegistered(const Identifier& identifier, const KnownClient& client, Choice* choice) {
  if (!choice->registered) {
    choice->registered = client;
    choice->review.push_back(identifier);
  } else if (choice->registered->client_id != client.client_id && choice->other_client_id.empty()) {
    choice->other_client_id = client.client_id;
    choice->review.push_back(identifier);
  }
}

// An identifier of a few registered clients names whichever of them another one names too, or else
// the one whose claim is the latest.
void TakeContradiction(const Identifier& identifier, const std::vector<KnownClient>& clients,
                       Choice* choice) {
  const auto is_chosen = [choice](const KnownClient& client) {
    return choice->registered && client.client_id == choice->registered->client_id;
  };
  if (std::any_of(clients.begin(), clients.end(), is_chosen)) return;
  TakeRegistered(identifier, clients.front(), choice);
  if (choice->other_client_id.empty() && !clients[1].provisional) {
    choice->other_client_id = clients[1].client_id;
  }
}

Choice Choose(const IdentifierIndex& index, const std::vector<Identifier>& identifiers,
              std::optional<Identifier>* unknown) {
  Choice choice;
  std::vector<std::pair<Identifier, std::vector<KnownClient>>> contradictions;
  for (const Identifier& identifier : identifiers) {
    Identification found = index.Find(identifier);
    switch (found.standing) {
      case Standing::kUnknown:
        if (!*unknown) *unknown = identifier;
        break;
      case Standing::kShared:
        break;
      case Standing::kOne:
        if (!found.clients.front().provisional) {
          TakeRegistered(identifier, found.clients.front(), &choice);
        } else if (!choice.provisional) {
          choice.provisional = std::move(found.clients.front());
        }
        break;
      case Standing::kContradiction:
        contradictions.emplace_back(identifier, std::move(found.clients));
        break;
    }
  }
  for (const auto& [identifier, clients] : contradictions)
    TakeContradiction(identifier, clients, &choice);
  return choice;
}

void SetClient(const KnownClient& client, touchpoint::v1::Touchpoint* touchpoint) {
  touchpoint->set_client_id(client.client_id);
  touchpoint->mutable_former_client_ids()->Assign(client.former_client_ids.begin(),
                                                  client.former_client_ids.end());
}

}  // namespace

absl::StatusOr<touchpoint::v1::Touchpoint> ResolvedTouchpoint(ContactDraft draft,
                                                              absl::Time recorded_at,
                                                              ClientFinder* clients) {
  RAPPORT_RETURN_IF_ERROR(clients->Resolve(&draft));
  touchpoint::v1::Touchpoint& touchpoint = draft.touchpoint;
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(std::string(id.view()));
  ToProto(recorded_at, touchpoint.mutable_recorded_at());
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(touchpoint));
  return std::move(touchpoint);
}

absl::Status ContactResolver::Resolve(ContactDraft* draft) {
  touchpoint::v1::Touchpoint& touchpoint = draft->touchpoint;
  if (!touchpoint.client_id().empty()) {
    const KnownClient client = index_.Follow(touchpoint.client_id());
    SetClient(client, &touchpoint);
    draft->resolution = client.provisional ? Resolution::kProvisional : Resolution::kClient;
    return absl::OkStatus();
  }
  if (draft->identifiers.empty()) {
    draft->resolution = Resolution::kNobody;
    return absl::InvalidArgumentError(
        "nothing is known of whom it was with: no number, address or id");
  }
  std::optional<Identifier> unknown;
  Choice choice = Choose(index_, draft->identifiers, &unknown);
  if (choice.registered) {
    SetClient(*choice.registered, &touchpoint);
    draft->resolution =
        choice.other_client_id.empty() ? Resolution::kClient : Resolution::kContradiction;
    if (!choice.other_client_id.empty()) {
      NoteReview(*draft, std::move(choice.review), choice.other_client_id);
    }
    return absl::OkStatus();
  }
  draft->resolution = Resolution::kProvisional;
  if (!choice.provisional) {
    const Identifier& made_of = unknown ? *unknown : draft->identifiers.front();
    // It may have been merged, and have lost its identifier since.
    choice.provisional = index_.Follow(ProvisionalClientId(made_of));
    if (!choice.provisional->provisional) draft->resolution = Resolution::kClient;
  }
  SetClient(*choice.provisional, &touchpoint);
  return absl::OkStatus();
}

void ContactResolver::NoteReview(const ContactDraft& draft, std::vector<Identifier> identifiers,
                                 const std::string& other_client_id) {
  const touchpoint::v1::Touchpoint& touchpoint = draft.touchpoint;
  MutexLock lock(&mutex_);
  const auto key = std::minmax(touchpoint.client_id(), other_client_id);
  const auto place = reviews_.find(key);
  if (place != reviews_.end()) {
    ++place->second.contacts;
    return;
  }
  if (reviews_.size() >= kMostReviews) return;
  IdentityReview& review = reviews_[key];
  review = {.identifiers = std::move(identifiers),
            .client_id = touchpoint.client_id(),
            .other_client_id = other_client_id,
            .touchpoint = absl::StrCat(touchpoint.source(), " ", touchpoint.source_event_id()),
            .occurred_at = FromProto(touchpoint.occurred_at()),
            .contacts = 1};
  Log(LogLevel::kWarning, absl::StrCat("clients ", key.first, " and ", key.second,
                                       " may be one, or one of them has a wrong identifier: see "
                                       "GET /v1/identities/reviews"));
}

std::vector<IdentityReview> ContactResolver::Reviews(size_t limit) const {
  std::map<std::pair<std::string, std::string>, IdentityReview> all;
  {
    MutexLock lock(&mutex_);
    all = reviews_;
  }
  const auto contradictions = index_.Contradictions(limit);
  if (contradictions.ok()) {
    for (const Identifier& identifier : *contradictions) {
      const Identification found = index_.Find(identifier);
      if (found.standing != Standing::kContradiction) continue;
      IdentityReview review = {.identifiers = {identifier},
                               .client_id = found.clients[0].client_id,
                               .other_client_id = found.clients[1].client_id};
      all.try_emplace(std::minmax(review.client_id, review.other_client_id), std::move(review));
    }
  }
  std::vector<IdentityReview> reviews;
  for (auto& [clients, review] : all) {
    // Those that were merged meanwhile are settled.
    if (index_.Follow(review.client_id).client_id ==
        index_.Follow(review.other_client_id).client_id) {
      continue;
    }
    if (reviews.size() < limit) reviews.push_back(std::move(review));
  }
  return reviews;
}

}  // namespace rapport
