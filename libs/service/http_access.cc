#include "libs/service/http_access.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "openssl/crypto.h"

namespace rapport {
namespace {

// "desk.example.com" of "desk.example.com:8080".
absl::string_view WithoutPort(absl::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(host, "]")) return host;
  return host.substr(0, colon);
}

// "desk.example.com:8443" of "https://desk.example.com:8443".
absl::string_view HostOf(absl::string_view origin) {
  if (!absl::ConsumePrefix(&origin, "http://")) absl::ConsumePrefix(&origin, "https://");
  return origin;
}

// A name that somebody else's DNS could make point to us.
bool IsForeignName(const HttpServer::Options& options, absl::string_view host) {
  const absl::string_view name = WithoutPort(host);
  if (absl::EqualsIgnoreCase(name, "localhost") || absl::StartsWith(name, "[")) return false;
  const bool is_address = std::all_of(name.begin(), name.end(),
                                      [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (is_address) return false;
  return std::none_of(options.allowed_origins.begin(), options.allowed_origins.end(),
                      [name](const std::string& origin) {
                        return absl::EqualsIgnoreCase(WithoutPort(HostOf(origin)), name);
                      });
}

}  // namespace

const std::string* AllowedOrigin(const HttpServer::Options& options, const HttpRequest& request) {
  if (options.allowed_origins.empty()) return nullptr;
  const auto it = std::find(options.allowed_origins.begin(), options.allowed_origins.end(),
                            request.HeaderValue("origin"));
  return it == options.allowed_origins.end() ? nullptr : &*it;
}

std::optional<HttpResponse> CheckCaller(const HttpServer::Options& options,
                                        const HttpRequest& request, bool http_1_0) {
  const absl::string_view host = request.HeaderValue("host");
  if (host.empty() && !http_1_0) {
    return ErrorResponse(absl::InvalidArgumentError("the request has no Host header"));
  }
  const absl::string_view origin = request.HeaderValue("origin");
  if (!origin.empty() && AllowedOrigin(options, request) == nullptr &&
      (!absl::EqualsIgnoreCase(HostOf(origin), host) ||
       (request.secure && !absl::StartsWith(origin, "https://")))) {
    return ErrorResponse(absl::PermissionDeniedError(absl::StrCat(
        "web pages of ", origin, " may not call; name it in http.allowed_origins to allow it")));
  }
  // Over TLS a browser has held the name against the certificate.
  if (options.token.empty() && !options.access_controlled && options.tls_key_file.empty() &&
      !host.empty() && IsForeignName(options, host)) {
    return ErrorResponse(absl::PermissionDeniedError(absl::StrCat(
        "without a token, only localhost or an address may stand for this server, not '", host,
        "'; set http.token_file, or name it in http.allowed_origins")));
  }
  return std::nullopt;
}

bool HasToken(const HttpServer::Options& options, const HttpRequest& request) {
  if (options.token.empty()) return true;
  absl::string_view given = request.HeaderValue("authorization");
  if (!absl::StartsWithIgnoreCase(given, "bearer ")) return false;
  given = absl::StripAsciiWhitespace(given.substr(7));
  return given.size() == options.token.size() &&
         CRYPTO_memcmp(given.data(), options.token.data(), given.size()) == 0;
}

HttpResponse SpeakTls(const HttpRequest& request) {
  const absl::Status why = absl::PermissionDeniedError("this server speaks TLS; use https");
  const absl::string_view host = request.HeaderValue("host");
  const bool is_host = !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("-._:[]", static_cast<char>(c));
  });
  if ((request.method != "GET" && request.method != "HEAD") || !is_host) {
    return ErrorResponse(why);
  }
  HttpResponse response = ErrorResponse(308, why);
  response.headers.push_back(
      {"Location", absl::StrCat("https://", host, request.raw_path,
                                request.raw_query.empty() ? "" : "?", request.raw_query)});
  return response;
}

HttpResponse PreflightAnswer(const std::vector<std::string>& methods) {
  HttpResponse response;
  response.status = 204;
  response.headers = {{"Access-Control-Allow-Methods", absl::StrJoin(methods, ", ")},
                      {"Access-Control-Allow-Headers",
                       "authorization, content-type, content-encoding, last-event-id, "
                       "idempotency-key, ce-id, ce-source, ce-type, ce-time, ce-subject, "
                       "ce-specversion, traceparent"},
                      {"Access-Control-Max-Age", "600"}};
  return response;
}

HttpResponse MissingToken() {
  HttpResponse response = ErrorResponse(absl::UnauthenticatedError(
      "this needs the API token: send it as \"Authorization: Bearer TOKEN\""));
  response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

HttpResponse NoRoute(const HttpRequest& request, const std::vector<std::string>& methods) {
  if (methods.empty()) {
    return ErrorResponse(absl::NotFoundError(absl::StrCat("there is nothing at ", request.path)));
  }
  HttpResponse response = ErrorResponse(
      405,
      absl::UnimplementedError(absl::StrCat(request.path, " takes ", absl::StrJoin(methods, ", "),
                                            ", and not ", request.method)));
  response.headers.push_back({"Allow", absl::StrJoin(methods, ", ")});
  return response;
}

HttpResponse BodyTooLarge(size_t max_bytes) {
  return ErrorResponse(413, absl::ResourceExhaustedError(
                                absl::StrCat("the body is larger than ", max_bytes, " bytes")));
}

}  // namespace rapport
