#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Signing after Standard Webhooks 1.0.0, version v1: HMAC-SHA256 over "{id}.{timestamp}.{body}".
// With two secrets both sign, so that a receiver may change from one to the other at its leisure.
class WebHookSigner {
 public:
  // The contents of a secret file: a line of "whsec_" and base64 of 24 to 64 bytes, and perhaps a
  // second one with the secret before it. InvalidArgument never tells the secret.
  static absl::StatusOr<WebHookSigner> Parse(absl::string_view lines);

  // webhook-id, webhook-timestamp and webhook-signature.
  std::vector<Header> Sign(absl::string_view id, absl::Time now, absl::string_view body) const;

 private:
  std::vector<std::string> keys_;
};

}  // namespace rapport
