#include "libs/mail/mime_parts.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/mail/excerpt.h"
#include "libs/mail/gmime_ptr.h"
#include "libs/mail/html_text.h"
#include "libs/mail/utf8.h"

namespace rapport::mail_internal {
namespace {

// Of a text so much is read for its excerpt.
constexpr size_t kMaxReadText = size_t{128} << 10;
constexpr size_t kMaxTextParts = 20;
constexpr size_t kMaxFailedRecipients = 100;
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
};

// Sorts the parts of a mail into what is read and what is attached, as RFC 8621, 4.1.4 says.
class Sorter {
 public:
  void Sort(GMimeObject* root) { Visit({root, TypeOf(root)}, Place{}); }

  // The text in its plain form, or in HTML where there is no other. Pictures between texts, too.
  const std::vector<Part>& text() const { return text_.empty() ? html_ : text_; }
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
    if (part.type == "message/delivery-status") reports_.push_back(part);
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

// "Final-Recipient: rfc822; jo@example.com" (RFC 3464).
void ReadReport(const std::string& report, ParsedMail* mail) {
  for (absl::string_view line : absl::StrSplit(report, '\n')) {
    if (!absl::StartsWithIgnoreCase(line, "final-recipient:")) continue;
    const size_t mark = line.find(';');
    if (mark == absl::string_view::npos) continue;
    for (const MailAddress& failed : DecodeAddresses(line.substr(mark + 1))) {
      if (mail->failed_recipients.size() >= kMaxFailedRecipients) return;
      if (std::find(mail->failed_recipients.begin(), mail->failed_recipients.end(),
                    failed.address) == mail->failed_recipients.end()) {
        mail->failed_recipients.push_back(failed.address);
      }
    }
  }
}

void AddAttachment(const Part& part, ParsedMail* mail) {
  ++mail->attachment_count;
  mail->attachment_bytes += DecodedSize(part.object);
}

// The text of a part for the excerpt, in UTF-8.
std::string PlainText(const std::string& bytes, const Part& part) {
  const char* const charset = g_mime_object_get_content_type_parameter(part.object, "charset");
  const std::string text =
      ToUtf8(absl::string_view(bytes).substr(0, kMaxReadText), charset == nullptr ? "" : charset);
  return part.type == "text/html" ? HtmlToText(text, kMaxReadText) : text;
}

}  // namespace

std::string ExcerptOf(absl::string_view text, bool html, const MailSettings& settings) {
  if (settings.excerpt_bytes == 0) return "";
  const std::string read = ToUtf8(text.substr(0, kMaxReadText), "utf-8");
  return MakeExcerpt(html ? HtmlToText(read, kMaxReadText) : read, settings.excerpt_bytes);
}

void FillFromBody(const MailHeader& header, absl::string_view body, const MailSettings& settings,
                  ParsedMail* mail) {
  const GObjectPtr<GMimeObject> root = ParseParts(header, body);
  if (root == nullptr) return;
  Sorter sorter;
  sorter.Sort(root.get());
  std::string text;
  size_t texts = 0;
  for (const Part& part : sorter.text()) {
    if (IsMedia(part.type)) {
      AddAttachment(part, mail);
      continue;
    }
    if (++texts > kMaxTextParts) {
      mail->body_bytes += DecodedSize(part.object);
      continue;
    }
    const std::string bytes = DecodedText(part.object);
    mail->body_bytes += static_cast<int64_t>(bytes.size());
    if (settings.excerpt_bytes > 0) absl::StrAppend(&text, PlainText(bytes, part), "\n");
  }
  for (const Part& part : sorter.attachments()) AddAttachment(part, mail);
  if (mail->bounce) {
    for (const Part& part : sorter.reports()) ReadReport(DecodedText(part.object), mail);
  }
  mail->excerpt = MakeExcerpt(text, settings.excerpt_bytes);
}

}  // namespace rapport::mail_internal
