#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_contact.h"
#include "libs/mail/mail_threads.h"
#include "libs/sources/contact_sink.h"

namespace rapport {

// Mails of one source as contacts. Thread-safe.
class MailIntake {
 public:
  // `rules` and `agents` outlive it. Sources that may tell of the same mails share `threads`.
  MailIntake(std::string source, const IdentityRules* rules, const AgentDirectory* agents,
             std::shared_ptr<MailThreads> threads);

  // Appends what is to be written, and counted, for a mail that was found at `place`. `bytes` is
  // what it was made of, for the rejected log.
  void Offer(const ParsedMail& mail, const MailPlace& place, absl::string_view bytes,
             std::vector<OfferedContact>* contacts) const;
  const std::string& source() const { return settings_.source; }

 private:
  void OfferContact(MailContact contact, const ParsedMail& mail, const std::string& record_id,
                    absl::string_view bytes, std::vector<OfferedContact>* contacts) const;

  MailContactSettings settings_;
  const std::shared_ptr<MailThreads> threads_;
};

}  // namespace rapport
