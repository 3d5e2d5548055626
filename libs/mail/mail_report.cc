#include "libs/mail/mail_report.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rapport::mail_internal {
namespace {

constexpr size_t kMaxRecipients = 100;
// Of a text so much tells what it is about.
constexpr size_t kHeadBytes = 4000;

using Phrases = std::initializer_list<absl::string_view>;

bool HasAny(absl::string_view text, Phrases phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [text](absl::string_view phrase) { return absl::StrContains(text, phrase); });
}

bool BeginsWithAny(absl::string_view text, Phrases phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [text](absl::string_view phrase) { return absl::StartsWith(text, phrase); });
}

// Somebody answers or passes on what he got.
bool IsAnswerOrForward(absl::string_view lower_subject) {
  return BeginsWithAny(lower_subject, {"re:", "aw:", "fwd:", "fw:", "wg:", "tr:", "sv:", "vs:",
                                       "rv:", "r:", "i:", "antw:", "odp:", "pd:", "doorst:"});
}

// The subject of a report of a failure, in lower case.
bool TellsFailure(absl::string_view subject) {
  return HasAny(subject, {"undeliver",
                          "undelivrable",
                          "delivery fail",
                          "delivery has failed",
                          "failed delivery",
                          "failure notice",
                          "failure delivery",
                          "delivery status notification",
                          "delivery status",
                          "delivery notification",
                          "delivery report",
                          "delivery error",
                          "delivery problem",
                          "mail status report",
                          "returned mail",
                          "return mail",
                          "returned to sender",
                          "returning message to sender",
                          "return to sender",
                          "returned message",
                          "mail delivery",
                          "message delivery",
                          "mail system error",
                          "mail error",
                          "error sending your mail",
                          "could not be delivered",
                          "couldn't be delivered",
                          "cannot be delivered",
                          "can't be delivered",
                          "not be sent",
                          "not delivered",
                          "non-delivery",
                          "nondelivery",
                          "non delivery",
                          "unable to deliver",
                          "unknown user",
                          "user unknown",
                          "unknown recipient",
                          "blocked by our",
                          "message blocked",
                          "message rejected",
                          "mail rejected",
                          "rejected mail",
                          "[bounce]",
                          "unzustellbar",
                          "unzustellbarkeit",
                          "nicht zugestellt",
                          "zustellung fehlgeschlagen",
                          "fehlgeschlagene zustellung",
                          "rückläufer",
                          "non remis",
                          "non distribu",
                          "chec de la remise",
                          "chec de remise",
                          "chec de livraison",
                          "non recapitabile",
                          "impossibile recapitare",
                          "mancato recapito",
                          "mancata consegna",
                          "no se puede entregar",
                          "no entregado",
                          "error de entrega",
                          "não é possível entregar",
                          "não entregue",
                          "falha na entrega",
                          "onbestelbaar",
                          "niet bezorgd",
                          "kan niet worden bezorgd",
                          "niedostarczon",
                          "nie można dostarczyć",
                          "едоставлен",
                          "е доставлен",
                          "е удалось доставить",
                          "е удается доставить",
                          "kunde inte levereras",
                          "går inte att leverera",
                          "kan ikke leveres",
                          "kunne ikke leveres",
                          "ei voitu toimittaa",
                          "nedoručiteln",
                          "kézbesíthetetlen",
                          "teslim edilemedi",
                          "配信不能",
                          "配送不能",
                          "送信エラー",
                          "エラーメール",
                          "退信",
                          "无法送达",
                          "無法傳遞",
                          "배달되지",
                          "반송"});
}

// A report that a delivery is delayed, done or passed on.
bool TellsNoFailure(absl::string_view subject) {
  return HasAny(subject,
                {"delay", "warning: message", "warning: could not send", "still being", "verzöger",
                 "retard", "retras", "ritard", "vertraagd", "opóźni", "(success",
                 "successful mail delivery", "relayed", "(relay)", "expanded", "задерж", "遅延"});
}

bool TextTellsDelay(absl::string_view lower) {
  return HasAny(lower, {"warning message only", "do not need to resend", "don't need to resend",
                        "has not yet been delivered", "not yet been delivered", "will be retried",
                        "delivery attempts will continue", "will continue to be attempted",
                        "message is being delayed", "has been delayed", "delivery is delayed",
                        "no action is required on your part", "temporarily deferred and will"}) &&
         !HasAny(lower, {"permanent", "given up", "giving up", "gave up", "failed permanently"});
}

// What servers say to people of a failure.
bool TextTellsFailure(absl::string_view lower) {
  return HasAny(lower, {"could not be delivered",
                        "couldn't be delivered",
                        "cannot be delivered",
                        "can't be delivered",
                        "unable to deliver",
                        "wasn't able to deliver",
                        "not able to deliver",
                        "delivery failed",
                        "delivery has failed",
                        "failed permanently",
                        "permanent error",
                        "permanent failure",
                        "fatal error",
                        "failed recipient",
                        "final-recipient",
                        "did not reach",
                        "undeliverable",
                        "undelivered",
                        "error delivering",
                        "delivery error",
                        "delivery problems",
                        "could not be sent",
                        "couldn't be sent",
                        "could not deliver",
                        "couldn't deliver",
                        "not be delivered",
                        "there was an error sending",
                        "trouble delivering",
                        "transcript of session",
                        "user unknown",
                        "unknown user",
                        "no such user",
                        "user not known",
                        "recipient rejected",
                        "rejected recipient",
                        "address rejected",
                        "does not exist",
                        "doesn't exist",
                        "was blocked by",
                        "were affected",
                        "failure reasons",
                        "error has occurred while attempting to deliver",
                        "address(es) failed",
                        "address failed",
                        "problem with the e-mail address",
                        "account is disabled",
                        "mailbox is full",
                        "mailbox unavailable",
                        "mail box full",
                        "over quota",
                        "quota exceeded",
                        "no valid recipients",
                        "may not exist",
                        "following addresses had",
                        "rcpt to:<",
                        "unrouteable",
                        "unroutable",
                        "host unknown",
                        "host not found",
                        "has been returned",
                        "was not delivered",
                        "was rejected",
                        "been rejected",
                        "undelivered mail",
                        "nicht zugestellt",
                        "nachrichtenzustellung",
                        "konnte nicht",
                        "unzustellbar",
                        "n'a pas pu",
                        "non remis",
                        "no se pudo",
                        "no se ha podido",
                        "non è stato possibile",
                        "impossibile",
                        "não foi possível",
                        "kon niet",
                        "nie można",
                        "е удалось",
                        "送信できません",
                        "届きません",
                        "配信できません",
                        "失敗しました"});
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// A refusal as SMTP has it: "550 5.1.1", "#5.1.1", "550-5.7.26".
bool HasSmtpRefusal(absl::string_view text) {
  for (size_t at = text.find('5'); at != absl::string_view::npos; at = text.find('5', at + 1)) {
    if (at > 0 && absl::ascii_isalnum(static_cast<unsigned char>(text[at - 1]))) continue;
    const absl::string_view rest = text.substr(at);
    const bool enhanced = rest.size() >= 5 && rest[1] == '.' && IsDigit(rest[2]) &&
                          rest[3] == '.' && IsDigit(rest[4]);
    const bool basic = rest.size() >= 4 && rest[1] >= '0' && rest[1] <= '7' && IsDigit(rest[2]) &&
                       (rest[3] == ' ' || rest[3] == '-') && (at == 0 || text[at - 1] != '.');
    if (enhanced || basic) return true;
  }
  return false;
}

// Behind one of these, the mail that came back is copied.
bool BeginsReturnedMail(absl::string_view lower) {
  if (BeginsWithAny(lower, {"content-type: message/rfc822", "content-type: text/rfc822"}))
    return true;
  const bool ruled = BeginsWithAny(lower, {"--", "==", "__", "**", "  --", " --", "   --", "##"});
  if (ruled && HasAny(lower, {"original message",
                              "original mail",
                              "original header",
                              "copy of the",
                              "returned message",
                              "returned mail",
                              "unsent message",
                              "unsent mail",
                              "undelivered message",
                              "non-delivered",
                              "nondelivered",
                              "message header",
                              "header and top",
                              "headers follow",
                              "message follows",
                              "unsent",
                              "start of message",
                              "returned to sender",
                              "ursprüngliche nachricht",
                              "originalnachricht",
                              "message text follows",
                              "the original",
                              "rejected message"})) {
    return true;
  }
  return lower.size() < 120 &&
         HasAny(lower,
                {"below is a copy of the original message", "original message follows",
                 "original message headers:", "original headers follow", "message headers follow",
                 "original message header", "headers of the original message", "the header and top",
                 "this is a copy of the message", "a copy of the message follows",
                 "copy of your message", "text of the original message", "message header follows",
                 "the original message headers", "ursprüngliche nachrichtenkopfzeilen",
                 "en-têtes de message d'origine", "message contents follow"});
}

bool IsAddressByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || absl::ascii_isalnum(byte) || absl::StrContains("!#$%&'*+-/=?^_{|}~.", c);
}

