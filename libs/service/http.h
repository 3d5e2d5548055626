#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "libs/event_log/event_log.h"

// What handlers of HTTP requests see: no more of HTTP than they need, and nothing of the library
// that speaks it.

namespace rapport {

struct Caller;

struct HttpRequest {
  std::string method;     // "GET", "POST", ...
  std::string path;       // percent-decoded, without the query
  std::string raw_path;   // the same as it was sent, to be passed on
  std::string raw_query;  // what stood behind the "?", as it was sent
  // Values of the {names} in the route's pattern, percent-decoded.
  std::vector<std::pair<std::string, std::string>> path_values;
  // Decoded, in the order of the request.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<Header> headers;  // names in lower case
  std::string body;             // as sent; content-encoding still on it
  std::string peer;             // "127.0.0.1:52100"
  // Who the client is: the connection's peer, or what trusted proxies (http.trusted_proxies) say.
  std::string client_address;  // "192.0.2.7"
  bool secure = false;         // it speaks TLS with us, or with a trusted proxy
  // Who sent it (access.h); null: anybody.
  std::shared_ptr<const Caller> caller;

  // The value of {name}; aborts when the route has no such name.
  const std::string& PathValue(absl::string_view name) const;
  // The first value of a query parameter; nullopt when it is not there.
  std::optional<std::string> Query(absl::string_view name) const;
  // The value of a header, `name` in lower case; "" when it is not there.
  absl::string_view HeaderValue(absl::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;  // further ones
  std::string body;
};

// A body that is sent piece by piece (server-sent events). Thread-safe; copies are the same stream.
class HttpStream {
 public:
  class Impl;
  HttpStream() = default;
  explicit HttpStream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  // Queues a piece. False when the peer is gone, or so slow that more than the server's limit of
  // bytes waits: the stream is then closed.
  bool Write(absl::string_view piece);
  // `closed` is called once when the peer is gone or the stream was closed; at once when it already
  // is. Any thread.
  void OnClose(std::function<void()> closed);
  // Sends what is queued and ends the body.
  void Close();
  bool open() const;

 private:
  std::shared_ptr<Impl> impl_;
};

// The answer to one request: exactly one of Send and Stream is called, once, from any thread, now
// or later. Dropped without either, it answers 500.
class HttpReply {
 public:
  class Impl;
  explicit HttpReply(std::unique_ptr<Impl> impl);
  HttpReply(HttpReply&&) noexcept;
  HttpReply& operator=(HttpReply&&) noexcept;
  ~HttpReply();

  void Send(HttpResponse response);
  // The status line and headers of `head` go out at once; its body is ignored.
  HttpStream Stream(HttpResponse head);

 private:
  std::unique_ptr<Impl> impl_;
};

// Called on a server thread; it must not block for longer than a read from the disk takes. What
// waits (for the log, for a position) keeps `reply` and answers later.
using HttpHandler = std::function<void(HttpRequest request, HttpReply reply)>;

// A handler from a function that answers at once.
HttpHandler Answering(std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer);

// google.rpc.Status in JSON: {"code", "message", "details"}; the HTTP status is that of the code
// (INVALID_ARGUMENT 400, UNAUTHENTICATED 401, NOT_FOUND 404, RESOURCE_EXHAUSTED 429, UNAVAILABLE
// 503 with Retry-After: 1, ...). `field`: path of the field that is wrong, told in a
// google.rpc.BadRequest.
HttpResponse ErrorResponse(const absl::Status& status, absl::string_view field = "");
// The same with an HTTP status of its own, such as 413 or 415.
HttpResponse ErrorResponse(int http_status, const absl::Status& status);

// The message as JSON (protobuf's mapping, field names as in the .proto, fields without presence
// always printed), or serialised when the request accepts application/x-protobuf.
HttpResponse MessageResponse(const HttpRequest& request, const google::protobuf::Message& message);

// Reads a query parameter as an RFC 3339 time, or a number in [least, most]; nullopt when it is not
// there. InvalidArgument names the parameter and its value.
absl::StatusOr<std::optional<absl::Time>> QueryTime(const HttpRequest& request,
                                                    absl::string_view name);
absl::StatusOr<std::optional<int64_t>> QueryNumber(const HttpRequest& request,
                                                   absl::string_view name, int64_t least,
                                                   int64_t most);
// InvalidArgument when the query has a parameter that is not among `known`.
absl::Status CheckQuery(const HttpRequest& request, absl::Span<const absl::string_view> known);

}  // namespace rapport
