#include "libs/mail/mime_parts.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/mail/excerpt.h"
#include "libs/mail/forwarded_mail.h"
#include "libs/mail/gmime_ptr.h"
#include "libs/mail/html_text.h"
#include "libs/mail/mail_report.h"
#include "libs/mail/utf8.h"

namespace rapport::mail_internal {
namespace {

// Of a text so much is read for its excerpt.
constexpr size_t kMaxReadText = size_t{128} << 10;
constexpr size_t kMaxTextParts = 20;
// Each line that may be a boundary or a field of a part costs memory many times its length. No
// mail that people write has more of them; one that has is read up to there.
constexpr size_t kMaxStructureLines = 50'000;

// GMime descends into each group of addresses ("name: ...;") in the header of a forwarded mail.
constexpr int64_t kMaxColonsOfAddresses = 1000;

bool IsAddressField(absl::string_view line) {
  for (const char* const name : {"from:", "sender:", "reply-to:", "to:", "cc:", "bcc:"}) {
    if (absl::StartsWithIgnoreCase(line, name)) return true;
  }
  return false;
}

// The beginning of `body` that has no more structure than allowed.
absl::string_view BoundedBody(absl::string_view body) {
  size_t lines = 0;
  bool addresses = false;
  int64_t colons = 0;
  for (size_t at = 0; at < body.size();) {
    const size_t end = std::min(body.find('\n', at), body.size() - 1) + 1;
    const absl::string_view line = body.substr(at, std::min<size_t>(end - at, 80));
    const size_t mark = line.find_first_of(": \t");
    const bool field = mark != absl::string_view::npos && line[mark] == ':';
    if ((field || absl::StartsWith(line, "--")) && ++lines > kMaxStructureLines) {
      return body.substr(0, at);
    }
    if (line[0] != ' ' && line[0] != '\t') {
      addresses = field && IsAddressField(line);
      colons = 0;
    }
    if (addresses) colons += std::count(body.begin() + at, body.begin() + end, ':');
    if (colons > kMaxColonsOfAddresses) return body.substr(0, at);
    at = end;
  }
  return body;
}

// What MIME needs of the header of a mail, and its body.
GObjectPtr<GMimeObject> ParseParts(const MailHeader& header, absl::string_view body) {
  InitGMime();
  std::string top;
  for (const char* const name :
       {"mime-version", "content-type", "content-transfer-encoding", "content-disposition"}) {
    if (const auto value = header.Find(name)) absl::StrAppend(&top, name, ": ", *value, "\n");
  }
  absl::StrAppend(&top, "\n");
  body = BoundedBody(body);
  GByteArray* const bytes = g_byte_array_sized_new(static_cast<guint>(top.size() + body.size()));
  g_byte_array_append(bytes, reinterpret_cast<const guint8*>(top.data()),
                      static_cast<guint>(top.size()));
  g_byte_array_append(bytes, reinterpret_cast<const guint8*>(body.data()),
                      static_cast<guint>(body.size()));
  const GObjectPtr<GMimeStream> stream(g_mime_stream_mem_new_with_byte_array(bytes));
  const GObjectPtr<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  return GObjectPtr<GMimeObject>(g_mime_parser_construct_part(parser.get(), nullptr));
}

std::string TypeOf(GMimeObject* part) {
  GMimeContentType* const type = g_mime_object_get_content_type(part);
  return absl::AsciiStrToLower(absl::StrCat(g_mime_content_type_get_media_type(type), "/",
                                            g_mime_content_type_get_media_subtype(type)));
}

// Writes what is in a part, decoded, into `stream`; its length.
int64_t Decode(GMimeObject* part, GMimeStream* stream) {
  if (GMIME_IS_PART(part)) {
    GMimeDataWrapper* const content = g_mime_part_get_content(GMIME_PART(part));
    if (content == nullptr) return 0;
    return std::max<int64_t>(g_mime_data_wrapper_write_to_stream(content, stream), 0);
  }
  return std::max<int64_t>(g_mime_object_write_content_to_stream(part, nullptr, stream), 0);
}

std::string DecodedText(GMimeObject* part) {
  const GObjectPtr<GMimeStream> stream(g_mime_stream_mem_new());
  Decode(part, stream.get());
  const GByteArray* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

int64_t DecodedSize(GMimeObject* part) {
  const GObjectPtr<GMimeStream> stream(g_mime_stream_null_new());
  return Decode(part, stream.get());
}

bool IsMedia(absl::string_view type) {
  return absl::StartsWith(type, "image/") || absl::StartsWith(type, "audio/") ||
         absl::StartsWith(type, "video/");
}

struct Part {
  GMimeObject* object;
  std::string type;
  bool operator==(const Part&) const = default;
};

// Parts that tell of the delivery of another mail, or are that mail.
bool IsReport(absl::string_view type) {
  return type == "message/delivery-status" || type == "message/global-delivery-status" ||
         type == "message/feedback-report" || type == "text/rfc822-headers" ||
         type == "message/rfc822-headers" || type == "message/global-headers" ||
         type == "message/rfc822" || type == "message/global" || type == "text/calendar";
}

// Sorts the parts of a mail into what is read and what is attached, as RFC 8621, 4.1.4 says.
class Sorter {
 public:
  void Sort(GMimeObject* root) { Visit({root, TypeOf(root)}, Place{}); }

  // The text in its plain form, or in HTML where there is no other. Pictures between texts, too.
  const std::vector<Part>& text() const { return text_.empty() ? html_ : text_; }
  // The text in HTML where there is one, for when the plain form says nothing.
  const std::vector<Part>& html() const { return html_; }
  const std::vector<Part>& attachments() const { return attachments_; }
  const std::vector<Part>& reports() const { return reports_; }

 private:
  struct Place {
    absl::string_view parent = "mixed";  // subtype of the multipart around
    bool in_alternative = false;
    bool is_first = true;
  };

  static bool IsInline(const Part& part, const Place& place) {
    const char* const disposition = g_mime_object_get_disposition(part.object);
    if (disposition != nullptr && absl::EqualsIgnoreCase(disposition, "attachment")) return false;
    if (part.type != "text/plain" && part.type != "text/html" && !IsMedia(part.type)) return false;
    if (!GMIME_IS_PART(part.object)) return false;
    if (place.is_first) return true;
    return place.parent != "related" &&
           (IsMedia(part.type) || g_mime_part_get_filename(GMIME_PART(part.object)) == nullptr);
  }

  void VisitMultipart(const Part& part, const Place& place) {
    const std::string subtype = part.type.substr(part.type.find('/') + 1);
    GMimeMultipart* const multipart = GMIME_MULTIPART(part.object);
    const int count = g_mime_multipart_get_count(multipart);
    const size_t texts = text_.size();
    const size_t htmls = html_.size();
    Place inner = place;
    inner.parent = subtype;
    inner.in_alternative = place.in_alternative || subtype == "alternative";
    for (int i = 0; i < count; ++i) {
      GMimeObject* const child = g_mime_multipart_get_part(multipart, i);
      inner.is_first = i == 0;
      Visit({child, TypeOf(child)}, inner);
    }
    if (subtype != "alternative") return;
    // One form alone stands for both.
    if (text_.size() == texts) Copy(html_, htmls, &text_);
    if (html_.size() == htmls) Copy(text_, texts, &html_);
  }

  static void Copy(const std::vector<Part>& from, size_t begin, std::vector<Part>* to) {
    for (size_t i = begin; i < from.size(); ++i) to->push_back(from[i]);
  }

  void Visit(const Part& part, const Place& place) {
    if (GMIME_IS_MULTIPART(part.object)) return VisitMultipart(part, place);
    if (IsReport(part.type)) reports_.push_back(part);
    if (!IsInline(part, place)) {
      attachments_.push_back(part);
      return;
    }
    if (place.parent == "alternative") {
      (part.type == "text/plain"  ? text_
       : part.type == "text/html" ? html_
                                  : attachments_)
          .push_back(part);
      return;
    }
    // Inside an alternative, a part belongs to the form that it is in.
    const bool only_html = place.in_alternative && part.type == "text/html";
    const bool only_text = place.in_alternative && part.type == "text/plain";
    if (!only_html) text_.push_back(part);
    if (!only_text) html_.push_back(part);
  }

  std::vector<Part> text_;
  std::vector<Part> html_;
  std::vector<Part> attachments_;
  std::vector<Part> reports_;
};

void AddAttachment(const Part& part, ParsedMail* mail) {
  ++mail->attachment_count;
  mail->attachment_bytes += DecodedSize(part.object);
}

// Lines that a mail program broke for the sake of their length become one again (RFC 3676).
std::string Unfolded(absl::string_view text, bool delete_space) {
  std::string whole;
  size_t depth_before = 0;
  bool flows = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumeSuffix(&line, "\r");
    const size_t depth = std::min(line.find_first_not_of('>'), line.size());
    absl::string_view content = line.substr(depth);
    absl::ConsumePrefix(&content, " ");
    const bool signature = content == "-- ";
    const bool joins = flows && depth == depth_before && !signature;
    if (joins) {
      absl::StrAppend(&whole, content);
    } else {
      if (!whole.empty()) whole.push_back('\n');
      absl::StrAppend(&whole, line.substr(0, depth), depth > 0 ? " " : "", content);
    }
    flows = absl::EndsWith(content, " ") && !signature;
    if (flows && delete_space) whole.pop_back();
    depth_before = depth;
  }
  return whole;
}

std::string Parameter(GMimeObject* part, const char* name) {
  const char* const value = g_mime_object_get_content_type_parameter(part, name);
  return value == nullptr ? "" : absl::AsciiStrToLower(value);
}

// The text of a part for the excerpt, in UTF-8.
std::string PlainText(const std::string& bytes, const Part& part) {
  const std::string text =
      ToUtf8(absl::string_view(bytes).substr(0, kMaxReadText), Parameter(part.object, "charset"));
  if (part.type == "text/html") return HtmlToText(text, kMaxReadText);
  if (Parameter(part.object, "format") != "flowed") return text;
  return Unfolded(text, Parameter(part.object, "delsp") == "yes");
}

// What an invitation says (RFC 5545): its title and its description.
std::string CalendarText(absl::string_view calendar) {
  const std::string unfolded =
      absl::StrReplaceAll(calendar, {{"\r\n ", ""}, {"\r\n\t", ""}, {"\n ", ""}, {"\n\t", ""}});
  std::string text;
  for (const absl::string_view line : absl::StrSplit(unfolded, '\n')) {
    if (!absl::StartsWithIgnoreCase(line, "summary") &&
        !absl::StartsWithIgnoreCase(line, "description")) {
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    absl::StrAppend(&text,
                    absl::StrReplaceAll(
                        absl::StripAsciiWhitespace(line.substr(colon + 1)),
                        {{"\\n", "\n"}, {"\\N", "\n"}, {"\\,", ","}, {"\\;", ";"}, {"\\\\", "\\"}}),
                    "\n");
  }
  return text;
}

// The bytes of a mail that is a part of another one.
std::string AttachedMail(const Part& part) {
  if (!GMIME_IS_MESSAGE_PART(part.object)) return DecodedText(part.object);
  GMimeMessage* const message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part.object));
  if (message == nullptr) return "";
  const GObjectPtr<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_object_write_to_stream(GMIME_OBJECT(message), nullptr, stream.get());
  const GByteArray* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

// A text that says no more than that there is another one.
bool SaysNothing(absl::string_view text) {
  constexpr size_t kLongestNote = 200;
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return true;
  return text.size() < kLongestNote && absl::StrContains(absl::AsciiStrToLower(text), "html");
}

class BodyReader {
 public:
  BodyReader(const MailHeader& header, const MailSettings& settings, ParsedMail* mail)
      : header_(header), settings_(settings), mail_(*mail) {}