struct Found {
  std::string address;
  size_t begin = 0;
  size_t end = 0;
};

// The addresses in a line.
std::vector<Found> AddressesIn(absl::string_view line) {
  std::vector<Found> found;
  for (size_t at = line.find('@'); at != absl::string_view::npos; at = line.find('@', at + 1)) {
    size_t begin = at;
    if (begin > 0 && line[begin - 1] == '"') {  // a quoted local part
      const size_t quote = begin >= 2 ? line.rfind('"', begin - 2) : absl::string_view::npos;
      if (quote == absl::string_view::npos) continue;
      begin = quote;
    } else {
      while (begin > 0 && IsAddressByte(line[begin - 1])) --begin;
      while (begin < at && absl::StrContains("'./=*-", line[begin])) ++begin;
    }
    size_t end = at + 1;
    while (end < line.size() && (absl::ascii_isalnum(static_cast<unsigned char>(line[end])) ||
                                 (static_cast<unsigned char>(line[end]) & 0x80) != 0 ||
                                 line[end] == '.' || line[end] == '-' || line[end] == '_')) {
      ++end;
    }
    while (end > at + 1 && (line[end - 1] == '.' || line[end - 1] == '-')) --end;
    const absl::string_view domain = line.substr(at + 1, end - at - 1);
    if (begin == at || domain.empty()) continue;
    // Of a host that has no dot, or of a message id, there is no telling.
    if (!absl::StrContains(domain, '.')) continue;
    found.push_back({std::string(line.substr(begin, end - begin)), begin, end});
  }
  return found;
}

bool IsServerName(absl::string_view local) {
  // "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"
  return absl::StartsWith(local, "microsoftexchange") ||
         BeginsWithAny(local, {"mailer-daemon", "mailer_daemon", "mailerdaemon", "mail-daemon",
                               "maildaemon", "postmaster", "post_master", "mail-delivery",
                               "maildelivery", "mailsystem", "mail-system"}) ||
         local == "mdaemon" || local == "mmdf" || local == "smtpd" || local == "mailer" ||
         local == "daemon" || local == "bounce" || local == "bounces" || local == "mta" ||
         local == "amavis" || local == "uucp";
}

bool IsServerAddress(absl::string_view address) {
  const std::string lower = absl::AsciiStrToLower(address.substr(0, address.rfind('@')));
  return IsServerName(lower);
}

// Collects recipients, each once, in the order in which they are told.
class Recipients {
 public:
  explicit Recipients(std::vector<std::string>* to) : to_(to) {}
  // Not to be guessed from a text: ours, and the server's.
  void Leave(absl::string_view address) { left_out_.push_back(absl::AsciiStrToLower(address)); }
  void Guess(const std::string& address) {
    if (!Is(left_out_, absl::AsciiStrToLower(address))) Add(address);
  }
  void Add(absl::string_view written) {
    if (to_->size() >= kMaxRecipients || written.size() > kMaxAddressBytes) return;
    if (IsServerAddress(written)) return;
    std::string address = AddressField(written);
    const bool known = std::any_of(to_->begin(), to_->end(), [&](const std::string& other) {
      return absl::EqualsIgnoreCase(other, address);
    });
    if (!known) to_->push_back(std::move(address));
  }
  bool empty() const { return to_->empty(); }

 private:
  static bool Is(const std::vector<std::string>& in, const std::string& address) {
    return std::find(in.begin(), in.end(), address) != in.end();
  }
  std::vector<std::string>* const to_;
  std::vector<std::string> left_out_;
};

enum class Action { kFailed, kOther };

