#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// A request that a source sent to a web hook of ours.
struct WebHookRequest {
  // The address as the source knows it, with its query: from the configured public address, never
  // from the Host header.
  std::string url;
  // Names in lower case.
  std::vector<Header> headers;
  // As it came, undecoded.
  std::string body;
  // When it came, from our clock.
  absl::Time now;
};

// The error of a request whose proof cannot be found, since `why` (InvalidArgument) keeps it from
// being read: PermissionDenied, for only what is proven to come from the source is kept when it is
// refused.
absl::Status Unproven(const absl::Status& why);

// The value of the first header of this name (in lower case); nullopt when there is none.
std::optional<absl::string_view> FindHeader(const WebHookRequest& request, absl::string_view name);

// The media type of the body in lower case, without parameters, such as "application/json"; empty
// when the request does not tell.
std::string MediaType(const WebHookRequest& request);

// What follows "?" in an address, without a fragment; empty when there is no query.
absl::string_view QueryOf(absl::string_view url);

}  // namespace rapport
