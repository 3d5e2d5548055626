#include "libs/service/http_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/asio/buffer.hpp"
#include "boost/beast/http/status.hpp"
#include "libs/service/http_access.h"
#include "libs/service/http_impl.h"
#include "libs/service/http_stream.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using HttpError = boost::beast::http::error;

constexpr absl::Duration kLingerTimeout = absl::Seconds(1);
// So much of one body is read before other connections have their turn.
constexpr int kReadsPerTurn = 16;
// A peer that acknowledges nothing for so long is gone.
constexpr int kUserTimeoutMillis = 60'000;

absl::string_view ReasonOf(int status) {
  const boost::beast::string_view reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {reason.data(), reason.size()};
}

void AppendHeader(std::string* out, absl::string_view name, absl::string_view value) {
  absl::StrAppend(out, name, ": ");
  // A line break in it would begin another header.
  for (const char c : value) out->push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
  absl::StrAppend(out, "\r\n");
}

// Answers from any thread.
class ReplyImpl final : public HttpReply::Impl {
 public:
  ReplyImpl(std::shared_ptr<HttpConnection> connection, bool chunked)
      : connection_(std::move(connection)), chunked_(chunked) {}

  void Send(HttpResponse response) override {
    HttpWorker& worker = *connection_->worker();
    if (worker.InThread()) {
      connection_->Answer(std::move(response));
      return;
    }
    worker.Post([connection = connection_, response = std::move(response)]() mutable {
      connection->Answer(std::move(response));
    });
  }

  HttpStream Stream(HttpResponse head) override {
    HttpWorker& worker = *connection_->worker();
    auto stream = std::make_shared<HttpStreamImpl>(connection_, chunked_,
                                                   worker.core().options.max_stream_queue_bytes);
    const bool posted =
        worker.Post([connection = connection_, head = std::move(head), stream]() mutable {
          connection->BeginStream(head, std::move(stream));
        });
    if (!posted) stream->End();
    return HttpStream(std::move(stream));
  }

 private:
  const std::shared_ptr<HttpConnection> connection_;
  const bool chunked_;
};

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpWorker> worker, asio::ip::tcp::socket socket)
    : worker_(std::move(worker)), core_(worker_->core()), socket_(std::move(socket)) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::Start(std::list<std::shared_ptr<HttpConnection>>::iterator self) {
  self_ = self;
  // It came while the others were told.
  if (core_.draining) return Close();
  ErrorCode error;
  HttpSocket::Tcp& tcp = socket_.tcp();
  const auto remote = tcp.remote_endpoint(error);
  if (!error) peer_ = absl::StrCat(Unmapped(remote.address()).to_string(), ":", remote.port());
  tcp.non_blocking(true, error);
  tcp.set_option(asio::ip::tcp::no_delay(true), error);
  ::setsockopt(tcp.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMillis,
               sizeof kUserTimeoutMillis);
  if (core_.certificate != nullptr) state_ = State::kGreeting;
  deadline_ = SteadyNow() + core_.options.header_timeout;
  WaitReadable();
}

void HttpConnection::WaitReadable() {
  if (waiting_readable_) return;
  waiting_readable_ = true;
  // Waits without a buffer, so that idle connections hold none.
  socket_.AwaitRead([self = shared_from_this()](const ErrorCode& error) {
    self->waiting_readable_ = false;
    if (!error) self->OnReadable();
  });
}

bool HttpConnection::Greet() {
  ErrorCode error;
  if (!socket_.is_tls()) {
    const char first = socket_.Peek(error);
    // A method of plain HTTP; TLS begins with the type of a record.
    const bool plain = !error && absl::ascii_isupper(static_cast<unsigned char>(first));
    if (!error && !plain) socket_.StartTls(core_.certificate->NewSession());
  }
  if (socket_.is_tls()) {
    socket_.Handshake(error);
    if (!error) deadline_ = SteadyNow() + core_.options.header_timeout;
  }
  if (error == asio::error::would_block) {
    WaitReadable();
  } else if (error) {
    Close();
  } else {
    state_ = State::kReading;
  }
  return state_ == State::kReading;
}

