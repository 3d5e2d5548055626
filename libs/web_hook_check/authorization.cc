#include "libs/web_hook_check/authorization.h"

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

// What follows the scheme in the Authorization header.
absl::StatusOr<absl::string_view> Presented(const WebHookRequest& request,
                                            absl::string_view scheme) {
  const std::optional<absl::string_view> header = FindHeader(request, "authorization");
  const size_t end = header.has_value() ? header->find(' ') : absl::string_view::npos;
  if (end == absl::string_view::npos || !absl::EqualsIgnoreCase(header->substr(0, end), scheme)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the request must carry \"Authorization: ", scheme, "\""));
  }
  return absl::StripAsciiWhitespace(header->substr(end + 1));
}

}  // namespace

absl::Status CheckBasicAuth(const WebHookRequest& request, absl::string_view credentials) {
  RAPPORT_CHECK(!credentials.empty(), "credentials");
  RAPPORT_ASSIGN_OR_RETURN(const absl::string_view presented, Presented(request, "Basic"));
  std::string decoded;
  if (!absl::Base64Unescape(presented, &decoded) || !ConstantTimeEqual(decoded, credentials)) {
    return absl::PermissionDeniedError("the user or the password is wrong");
  }
  return absl::OkStatus();
}

absl::Status CheckBearer(const WebHookRequest& request, absl::string_view token) {
  RAPPORT_CHECK(!token.empty(), "token");
  RAPPORT_ASSIGN_OR_RETURN(const absl::string_view presented, Presented(request, "Bearer"));
  if (!ConstantTimeEqual(presented, token)) {
    return absl::PermissionDeniedError("the token is wrong");
  }
  return absl::OkStatus();
}

}  // namespace rapport
