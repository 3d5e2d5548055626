#include "libs/mail/mail_contact.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// Of ids in source_event_id; see libs/touchpoint/field_rules.h.
constexpr size_t kMaxMailboxBytes = 80;
constexpr absl::Duration kMostAhead = absl::Hours(24);
// Clocks that were never set begin in 1970 or 1980.
const absl::Time kEarliest = absl::FromCivil(absl::CivilDay(1981, 1, 1), absl::UTCTimeZone());

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

bool AnyOutside(const std::vector<MailAddress>& addresses, const MailContactSettings& settings) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const MailAddress& entry) { return !settings.is_own(entry.address); });
}

// Addresses that nobody reads, and that forms and systems write from.
bool IsMachine(absl::string_view address) {
  const std::string lower = absl::AsciiStrToLower(address.substr(0, address.rfind('@')));
  const auto is_part_of = [&lower](absl::string_view word) {
    return absl::StrContains(lower, word);
  };
  static constexpr absl::string_view kParts[] = {
      "noreply",      "no-reply",     "no_reply",        "no.reply",      "donotreply",
      "do-not-reply", "do_not_reply", "nicht-antworten", "keine-antwort", "notification",
      "notify",       "webform",      "web-form",        "formular",      "wordpress"};
  static constexpr absl::string_view kWhole[] = {"form",   "forms",    "mailer", "robot", "bot",
                                                 "system", "www-data", "apache", "nobody"};
  return std::any_of(std::begin(kParts), std::end(kParts), is_part_of) ||
         std::find(std::begin(kWhole), std::end(kWhole), lower) != std::end(kWhole);
}

std::vector<MailAddress> AsAddresses(const std::vector<std::string>& texts) {
  std::vector<MailAddress> addresses;
  for (const std::string& text : texts) addresses.push_back({"", text});
  return addresses;
}

// Between whom a mail is.
struct Parties {
  bool from_us = false;
  // In normal form, each once; all but the first `first_copied` took part as readers only.
  std::vector<std::string> clients;
  size_t first_copied = 0;
  // When the client wrote what one of us forwards.
  std::optional<absl::Time> written_at;
  std::string skipped_because;  // empty when there are clients
};

// `authors`, and whoever else got the mail.
Parties Inbound(const std::vector<MailAddress>& authors, const ParsedMail& mail,
                const MailContactSettings& settings) {
  Parties parties;
  AddClients(authors, settings, &parties.clients);
  parties.first_copied = parties.clients.size();
  if (parties.clients.empty()) return parties;
  AddClients(mail.to, settings, &parties.clients);
  AddClients(mail.cc, settings, &parties.clients);
  AddClients(mail.bcc, settings, &parties.clients);
  return parties;
}

Parties OfReport(const ParsedMail& mail, const MailContactSettings& settings) {
  Parties parties;
  AddClients(AsAddresses(mail.failed_recipients), settings, &parties.clients);
  AddClients(AsAddresses(mail.reported_recipients), settings, &parties.clients);
  parties.first_copied = parties.clients.size();
  if (parties.clients.empty()) {
    parties.skipped_because = mail.failed_recipients.empty() && mail.reported_recipients.empty()
                                  ? "a mail server wrote it, and tells of no recipient"
                                  : "a mail server reports on a mail among ourselves";
  }
  return parties;
}

Parties AmongOurselves(const ParsedMail& mail, const MailContactSettings& settings) {
  Parties parties = Inbound(mail.reply_to, mail, settings);
  if (!parties.clients.empty()) return parties;
  if (mail.forwarded.has_value()) {
    parties = Inbound({mail.forwarded->from}, mail, settings);
    parties.written_at = mail.forwarded->date;
    if (!parties.clients.empty()) return parties;
  }
  parties.skipped_because = mail.forwarded.has_value() ? "we forwarded a mail of ours to ourselves"
                                                       : "it stayed among ourselves";
  return parties;
}

Parties PartiesOf(const ParsedMail& mail, const MailContactSettings& settings) {
  if (mail.bounce || mail.from_mail_server || !mail.reported_recipients.empty()) {
    return OfReport(mail, settings);
  }
  Parties parties;
  if (mail.from.empty()) {
    parties.skipped_because = "it does not tell who sent it";
    return parties;
  }
  if (AnyOutside(mail.original_from, settings)) return Inbound(mail.original_from, mail, settings);
  if (settings.is_own(mail.from.front().address)) {
    if (!AnyOutside(mail.to, settings) && !AnyOutside(mail.cc, settings) &&
        !AnyOutside(mail.bcc, settings)) {
      return AmongOurselves(mail, settings);
    }
    parties.from_us = true;
    AddClients(mail.to, settings, &parties.clients);
    AddClients(mail.cc, settings, &parties.clients);
    AddClients(mail.bcc, settings, &parties.clients);
    parties.first_copied = parties.clients.size();
  } else if (IsMachine(mail.from.front().address) && !mail.bulk && !mail.mailing_list &&
             AnyOutside(mail.reply_to, settings) && !IsMachine(mail.reply_to.front().address)) {
    parties = Inbound(mail.reply_to, mail, settings);
  } else {
    parties = Inbound(mail.from, mail, settings);
  }
  if (parties.clients.empty()) parties.skipped_because = "no address in it can be a client's";
  return parties;
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
  // Who forwards a client's mail has it.
  if (agent.empty()) agent = AgentOf(mail.from, settings);
  if (agent.empty() && !place.mailbox.empty()) agent = settings.agent_of(place.mailbox);
  return agent;
}

