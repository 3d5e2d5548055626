#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/identity/identifier.h"
#include "libs/sources/identifier_index.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Whose a contact is.
enum class Resolution {
  kClient,         // of a client that somebody has registered
  kProvisional,    // of one that stands for an identifier
  kNobody,         // nothing is known of the other side, such as a withheld number
  kContradiction,  // of one client by what is strongest, and of another by something else
};

// A contact whose client is to be found.
struct ContactDraft {
  // All but event_id, recorded_at, client_id, former_client_ids and contradictions. A client_id
  // that is set, since the source knows its client, is kept unless that client was absorbed.
  touchpoint::v1::Touchpoint touchpoint;
  // Of the client's side, in their normal forms, the strongest first.
  std::vector<Identifier> identifiers;
  // Filled by ContactResolver::Resolve.
  Resolution resolution = Resolution::kNobody;
};

// Finds the clients of contacts.
class ClientFinder {
 public:
  virtual ~ClientFinder() = default;
  // Sets client_id, former_client_ids (when the client is reached through one that it absorbed),
  // contradictions and `resolution`. InvalidArgument: nothing is known of whom the contact was with
  // (kNobody).
  virtual absl::Status Resolve(ContactDraft* draft) = 0;
};

// Adds to a contact that `names_other`, which may be the same as `named_by`, names another client
// than the one by whom it was given to its client. Each client once, and not more than ten.
void AddContradiction(const Identifier& named_by, const Identifier& names_other,
                      const std::string& other_client_id, touchpoint::v1::Touchpoint* touchpoint);

// Makes the touchpoint of a contact whole. InvalidArgument: it has no client, is not valid, or
// lies more than five minutes after `recorded_at`.
absl::Status CompleteTouchpoint(absl::Time recorded_at, ClientFinder* clients, ContactDraft* draft);
// The same, of a copy.
absl::StatusOr<touchpoint::v1::Touchpoint> ResolvedTouchpoint(ContactDraft draft,
                                                              absl::Time recorded_at,
                                                              ClientFinder* clients);

// Finds them in the index. Thread-safe.
class ContactResolver final : public ClientFinder {
 public:
  // `index` outlives it and is loaded.
  explicit ContactResolver(const IdentifierIndex* index) : index_(*index) {}

  // The first identifier that names a registered client decides; those others that another one
  // names stand in the contact as contradictions (identity_reviews.h). Unknown identifiers, and
  // those that too many clients have, lead to the provisional client of the first of them.
  absl::Status Resolve(ContactDraft* draft) override;

 private:
  const IdentifierIndex& index_;
};

}  // namespace rapport