void HttpConnection::OnReadable() {
  if (state_ == State::kGreeting && !Greet()) return;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (state_ != State::kReading && state_ != State::kStreaming && state_ != State::kLingering) {
      return;
    }
    std::vector<char>& scratch = worker_->scratch();
    ErrorCode error;
    const size_t size = socket_.Read(asio::buffer(scratch), error);
    if (error == asio::error::would_block) break;
    if (error) {
      Close();
      return;
    }
    if (state_ == State::kReading) {
      Process(absl::string_view(scratch.data(), size));
    } else if (state_ == State::kStreaming) {
      close_after_ = true;  // what comes after a stream is not read
    }
    if (!socket_.MayHaveMore(size, scratch.size())) break;
  }
  if (state_ == State::kReading || state_ == State::kStreaming || state_ == State::kLingering) {
    WaitReadable();
  }
}

void HttpConnection::Process(absl::string_view data) {
  std::string joined;
  if (!input_.empty()) {
    joined = std::exchange(input_, {});
    joined.append(data.data(), data.size());
    data = joined;
  }
  processing_ = true;
  bool stuck = false;
  while (state_ == State::kReading && !data.empty() && !stuck) {
    const size_t before = data.size();
    ParseSome(&data);
    stuck = state_ == State::kReading && data.size() == before;
  }
  if (stuck && parser_ != nullptr && parser_->is_header_done() &&
      data.size() > core_.options.max_header_bytes) {
    // A body goes where it belongs as it comes: only such a line waits for its end.
    Refuse(ErrorResponse(absl::InvalidArgumentError(
        absl::StrCat("the line before a chunk, or what stands behind the last one, is longer than ",
                     core_.options.max_header_bytes, " bytes"))));
  }
  processing_ = false;
  if (state_ != State::kClosed && state_ != State::kLingering)
    input_.assign(data.data(), data.size());
}

void HttpConnection::ParseSome(absl::string_view* data) {
  if (parser_ == nullptr) {
    // Empty lines between requests.
    while (absl::StartsWith(*data, "\r\n")) data->remove_prefix(2);
    if (data->empty()) return;
    parser_ = std::make_unique<RequestParser>(core_.options.max_header_bytes);
    header_bytes_ = 0;
    route_ = nullptr;
    allowed_origin_ = nullptr;
    head_only_ = false;
    http_1_0_ = false;
    began_ = SteadyNow();
    deadline_ = began_ + core_.options.header_timeout;
  }
  const bool had_header = parser_->is_header_done();
  ErrorCode error;
  const size_t used = parser_->put(asio::const_buffer(data->data(), data->size()), error);
  const bool folded = !had_header && RequestParser::IsFolded(data->substr(0, used));
  data->remove_prefix(used);
  if (error && error != HttpError::need_more) {
    if (error == HttpError::header_limit) {
      Refuse(ErrorResponse(
          431, absl::ResourceExhaustedError(absl::StrCat(
                   "the header is larger than ", core_.options.max_header_bytes, " bytes"))));
    } else if (error == HttpError::body_limit) {
      Refuse(BodyTooLarge(parser_->max_body_bytes()));
    } else {
      const std::string why =
          parser_->problem().empty() ? error.message() : std::string(parser_->problem());
      Refuse(ErrorResponse(
          absl::InvalidArgumentError(absl::StrCat("this is no HTTP request: ", why))));
    }
    return;
  }
  if (folded) {
    Refuse(ErrorResponse(absl::InvalidArgumentError(
        "this is no HTTP request: a header field goes on in another line")));
    return;
  }
  if (!had_header) {
    header_bytes_ += used;
    const bool has_header = parser_->is_header_done();
    if (header_bytes_ + (has_header ? 0 : data->size()) > core_.options.max_header_bytes) {
      Refuse(ErrorResponse(
          431, absl::ResourceExhaustedError(absl::StrCat(
                   "the header is larger than ", core_.options.max_header_bytes, " bytes"))));
      return;
    }
    if (!has_header) return;
    OnHeader();
    if (state_ != State::kReading || parser_ == nullptr) return;
  }
  if (parser_->is_done()) {
    Dispatch();
  } else if (!HoldBody()) {
    Refuse(ErrorResponse(absl::UnavailableError(
        "more bodies are on their way in than there is room for; send it again after a second")));
  }
}

