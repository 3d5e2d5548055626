#include "libs/web_hook_check/web_hook_request.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace rapport {

absl::Status Unproven(const absl::Status& why) {
  return absl::PermissionDeniedError(absl::StrCat(
      "the request does not prove who sent it, for it cannot be read: ", why.message()));
}

std::optional<absl::string_view> FindHeader(const WebHookRequest& request, absl::string_view name) {
  for (const Header& header : request.headers) {
    if (header.name == name) return absl::string_view(header.value);
  }
  return std::nullopt;
}

std::string MediaType(const WebHookRequest& request) {
  const absl::string_view value = FindHeader(request, "content-type").value_or("");
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(value.substr(0, value.find(';'))));
}

absl::string_view QueryOf(absl::string_view url) {
  url = url.substr(0, url.find('#'));
  const size_t mark = url.find('?');
  return mark == absl::string_view::npos ? absl::string_view() : url.substr(mark + 1);
}

}  // namespace rapport
