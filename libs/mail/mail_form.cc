#include "libs/mail/mail_form.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/mail/gmime_ptr.h"
#include "libs/mail/mail_header.h"
#include "libs/web_hook_check/form.h"

namespace rapport::mail_internal {
namespace {

absl::Status Broken(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("the form cannot be read: ", why));
}

std::string BoundaryOf(absl::string_view content_type) {
  InitGMime();
  const GObjectPtr<GMimeContentType> type(
      g_mime_content_type_parse(nullptr, std::string(content_type).c_str()));
  const char* const boundary = g_mime_content_type_get_parameter(type.get(), "boundary");
  return boundary == nullptr ? "" : boundary;
}

}  // namespace

absl::StatusOr<MailForm> MailForm::Parse(const WebHookRequest& request) {
  MailForm form;
  const std::string type = MediaType(request);
  if (type == "multipart/form-data") {
    RAPPORT_RETURN_IF_ERROR(
        form.AddMultipart(FindHeader(request, "content-type").value_or(""), request.body));
    return form;
  }
  if (type != "application/x-www-form-urlencoded") {
    return Broken(absl::StrCat("its type is \"", type.substr(0, 100), "\""));
  }
  RAPPORT_ASSIGN_OR_RETURN(std::vector<FormField> fields, ParseForm(request.body));
  for (FormField& field : fields) {
    form.parts_.push_back({.name = std::move(field.name), .content = std::move(field.value)});
  }
  return form;
}

absl::Status MailForm::AddMultipart(absl::string_view content_type, absl::string_view body) {
  const std::string boundary = BoundaryOf(content_type);
  if (boundary.empty()) return Broken("it names no boundary");
  const std::string first = absl::StrCat("--", boundary);
  const std::string next = absl::StrCat("\r\n", first);
  if (absl::StartsWith(body, first)) {
    body.remove_prefix(first.size());
  } else {
    const size_t begin = body.find(next);
    if (begin == absl::string_view::npos) return Broken("its boundary is nowhere");
    body.remove_prefix(begin + next.size());
  }
  // Behind each boundary stands either a part or the mark of the end.
  while (!absl::StartsWith(body, "--")) {
    if (!absl::ConsumePrefix(&body, "\r\n")) return Broken("a boundary is not a line");
    const size_t end = body.find(next);
    if (end == absl::string_view::npos) return Broken("it has no end");
    if (parts_.size() == kMaxParts) return Broken(absl::StrCat("more than ", kMaxParts, " parts"));
    RAPPORT_RETURN_IF_ERROR(AddPart(body.substr(0, end)));
    body.remove_prefix(end + next.size());
  }
  return absl::OkStatus();
}

absl::Status MailForm::AddPart(absl::string_view part) {
  const MailHeader header(part);
  const GObjectPtr<GMimeContentDisposition> disposition(g_mime_content_disposition_parse(
      nullptr, std::string(header.Get("content-disposition")).c_str()));
  const char* const name = g_mime_content_disposition_get_parameter(disposition.get(), "name");
  if (name == nullptr) return Broken("a part has no name");
  parts_.push_back({.name = name,
                    .content = std::string(part.substr(header.body_at())),
                    .is_file = g_mime_content_disposition_get_parameter(disposition.get(),
                                                                        "filename") != nullptr});
  return absl::OkStatus();
}

std::optional<absl::string_view> MailForm::Find(absl::string_view name) const {
  for (const FormPart& part : parts_) {
    if (!part.is_file && part.name == name) return part.content;
  }
  return std::nullopt;
}

int32_t MailForm::file_count() const {
  int32_t count = 0;
  for (const FormPart& part : parts_) count += part.is_file ? 1 : 0;
  return count;
}

int64_t MailForm::file_bytes() const {
  int64_t bytes = 0;
  for (const FormPart& part : parts_) {
    if (part.is_file) bytes += static_cast<int64_t>(part.content.size());
  }
  return bytes;
}

}  // namespace rapport::mail_internal