bool HttpConnection::HoldBody() {
  const size_t most = core_.options.max_pending_body_bytes;
  const size_t holds = parser_->request().body.capacity();
  if (holds == held_body_bytes_) return true;
  core_.pending_bodies().Increment(static_cast<double>(holds - held_body_bytes_));
  const size_t all = core_.pending_body_bytes += holds - held_body_bytes_;
  held_body_bytes_ = holds;
  return all <= (route_->options.open ? most / 2 : most);
}

void HttpConnection::DropParser() {
  parser_.reset();
  if (held_body_bytes_ == 0) return;
  core_.pending_bodies().Decrement(static_cast<double>(held_body_bytes_));
  core_.pending_body_bytes -= std::exchange(held_body_bytes_, 0);
}

void HttpConnection::OnHeader() {
  HttpRequest& request = parser_->request();
  http_1_0_ = parser_->http_version() < 11;
  close_after_ = !parser_->keep_alive();
  head_only_ = request.method == "HEAD";
  request.peer = peer_;
  request.client_address.assign(peer_, 0, peer_.rfind(':'));
  request.secure = socket_.is_tls();
  core_.proxies.Apply(&request);
  if (std::optional<HttpResponse> refusal = Refusal()) {
    Refuse(*std::move(refusal));
    return;
  }
  if (parser_->is_done()) return;
  deadline_ = SteadyNow() + core_.options.body_timeout;
  if (absl::EqualsIgnoreCase(request.HeaderValue("expect"), "100-continue")) {
    constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    ErrorCode error;
    socket_.Write({asio::const_buffer(kContinue.data(), kContinue.size())}, error);
    // TLS has taken what would block, and would put it into the answer.
    if (error) Close();
  }
}

std::optional<HttpResponse> HttpConnection::Refusal() {
  HttpRequest& request = parser_->request();
  std::optional<RequestTarget> target = ParseTarget(parser_->target());
  if (!target) {
    return ErrorResponse(absl::InvalidArgumentError(
        absl::StrCat("the request's target is no path, or its %-encoding is wrong")));
  }
  request.path = std::move(target->path);
  request.raw_path = std::string(target->raw_path);
  request.raw_query = std::string(target->raw_query);
  request.query = std::move(target->query);
  if (core_.certificate != nullptr && !socket_.is_tls()) {
    close_after_ = true;
    return SpeakTls(request);
  }
  const HttpServer::Options& options = core_.options;
  allowed_origin_ = AllowedOrigin(options, request);
  if (std::optional<HttpResponse> refusal = CheckCaller(options, request, http_1_0_)) {
    return refusal;
  }
  RouteTable::Match match = core_.routes.Find(request.method, target->raw_path);
  request.path_values = std::move(match.values);
  if (allowed_origin_ != nullptr && request.method == "OPTIONS" && !match.methods.empty()) {
    return PreflightAnswer(match.methods);
  }
  if (match.entry == nullptr || !match.entry->options.open) {
    if (core_.access == nullptr) {
      if (!HasToken(options, request)) return MissingToken();
    } else {
      Access::Admission admission =
          core_.access->Admit(request, match.entry == nullptr ? "" : match.entry->pattern);
      if (admission.refusal) return std::move(admission.refusal);
      request.caller = std::move(admission.caller);
      answered_ = std::move(admission.answered);
    }
  }
  if (match.entry == nullptr) return NoRoute(request, match.methods);
  route_ = match.entry;
  const size_t max_body =
      route_->options.max_body_bytes > 0 ? route_->options.max_body_bytes : options.max_body_bytes;
  parser_->set_max_body_bytes(max_body);
  const auto announced = parser_->content_length();
  if (announced && *announced > max_body) return BodyTooLarge(max_body);
  if (!route_->options.admit) return std::nullopt;
  const absl::Status admitted = route_->options.admit(request);
  return admitted.ok() ? std::nullopt : std::make_optional(ErrorResponse(admitted));
}