// What became of one recipient (RFC 3464, 2.3.3); where it does not say, the status tells.
Action ActionOf(absl::string_view action, absl::string_view status) {
  if (BeginsWithAny(action, {"delay", "deliver", "relay", "expand", "defer", "success", "warn",
                             "transient"})) {
    // "delivery failed", as some servers write it
    return absl::StrContains(action, "fail") ? Action::kFailed : Action::kOther;
  }
  if (!action.empty()) return Action::kFailed;
  return absl::StartsWith(status, "2.") || absl::StartsWith(status, "4.") ? Action::kOther
                                                                          : Action::kFailed;
}

// "rfc822; jo@example.com", with or without brackets, and with what stands behind.
std::string RecipientIn(absl::string_view value) {
  const size_t mark = value.find(';');
  const std::string type =
      absl::AsciiStrToLower(value.substr(0, mark == absl::string_view::npos ? 0 : mark));
  if (absl::StrContains(type, "x400") || absl::StrContains(type, "x-unix")) return "";
  if (mark != absl::string_view::npos) value.remove_prefix(mark + 1);
  const std::vector<Found> found = AddressesIn(value);
  if (!found.empty()) return found.front().address;
  for (const MailAddress& address : DecodeAddresses(value)) return address.address;
  return "";
}

struct StatusRecipient {
  std::string original, final_, actual, action, status;
  bool any() const { return !original.empty() || !final_.empty() || !actual.empty(); }
};

// The recipients of message/delivery-status parts, or of a text that has their fields.
std::vector<StatusRecipient> ReadStatus(absl::string_view text) {
  std::vector<StatusRecipient> all(1);
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) {
      if (all.back().any()) all.emplace_back();
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || colon > 40) continue;
    const std::string name = absl::AsciiStrToLower(line.substr(0, colon));
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    StatusRecipient& one = all.back();
    if (name == "final-recipient") {
      // The next one begins without an empty line before it.
      if (!one.final_.empty()) all.emplace_back();
      all.back().final_ = RecipientIn(value);
    } else if (name == "original-recipient") {
      one.original = RecipientIn(value);
    } else if (name == "x-actual-recipient") {
      one.actual = RecipientIn(value);
    } else if (name == "action") {
      one.action = absl::AsciiStrToLower(value);
    } else if (name == "status") {
      one.status = std::string(value);
    }
    if (all.size() > kMaxRecipients) break;
  }
  return all;
}

// False when the parts name nobody.
bool TakeStatus(absl::string_view text, Recipients* failed, Recipients* reported,
                bool* any_failed) {
  bool any = false;
  for (const StatusRecipient& one : ReadStatus(text)) {
    if (!one.any() && one.action.empty() && one.status.empty()) continue;
    const bool is_failed = ActionOf(one.action, one.status) == Action::kFailed;
    if (one.any() || !one.action.empty()) any = true;
    *any_failed |= is_failed && (one.any() || !one.action.empty());
    // Whom we wrote to stands before whom it was passed on to.
    for (const std::string& address : {one.original, one.final_, one.actual}) {
      if (!address.empty()) (is_failed ? failed : reported)->Add(address);
    }
  }
  return any;
}

// The beginning of `text` before the mail that came back, and that mail.
void SplitReturned(absl::string_view text, absl::string_view* told, absl::string_view* returned) {
  *told = text;
  *returned = "";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string lower =
        absl::AsciiStrToLower(absl::StripTrailingAsciiWhitespace(text.substr(at, end - at)));
    const bool begins_header =
        absl::StartsWith(lower, "return-path:") || absl::StartsWith(lower, "received: ");
    if (at > 0 && (BeginsReturnedMail(lower) || begins_header)) {
      *told = text.substr(0, at);
      *returned = text.substr(begins_header ? at : end);
      return;
    }
    at = end;
  }
}

bool IsFieldOfOriginal(absl::string_view lower) {
  return BeginsWithAny(lower, {"from:",
                               "sender:",
                               "reply-to:",
                               "received:",
                               "mail from",
                               "message-id:",
                               "message id:",
                               "subject:",
                               "return-path:",
                               "by ",
                               "reporting-mta:",
                               "envelope-from",
                               "x-",
                               "in-reply-to:",
                               "references:",
                               "cc:",
                               "date:",
                               ">>> mail from",
                               "the original message",
                               "postmaster",
                               "please contact",
                               "contact "});
}

