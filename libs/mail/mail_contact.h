#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/mail/mail.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// What EmailExchanged has as Touchpoint.source, whichever source it came from, so that one mail in
// two mailboxes is one touchpoint.
inline constexpr absl::string_view kMailSource = "e-mail";

// What it takes to tell clients from us.
struct MailContactSettings {
  // Name of the configured source.
  std::string source;
  // Whether an address (as written) is of a domain or a mailbox of ours.
  std::function<bool(absl::string_view address)> is_own;
  // The person of ours who has the address; empty when it is nobody's, or several people's.
  std::function<std::string(absl::string_view address)> agent_of;
  // An address in normal form; empty: it is none. When not set: the whole address in lower case.
  std::function<std::string(absl::string_view address)> normalize;
};

// Where and when a mail was found.
struct MailPlace {
  std::string mailbox;  // address or name; empty: in no mailbox, such as in an imported file
  std::string folder;   // empty: the source has none
  absl::Time received_at;
};

// A mail as touchpoints, still without client ids.
struct MailContact {
  // EmailExchanged of the client it belongs to first: source kMailSource, source event id
  // "message/" and MailKey. nullopt when the mail is no contact with a client.
  std::optional<touchpoint::v1::Touchpoint> exchanged;
  // EmailExchanged of each other client whom it names, by the address in client_e_mail: the same,
  // but for "/with/" and 16 hexadecimal digits of a hash of the address behind the source event id,
  // and `copied` where another client wrote the mail.
  std::vector<touchpoint::v1::Touchpoint> others;
  // EmailDelivered of the first client: source of the settings, source event id
  // "delivery/<mailbox>/" and MailKey. nullopt when `exchanged` is, or when there is no mailbox.
  std::optional<touchpoint::v1::Touchpoint> delivered;
  // The clients' addresses in normal form, without ours, each once: of `exchanged`, then of
  // `others`.
  std::vector<std::string> client_addresses;
  // Why there is no touchpoint, in words that do not depend on the mail, so that they can be
  // counted; empty when there is one.
  std::string skipped_because;
};

// What tells a mail from others, and is the same for each copy of it: its id, and when its header
// says it was written, since some programs use an id again.
std::string MailKey(const ParsedMail& mail);

// What it was, for people: who sent it, and its subject.
std::string DescribeMail(const ParsedMail& mail);

// The person who wrote a mail is the client, whoever passed it on:
//   X-Original-From, of a group           INBOUND of who stands there
//   from us to ourselves, Reply-To another  INBOUND of Reply-To (a form on our pages)
//   from us to ourselves, forwarding      INBOUND of who wrote what the text forwards
//   from a machine (no-reply), with Reply-To  INBOUND of Reply-To
//   from us otherwise                     OUTBOUND, of all of To, Cc and Bcc who are not ours
//   a report of a mail server             INBOUND, of all whom it is about, and of nobody else
//   from anybody else                     INBOUND, of From; others of To and Cc are `copied`
// The agent of an outbound mail is the sender; of an inbound one the first of To and Cc who is one
// of our people, or else who forwarded it, or whose mailbox it was found in. The mail's own date
// counts, unless it has none or one more than a day after it was received. Pure.
//
// One of our people who forwards mails as attachments makes a contact of each, as if it had come
// itself; else there is exactly one.
std::vector<MailContact> MakeMailContacts(const ParsedMail& mail, const MailPlace& place,
                                          const MailContactSettings& settings);

}  // namespace rapport