void HttpConnection::Refuse(HttpResponse response) {
  // What is still to come of the request is not read.
  if (!parser_->is_done()) {
    unread_input_ = true;
    close_after_ = true;
  }
  DropParser();
  state_ = State::kHandling;
  Answer(std::move(response));
}

void HttpConnection::Dispatch() {
  HttpRequest request = std::move(parser_->request());
  DropParser();
  state_ = State::kHandling;
  deadline_ = absl::InfiniteFuture();
  route_->handler(std::move(request),
                  HttpReply(std::make_unique<ReplyImpl>(shared_from_this(), !http_1_0_)));
}

void HttpConnection::WriteHead(const HttpResponse& response, std::optional<size_t> length) {
  if (core_.draining) close_after_ = true;
  out_head_.clear();
  written_ = 0;
  absl::StrAppend(&out_head_, "HTTP/1.1 ", response.status, " ", ReasonOf(response.status), "\r\n",
                  worker_->DateLine());
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless && !response.content_type.empty() && length != size_t{0}) {
    AppendHeader(&out_head_, "Content-Type", response.content_type);
  }
  if (length && !bodiless) {
    absl::StrAppend(&out_head_, "Content-Length: ", *length, "\r\n");
  } else if (!bodiless && !http_1_0_) {
    absl::StrAppend(&out_head_, "Transfer-Encoding: chunked\r\n");
  }
  if (allowed_origin_ != nullptr) {
    AppendHeader(&out_head_, "Access-Control-Allow-Origin", *allowed_origin_);
    absl::StrAppend(&out_head_, "Access-Control-Expose-Headers: Retry-After\r\n");
  }
  if (!core_.options.allowed_origins.empty()) absl::StrAppend(&out_head_, "Vary: Origin\r\n");
  if (socket_.is_tls()) {
    absl::StrAppend(&out_head_, "Strict-Transport-Security: max-age=31536000\r\n");
  }
  for (const Header& header : response.headers) {
    AppendHeader(&out_head_, header.name, header.value);
  }
  if (close_after_) {
    absl::StrAppend(&out_head_, "Connection: close\r\n");
  } else if (http_1_0_) {
    absl::StrAppend(&out_head_, "Connection: keep-alive\r\n");
  }
  absl::StrAppend(&out_head_, "\r\n");
}

void HttpConnection::Answer(HttpResponse response) {
  if (state_ != State::kHandling) return;
  Observe(response.status);
  WriteHead(response, response.body.size());
  out_body_ = head_only_ ? std::string() : std::move(response.body);
  state_ = State::kWriting;
  Flush();
}

void HttpConnection::BeginStream(const HttpResponse& head, std::shared_ptr<HttpStreamImpl> stream) {
  if (state_ != State::kHandling) {
    stream->End();
    return;
  }
  Observe(head.status);
  if (http_1_0_) close_after_ = true;
  WriteHead(head, std::nullopt);
  state_ = State::kStreaming;
  core_.streams().Increment();
  stream_ = std::move(stream);
  if (head_only_ || core_.draining) stream_->Close();
  Flush();
  if (state_ == State::kStreaming) WaitReadable();  // to see when the peer goes
}

