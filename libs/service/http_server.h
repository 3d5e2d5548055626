#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "libs/service/metrics.h"

namespace rapport {

// HTTP/1.1 with keep-alive. Routes are added between Create and Start. Thread-safe after Start.
class HttpServer {
 public:
  struct Options {
    // host:port; port 0 takes a free one.
    std::string listen = "127.0.0.1:0";
    int threads = 2;
    // More are refused with 503 at once; so are those that would leave too few file descriptors for
    // the log and the states (FilesForConnections).
    int max_connections = 20'000;
    size_t max_header_bytes = size_t{16} << 10;       // 431
    size_t max_body_bytes = size_t{8} << 20;          // 413; a route may have its own
    size_t max_stream_queue_bytes = size_t{1} << 20;  // of one HttpStream
    // Memory of all bodies that are still on their way in: beyond it, 503. Open routes, which
    // anybody may call, get half of it.
    size_t max_pending_body_bytes = size_t{128} << 20;
    absl::Duration header_timeout = absl::Seconds(10);
    absl::Duration body_timeout = absl::Seconds(30);
    absl::Duration idle_timeout = absl::Seconds(75);
    // What Authorization: Bearer has to hold; empty: no token is asked for, which Create refuses
    // (FailedPrecondition) unless `listen` is a loopback address.
    std::string token;
    // Whether whoever calls has to prove who they are in other ways (SetAccess).
    bool access_controlled = false;
    // Origins of web pages, other than our own, that may call, such as "https://desk.example.com".
    std::vector<std::string> allowed_origins;
    // PEM files of the certificate's chain and of its key: with them it speaks TLS alone, and reads
    // them again when they change. Create refuses one without the other (InvalidArgument) and what
    // cannot be used (FailedPrecondition).
    std::string tls_certificate_file;
    std::string tls_key_file;
    // Networks of proxies that are believed about a request's origin; see TrustedProxies.
    std::vector<std::string> trusted_proxies;
  };
  struct RouteOptions {
    // Answers without a token (/healthz).
    bool open = false;
    // 0: the server's.
    size_t max_body_bytes = 0;
    // Asked once the header is there and before the body is read; an error is the answer. May be
    // empty. Called on a server thread, with no body.
    std::function<absl::Status(const HttpRequest&)> admit = {};
  };
  struct Route {
    std::string method;
    std::string pattern;
  };

  // Binds; raises the process's limit of open files (RaiseFileLimit). FailedPrecondition: the
  // address is taken or not ours. InvalidArgument: an option is wrong. `metrics` outlives the
  // server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Create(const Options& options,
                                                            Metrics* metrics);
  // Drains within a second, and stops.
  ~HttpServer();

  // `pattern`: "/v1/clients/{id}"; a {name} stands for one non-empty segment, a {name...} for one
  // or more (ids that have a slash in them). The route with the most literal segments wins. Other
  // methods of the path answer 405, other paths 404.
  void Handle(absl::string_view method, absl::string_view pattern, HttpHandler handler,
              RouteOptions options);
  void Handle(absl::string_view method, absl::string_view pattern, HttpHandler handler) {
    Handle(method, pattern, std::move(handler), RouteOptions());
  }
  // Answers GET and HEAD of paths that no route has, but `except` and what is below it, such as
  // "/v1"; anybody may call. For files of a web page, whose names are not known here.
  void HandleRest(absl::string_view except, HttpHandler handler);
  // Without the rest.
  std::vector<Route> routes() const;
  // Asks `access` for each request who sends it, in place of the one token; before Start. It
  // outlives the server.
  void SetAccess(Access* access);
  // Null: there is the one token alone.
  Access* access() const;

  absl::Status Start();
  // Accepts no more, answers what is under way with "Connection: close", closes streams.
  void Drain(absl::Duration timeout);
  // Where it listens, such as "http://127.0.0.1:8080"; "https://desk.example.com:8443" with TLS,
  // under a name of the certificate when that is not for the address.
  std::string address() const;
  // host:port by which this machine reaches it, whatever name address() has.
  std::string local_address() const;
  int port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapport
