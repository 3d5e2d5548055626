#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/organisation/organisation.h"
#include "rapport/state/v1/mail.pb.h"

namespace rapport {

// Who is told by mail of what concerns an owner's clients. Pure.
struct MailRecipient {
  std::string person_id;  // "": nobody can be reached
  state::v1::MailRecipientReason reason = state::v1::MAIL_RECIPIENT_REASON_UNSPECIFIED;
  // Why it is not the owner, in a sentence; "" when it is, or somebody stands in.
  std::string why;
};

// The owner; whoever stands in while the owner is away; else, where the owner has no address, has
// left, is not in the staff list or is away with nobody to stand in, the lead of the nearest unit
// above who can be reached.
MailRecipient RecipientFor(const Organisation& firm, const std::string& owner_id, absl::Time now);

// The lead of the owner's unit, or of the nearest above who can be reached and is somebody else;
// "": there is none. Of an owner who has left, of the unit they were in.
std::string LeadFor(const Organisation& firm, const std::string& owner_id, absl::Time now);

// Whether a person works here now and has an address.
bool CanBeReached(const Organisation& firm, absl::string_view person_id, absl::Time now);
// Whether a person is absent at a moment.
bool IsAway(const StaffPerson& person, absl::Time at);

}  // namespace rapport
