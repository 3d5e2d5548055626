#include "libs/service/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/service/file_limit.h"
#include "libs/service/http_connection.h"

namespace rapport {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr absl::Duration kFullPause = absl::Milliseconds(100);

absl::StatusOr<tcp::endpoint> ParseListen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &port) ||
      port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("the address to listen on is '", listen,
                                                   "'; write host:port, such as 127.0.0.1:8080"));
  }
  std::string host = listen.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  }
  ErrorCode error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (!error) return tcp::endpoint(address, static_cast<uint16_t>(port));
  asio::io_context io;
  const auto found = tcp::resolver(io).resolve(host, std::to_string(port), error);
  if (error || found.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("the address to listen on, '", listen,
                                                      "', cannot be found: ", error.message()));
  }
  return found.begin()->endpoint();
}

std::string HostAndPort(const std::string& host, int port) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

// nullptr: none is asked for.
absl::StatusOr<std::unique_ptr<TlsCertificate>> LoadCertificate(const std::string& certificate_file,
                                                                const std::string& key_file) {
  if (certificate_file.empty() && key_file.empty()) return nullptr;
  if (certificate_file.empty() || key_file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TLS needs http.tls_certificate_file and http.tls_key_file, and there is only '",
        certificate_file, key_file, "'; set both or neither"));
  }
  return TlsCertificate::Load(certificate_file, key_file);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const Options& options, std::unique_ptr<TlsCertificate> certificate, TrustedProxies proxies,
       Metrics* metrics)
      : core_(std::make_shared<HttpCore>(options, std::move(certificate), std::move(proxies),
                                         metrics)) {
    for (int i = 0; i < std::max(1, options.threads); ++i) {
      workers_.push_back(std::make_shared<HttpWorker>(core_));
    }
    acceptor_ = std::make_unique<tcp::acceptor>(workers_[0]->io());
    pause_ = std::make_unique<asio::steady_timer>(workers_[0]->io());
  }

  ~Impl() {
    Drain(absl::Seconds(1));
    for (const auto& worker : workers_) worker->Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Bind(const tcp::endpoint& endpoint) {
    ErrorCode error;
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) bound_ = acceptor_->local_endpoint(error);
    if (!error) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("listening on ", core_->options.listen, ": ", error.message(),
                     "; is another process there? Choose another address"));
  }

  absl::Status Start() {
    RAPPORT_CHECK(threads_.empty(), "started twice");
    ErrorCode error;
    acceptor_->listen(SOMAXCONN, error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat("listening on ", core_->options.listen, ": ", error.message()));
    }
    AcceptNext();
    for (const auto& worker : workers_) {
      threads_.emplace_back([worker] { worker->Run(); });
    }
    return absl::OkStatus();
  }

  void Drain(absl::Duration timeout) {
    if (threads_.empty()) return;
    core_->draining = true;
    workers_[0]->Post([this] {
      ErrorCode error;
      acceptor_->close(error);
      pause_->cancel();
    });
    for (const auto& worker : workers_) worker->Post([worker] { worker->DrainConnections(); });
    if (core_->AwaitNoConnections(timeout)) return;
    for (const auto& worker : workers_) worker->Post([worker] { worker->CloseConnections(); });
    core_->AwaitNoConnections(absl::Seconds(1));
  }

  RouteTable& routes() { return core_->routes; }
  HttpCore& core() { return *core_; }
  bool started() const { return !threads_.empty(); }
  const tcp::endpoint& bound() const { return bound_; }
  TlsCertificate* certificate() const { return core_->certificate.get(); }

 private:
  void AcceptNext() {
    HttpWorker& worker = *workers_[next_worker_++ % workers_.size()];
    acceptor_->async_accept(worker.io(),
                            [this, &worker](const ErrorCode& error, tcp::socket socket) {
                              OnAccepted(worker, error, std::move(socket));
                            });
  }

  void OnAccepted(HttpWorker& worker, const ErrorCode& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || core_->draining) return;
    if (error) {
      // No more file descriptors, most likely: those who wait are accepted later.
      Log(LogLevel::kWarning, absl::StrCat("accepting a connection: ", error.message()));
      pause_->expires_after(absl::ToChronoNanoseconds(kFullPause));
      pause_->async_wait([this](const ErrorCode& wait_error) {
        if (!wait_error) AcceptNext();
      });
      return;
    }
    if (!core_->AddConnection()) {
      // Through TLS it would take a handshake to say so.
      if (core_->certificate == nullptr) TurnAway(socket);
    } else if (worker.InThread()) {
      worker.Accept(std::move(socket));
    } else {
      // The socket comes by pointer, since work that is posted can be copied.
      const bool posted =
          worker.Post([&worker, socket = std::make_shared<tcp::socket>(std::move(socket))] {
            worker.Accept(std::move(*socket));
          });
      if (!posted) core_->RemoveConnection();
    }
    AcceptNext();
  }

  static void TurnAway(tcp::socket& socket) {
    static constexpr char kFull[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 68\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        "{\"code\":14,\"details\":[],\"message\":\"there are too many connections\"}\n";
    ErrorCode error;
    socket.non_blocking(true, error);
    socket.write_some(asio::buffer(kFull, sizeof kFull - 1), error);
    socket.shutdown(tcp::socket::shutdown_send, error);
    // Read, so that the close is none that overtakes the answer.
    char unread[4096];
    socket.read_some(asio::buffer(unread), error);
  }

  const std::shared_ptr<HttpCore> core_;
  std::vector<std::shared_ptr<HttpWorker>> workers_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> pause_;
  tcp::endpoint bound_;
  size_t next_worker_ = 0;
  std::vector<std::thread> threads_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(const Options& options,
                                                               Metrics* metrics) {
  RAPPORT_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, ParseListen(options.listen));
  if (options.token.empty() && !options.access_controlled && !endpoint.address().is_loopback()) {
    return absl::FailedPreconditionError(
        absl::StrCat("listening on ", options.listen,
                     ", which other machines reach, needs somebody to be asked who they are: set "
                     "http.token_file, invite a first administrator (rapport staff invite), or "
                     "listen on 127.0.0.1"));
  }
  RAPPORT_ASSIGN_OR_RETURN(TrustedProxies proxies, TrustedProxies::Parse(options.trusted_proxies));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<TlsCertificate> certificate,
                           LoadCertificate(options.tls_certificate_file, options.tls_key_file));
  Options possible = options;
  const int64_t files = FilesForConnections(RaiseFileLimit());
  if (files < possible.max_connections) {
    Log(LogLevel::kInfo,
        absl::StrCat("at most ", files, " connections at a time, and not ", options.max_connections,
                     ": the process may open too few files; raise its limit (ulimit -Hn)"));
    possible.max_connections = static_cast<int>(files);
  }
  auto impl = std::make_unique<Impl>(possible, std::move(certificate), std::move(proxies), metrics);
  RAPPORT_RETURN_IF_ERROR(impl->Bind(endpoint));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Handle(absl::string_view method, absl::string_view pattern, HttpHandler handler,
                        RouteOptions options) {
  RAPPORT_CHECK(!impl_->started(), "routes are added before Start");
  impl_->routes().Add(method, pattern, std::move(handler), std::move(options));
}

