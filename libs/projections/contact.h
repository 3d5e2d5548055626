#pragma once

#include "rapport/touchpoint/v1/contact.pb.h"

namespace rapport {

// Whether a mail is a contact between people: not when a machine answered, a mail came back, it
// went to many at once, or the client only got a copy of another's.
inline bool IsContact(const touchpoint::v1::EmailExchanged& mail) {
  return !mail.auto_reply() && !mail.bounce() && !mail.mailing_list() && !mail.bulk() &&
         !mail.copied();
}

}  // namespace rapport
