#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/service/http.h"
#include "libs/service/http_server.h"

// Who may call, and what those are told who may not.

namespace rapport {

// The request's Origin when it is one of those that are allowed; else nullptr. Points into options.
const std::string* AllowedOrigin(const HttpServer::Options& options, const HttpRequest& request);

// Refuses what has no Host, and web pages of other origins, which a browser would let send requests
// to an address that only this machine or network reaches.
std::optional<HttpResponse> CheckCaller(const HttpServer::Options& options,
                                        const HttpRequest& request, bool http_1_0);

bool HasToken(const HttpServer::Options& options, const HttpRequest& request);

// The answer to who speaks plain HTTP where TLS is spoken: the same with https, or 403 where
// something would have been sent in the clear again.
HttpResponse SpeakTls(const HttpRequest& request);

// The answer to a browser that asks whether it may call (CORS).
HttpResponse PreflightAnswer(const std::vector<std::string>& methods);
HttpResponse MissingToken();
// 404, or 405 when the path has other methods.
HttpResponse NoRoute(const HttpRequest& request, const std::vector<std::string>& methods);
HttpResponse BodyTooLarge(size_t max_bytes);

}  // namespace rapport
