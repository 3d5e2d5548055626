#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
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
  // All but event_id, recorded_at, client_id and former_client_ids. A client_id that is set, since
  // the source knows its client, is kept unless that client was absorbed.
  touchpoint::v1::Touchpoint touchpoint;
  // Of the client's side, in their normal forms, the strongest first.
  std::vector<Identifier> identifiers;
  // Filled by ContactResolver::Resolve.
  Resolution resolution = Resolution::kNobody;
};

// Two clients of whom one contact, or one identifier, speaks.
struct IdentityReview {
  std::vector<Identifier> identifiers;  // those that name the clients, in their order
  std::string client_id;                // who got the contact
  std::string other_client_id;
  std::string touchpoint;  // the first contact: "source source_event_id"; empty: none yet
  absl::Time occurred_at = absl::InfinitePast();  // of that contact, or of the later claim
  int64_t contacts = 0;                           // how many were met by this process
};

// Finds the clients of contacts.
class ClientFinder {
 public:
  virtual ~ClientFinder() = default;
  // Sets client_id, former_client_ids (when the client is reached through one that it absorbed) and
  // `resolution`. InvalidArgument: nothing is known of whom the contact was with (kNobody).
  virtual absl::Status Resolve(ContactDraft* draft) = 0;
};

// The whole touchpoint of a contact. InvalidArgument: it has no client, or is not valid.
absl::StatusOr<touchpoint::v1::Touchpoint> ResolvedTouchpoint(ContactDraft draft,
                                                              absl::Time recorded_at,
                                                              ClientFinder* clients);

// Finds them in the index. Thread-safe.
class ContactResolver final : public ClientFinder {
 public:
  // `index` outlives it and is loaded.
  explicit ContactResolver(const IdentifierIndex* index) : index_(*index) {}

  // The first identifier that names a registered client decides; when another names another one,
  // the two go on the review list. Unknown identifiers, and those that too many clients have, lead
  // to the provisional client of the first of them.
  absl::Status Resolve(ContactDraft* draft) override;

  // Clients of whom one contact spoke, as met by this process, and those who have an identifier in
  // common, as the log tells; each pair once, by client ids, at most `limit`.
  std::vector<IdentityReview> Reviews(size_t limit) const;

 private:
  void NoteReview(const ContactDraft& draft, std::vector<Identifier> identifiers,
                  const std::string& other_client_id);

  const IdentifierIndex& index_;
  mutable Mutex mutex_;
  // By the two clients, the smaller id first.
  std::map<std::pair<std::string, std::string>, IdentityReview> reviews_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
