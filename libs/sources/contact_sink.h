#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "libs/sources/contact_resolver.h"

namespace rapport {

// A contact that a source told of, on its way to the touchpoints log.
struct OfferedContact {
  // Name of the source, for the ledger.
  std::string source;
  // As in SourceRecord; empty: the source's records are in the sources log already (calls).
  std::string record_id;
  ContactDraft draft;
  // Why it is to be counted and not written, such as a mail among ourselves; empty: it is written.
  std::string skipped_because;
  // What it was, for people who ask why it was skipped.
  std::string description;
  // The same contact as the one before, of another client whom it names; not written when both turn
  // out to be one client's.
  bool of_another_client = false;
  // What it was made of, for the rejected log; empty: the touchpoint itself tells.
  std::string content;
};

// What the rejected log keeps of a contact.
inline std::string RejectedContentOf(const OfferedContact& contact) {
  return contact.content.empty() ? contact.draft.touchpoint.ShortDebugString() : contact.content;
}

// Contacts that could not be used, by their places among those offered.
using RefusedContacts = std::set<size_t>;

// Makes contacts the touchpoints of their clients. Thread-safe.
class ContactSink {
 public:
  virtual ~ContactSink() = default;
  // All of it is on disk when this returns ok, what cannot be used in the rejected log.
  // Unavailable: the log is away or full, and part of it may have been written; offering it again
  // is safe, since ids come from the source.
  virtual absl::Status Write(absl::Span<const OfferedContact> contacts,
                             RefusedContacts* refused) = 0;
};

}  // namespace rapport
