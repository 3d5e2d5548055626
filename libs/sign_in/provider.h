#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// What the discovery document of a provider tells (OpenID Connect Discovery 1.0).
struct Provider {
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  std::optional<std::string> userinfo_endpoint;
  std::optional<std::string> end_session_endpoint;
  // How a client with a secret proves itself at the token endpoint: in the Authorization header, or
  // else in the form.
  bool takes_basic = true;
  bool takes_post = false;
  // Each answer to an authorisation request names its issuer (RFC 9207).
  bool names_issuer = false;
};

// Whether secrets may be sent to the URL: https, or http to this machine itself; with no user, no
// fragment and nothing but printable ASCII. InvalidArgument: it is another.
absl::Status CheckEndpoint(absl::string_view url);

// FailedPrecondition: it is not the document of this issuer, or not one that sign-ins can go by.
absl::StatusOr<Provider> ParseProvider(absl::string_view document, absl::string_view issuer);

}  // namespace rapport
