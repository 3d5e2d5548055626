#include <utility>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/service/http_connection.h"

namespace rapport {
namespace {

constexpr size_t kScratchBytes = size_t{64} << 10;

prometheus::Gauge& MakeGauge(Metrics* metrics, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(metrics->registry()).Add({});
}

}  // namespace

HttpCore::HttpCore(const HttpServer::Options& server_options,
                   std::unique_ptr<TlsCertificate> server_certificate,
                   TrustedProxies trusted_proxies, Metrics* metrics)
    : options(server_options),
      certificate(std::move(server_certificate)),
      proxies(std::move(trusted_proxies)),
      routes(metrics),
      connections_(MakeGauge(metrics, "rapport_http_connections", "Connections that are open")),
      streams_(MakeGauge(metrics, "rapport_http_streams", "Streams that are open")),
      pending_bodies_(MakeGauge(metrics, "rapport_http_pending_body_bytes",
                                "Memory of bodies that are on their way in")) {}

bool HttpCore::AddConnection() {
  MutexLock lock(&mutex_);
  if (count_ >= options.max_connections) return false;
  ++count_;
  connections_.Increment();
  return true;
}

void HttpCore::RemoveConnection() {
  MutexLock lock(&mutex_);
  --count_;
  connections_.Decrement();
  changed_.SignalAll();
}

bool HttpCore::AwaitNoConnections(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(&mutex_);
  while (count_ > 0) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(&mutex_, left);
  }
  return true;
}

HttpWorker::HttpWorker(std::shared_ptr<HttpCore> core)
    : core_(std::move(core)), scratch_(kScratchBytes) {
  const HttpServer::Options& options = core_->options;
  sweep_interval_ =
      std::clamp(std::min({options.header_timeout, options.body_timeout, options.idle_timeout}) / 4,
                 absl::Milliseconds(10), absl::Seconds(1));
}

void HttpWorker::Run() {
  thread_ = std::this_thread::get_id();
  Sweep();
  io_.run();
  CloseConnections();
  timer_.cancel();
  // What was cut off lets go of its connections.
  io_.restart();
  io_.poll();
}

void HttpWorker::Stop() {
  MutexLock lock(&post_mutex_);
  stopped_ = true;
  io_.stop();
}

void HttpWorker::Accept(boost::asio::ip::tcp::socket socket) {
  auto connection = std::make_shared<HttpConnection>(shared_from_this(), std::move(socket));
  connections_.push_back(connection);
  connection->Start(std::prev(connections_.end()));
}

void HttpWorker::Remove(std::list<std::shared_ptr<HttpConnection>>::iterator connection) {
  connections_.erase(connection);
}

void HttpWorker::ForEachConnection(const std::function<void(HttpConnection&)>& action) {
  for (auto it = connections_.begin(); it != connections_.end();) {
    const std::shared_ptr<HttpConnection> connection = *it++;
    action(*connection);
  }
}

void HttpWorker::DrainConnections() {
  ForEachConnection([](HttpConnection& connection) { connection.Drain(); });
}

void HttpWorker::CloseConnections() {
  ForEachConnection([](HttpConnection& connection) { connection.Close(); });
}

void HttpWorker::Sweep() {
  const absl::Time now = SteadyNow();
  ForEachConnection([now](HttpConnection& connection) { connection.CheckDeadline(now); });
  if (core_->certificate != nullptr) core_->certificate->ReadAgainIfChanged(now);
  timer_.expires_after(absl::ToChronoNanoseconds(sweep_interval_));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Sweep();
  });
}

const std::string& HttpWorker::DateLine() {
  const absl::Time now = absl::Now();
  const int64_t second = absl::ToUnixSeconds(now);
  if (second != date_second_) {
    date_second_ = second;
    date_line_ = absl::StrCat(
        "Date: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone()), "\r\n");
  }
  return date_line_;
}

}  // namespace rapport
