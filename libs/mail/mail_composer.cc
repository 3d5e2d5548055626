#include "libs/mail/mail_composer.h"

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gmime/gmime.h"
#include "libs/base/check.h"
#include "libs/base/sha256.h"
#include "libs/mail/gmime_ptr.h"

namespace rapport {
namespace {

using mail_internal::GObjectPtr;
using mail_internal::GText;
using mail_internal::InitGMime;

constexpr char kCharset[] = "utf-8";

// What is the same for all mails: GMime's formats are objects.
struct FreeFormat {
  void operator()(GMimeFormatOptions* format) const { g_mime_format_options_free(format); }
};
struct FreeDate {
  void operator()(GDateTime* date) const { g_date_time_unref(date); }
};
struct FreeZone {
  void operator()(GTimeZone* zone) const { g_time_zone_unref(zone); }
};

GMimeObject* TextPart(const char* subtype, const std::string& text) {
  GMimeTextPart* const part = g_mime_text_part_new_with_subtype(subtype);
  g_mime_text_part_set_charset(part, kCharset);
  g_mime_text_part_set_text(part, text.c_str());
  GMimePart* const as_part = GMIME_PART(part);
  // Quoted-printable for letters that are mostly ASCII, base64 for Greek and Russian.
  g_mime_part_set_content_encoding(
      as_part, g_mime_part_get_best_content_encoding(as_part, GMIME_ENCODING_CONSTRAINT_7BIT));
  return GMIME_OBJECT(part);
}

// As it is: GMime would make encoded words of a long link, which nobody looks for there.
void SetField(GMimeObject* message, const std::string& name, const std::string& value) {
  RAPPORT_CHECK(value.find_first_of("\r\n") == std::string::npos, name);
  g_mime_object_set_header(message, name.c_str(), "", kCharset);
  GMimeHeader* const field =
      g_mime_header_list_get_header(g_mime_object_get_header_list(message), name.c_str());
  g_mime_header_set_raw_value(field, absl::StrCat(" ", value, "\n").c_str());
}

// In its zone's offset of the moment.
std::unique_ptr<GDateTime, FreeDate> DateOf(absl::Time at, absl::TimeZone zone) {
  const std::unique_ptr<GTimeZone, FreeZone> offset(g_time_zone_new_offset(zone.At(at).offset));
  const std::unique_ptr<GDateTime, FreeDate> utc(
      g_date_time_new_from_unix_utc(absl::ToUnixSeconds(at)));
  return std::unique_ptr<GDateTime, FreeDate>(g_date_time_to_timezone(utc.get(), offset.get()));
}

}  // namespace

std::string ComposeMail(const OutgoingMail& mail) {
  InitGMime();
  const GObjectPtr<GMimeMessage> message(g_mime_message_new(TRUE));
  const auto mailbox = [&message](GMimeAddressType type, const MailAddress& address) {
    g_mime_message_add_mailbox(message.get(), type,
                               address.name.empty() ? nullptr : address.name.c_str(),
                               address.address.c_str());
  };
  mailbox(GMIME_ADDRESS_TYPE_FROM, mail.from);
  mailbox(GMIME_ADDRESS_TYPE_TO, mail.to);
  g_mime_message_set_subject(message.get(), mail.subject.c_str(), kCharset);
  const auto date = DateOf(mail.date, mail.zone);
  g_mime_message_set_date(message.get(), date.get());
  g_mime_message_set_message_id(message.get(), mail.message_id.c_str());
  for (const auto& [name, value] : mail.fields) SetField(GMIME_OBJECT(message.get()), name, value);
  const GObjectPtr<GMimeMultipart> both(g_mime_multipart_new_with_subtype("alternative"));
  // GMime would make one up, and another each time.
  const auto hash = Sha256(mail.message_id);
  const std::string boundary = absl::StrCat(
      "=-",
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash.data()), 12)));
  g_mime_multipart_set_boundary(both.get(), boundary.c_str());
  for (const auto& [subtype, text] :
       {std::pair<const char*, const std::string&>{"plain", mail.text}, {"html", mail.html}}) {
    const GObjectPtr<GMimeObject> part(TextPart(subtype, text));
    g_mime_multipart_add(both.get(), part.get());
  }
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(both.get()));
  const std::unique_ptr<GMimeFormatOptions, FreeFormat> format(g_mime_format_options_new());
  g_mime_format_options_set_newline_format(format.get(), GMIME_NEWLINE_FORMAT_DOS);
  const GText bytes(g_mime_object_to_string(GMIME_OBJECT(message.get()), format.get()));
  RAPPORT_CHECK(bytes != nullptr, "GMime made no text of a mail");
  return bytes.get();
}

absl::StatusOr<MailAddress> ParseMailbox(const std::string& text) {
  InitGMime();
  const GObjectPtr<InternetAddressList> list(internet_address_list_parse(nullptr, text.c_str()));
  InternetAddress* const first = list == nullptr || internet_address_list_length(list.get()) != 1
                                     ? nullptr
                                     : internet_address_list_get_address(list.get(), 0);
  if (first == nullptr || !INTERNET_ADDRESS_IS_MAILBOX(first)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::CHexEscape(text),
                     "' is no mailbox; write such as Rapport <rapport@firm.example>"));
  }
  const char* const name = internet_address_get_name(first);
  const char* const address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
  MailAddress mailbox = {.name = name == nullptr ? "" : name,
                         .address = address == nullptr ? "" : address};
  const size_t at = mailbox.address.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == mailbox.address.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CHexEscape(text),
        "' has no address of a mailbox; write such as Rapport <rapport@firm.example>"));
  }
  return mailbox;
}

}  // namespace rapport
