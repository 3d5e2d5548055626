#include "libs/sources/mail_intake.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace rapport {

MailIntake::MailIntake(std::string source, const IdentityRules* rules,
                       const AgentDirectory* agents) {
  settings_.source = std::move(source);
  settings_.normalize = [rules](absl::string_view address) {
    return NormalizeEmail(address, rules->forms.e_mail).value_or("");
  };
  settings_.is_own = [rules, agents](absl::string_view address) {
    const absl::StatusOr<std::string> normal = NormalizeEmail(address, rules->forms.e_mail);
    return normal.ok() && (rules->own_domains.Has(*normal) || !agents->OfEmail(*normal).empty());
  };
  settings_.agent_of = [rules, agents](absl::string_view address) {
    const absl::StatusOr<std::string> normal = NormalizeEmail(address, rules->forms.e_mail);
    return normal.ok() ? agents->OfEmail(*normal) : std::string();
  };
}

void MailIntake::Offer(const ParsedMail& mail, const MailPlace& place, absl::string_view bytes,
                       std::vector<OfferedContact>* contacts) const {
  MailContact contact = MakeMailContact(mail, place, settings_);
  std::vector<Identifier> identifiers;
  // The others took part beside the client, and say nothing of who it is.
  if (!contact.client_addresses.empty()) {
    identifiers.push_back({.kind = touchpoint::v1::IDENTIFIER_KIND_E_MAIL,
                           .value = contact.client_addresses.front(),
                           .issuer = ""});
  }
  OfferedContact& exchanged = contacts->emplace_back();
  exchanged.source = settings_.source;
  exchanged.record_id = absl::StrCat("message/", place.mailbox, "/", mail.message_id);
  exchanged.skipped_because = contact.skipped_because;
  exchanged.content = std::string(bytes);
  exchanged.draft.identifiers = identifiers;
  if (contact.exchanged) exchanged.draft.touchpoint = *std::move(contact.exchanged);
  if (!contact.delivered) return;
  // Counted with the mail.
  OfferedContact& delivered = contacts->emplace_back();
  delivered.source = settings_.source;
  delivered.draft.identifiers = std::move(identifiers);
  delivered.draft.touchpoint = *std::move(contact.delivered);
}

}  // namespace rapport