void HttpConnection::FlushStream() {
  // Otherwise a write is under way, and goes on with what has come.
  if (state_ == State::kStreaming && out_head_.empty() && out_body_.empty()) Flush();
}

void HttpConnection::Flush() {
  while (state_ == State::kWriting || state_ == State::kStreaming) {
    const size_t size = out_head_.size() + out_body_.size();
    if (written_ == size) {
      OnWritten();
      if (state_ != State::kStreaming || out_body_.empty()) return;
      continue;
    }
    const size_t head_done = std::min(written_, out_head_.size());
    const size_t body_done = written_ - head_done;
    const std::array<asio::const_buffer, 2> buffers = {
        asio::const_buffer(out_head_.data() + head_done, out_head_.size() - head_done),
        asio::const_buffer(out_body_.data() + body_done, out_body_.size() - body_done)};
    ErrorCode error;
    written_ += socket_.Write(buffers, error);
    if (error == asio::error::would_block) {
      if (state_ == State::kWriting) deadline_ = SteadyNow() + core_.options.body_timeout;
      socket_.AwaitWrite([self = shared_from_this()](const ErrorCode& wait_error) {
        if (!wait_error) self->Flush();
      });
      return;
    }
    if (error) {
      Close();
      return;
    }
  }
}

void HttpConnection::OnWritten() {
  if (state_ == State::kStreaming) {
    stream_->OnSent(out_body_.size());
    HttpStreamImpl::Queued queued = stream_->Take();
    // Their memory goes, too: most streams are quiet for most of the time.
    out_head_ = {};
    out_body_ = head_only_ ? std::string() : std::move(queued.bytes);
    written_ = 0;
    if (!out_body_.empty() || !queued.last) return;
    core_.streams().Decrement();
    const std::shared_ptr<HttpStreamImpl> stream = std::move(stream_);
    stream->End();
    if (state_ == State::kClosed) return;
  }
  out_head_.clear();
  out_body_ = {};
  if (close_after_ || core_.draining) {
    Linger();
    return;
  }
  state_ = State::kReading;
  deadline_ = SteadyNow() + core_.options.idle_timeout;
  if (processing_) return;
  if (!input_.empty()) Process({});
  if (state_ == State::kReading) WaitReadable();
}

void HttpConnection::Linger() {
  // A close with unread input would be a reset, and could overtake our answer.
  if (!unread_input_ && input_.empty()) {
    Close();
    return;
  }
  socket_.ShutDownWrites();
  input_ = {};
  deadline_ = SteadyNow() + kLingerTimeout;
  state_ = State::kLingering;
  if (!processing_) WaitReadable();
}

void HttpConnection::Observe(int status) {
  RouteMetrics& metrics = route_ == nullptr ? core_.routes.unmatched() : route_->metrics;
  metrics.Observe(status, SteadyNow() - began_);
  if (answered_) std::exchange(answered_, nullptr)(status);
}

void HttpConnection::CheckDeadline(absl::Time now) {
  if (now < deadline_) return;
  if (state_ == State::kReading && parser_ != nullptr) {
    Refuse(ErrorResponse(
        408, absl::DeadlineExceededError(parser_->is_header_done() ? "the body took too long"
                                                                   : "the header took too long")));
    return;
  }
  Close();
}

void HttpConnection::Drain() {
  if (state_ == State::kGreeting || (state_ == State::kReading && parser_ == nullptr)) {
    Close();
  } else if (state_ == State::kStreaming) {
    stream_->Close();
  }
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  const std::shared_ptr<HttpConnection> self = shared_from_this();
  state_ = State::kClosed;
  deadline_ = absl::InfiniteFuture();
  DropParser();
  socket_.Close();
  if (stream_ != nullptr) {
    core_.streams().Decrement();
    std::exchange(stream_, nullptr)->End();
  }
  core_.RemoveConnection();
  worker_->Remove(self_);
}

}  // namespace rapport