// Whether a line is there to name a recipient, so that the addresses in other lines are not.
bool NamesRecipient(absl::string_view lower, const Found& found) {
  if (BeginsWithAny(lower, {"recipient",
                            "failed recipient",
                            "final-recipient",
                            "original-recipient",
                            "addressed to:",
                            "receiver:",
                            "unknown user:",
                            "user unknown:",
                            "delivery to",
                            "unable to deliver",
                            "could not be delivered to",
                            "could not deliver",
                            "undeliverable to",
                            "delivery failed",
                            "your message to",
                            "rcpt to",
                            ">>> rcpt",
                            "<<< rcpt",
                            "sent <<< rcpt",
                            "no such user",
                            "invalid recipient",
                            "unknown recipient",
                            "there was an error delivering your mail to"}) ||
      HasAny(lower, {"rcpt to:", "rcpt to: ", "rejected recipient",
                     "recipient address:", "could not be delivered to: "})) {
    return true;
  }
  // Alone in its line, or before what is told of it.
  absl::string_view before = absl::StripAsciiWhitespace(lower.substr(0, found.begin));
  absl::string_view behind = absl::StripAsciiWhitespace(lower.substr(found.end));
  while (!before.empty() && absl::StrContains("<\"'>*-([ \t", before.back()))
    before.remove_suffix(1);
  if (absl::EqualsIgnoreCase(before, "mailto:")) before = "";
  if (!before.empty()) return false;
  const bool bracketed = found.begin > 0 && lower[found.begin - 1] == '<';
  absl::ConsumePrefix(&behind, ">");
  absl::ConsumePrefix(&behind, "\"");
  absl::ConsumePrefix(&behind, "'");
  behind = absl::StripLeadingAsciiWhitespace(behind);
  return behind.empty() || bracketed ||
         BeginsWithAny(behind, {":", "(", "...", ",", ";", "-", "#", "[", "<"}) ||
         BeginsWithAny(behind, {"on ", "invalid ", "error", "5"});
}

void TakeFromText(absl::string_view told, Recipients* recipients) {
  std::vector<std::string> others;
  for (absl::string_view line : absl::StrSplit(told, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::StrContains(line, '@')) continue;
    const std::string lower = absl::AsciiStrToLower(line);
    if (IsFieldOfOriginal(lower)) continue;
    const std::vector<Found> found = AddressesIn(line);
    for (const Found& one : found) {
      if (NamesRecipient(lower, one)) {
        recipients->Guess(one.address);
      } else {
        others.push_back(one.address);
      }
    }
  }
  if (!recipients->empty()) return;
  for (const std::string& address : others) recipients->Guess(address);
}

// Whom the mail that came back was sent to.
void TakeFromReturned(absl::string_view returned, Recipients* recipients) {
  if (returned.empty()) return;
  const MailHeader header(absl::StripLeadingAsciiWhitespace(returned));
  for (const char* const name : {"x-failed-recipients", "to", "cc"}) {
    if (!recipients->empty()) return;
    for (const MailAddress& to : DecodeAddresses(header.GetAll(name, ", "))) {
      recipients->Guess(to.address);
    }
  }
}

void TakeFeedback(absl::string_view feedback, absl::string_view returned, Recipients* reported) {
  for (absl::string_view line : absl::StrSplit(feedback, '\n')) {
    if (!absl::StartsWithIgnoreCase(line, "original-rcpt-to:") &&
        !absl::StartsWithIgnoreCase(line, "removal-recipient:")) {
      continue;
    }
    for (const Found& found : AddressesIn(line)) reported->Add(found.address);
  }
  if (reported->empty()) TakeFromReturned(returned, reported);
}

bool HasNullReturnPath(const MailHeader& header) {
  const std::optional<absl::string_view> path = header.Find("return-path");
  return path.has_value() && absl::StripAsciiWhitespace(*path) == "<>";
}

}  // namespace

bool IsFromMailServer(const MailHeader& header, const ParsedMail& mail) {
  if (!mail.from.empty() && IsServerAddress(mail.from[0].address)) return true;
  const std::string from = absl::AsciiStrToLower(
      !mail.from.empty() ? absl::string_view(mail.from[0].name) : header.Get("from"));
  return HasAny(from, {"mailer-daemon", "mail delivery s", "mail delivery agent", "postmaster",
                       "system administrator", "systemadministrator", "mail administrator",
                       "delivery subsystem", "mail system", "interscan"});
}

