#include "tests/faults/mail_sender.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "tests/faults/people.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int64_t kFirstMail = 1772442030;  // 2026-03-02 09:00:30 UTC

// How it was found in a mailbox.
std::string DeliveryLine(const Touchpoint& mail, const std::string& id, const std::string& source,
                         const std::string& mailbox, const std::string& folder) {
  Touchpoint delivered;
  delivered.set_source(source);
  delivered.set_source_event_id(
      absl::StrCat("delivery/", mailbox, "/", id, "/", mail.occurred_at().seconds()));
  *delivered.mutable_occurred_at() = mail.occurred_at();
  delivered.mutable_email_delivered()->set_mailbox(mailbox);
  delivered.mutable_email_delivered()->set_folder(folder);
  return ContactLine(delivered);
}

}  // namespace

MailSender::MailSender(Ways ways, uint64_t seed, SentContacts* sent)
    : ways_(std::move(ways)), sent_(sent), random_(seed) {
  thread_ = std::thread([this] { Run(); });
}

void MailSender::Stop() {
  wait_.Stop();
  if (thread_.joinable()) thread_.join();
}

void MailSender::Run() {
  while (wait_.For(absl::Milliseconds(5 + random_.Below(80)))) Send();
}

void MailSender::Send() {
  const int64_t number = mails_++;
  const Person person(static_cast<int>(random_.Below(Person::kCount)));
  const absl::Time at = absl::FromUnixSeconds(kFirstMail + 60 * number);
  const std::string id = absl::StrCat("m", number, "@client.example");
  Touchpoint expected;
  expected.set_source("e-mail");
  expected.set_source_event_id(absl::StrCat("message/", id, "/", absl::ToUnixSeconds(at)));
  ToProto(at, expected.mutable_occurred_at());
  expected.set_agent_id("ben");
  touchpoint::v1::EmailExchanged& exchanged = *expected.mutable_email_exchanged();
  exchanged.set_subject(absl::StrCat("Offer ", number));
  exchanged.set_excerpt(absl::StrCat("Hello, this is mail ", number, "."));
  exchanged.set_client_e_mail(person.e_mail);
  const std::string mail = absl::StrCat(
      "From: ", person.e_mail, "\r\nTo: ben@firm.example\r\nSubject: ", exchanged.subject(),
      "\r\nMessage-ID: <", id,
      ">\r\nDate: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", at, absl::UTCTimeZone()),
      "\r\n\r\n", exchanged.excerpt(), "\r\n");

  const int64_t way = random_.Below(6);
  const bool inbox = ways_.inbox != nullptr && way < 4;
  const bool sales = ways_.sales != nullptr && (way == 3 || way == 4);
  const bool web_hook = (!inbox && !sales) || way == 2;
  sent_->Add(person.writer, ContactLine(expected));
  if (inbox) {
    sent_->Add(person.writer, DeliveryLine(expected, id, "info", "anna", "INBOX"));
    sent_->Count("info", 1);
    ways_.inbox(mail);
  }
  if (sales) {
    sent_->Add(person.writer, DeliveryLine(expected, id, "sales", "anna", "Sales"));
    sent_->Count("sales", 1);
    ways_.sales(mail);
  }
  if (web_hook) {
    sent_->Add(person.writer, DeliveryLine(expected, id, "mailgun", "ben@firm.example", ""));
    sent_->Count("mailgun", 1);
    ways_.web_hook(mail);
  }
}

}  // namespace rapport::testing
