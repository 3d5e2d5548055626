#include "libs/mail/mail_header.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/mail/gmime_ptr.h"
#include "libs/mail/header_mending.h"
#include "libs/mail/mail_date.h"
#include "libs/mail/mail_report.h"
#include "libs/mail/utf8.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport::mail_internal {
namespace {

constexpr size_t kMaxValueBytes = size_t{64} << 10;
constexpr size_t kMaxNameBytes = 256;
// The longest tag that RFC 5646 lets one rely on.
constexpr size_t kMaxLanguageBytes = 35;

// RFC 5322: printable ASCII without colon.
bool IsFieldName(absl::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isgraph(c); });
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// GMime takes C strings of UTF-8.
std::string ForGMime(absl::string_view value) {
  value = value.substr(0, kMaxValueBytes);
  std::string text = absl::StrContains(value, "=?")
                         ? ToUtf8(JoinEncodedWords(MendEncodedWords(value)), "")
                         : ToUtf8(value, "");
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

void Collect(InternetAddressList* list, std::vector<MailAddress>* addresses) {
  const int count = internet_address_list_length(list);
  for (int i = 0; i < count && addresses->size() < ParsedMail::kMaxAddresses; ++i) {
    InternetAddress* const entry = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_GROUP(entry)) {
      Collect(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(entry)), addresses);
      continue;
    }
    const char* const address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(entry));
    // What has no domain is an account of some machine, or a note such as "undisclosed".
    if (address == nullptr || !absl::StrContains(address, '@')) continue;
    constexpr size_t kMaxPersonBytes = 256;
    const char* const name = internet_address_get_name(entry);
    addresses->push_back({.name = OneLine(name == nullptr ? "" : name, kMaxPersonBytes),
                          .address = AddressField(address)});
  }
}

void CollectFrom(const std::string& text, std::vector<MailAddress>* addresses) {
  const GObjectPtr<InternetAddressList> list(internet_address_list_parse(nullptr, text.c_str()));
  if (list != nullptr) Collect(list.get(), addresses);
}

// An id without blanks; replaced by its hash when it is too long or no text.
std::string BoundedId(absl::string_view written) {
  std::string id;
  for (const char c : written) {
    if (!absl::ascii_isspace(c)) id.push_back(c);
  }
  const bool text = IsUtf8(id) && std::none_of(id.begin(), id.end(), absl::ascii_iscntrl);
  if (text && id.size() <= ParsedMail::kMaxIdBytes) return id;
  return absl::StrCat("long-", absl::BytesToHexString(Sha256(id).substr(0, 16)));
}

// How far a Date may lie behind the time at which a server took the mail, and before it (it may
// have waited in a queue or for somebody who lets it pass).
constexpr absl::Duration kMostAhead = absl::Hours(24);
constexpr absl::Duration kMostBehind = absl::Hours(30 * 24);
// Two times that servers on the way noted are of one journey.
constexpr absl::Duration kJourney = absl::Hours(48);

std::optional<absl::Time> ReceivedDate(absl::string_view received) {
  const size_t mark = received.rfind(';');
  if (mark == absl::string_view::npos) return std::nullopt;
  const std::optional<MailDate> date = ReadMailDate(received.substr(mark + 1));
  return date.has_value() ? std::optional(date->time) : std::nullopt;
}

void FillDate(const MailHeader& header, ParsedMail* mail) {
  const std::optional<MailDate> date = ReadMailDate(header.Get("date"));
  if (date.has_value()) mail->written_at = date->time;
  const std::optional<absl::Time> received = ReceivedDate(header.Get("received"));
  mail->date = mail->written_at;
  if (!received.has_value()) return;
  if (!date.has_value() || date->time > *received + kMostAhead) {
    mail->date = received;
  } else if (!date->zone_known) {
    // Off by some hours for certain, when it is near at all.
    if (absl::AbsDuration(*received - date->time) <= kMostAhead) mail->date = received;
  }
  if (*mail->date >= *received - kMostBehind) return;
  // A mail of long ago that was sent on, when two servers took it at that time; else a wrong clock.
  int witnesses = 0;
  header.ForEach("received", [&](absl::string_view field) {
    const std::optional<absl::Time> at = ReceivedDate(field);
    witnesses += at.has_value() && absl::AbsDuration(*at - *mail->written_at) <= kJourney;
  });
  if (witnesses < 2) mail->date = received;
}

std::vector<std::string> References(const MailHeader& header) {
  std::vector<std::string> ids = DecodeIds(header.Get("references"));
  if (ids.size() > ParsedMail::kMaxReferences) {
    ids.erase(ids.begin() + 1, ids.end() - (ParsedMail::kMaxReferences - 1));
  }
  return ids;
}

