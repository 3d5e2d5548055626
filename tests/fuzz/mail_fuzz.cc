// Mails: whatever the bytes are, what comes out fits into a touchpoint.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "libs/base/check.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_contact.h"
#include "libs/touchpoint/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto mail = rapport::ParseMail(input);
  if (!mail.ok()) {
    RAPPORT_CHECK(absl::IsInvalidArgument(mail.status()), mail.status().ToString());
    return 0;
  }
  RAPPORT_CHECK(mail->excerpt.size() <= rapport::MailSettings().excerpt_bytes);
  const rapport::MailContactSettings settings{
      .source = "office",
      .is_own = [](absl::string_view address) { return absl::EndsWith(address, "@ours.example"); },
      .agent_of = [](absl::string_view) { return std::string("anna"); }};
  std::vector<rapport::MailContact> contacts = rapport::MakeMailContacts(
      *mail, {"anna@ours.example", "INBOX", absl::FromUnixSeconds(1'785'750'000)}, settings);
  RAPPORT_CHECK(!contacts.empty(), "a mail is a contact, or was skipped");
  for (rapport::MailContact& contact : contacts) {
    RAPPORT_CHECK(contact.exchanged.has_value() == contact.skipped_because.empty());
    std::vector<rapport::touchpoint::v1::Touchpoint> made = std::move(contact.others);
    if (contact.exchanged.has_value()) made.push_back(*std::move(contact.exchanged));
    if (contact.delivered.has_value()) made.push_back(*std::move(contact.delivered));
    for (rapport::touchpoint::v1::Touchpoint& touchpoint : made) {
      touchpoint.set_client_id("c");
      rapport::touchpoint::v1::Touchpoint read;
      const absl::Status status = rapport::ParseTouchpoint(touchpoint.SerializeAsString(), &read);
      RAPPORT_CHECK(status.ok(), status.ToString());
      RAPPORT_CHECK(rapport::ValidateTouchpoint(read).ok(),
                    rapport::ValidateTouchpoint(read).ToString());
    }
  }
  return 0;
}
