#include "libs/sources/contact_resolver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

// Of one contact; a person has enough with these.
constexpr int kMostContradictions = 10;
// Clocks differ.
constexpr absl::Duration kMostAhead = absl::Minutes(5);

// What the identifiers of a contact lead to.
struct Choice {
  std::optional<KnownClient> registered;
  Identifier named_by;
  std::optional<KnownClient> provisional;
  // Other registered clients, and the identifiers that name them.
  std::vector<std::pair<std::string, Identifier>> others;
};

void TakeRegistered(const Identifier& identifier, const KnownClient& client, Choice* choice) {
  if (!choice->registered) {
    choice->registered = client;
    choice->named_by = identifier;
  } else if (choice->registered->client_id != client.client_id) {
    choice->others.emplace_back(client.client_id, identifier);
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
  const bool decides = !choice->registered;
  TakeRegistered(identifier, clients.front(), choice);
  if (!decides) return;
  for (size_t i = 1; i < clients.size(); ++i) {
    choice->others.emplace_back(clients[i].client_id, identifier);
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

void Fill(const Identifier& identifier, touchpoint::v1::ContactIdentifier* said) {
  said->set_kind(identifier.kind);
  said->set_value(identifier.value);
  said->set_issuer(identifier.issuer);
}

}  // namespace

void AddContradiction(const Identifier& named_by, const Identifier& names_other,
                      const std::string& other_client_id, touchpoint::v1::Touchpoint* touchpoint) {
  const auto& known = touchpoint->contradictions();
  const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& contradiction) {
    return contradiction.other_client_id() == other_client_id;
  });
  if (is_known || known.size() == kMostContradictions) return;
  touchpoint::v1::IdentityContradiction& contradiction = *touchpoint->add_contradictions();
  contradiction.set_other_client_id(other_client_id);
  Fill(named_by, contradiction.add_identifiers());
  if (names_other != named_by) Fill(names_other, contradiction.add_identifiers());
}

absl::Status CompleteTouchpoint(absl::Time recorded_at, ClientFinder* clients,
                                ContactDraft* draft) {
  RAPPORT_RETURN_IF_ERROR(clients->Resolve(draft));
  touchpoint::v1::Touchpoint& touchpoint = draft->touchpoint;
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  ToProto(recorded_at, touchpoint.mutable_recorded_at());
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(touchpoint));
  RAPPORT_RETURN_IF_ERROR(CheckClockWasSet(touchpoint));
  const absl::Time occurred_at = FromProto(touchpoint.occurred_at());
  if (occurred_at <= recorded_at + kMostAhead) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "occurred_at: ", absl::FormatTime(absl::RFC3339_sec, occurred_at, absl::UTCTimeZone()),
      " lies ahead of the clock here (is the time_zone of the source right?)"));
}

absl::StatusOr<touchpoint::v1::Touchpoint> ResolvedTouchpoint(ContactDraft draft,
                                                              absl::Time recorded_at,
                                                              ClientFinder* clients) {
  RAPPORT_RETURN_IF_ERROR(CompleteTouchpoint(recorded_at, clients, &draft));
  return std::move(draft.touchpoint);
}

absl::Status ContactResolver::Resolve(ContactDraft* draft) {
  touchpoint::v1::Touchpoint& touchpoint = draft->touchpoint;
  touchpoint.clear_contradictions();
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
    draft->resolution = choice.others.empty() ? Resolution::kClient : Resolution::kContradiction;
    for (const auto& [other, identifier] : choice.others) {
      AddContradiction(choice.named_by, identifier, other, &touchpoint);
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

}  // namespace rapport
