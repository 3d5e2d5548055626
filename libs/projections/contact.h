#pragma once

#include "rapport/touchpoint/v1/contact.pb.h"

namespace rapport {

// Whether a mail is a contact between people: not when a machine answered, a mail came back, it
// went to many at once, or the client only got a copy of another's.
inline bool IsContact(const touchpoint::v1::EmailExchanged& mail) {
  return !mail.auto_reply() && !mail.bounce() && !mail.mailing_list() && !mail.bulk() &&
         !mail.copied();
}

// Whether a call came through. One that nobody took is an attempt: it tells of no talk.
inline bool IsContact(const touchpoint::v1::CallCompleted& call) {
  return call.outcome() == touchpoint::v1::CALL_OUTCOME_ANSWERED ||
         call.outcome() == touchpoint::v1::CALL_OUTCOME_UNSPECIFIED;
}

// Whether both sides wrote in a chat, or a machine did for us.
inline bool IsContact(const touchpoint::v1::ChatExchanged& chat) {
  return chat.client_message_count() > 0 &&
         (chat.agent_message_count() > 0 || chat.automated() || chat.has_first_answer_seconds());
}

// Whether the client reached in the portal what it wanted.
inline bool IsContact(const touchpoint::v1::PortalUsed& used) {
  return used.outcome() == touchpoint::v1::PORTAL_OUTCOME_DONE ||
         used.outcome() == touchpoint::v1::PORTAL_OUTCOME_UNSPECIFIED;
}

}  // namespace rapport
