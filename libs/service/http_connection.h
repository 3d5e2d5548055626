#pragma once

#include <utility>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "libs/base/mutex.h"
#include "libs/service/http_server.h"
#include "libs/service/http_socket.h"
#include "libs/service/request_parser.h"
#include "libs/service/route_table.h"
#include "libs/service/tls_certificate.h"
#include "libs/service/trusted_proxies.h"
#include "prometheus/gauge.h"

// The parts of the HTTP server. Each worker is a thread with its own event loop, and a connection
// belongs to one worker for its life, so that nothing about a connection is locked.

namespace rapport {

// A clock for time-outs, which nobody sets.
inline absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// What all connections of a server share.
class HttpCore {
 public:
  // `certificate`: nullptr for plain HTTP.
  HttpCore(const HttpServer::Options& options, std::unique_ptr<TlsCertificate> certificate,
           TrustedProxies proxies, Metrics* metrics);

  const HttpServer::Options options;
  const std::unique_ptr<TlsCertificate> certificate;
  const TrustedProxies proxies;
  RouteTable routes;
  // May be null.
  Access* access = nullptr;
  std::atomic<bool> draining = false;

  // False when there are too many.
  bool AddConnection();
  void RemoveConnection();
  // False when the time passed first.
  bool AwaitNoConnections(absl::Duration timeout);
  // Memory of all bodies that are on their way in.
  std::atomic<size_t> pending_body_bytes = 0;
  prometheus::Gauge& pending_bodies() { return pending_bodies_; }
  prometheus::Gauge& streams() { return streams_; }

 private:
  prometheus::Gauge& connections_;
  prometheus::Gauge& streams_;
  prometheus::Gauge& pending_bodies_;
  Mutex mutex_;
  CondVar changed_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

class HttpConnection;

// One event loop and its connections. All but Post, Run and the destructor: on its thread.
class HttpWorker : public std::enable_shared_from_this<HttpWorker> {
 public:
  explicit HttpWorker(std::shared_ptr<HttpCore> core);

  HttpCore& core() { return *core_; }
  boost::asio::io_context& io() { return io_; }
  bool InThread() const { return std::this_thread::get_id() == thread_; }

  // Runs `work` on the worker's thread, later. False when it has stopped. Any thread.
  template <class Work>
  bool Post(Work work) {
    MutexLock lock(&post_mutex_);
    if (stopped_) return false;
    boost::asio::post(io_, std::move(work));
    return true;
  }

  // Serves until Stop, then closes what is left.
  void Run();
  void Stop();

  void Accept(boost::asio::ip::tcp::socket socket);
  void Remove(std::list<std::shared_ptr<HttpConnection>>::iterator connection);
  void DrainConnections();
  void CloseConnections();

  // Where sockets are read into, before what is incomplete is kept by the connection.
  std::vector<char>& scratch() { return scratch_; }
  // "Date: ...\r\n" of this second.
  const std::string& DateLine();

 private:
  // `action` may close the connection.
  void ForEachConnection(const std::function<void(HttpConnection&)>& action);
  // Closes what took too long, and comes again.
  void Sweep();

  const std::shared_ptr<HttpCore> core_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  absl::Duration sweep_interval_;
  std::atomic<std::thread::id> thread_;
  std::vector<char> scratch_;
  std::list<std::shared_ptr<HttpConnection>> connections_;
  int64_t date_second_ = 0;
  std::string date_line_;

  Mutex post_mutex_;
  bool stopped_ ABSL_GUARDED_BY(post_mutex_) = false;
};

class HttpStreamImpl;

// One connection: reads a request, hands it to its handler, writes the answer, and again. On its
// worker's thread, but for the members of the reply and the stream that point to it.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpWorker> worker, boost::asio::ip::tcp::socket socket);
  ~HttpConnection();

  void Start(std::list<std::shared_ptr<HttpConnection>>::iterator self);
  const std::shared_ptr<HttpWorker>& worker() const { return worker_; }

  // The answer to the request under way.
  void Answer(HttpResponse response);
  void BeginStream(const HttpResponse& head, std::shared_ptr<HttpStreamImpl> stream);
  // The stream has something to send, or is to end.
  void FlushStream();

  // Called now and then: closes what took too long.
  void CheckDeadline(absl::Time now);
  // Closes when idle, else after the answer.
  void Drain();
  void Close();

 private:
  enum class State {
    kGreeting,   // until TLS is agreed on
    kReading,    // a request
    kHandling,   // it, elsewhere
    kWriting,    // the answer
    kStreaming,  // an answer without an end
    kLingering,  // until the peer has read our last words
    kClosed,
  };

  void WaitReadable();
  void OnReadable();
  // Goes on with the handshake of TLS; true when there may be requests to read.
  bool Greet();
  void Process(absl::string_view data);
  void ParseSome(absl::string_view* data);
  void OnHeader();
  // Counts what the body under way holds; false when all together hold more than may be.
  bool HoldBody();
  // Gives the parser up, and what was counted of its body.
  void DropParser();
  // The answer to a request that no handler gets to see.
  std::optional<HttpResponse> Refusal();
  void Refuse(HttpResponse response);
  void Dispatch();
  void WriteHead(const HttpResponse& response, std::optional<size_t> content_length);
  void Flush();
  void OnWritten();
  void Linger();
  void Observe(int status);

  const std::shared_ptr<HttpWorker> worker_;
  HttpCore& core_;
  HttpSocket socket_;
  std::string peer_;
  std::list<std::shared_ptr<HttpConnection>>::iterator self_;

  State state_ = State::kReading;
  absl::Time deadline_ = absl::InfiniteFuture();
  bool processing_ = false;
  bool waiting_readable_ = false;
  // Read and not yet parsed.
  std::string input_;
  size_t header_bytes_ = 0;
  std::unique_ptr<RequestParser> parser_;
  size_t held_body_bytes_ = 0;

  // Of the request under way.
  RouteTable::Entry* route_ = nullptr;
  std::function<void(int status)> answered_;
  const std::string* allowed_origin_ = nullptr;
  absl::Time began_;
  bool head_only_ = false;
  bool http_1_0_ = false;
  bool close_after_ = false;
  bool unread_input_ = false;

  // On its way out.
  std::string out_head_;
  std::string out_body_;
  size_t written_ = 0;
  std::shared_ptr<HttpStreamImpl> stream_;
};

}  // namespace rapport
