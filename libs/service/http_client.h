#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

struct HttpAnswer {
  int status = 0;
  std::vector<Header> headers;  // names in lower case
  std::string body;
  absl::string_view HeaderValue(absl::string_view name) const;
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  absl::Duration timeout = absl::Seconds(10);  // of the whole call; infinite for a stream
  size_t max_response_bytes = size_t{16} << 20;
  // Refuses, after the name was resolved and before connecting, addresses that are not public
  // (loopback, private, link-local, unique local, multicast, ...): PermissionDenied.
  bool refuse_private_addresses = false;
  // PEM file of the CAs that the server's certificate must come from; empty: the system's.
  std::string ca_file;
  // host:port to connect to in place of what the URL names, which the certificate is for still;
  // empty: what it names.
  std::string connect_to;
  // Given: told the status and headers before any of the body; false ends the call (Cancelled).
  std::function<bool(const HttpAnswer& head)> on_head;
  // Given: the body goes here piece by piece and not into the answer; false ends the call
  // (Cancelled).
  std::function<bool(absl::string_view piece)> on_body;
};

// Calls HTTP servers over kept connections (libcurl); follows no redirects and asks no proxy.
// Thread-safe.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();  // cuts off what is under way: Cancelled

  // Waits for the answer, whatever its status. Unavailable: no connection; Unauthenticated: the
  // server's certificate is not believed; DeadlineExceeded; InvalidArgument: the URL.
  // ResourceExhausted: the answer is larger than it may be. Not from
  // within `done`, on_head or on_body.
  absl::StatusOr<HttpAnswer> Fetch(const HttpCall& call);
  // The same without waiting: `done` is called on the client's thread and must not block.
  void Send(HttpCall call, std::function<void(absl::StatusOr<HttpAnswer>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapport
