#include "libs/sources/mail_intake.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// Of an address in normal form, what stands before a plus: a help desk's "reply+8f3a@" and a
// colleague's "ben+ticket-456@" reach the mailbox without it, in domains of ours for certain.
std::string WithoutTag(const std::string& e_mail) {
  const size_t at = e_mail.rfind('@');
  const size_t plus = e_mail.find('+');
  if (plus == std::string::npos || plus == 0 || plus > at) return e_mail;
  return absl::StrCat(e_mail.substr(0, plus), e_mail.substr(at));
}

std::string AgentOf(const std::string& e_mail, const AgentDirectory& agents) {
  const std::string agent = agents.OfEmail(e_mail);
  return agent.empty() ? agents.OfEmail(WithoutTag(e_mail)) : agent;
}

}  // namespace

MailIntake::MailIntake(std::string source, const IdentityRules* rules, const AgentDirectory* agents,
                       std::shared_ptr<MailThreads> threads)
    : threads_(std::move(threads)) {
  settings_.source = std::move(source);
  settings_.normalize = [rules](absl::string_view address) {
    return NormalizeEmail(address, rules->forms.e_mail).value_or("");
  };
  settings_.is_own = [rules, agents](absl::string_view address) {
    const absl::StatusOr<std::string> normal = NormalizeEmail(address, rules->forms.e_mail);
    return normal.ok() && (rules->own_domains.Has(*normal) || !AgentOf(*normal, *agents).empty());
  };
  settings_.agent_of = [rules, agents](absl::string_view address) {
    const absl::StatusOr<std::string> normal = NormalizeEmail(address, rules->forms.e_mail);
    return normal.ok() ? AgentOf(*normal, *agents) : std::string();
  };
}

void MailIntake::Offer(const ParsedMail& mail, const MailPlace& place, absl::string_view bytes,
                       std::vector<OfferedContact>* contacts) const {
  // Whatever is made of a mail, it came once.
  std::string record_id = absl::StrCat("message/", place.mailbox, "/", MailKey(mail));
  for (MailContact& contact : MakeMailContacts(mail, place, settings_)) {
    OfferContact(std::move(contact), mail, record_id, bytes, contacts);
    record_id.clear();
  }
}

void MailIntake::OfferContact(MailContact contact, const ParsedMail& mail,
                              const std::string& record_id, absl::string_view bytes,
                              std::vector<OfferedContact>* contacts) const {
  const auto offer = [&](size_t client, Touchpoint touchpoint) -> OfferedContact& {
    OfferedContact& offered = contacts->emplace_back();
    offered.source = settings_.source;
    // The others took part beside the client, and say nothing of who it is.
    offered.draft.identifiers.push_back({.kind = touchpoint::v1::IDENTIFIER_KIND_E_MAIL,
                                         .value = contact.client_addresses[client],
                                         .issuer = ""});
    offered.draft.touchpoint = std::move(touchpoint);
    return offered;
  };
  if (!contact.exchanged) {
    OfferedContact& skipped = contacts->emplace_back();
    skipped.source = settings_.source;
    skipped.record_id = record_id;
    skipped.skipped_because = contact.skipped_because;
    skipped.description = DescribeMail(mail);
    return;
  }
  const absl::Time at = FromProto(contact.exchanged->occurred_at());
  const auto put_into_thread = [&](Touchpoint* touchpoint) {
    auto& payload = *touchpoint->mutable_email_exchanged();
    payload.set_thread_id(threads_->ThreadOf(payload, at));
  };
  put_into_thread(&*contact.exchanged);
  OfferedContact& exchanged = offer(0, *std::move(contact.exchanged));
  exchanged.record_id = record_id;
  exchanged.content = std::string(bytes);
  for (size_t i = 0; i < contact.others.size(); ++i) {
    put_into_thread(&contact.others[i]);
    offer(i + 1, std::move(contact.others[i])).of_another_client = true;
  }
  // Counted with the mail.
  if (contact.delivered) offer(0, *std::move(contact.delivered));
}

}  // namespace rapport
