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

// A mail as touchpoints, still without client id.
struct MailContact {
  // EmailExchanged: source kMailSource, source event id "message/<message id>". nullopt when the
  // mail is no contact with a client.
  std::optional<touchpoint::v1::Touchpoint> exchanged;
  // EmailDelivered: source of the settings, source event id "delivery/<mailbox>/<message id>".
  // nullopt when `exchanged` is, or when there is no mailbox.
  std::optional<touchpoint::v1::Touchpoint> delivered;
  // The client's addresses in normal form, without ours, each once. The first is the client's own:
  // the touchpoint belongs to the client who has it. The others took part beside it.
  std::vector<std::string> client_addresses;
  // Why there is no touchpoint; empty when there is one.
  std::string skipped_because;
};

// One mail makes one EmailExchanged, of one client:
//   from us            OUTBOUND, the first of To, Cc and Bcc that is not ours
//   a bounce           INBOUND, whom the mail could not be delivered to, or else the sender
//   from anybody else  INBOUND, the sender
// The agent of an outbound mail is the sender; of an inbound one the first of To and Cc who is one
// of our people, or else whose mailbox it was found in. The mail's own date counts, unless it
// has none or one more than a day after it was received. Pure.
MailContact MakeMailContact(const ParsedMail& mail, const MailPlace& place,
                            const MailContactSettings& settings);

}  // namespace rapport