  void Read(GMimeObject* root) {
    sorter_.Sort(root);
    const bool may_be_report = MayBeReport(header_, mail_);
    wants_text_ = settings_.excerpt_bytes > 0 || may_be_report;
    std::string text = TextOf(sorter_.text(), /*counts=*/true);
    if (wants_text_ && SaysNothing(text) && sorter_.text() != sorter_.html()) {
      const std::string html = TextOf(sorter_.html(), /*counts=*/false);
      if (!SaysNothing(html)) text = html;
    }
    for (const Part& part : sorter_.attachments()) AddAttachment(part, &mail_);
    ReadSpecial(may_be_report, &text);
    if (settings_.excerpt_bytes == 0) return;
    mail_.excerpt = MakeExcerpt(text, settings_.excerpt_bytes);
    mail_.forwarded = FindForwarded(text);
  }

 private:
  std::string TextOf(const std::vector<Part>& parts, bool counts) {
    std::string text;
    size_t texts = 0;
    for (const Part& part : parts) {
      if (IsMedia(part.type)) {
        if (counts) AddAttachment(part, &mail_);
        continue;
      }
      if (++texts > kMaxTextParts) {
        if (counts) mail_.body_bytes += DecodedSize(part.object);
        continue;
      }
      const std::string bytes = DecodedText(part.object);
      if (counts) mail_.body_bytes += static_cast<int64_t>(bytes.size());
      if (wants_text_) absl::StrAppend(&text, PlainText(bytes, part), "\n");
    }
    return text;
  }