bool MayBeReport(const MailHeader& header, const ParsedMail& mail) {
  const std::string subject = absl::AsciiStrToLower(mail.subject);
  if (IsAnswerOrForward(subject)) return false;
  return header.Find("x-failed-recipients").has_value() || HasNullReturnPath(header) ||
         IsFromMailServer(header, mail) || TellsFailure(subject);
}

void ReadReport(const MailHeader& header, const ReportParts& parts, ParsedMail* mail) {
  Recipients failed(&mail->failed_recipients);
  Recipients reported(&mail->reported_recipients);
  for (const std::vector<MailAddress>* const ours : {&mail->to, &mail->from}) {
    for (const MailAddress& address : *ours) {
      failed.Leave(address.address);
      reported.Leave(address.address);
    }
  }
  if (!parts.feedback.empty()) {
    mail->auto_reply = true;
    TakeFeedback(parts.feedback, parts.returned, &reported);
    return;
  }
  bool any_failed = false;
  if (!parts.status.empty() && TakeStatus(parts.status, &failed, &reported, &any_failed)) {
    // Each address that failed counts, whatever became of others.
    mail->bounce = any_failed;
    mail->auto_reply |= !any_failed;
    if (any_failed && failed.empty()) {
      absl::string_view told, copied;
      SplitReturned(parts.text, &told, &copied);
      TakeFromText(told, &failed);
      TakeFromReturned(parts.returned.empty() ? copied : absl::string_view(parts.returned),
                       &failed);
    }
    return;
  }
  const std::string subject = absl::AsciiStrToLower(mail->subject);
  absl::string_view told, copied;
  SplitReturned(parts.text, &told, &copied);
  const std::string head = absl::AsciiStrToLower(told.substr(0, kHeadBytes));
  const absl::string_view returned =
      parts.returned.empty() ? copied : absl::string_view(parts.returned);
  const bool server = IsFromMailServer(header, *mail);
  const bool null_path = HasNullReturnPath(header);
  const bool refused = HasSmtpRefusal(told);
  for (const MailAddress& address : DecodeAddresses(header.GetAll("x-failed-recipients", ", "))) {
    failed.Add(address.address);
  }
  const std::string type = absl::AsciiStrToLower(header.Get("content-type"));
  // Read receipts are reports, too, but of a mail that was delivered.
  if (absl::StrContains(type, "disposition-notification")) return;
  const bool is_report = absl::StartsWith(type, "multipart/report") || !parts.status.empty();
  if (TextTellsDelay(head) || (TellsNoFailure(subject) && !refused)) {
    if (!server && !null_path && !is_report) return;
    mail->auto_reply = true;
    mail->reported_recipients = std::move(mail->failed_recipients);
    mail->failed_recipients.clear();
    TakeFromText(told, &reported);
    TakeFromReturned(returned, &reported);
    return;
  }
  const bool says_so = refused || TextTellsFailure(head);
  const bool named_so = TellsFailure(subject);
  const bool bounce =
      is_report || !failed.empty() || (server && (named_so || says_so || null_path)) ||
      // Answers of people who are away have no return path either.
      (null_path && (named_so || (refused && !IsAutomaticSubject(mail->subject, true)))) ||
      (named_so && says_so && !copied.empty()) ||
      (named_so && refused && HasAny(head, {"rcpt to", "recipient", "addressed to"}));
  if (!bounce) return;
  mail->bounce = true;
  if (failed.empty()) TakeFromText(told, &failed);
  if (failed.empty()) TakeFromReturned(returned, &failed);
}

bool IsAutomaticSubject(absl::string_view subject, bool asked_for_none) {
  static constexpr absl::string_view kPhrases[] = {
      // English, German, French
      "automatic reply", "auto reply", "autoreply", "auto-reply", "automatic response",
      "auto response", "autoresponse", "auto-response", "automated reply", "automated response",
      "out of office", "out-of-office", "out of the office", "away from office",
      "away from the office", "vacation reply", "vacation notice", "automatische antwort",
      "autoantwort", "autom. antwort", "automatische rückmeldung", "automatische abwesenheit",
      "abwesenheitsnotiz", "abwesenheitsmeldung", "abwesenheitsnachricht", "abwesenheitsbenach",
      "abwesenheitsinfo", "abwesenheit", "abwesend", "außer haus", "nicht im büro", "nicht im haus",
      "réponse automatique", "reponse automatique", "message automatique", "absence du bureau",
      "absent du bureau", "absente du bureau", "message d'absence", "notification d'absence",
      "avis d'absence", "absence",
      // Spanish, Portuguese, Italian, Dutch
      "respuesta automática", "respuesta automatica", "autorespuesta", "auto respuesta",
      "fuera de la oficina", "fuera de oficina", "ausencia", "ausente", "resposta automática",
      "resposta automatica", "ausência", "fora do escritório", "fora do escritorio",
      "risposta automatica", "fuori ufficio", "fuori sede", "fuori dall'ufficio",
      "assenza dall'ufficio", "assente", "automatisch antwoord", "automatisch bericht",
      "automatische reactie", "afwezigheidsbericht", "afwezigheidsmelding", "afwezigheid",
      "afwezig", "niet aanwezig", "buiten kantoor",
      // Polish, Czech, Slovak, Hungarian, Romanian, Turkish
      "automatyczna odpowiedź", "odpowiedź automatyczna", "autoodpowiedź", "poza biurem",
      "nieobecność", "nieobecny", "nieobecna", "automatická odpověď", "automatická odpoveď",
      "mimo kancelář", "nepřítomnost", "neprítomnosť", "automatikus válasz", "házon kívül",
      "irodán kívül", "răspuns automat", "raspuns automat", "otomatik yanıt", "otomatik cevap",
      "ofis dışında",
      // Danish, Norwegian, Swedish, Finnish
      "autosvar", "auto svar", "automatisk svar", "automatiskt svar", "ikke på kontoret",
      "ikke til stede", "fraværende", "fravær", "frånvarande", "frånvaro", "inte på kontoret",
      "automaattinen vastaus", "poissaoloviesti", "poissa",
      // Russian, Ukrainian, Greek, Chinese, Japanese, Korean
      "автоответ", "Автоответ", "автоматический ответ", "Автоматический ответ", "вне офиса",
      "Вне офиса", "нет на месте", "Нет на месте", "отсутствие на", "Отсутствие на",
      "автоматична відповідь", "Автоматична відповідь", "автовідповід", "Автовідповід",
      "αυτόματη απάντηση", "Αυτόματη απάντηση", "自动答复", "自动回复", "自動答覆", "自動回覆",
      "外出", "自動応答", "自動返信", "不在通知", "不在", "자동 회신", "자동회신", "부재중"};
  std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(subject));
  absl::string_view text = lower;
  // "[Auto-Reply] Offer", "*** Out of Office ***"
  bool bracketed = false;
  while (!text.empty() && absl::StrContains("[(*<\"' ", text.front())) {
    bracketed = true;
    text.remove_prefix(1);
  }
  for (const absl::string_view phrase : kPhrases) {
    if (!absl::StartsWith(text, phrase)) continue;
    absl::string_view rest = text.substr(phrase.size());
    if (asked_for_none || bracketed) return true;
    // French sets a blank, or one that does not break, before the colon.
    while (absl::ConsumePrefix(&rest, " ") || absl::ConsumePrefix(&rest, "\xC2\xA0") ||
           absl::ConsumePrefix(&rest, "\xE2\x80\xAF")) {
    }
    if (rest.empty() ||
        BeginsWithAny(rest, {":", "：", "!", "]", ")", "|", "autoreply", "auto-reply", "auto reply",
                             "antwort:", "reply:", "until ", "bis ", "vom ", "from ",
                             "notification", "message", "response"})) {
      return true;
    }
    // "Abwesend - Urlaub"; but not "Absence - what to do about it".
    return phrase.size() >= 10 && BeginsWithAny(rest, {"- ", "– ", "(", "["});
  }
  // "Auto: Offer 17" of old Exchanges, which somebody who sells cars writes too.
  return asked_for_none && BeginsWithAny(lower, {"auto:", "automatisch:", "automatico:"});
}

}  // namespace rapport::mail_internal