// The first of the languages that the mail says it is written in (RFC 3282).
std::string Language(const MailHeader& header) {
  absl::string_view tags = header.Get("content-language");
  const absl::string_view tag = absl::StripAsciiWhitespace(tags.substr(0, tags.find(',')));
  const bool is_tag = tag.size() >= 2 && tag.size() <= kMaxLanguageBytes &&
                      std::all_of(tag.begin(), tag.end(),
                                  [](char c) { return absl::ascii_isalnum(c) || c == '-'; });
  return is_tag ? std::string(tag) : "";
}

void FillFlags(const MailHeader& header, ParsedMail* mail) {
  const std::string precedence = Keyword(header.Get("precedence"));
  const std::string automatic = Keyword(header.Get("auto-submitted"));
  const std::string suppress = absl::AsciiStrToLower(header.Get("x-auto-response-suppress"));
  const auto has_any = [&header](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(),
                       [&header](const char* name) { return header.Find(name).has_value(); });
  };
  mail->auto_reply =
      (!automatic.empty() && automatic != "no") ||
      has_any({"x-autoreply", "x-autorespond", "x-autoreply-from", "x-auto-reply-from",
               "x-mail-autoreply", "x-autoresponder", "x-auto-response", "x-vacation"}) ||
      precedence == "auto_reply" || precedence == "auto-reply" ||
      Keyword(header.Get("x-precedence")) == "auto_reply" ||
      IsAutomaticSubject(mail->subject,
                         absl::StrContains(suppress, "all") || absl::StrContains(suppress, "oof"));
  mail->mailing_list = header.Find("list-id").has_value() || header.Find("list-post").has_value();
  mail->bulk = precedence == "bulk" || precedence == "list" || precedence == "junk" ||
               header.Find("list-unsubscribe").has_value();
  const std::string type = absl::AsciiStrToLower(header.Get("content-type"));
  // A read receipt; and an answer to an invitation, which takes a click and no words.
  if ((absl::StartsWith(type, "multipart/report") &&
       absl::StrContains(type, "disposition-notification")) ||
      (absl::StartsWith(type, "text/calendar") && absl::StrContains(type, "reply"))) {
    mail->auto_reply = true;
  }
  mail->from_mail_server = IsFromMailServer(header, *mail);
}

}  // namespace

MailHeader::MailHeader(absl::string_view mail) {
  // Some who store mails leave the line of the mbox format before them.
  size_t at = 0;
  if (absl::StartsWith(mail, "From ") || absl::StartsWith(mail, ">From ")) {
    at = std::min(mail.find('\n'), mail.size() - 1) + 1;
  }
  const size_t begin = at;
  size_t field = at;  // where the field that is being read begins
  while (at < mail.size()) {
    const size_t end = std::min(mail.find('\n', at), mail.size() - 1) + 1;
    const absl::string_view line = mail.substr(at, end - at);
    const bool folded = IsBlank(line[0]) && at > begin;
    const absl::string_view bare = absl::StripTrailingAsciiWhitespace(line);
    if (bare.empty() && (!folded || line[0] == '\r')) {
      Add(mail.substr(field, at - field));
      body_at_ = end;
      return;
    }
    if (!folded) {
      Add(mail.substr(field, at - field));
      field = at;
      const absl::string_view name = bare.substr(0, bare.find(':'));
      if (name.size() == bare.size() || !IsFieldName(absl::StripTrailingAsciiWhitespace(name))) {
        body_at_ = at;
        return;
      }
    }
    at = end;
  }
  Add(mail.substr(field));
  body_at_ = mail.size();
}

void MailHeader::Add(absl::string_view line) {
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos || colon > kMaxNameBytes) return;
  if (fields_.size() >= kMaxFields || body_at_ >= kMaxBytes) return;
  std::string value(absl::StripAsciiWhitespace(line.substr(colon + 1, kMaxValueBytes)));
  value.erase(
      std::remove_if(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n'; }),
      value.end());
  // Until the header has been read, this counts what is kept of it.
  body_at_ += line.size();
  fields_.emplace_back(
      absl::AsciiStrToLower(absl::StripTrailingAsciiWhitespace(line.substr(0, colon))),
      std::move(value));
}

