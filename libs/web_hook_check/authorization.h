#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/web_hook_check/web_hook_request.h"

namespace rapport {

// Whether the request carries "Authorization: Basic" with `credentials` ("user:password", which may
// not be empty). Unauthenticated: it carries none; PermissionDenied: they are others.
absl::Status CheckBasicAuth(const WebHookRequest& request, absl::string_view credentials);

// Whether the request carries "Authorization: Bearer" with `token`, which may not be empty.
// Unauthenticated: it carries none; PermissionDenied: it is another.
absl::Status CheckBearer(const WebHookRequest& request, absl::string_view token);

}  // namespace rapport
