#include "libs/sign_in/provider.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/sign_in/id_token.h"
#include "libs/sign_in/json_document.h"

namespace rapport {
namespace {

constexpr size_t kMostUrlBytes = 2000;

bool IsHostByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// Whether it is a host, with or without a port. Only what every reader of URLs understands in the
// same way.
bool IsAuthority(absl::string_view authority) {
  if (absl::ConsumePrefix(&authority, "[")) {
    const size_t end = authority.find(']');
    if (end == absl::string_view::npos) return false;
    const absl::string_view address = authority.substr(0, end);
    const bool is_address = std::all_of(address.begin(), address.end(), [](char c) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.';
    });
    if (!is_address || address.empty()) return false;
    authority.remove_prefix(end + 1);
  } else {
    const auto end = std::find_if_not(authority.begin(), authority.end(), IsHostByte);
    if (end == authority.begin()) return false;
    authority.remove_prefix(static_cast<size_t>(end - authority.begin()));
  }
  if (authority.empty()) return true;
  return absl::ConsumePrefix(&authority, ":") && !authority.empty() &&
         std::all_of(authority.begin(), authority.end(), IsDigit);
}

// Of an authority.
bool IsLoopback(absl::string_view authority) {
  if (absl::StartsWith(authority, "[::1]")) return true;
  const absl::string_view host = authority.substr(0, authority.find(':'));
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  return absl::StartsWith(host, "127.") &&
         std::all_of(host.begin(), host.end(), [](char c) { return IsDigit(c) || c == '.'; });
}

bool Has(const std::vector<std::string>& values, absl::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

absl::StatusOr<std::string> Endpoint(const nlohmann::json& document, const std::string& name,
                                     bool plain) {
  RAPPORT_ASSIGN_OR_RETURN(std::string url, TextMember(document, name));
  if (url.empty()) return absl::InvalidArgumentError(absl::StrCat("it has no ", name));
  RAPPORT_RETURN_IF_ERROR(Annotate(CheckEndpoint(url), name));
  // Else a provider elsewhere could have us call what listens on this machine alone.
  if (!plain && !absl::StartsWith(url, "https://")) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", Quoted(url), ", which is not https as the issuer is"));
  }
  return url;
}

absl::StatusOr<std::optional<std::string>> OptionalEndpoint(const nlohmann::json& document,
                                                            const std::string& name, bool plain) {
  const auto member = document.find(name);
  if (member == document.end() || member->is_null()) return std::nullopt;
  RAPPORT_ASSIGN_OR_RETURN(std::string url, Endpoint(document, name, plain));
  return std::optional<std::string>(std::move(url));
}

absl::StatusOr<Provider> Read(absl::string_view text, absl::string_view issuer) {
  RAPPORT_ASSIGN_OR_RETURN(const nlohmann::json document, ParseDocument(text));
  RAPPORT_ASSIGN_OR_RETURN(const std::string named, TextMember(document, "issuer"));
  if (named != issuer) {
    return absl::InvalidArgumentError(
        absl::StrCat("its issuer is ", Quoted(named), ", and the configured one ", Quoted(issuer)));
  }
  const bool plain = absl::StartsWith(issuer, "http://");
  Provider provider;
  RAPPORT_ASSIGN_OR_RETURN(provider.authorization_endpoint,
                           Endpoint(document, "authorization_endpoint", plain));
  RAPPORT_ASSIGN_OR_RETURN(provider.token_endpoint, Endpoint(document, "token_endpoint", plain));
  RAPPORT_ASSIGN_OR_RETURN(provider.jwks_uri, Endpoint(document, "jwks_uri", plain));
  RAPPORT_ASSIGN_OR_RETURN(provider.userinfo_endpoint,
                           OptionalEndpoint(document, "userinfo_endpoint", plain));
  RAPPORT_ASSIGN_OR_RETURN(provider.end_session_endpoint,
                           OptionalEndpoint(document, "end_session_endpoint", plain));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> algorithms,
                           TextsMember(document, "id_token_signing_alg_values_supported"));
  if (!algorithms.empty() &&
      std::none_of(algorithms.begin(), algorithms.end(), IsAllowedAlgorithm)) {
    return absl::InvalidArgumentError(absl::StrCat("it signs ID tokens by ", Quoted(algorithms),
                                                   "; taken are ", kAllowedAlgorithms));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> methods,
                           TextsMember(document, "token_endpoint_auth_methods_supported"));
  if (!methods.empty()) {  // Else client_secret_basic, as the specification says.
    provider.takes_basic = Has(methods, "client_secret_basic");
    provider.takes_post = Has(methods, "client_secret_post");
  }
  const auto names_issuer = document.find("authorization_response_iss_parameter_supported");
  provider.names_issuer = names_issuer != document.end() && *names_issuer == true;
  return provider;
}

}  // namespace

absl::Status CheckEndpoint(absl::string_view url) {
  const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '\\' && c != '#';
  });
  absl::string_view rest = url;
  const bool https = absl::ConsumePrefix(&rest, "https://");
  const bool http = !https && absl::ConsumePrefix(&rest, "http://");
  const absl::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (!printable || url.size() > kMostUrlBytes || (!https && !http) || !IsAuthority(authority)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(url), " is not a URL of the form https://host/path"));
  }
  if (http && !IsLoopback(authority)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(url), " is not https, which only this machine itself may do without"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Provider> ParseProvider(absl::string_view document, absl::string_view issuer) {
  absl::StatusOr<Provider> provider = Read(document, issuer);
  if (provider.ok()) return provider;
  return absl::FailedPreconditionError(
      absl::StrCat("the discovery document: ", provider.status().message()));
}

}  // namespace rapport
