#include "libs/mail/mail_contact.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// Of ids in source_event_id; see libs/touchpoint/field_rules.h.
constexpr size_t kMaxMailboxBytes = 80;
constexpr absl::Duration kMostAhead = absl::Hours(24);
const absl::Time kEarliest = absl::UnixEpoch();

std::string NormalForm(absl::string_view address, const MailContactSettings& settings) {
  return settings.normalize ? settings.normalize(address) : absl::AsciiStrToLower(address);
}

// Those of `addresses` that are not ours, in normal form, behind what `clients` holds.
void AddClients(const std::vector<MailAddress>& addresses, const MailContactSettings& settings,
                std::vector<std::string>* clients) {
  for (const MailAddress& entry : addresses) {
    if (settings.is_own(entry.address)) continue;
    std::string address = NormalForm(entry.address, settings);
    if (address.empty() || std::find(clients->begin(), clients->end(), address) != clients->end()) {
      continue;
    }
    clients->push_back(std::move(address));
  }
}

bool IsFromUs(const ParsedMail& mail, const MailContactSettings& settings) {
  return !mail.from.empty() && settings.is_own(mail.from.front().address);
}

std::vector<std::string> ClientAddresses(const ParsedMail& mail,
                                         const MailContactSettings& settings, bool from_us) {
  std::vector<std::string> clients;
  if (mail.bounce) {
    std::vector<MailAddress> failed;
    for (const std::string& address : mail.failed_recipients) failed.push_back({"", address});
    AddClients(failed, settings, &clients);
    // A mailer daemon takes part in nothing.
    if (!clients.empty()) return clients;
  }
  if (!from_us) AddClients(mail.from, settings, &clients);
  AddClients(mail.to, settings, &clients);
  AddClients(mail.cc, settings, &clients);
  AddClients(mail.bcc, settings, &clients);
  return clients;
}

std::string AgentOf(const std::vector<MailAddress>& addresses,
                    const MailContactSettings& settings) {
  for (const MailAddress& entry : addresses) {
    if (!settings.is_own(entry.address)) continue;
    if (std::string agent = settings.agent_of(entry.address); !agent.empty()) return agent;
  }
  return "";
}

std::string Agent(const ParsedMail& mail, const MailPlace& place,
                  const MailContactSettings& settings, bool from_us) {
  if (from_us) return AgentOf(mail.from, settings);
  std::string agent = AgentOf(mail.to, settings);
  if (agent.empty()) agent = AgentOf(mail.cc, settings);
  if (agent.empty() && !place.mailbox.empty()) agent = settings.agent_of(place.mailbox);
  return agent;
}

absl::Time OccurredAt(const ParsedMail& mail, const MailPlace& place) {
  if (!mail.date.has_value() || *mail.date > place.received_at + kMostAhead ||
      *mail.date < kEarliest) {
    return place.received_at;
  }
  return *mail.date;
}

void FillPayload(const ParsedMail& mail, const std::string& client,
                 touchpoint::v1::EmailExchanged* exchanged) {
  exchanged->set_message_id(mail.message_id);
  exchanged->set_in_reply_to(mail.in_reply_to);
  for (const std::string& reference : mail.references) exchanged->add_references(reference);
  exchanged->set_thread_id(mail.thread_id);
  exchanged->set_subject(mail.subject);
  exchanged->set_body_bytes(mail.body_bytes);
  exchanged->set_attachment_count(mail.attachment_count);
  exchanged->set_attachment_bytes(mail.attachment_bytes);
  exchanged->set_language(mail.language);
  exchanged->set_auto_reply(mail.auto_reply);
  exchanged->set_bounce(mail.bounce);
  exchanged->set_excerpt(mail.excerpt);
  exchanged->set_client_e_mail(client);
  exchanged->set_mailing_list(mail.mailing_list);
  exchanged->set_bulk(mail.bulk);
}

void SetId(std::string source, std::string source_event_id, Touchpoint* touchpoint) {
  touchpoint->set_event_id(std::string(MakeEventId(source, source_event_id).view()));
  touchpoint->set_source(std::move(source));
  touchpoint->set_source_event_id(std::move(source_event_id));
}

// The mailbox as part of an id.
std::string MailboxId(const std::string& mailbox) {
  if (mailbox.size() <= kMaxMailboxBytes) return mailbox;
  return absl::BytesToHexString(Sha256(mailbox).substr(0, 16));
}

Touchpoint Delivered(const Touchpoint& exchanged, const ParsedMail& mail, const MailPlace& place,
                     const MailContactSettings& settings) {
  Touchpoint delivered;
  *delivered.mutable_occurred_at() = exchanged.occurred_at();
  *delivered.mutable_recorded_at() = exchanged.recorded_at();
  delivered.set_channel(exchanged.channel());
  delivered.set_direction(exchanged.direction());
  SetId(settings.source, absl::StrCat("delivery/", MailboxId(place.mailbox), "/", mail.message_id),
        &delivered);
  auto& payload = *delivered.mutable_email_delivered();
  payload.set_message_id(mail.message_id);
  payload.set_mailbox(place.mailbox);
  payload.set_folder(place.folder);
  return delivered;
}

}  // namespace

MailContact MakeMailContact(const ParsedMail& mail, const MailPlace& place,
                            const MailContactSettings& settings) {
  MailContact contact;
  if (mail.from.empty() && !mail.bounce) {
    contact.skipped_because = "it does not tell who sent it";
    return contact;
  }
  const bool from_us = IsFromUs(mail, settings) && !mail.bounce;
  contact.client_addresses = ClientAddresses(mail, settings, from_us);
  if (contact.client_addresses.empty()) {
    contact.skipped_because =
        from_us ? "it stayed among ourselves" : "it names nobody but ourselves";
    return contact;
  }
  Touchpoint touchpoint;
  ToProto(OccurredAt(mail, place), touchpoint.mutable_occurred_at());
  ToProto(place.received_at, touchpoint.mutable_recorded_at());
  touchpoint.set_channel(touchpoint::v1::CHANNEL_E_MAIL);
  touchpoint.set_direction(from_us ? touchpoint::v1::DIRECTION_OUTBOUND
                                   : touchpoint::v1::DIRECTION_INBOUND);
  SetId(std::string(kMailSource), absl::StrCat("message/", mail.message_id), &touchpoint);
  touchpoint.set_agent_id(Agent(mail, place, settings, from_us));
  FillPayload(mail, contact.client_addresses.front(), touchpoint.mutable_email_exchanged());
  if (!place.mailbox.empty()) contact.delivered = Delivered(touchpoint, mail, place, settings);
  contact.exchanged = std::move(touchpoint);
  return contact;
}

}  // namespace rapport