absl::Time OccurredAt(const std::optional<absl::Time>& date, const MailPlace& place) {
  if (!date.has_value() || *date > place.received_at + kMostAhead || *date < kEarliest) {
    return place.received_at;
  }
  return *date;
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
  SetId(settings.source, absl::StrCat("delivery/", MailboxId(place.mailbox), "/", MailKey(mail)),
        &delivered);
  auto& payload = *delivered.mutable_email_delivered();
  payload.set_message_id(mail.message_id);
  payload.set_mailbox(place.mailbox);
  payload.set_folder(place.folder);
  return delivered;
}

MailContact MakeMailContact(const ParsedMail& mail, const MailPlace& place,
                            const MailContactSettings& settings) {
  MailContact contact;
  Parties parties = PartiesOf(mail, settings);
  contact.skipped_because = std::move(parties.skipped_because);
  contact.client_addresses = std::move(parties.clients);
  if (contact.client_addresses.empty()) return contact;
  Touchpoint touchpoint;
  const std::optional<absl::Time>& date =
      parties.written_at.has_value() ? parties.written_at : mail.date;
  ToProto(OccurredAt(date, place), touchpoint.mutable_occurred_at());
  ToProto(place.received_at, touchpoint.mutable_recorded_at());
  touchpoint.set_channel(touchpoint::v1::CHANNEL_E_MAIL);
  touchpoint.set_direction(parties.from_us ? touchpoint::v1::DIRECTION_OUTBOUND
                                           : touchpoint::v1::DIRECTION_INBOUND);
  const std::string id = absl::StrCat("message/", MailKey(mail));
  SetId(std::string(kMailSource), id, &touchpoint);
  touchpoint.set_agent_id(Agent(mail, place, settings, parties.from_us));
  FillPayload(mail, contact.client_addresses.front(), touchpoint.mutable_email_exchanged());
  for (size_t i = 1; i < contact.client_addresses.size(); ++i) {
    const std::string& address = contact.client_addresses[i];
    Touchpoint& other = contact.others.emplace_back(touchpoint);
    SetId(std::string(kMailSource),
          absl::StrCat(id, "/with/", absl::BytesToHexString(Sha256(address).substr(0, 8))), &other);
    other.mutable_email_exchanged()->set_client_e_mail(address);
    other.mutable_email_exchanged()->set_copied(i >= parties.first_copied);
  }
  if (!place.mailbox.empty()) contact.delivered = Delivered(touchpoint, mail, place, settings);
  contact.exchanged = std::move(touchpoint);
  return contact;
}

}  // namespace

std::string MailKey(const ParsedMail& mail) {
  // An id of ours is made of the date, too.
  if (!mail.written_at.has_value() || absl::StartsWith(mail.message_id, "made-")) {
    return mail.message_id;
  }
  return absl::StrCat(mail.message_id, "/", absl::ToUnixSeconds(*mail.written_at));
}

std::string DescribeMail(const ParsedMail& mail) {
  return absl::StrCat(mail.from.empty() ? "nobody" : mail.from.front().address, ": ",
                      mail.subject.empty() ? "(no subject)" : mail.subject);
}

std::vector<MailContact> MakeMailContacts(const ParsedMail& mail, const MailPlace& place,
                                          const MailContactSettings& settings) {
  std::vector<MailContact> contacts;
  contacts.push_back(MakeMailContact(mail, place, settings));
  const std::optional<Touchpoint>& whole = contacts.front().exchanged;
  if (mail.attached.empty() || mail.from.empty() || !settings.is_own(mail.from.front().address) ||
      (whole.has_value() && whole->direction() == touchpoint::v1::DIRECTION_OUTBOUND)) {
    return contacts;
  }
  std::vector<MailContact> attached;
  for (const std::string& bytes : mail.attached) {
    const absl::StatusOr<ParsedMail> inner = ParseMail(bytes, {.attached = false});
    if (!inner.ok()) continue;
    MailContact contact = MakeMailContact(*inner, place, settings);
    if (contact.exchanged.has_value()) attached.push_back(std::move(contact));
  }
  return attached.empty() ? contacts : attached;
}

}  // namespace rapport