void HttpServer::HandleRest(absl::string_view except, HttpHandler handler) {
  RAPPORT_CHECK(!impl_->started(), "routes are added before Start");
  impl_->routes().AddRest(except, std::move(handler));
}

std::vector<HttpServer::Route> HttpServer::routes() const { return impl_->routes().routes(); }

void HttpServer::SetAccess(Access* access) {
  RAPPORT_CHECK(!impl_->started(), "access is set before Start");
  impl_->core().access = access;
}

Access* HttpServer::access() const { return impl_->core().access; }

absl::Status HttpServer::Start() { return impl_->Start(); }

void HttpServer::Drain(absl::Duration timeout) { impl_->Drain(timeout); }

std::string HttpServer::address() const {
  const std::string host = impl_->bound().address().to_string();
  TlsCertificate* const certificate = impl_->certificate();
  if (certificate == nullptr) return absl::StrCat("http://", HostAndPort(host, port()));
  return absl::StrCat("https://", HostAndPort(certificate->HostFor(host), port()));
}

std::string HttpServer::local_address() const {
  auto address = impl_->bound().address();
  if (address.is_unspecified()) {
    address = address.is_v6() ? asio::ip::address(asio::ip::address_v6::loopback())
                              : asio::ip::address(asio::ip::address_v4::loopback());
  }
  return HostAndPort(address.to_string(), port());
}

int HttpServer::port() const { return impl_->bound().port(); }

}  // namespace rapport