std::optional<absl::string_view> MailHeader::Find(absl::string_view name) const {
  for (const auto& [known, value] : fields_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string MailHeader::GetAll(absl::string_view name, absl::string_view separator) const {
  std::string all;
  for (const auto& [known, value] : fields_) {
    if (known == name) absl::StrAppend(&all, all.empty() ? "" : separator, value);
  }
  return all;
}

std::string AddressField(absl::string_view address) {
  std::string field = OneLine(address, kMaxAddressBytes);
  // In a domain upper case means nothing.
  const size_t at = std::min(field.rfind('@'), field.size());
  std::transform(field.begin() + static_cast<int64_t>(at), field.end(),
                 field.begin() + static_cast<int64_t>(at), absl::ascii_tolower);
  return field;
}

std::string DecodeText(absl::string_view value, size_t most) {
  InitGMime();
  const GText text(g_mime_utils_header_decode_text(nullptr, ForGMime(value).c_str()));
  std::string line = OneLine(text == nullptr ? "" : text.get(), most);
  // Where a field was folded, there may be more of them.
  absl::RemoveExtraAsciiWhitespace(&line);
  return line;
}

std::vector<MailAddress> DecodeAddresses(absl::string_view value) {
  InitGMime();
  std::vector<MailAddress> addresses;
  std::string text = MendAddresses(ForGMime(value));
  // Each colon may begin a group, into which GMime descends.
  constexpr int kMaxColons = 200;
  size_t end = 0;
  for (int colons = 0; end < text.size() && colons < kMaxColons; ++end) colons += text[end] == ':';
  text.resize(end);
  CollectFrom(text, &addresses);
  if (!addresses.empty()) return addresses;
  // Nothing can be understood, mostly for the sake of a name: what stands in angle brackets can.
  size_t from = 0;
  for (size_t close = text.find('>'); close != std::string::npos; close = text.find('>', from)) {
    const size_t open = text.rfind('<', close);
    if (addresses.size() >= ParsedMail::kMaxAddresses) break;
    if (open != std::string::npos && open >= from) {
      CollectFrom(text.substr(open, close - open + 1), &addresses);
    }
    from = close + 1;
  }
  return addresses;
}

std::vector<std::string> DecodeIds(absl::string_view value) {
  std::vector<std::string> ids;
  const auto add = [&ids](absl::string_view written) {
    std::string id = BoundedId(written);
    if (!id.empty() && std::find(ids.begin(), ids.end(), id) == ids.end()) {
      ids.push_back(std::move(id));
    }
  };
  constexpr size_t kMost = 10 * ParsedMail::kMaxReferences;
  bool bracketed = false;
  for (size_t open = value.find('<'); open != absl::string_view::npos && ids.size() < kMost;
       open = value.find('<', open)) {
    bracketed = true;
    const size_t close = value.find('>', open);
    add(value.substr(open + 1, close == absl::string_view::npos ? close : close - open - 1));
    if (close == absl::string_view::npos) break;
    open = close + 1;
  }
  if (bracketed) return ids;
  for (const absl::string_view word :
       absl::StrSplit(value, absl::ByAnyChar(" \t\r\n,;"), absl::SkipEmpty())) {
    if (ids.size() < kMost) add(word);
  }
  return ids;
}

std::string Keyword(absl::string_view value) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(value.substr(0, value.find(';'))));
}

void FillFromHeader(const MailHeader& header, ParsedMail* mail) {
  mail->message_id = NormalizeMessageId(header.Get("message-id"));
  const std::vector<std::string> answers = DecodeIds(header.Get("in-reply-to"));
  if (!answers.empty()) mail->in_reply_to = answers.front();
  mail->references = References(header);
  mail->subject = DecodeText(header.Get("subject"), ParsedMail::kMaxSubjectBytes);
  FillDate(header, mail);
  for (const char* const name : {"from", "sender", "return-path"}) {
    if (mail->from.empty()) mail->from = DecodeAddresses(header.Get(name));
  }
  mail->reply_to = DecodeAddresses(header.GetAll("reply-to", ", "));
  for (const char* const name :
       {"x-original-from", "x-google-original-from", "x-original-sender"}) {
    if (mail->original_from.empty()) mail->original_from = DecodeAddresses(header.Get(name));
  }
  mail->to = DecodeAddresses(header.GetAll("to", ", "));
  mail->cc = DecodeAddresses(header.GetAll("cc", ", "));
  mail->bcc = DecodeAddresses(header.GetAll("bcc", ", "));
  mail->language = Language(header);
  FillFlags(header, mail);
}

}  // namespace rapport::mail_internal

namespace rapport {

std::string NormalizeMessageId(absl::string_view written) {
  const std::vector<std::string> ids = mail_internal::DecodeIds(written);
  return ids.empty() ? "" : ids.front();
}

}  // namespace rapport