  // Reports, invitations and mails in the mail.
  void ReadSpecial(bool may_be_report, std::string* text) {
    ReportParts report;
    std::string calendar;
    std::vector<std::string> mails;
    // A mail in a mail in a mail tells nothing more.
    const size_t most = settings_.attached ? ParsedMail::kMaxAttached : may_be_report ? 1 : 0;
    for (const Part& part : sorter_.reports()) {
      if (part.type == "text/calendar") {
        if (Parameter(part.object, "method") == "reply") mail_.auto_reply = true;
        if (calendar.empty()) calendar = CalendarText(ToUtf8(DecodedText(part.object), ""));
      } else if (absl::EndsWith(part.type, "delivery-status")) {
        absl::StrAppend(&report.status, DecodedText(part.object), "\n\n");
      } else if (part.type == "message/feedback-report") {
        absl::StrAppend(&report.feedback, DecodedText(part.object), "\n");
      } else if (mails.size() < most) {
        mails.push_back(AttachedMail(part));
      }
    }
    if (!mails.empty()) report.returned = mails.front();
    const bool is_report =
        may_be_report || !report.status.empty() || !report.feedback.empty() ||
        absl::StartsWith(absl::AsciiStrToLower(header_.Get("content-type")), "multipart/report");
    if (is_report) {
      report.text = *text;
      ReadReport(header_, report, &mail_);
    }
    if (SaysNothing(*text) && !calendar.empty()) *text = calendar;
    if (mail_.bounce || mail_.from_mail_server || !report.status.empty() ||
        !report.feedback.empty()) {
      return;
    }
    if (settings_.attached) mail_.attached = std::move(mails);
  }

  const MailHeader& header_;
  const MailSettings& settings_;
  ParsedMail& mail_;
  Sorter sorter_;
  bool wants_text_ = false;
};

}  // namespace

void FillFromText(const MailHeader& header, absl::string_view text, bool html,
                  const MailSettings& settings, ParsedMail* mail) {
  const std::string read = ToUtf8(text.substr(0, kMaxReadText), "utf-8");
  const std::string plain = html ? HtmlToText(read, kMaxReadText) : read;
  if (MayBeReport(header, *mail)) ReadReport(header, {.text = plain}, mail);
  if (settings.excerpt_bytes == 0) return;
  mail->excerpt = MakeExcerpt(plain, settings.excerpt_bytes);
  mail->forwarded = FindForwarded(plain);
}

void FillFromBody(const MailHeader& header, absl::string_view body, const MailSettings& settings,
                  ParsedMail* mail) {
  const GObjectPtr<GMimeObject> root = ParseParts(header, body);
  if (root == nullptr) return;
  BodyReader(header, settings, mail).Read(root.get());
}

}  // namespace rapport::mail_internal
