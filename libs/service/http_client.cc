#include "libs/service/http_client.h"

#include "curl/curl.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/service/public_address.h"

namespace rapport {
namespace {

using Done = std::function<void(absl::StatusOr<HttpAnswer>)>;

constexpr long kConnectTimeoutMillis = 10'000;
constexpr int kPollMillis = 60'000;
// A file of CAs that was changed is read again after so long.
constexpr long kCaCacheSeconds = 60;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
using List = std::unique_ptr<curl_slist, FreeList>;

// One call under way. On the client's thread.
class Transfer {
 public:
  Transfer(HttpCall call, Done done) : call_(std::move(call)), done_(std::move(done)) {}

  // InvalidArgument: what the call asks for cannot be.
  absl::Status SetUp(Handle handle);
  CURL* handle() const { return handle_.get(); }
  Handle TakeHandle() { return std::move(handle_); }
  void Finish(CURLcode result);
  void Fail(absl::Status status) { done_(std::move(status)); }

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  // False ends the transfer.
  bool TellHead();
  absl::Status StatusOf(CURLcode result) const;

  HttpCall call_;
  Done done_;
  Handle handle_;
  List headers_;
  List connect_to_;
  HttpAnswer answer_;
  char error_[CURL_ERROR_SIZE] = {};
  bool refused_address_ = false;
  bool too_large_ = false;
  bool told_head_ = false;
  bool cancelled_ = false;
};

absl::Status Transfer::SetUp(Handle handle) {
  handle_ = std::move(handle);
  CURL* const curl = handle_.get();
  curl_easy_reset(curl);
  for (const Header& header : call_.headers) {
    // A header without a value is written with a semicolon, and would be left out with a colon.
    const std::string line = header.value.empty() ? absl::StrCat(header.name, ";")
                                                  : absl::StrCat(header.name, ": ", header.value);
    if (absl::StrContains(line, '\r') || absl::StrContains(line, '\n')) {
      return absl::InvalidArgumentError(
          absl::StrCat("the header ", header.name, " has a line break in it"));
    }
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  }
  // Libcurl would ask before a longer body, and wait for an answer that many never give.
  headers_.reset(curl_slist_append(headers_.release(), "Expect:"));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(curl, CURLOPT_URL, call_.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMillis);
  if (call_.timeout != absl::InfiniteDuration()) {
    const int64_t millis = absl::ToInt64Milliseconds(call_.timeout);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, millis)));
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  if (call_.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!call_.body.empty() || call_.method == "POST" || call_.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call_.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  if (!call_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, call_.ca_file.c_str());
  if (!call_.connect_to.empty()) {
    connect_to_.reset(curl_slist_append(nullptr, absl::StrCat("::", call_.connect_to).c_str()));
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to_.get());
  }
  if (call_.refuse_private_addresses) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  }
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  return absl::OkStatus();
}

size_t Transfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto* const transfer = static_cast<Transfer*>(self);
  absl::string_view line = absl::StripAsciiWhitespace(absl::string_view(data, size * count));
  if (absl::StartsWith(line, "HTTP/")) {  // the last one stands, after "100 Continue"
    transfer->answer_.headers.clear();
    return size * count;
  }
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos) {
    transfer->answer_.headers.push_back(
        {absl::AsciiStrToLower(line.substr(0, colon)),
         std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)))});
  }
  if (line.empty()) {
    long status = 0;
    curl_easy_getinfo(transfer->handle(), CURLINFO_RESPONSE_CODE, &status);
    transfer->answer_.status = static_cast<int>(status);
    if (status >= 200 && !transfer->TellHead()) return 0;
  }
  return size * count;
}

bool Transfer::TellHead() {
  if (std::exchange(told_head_, true) || !call_.on_head) return true;
  cancelled_ = !call_.on_head(answer_);
  return !cancelled_;
}

size_t Transfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto* const transfer = static_cast<Transfer*>(self);
  const absl::string_view piece(data, size * count);
  if (transfer->call_.on_body) {
    transfer->cancelled_ = !transfer->call_.on_body(piece);
    return transfer->cancelled_ ? 0 : piece.size();
  }
  std::string& body = transfer->answer_.body;
  if (body.size() + piece.size() > transfer->call_.max_response_bytes) {
    transfer->too_large_ = true;
    return 0;
  }
  body.append(piece.data(), piece.size());
  return piece.size();
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  if (!IsPublicAddress(&address->addr)) {
    static_cast<Transfer*>(self)->refused_address_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

absl::Status Transfer::StatusOf(CURLcode result) const {
  const std::string what = absl::StrCat(call_.method, " ", call_.url, ": ",
                                        error_[0] != '\0' ? error_ : curl_easy_strerror(result));
  if (cancelled_) return absl::CancelledError(absl::StrCat(call_.method, " ", call_.url));
  if (too_large_) {
    return absl::ResourceExhaustedError(absl::StrCat(call_.method, " ", call_.url,
                                                     ": the answer is larger than ",
                                                     call_.max_response_bytes, " bytes"));
  }
  if (refused_address_) {
    return absl::PermissionDeniedError(absl::StrCat(
        call_.method, " ", call_.url, ": the address is a private one, which is not allowed here"));
  }
  switch (result) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError(what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return absl::UnauthenticatedError(what);
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(what);
    default:
      return absl::UnavailableError(what);
  }
}

void Transfer::Finish(CURLcode result) {
  if (result == CURLE_OK) {
    done_(std::move(answer_));
  } else {
    done_(StatusOf(result));
  }
}

// One thread with its connections.
class ClientLoop {
 public:
  ClientLoop() : multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
    thread_ = std::thread([this] { Run(); });
  }

  ~ClientLoop() {
    {
      MutexLock lock(&mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    idle_handles_.clear();
    curl_multi_cleanup(multi_);
  }

  void Send(HttpCall call, Done done) {
    {
      MutexLock lock(&mutex_);
      waiting_.push_back(std::make_unique<Transfer>(std::move(call), std::move(done)));
    }
    curl_multi_wakeup(multi_);
  }

  bool InThread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  static constexpr size_t kMaxIdleHandles = 64;
  static constexpr long kMaxIdleConnections = 256;

  void Run() {
    while (BeginWaiting()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      FinishDone();
      curl_multi_poll(multi_, nullptr, 0, kPollMillis, nullptr);
    }
    for (auto& [handle, transfer] : running_) {
      curl_multi_remove_handle(multi_, handle);
      transfer->Fail(absl::CancelledError("the HTTP client was stopped"));
    }
    running_.clear();
  }

  // False when the client stops.
  bool BeginWaiting() {
    std::vector<std::unique_ptr<Transfer>> waiting;
    bool stopping = false;
    {
      MutexLock lock(&mutex_);
      waiting.swap(waiting_);
      stopping = stopping_;
    }
    for (std::unique_ptr<Transfer>& transfer : waiting) {
      if (stopping) {
        transfer->Fail(absl::CancelledError("the HTTP client was stopped"));
        continue;
      }
      const absl::Status status = transfer->SetUp(TakeHandle());
      if (!status.ok()) {
        transfer->Fail(status);
        continue;
      }
      CURL* const handle = transfer->handle();
      curl_multi_add_handle(multi_, handle);
      running_[handle] = std::move(transfer);
    }
    return !stopping;
  }

  void FinishDone() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto it = running_.find(message->easy_handle);
      RAPPORT_CHECK(it != running_.end(), "libcurl finished a transfer that was not begun");
      const CURLcode result = message->data.result;
      std::unique_ptr<Transfer> transfer = std::move(it->second);
      running_.erase(it);
      curl_multi_remove_handle(multi_, transfer->handle());
      transfer->Finish(result);
      if (idle_handles_.size() < kMaxIdleHandles) idle_handles_.push_back(transfer->TakeHandle());
    }
  }

  Handle TakeHandle() {
    if (idle_handles_.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(idle_handles_.back());
    idle_handles_.pop_back();
    return handle;
  }

  CURLM* const multi_;
  std::map<CURL*, std::unique_ptr<Transfer>> running_;
  std::vector<Handle> idle_handles_;

  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Transfer>> waiting_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace

class HttpClient::Impl {
 public:
  ClientLoop& LoopFor(const HttpCall& call) {
    std::unique_ptr<ClientLoop>& loop = call.refuse_private_addresses ? checked_ : open_;
    MutexLock lock(&mutex_);
    if (loop == nullptr) loop = std::make_unique<ClientLoop>();
    return *loop;
  }

 private:
  Mutex mutex_;
  std::unique_ptr<ClientLoop> open_;
  // Of its own, so that a call which must not reach private addresses takes over no connection to
  // one. Each is begun when first used.
  std::unique_ptr<ClientLoop> checked_;
};

absl::string_view HttpAnswer::HeaderValue(absl::string_view name) const {
  const auto it = std::find_if(headers.begin(), headers.end(),
                               [name](const Header& header) { return header.name == name; });
  return it == headers.end() ? absl::string_view() : it->value;
}

HttpClient::HttpClient() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  RAPPORT_CHECK(initialised == CURLE_OK, curl_easy_strerror(initialised));
  impl_ = std::make_unique<Impl>();
}

HttpClient::~HttpClient() = default;

absl::StatusOr<HttpAnswer> HttpClient::Fetch(const HttpCall& call) {
  struct Waiting {
    Mutex mutex;
    CondVar finished;
    std::optional<absl::StatusOr<HttpAnswer>> answer ABSL_GUARDED_BY(mutex);
  };
  ClientLoop& loop = impl_->LoopFor(call);
  RAPPORT_CHECK(!loop.InThread(), "Fetch would wait for its own thread");
  Waiting waiting;
  loop.Send(call, [&waiting](absl::StatusOr<HttpAnswer> answer) {
    MutexLock lock(&waiting.mutex);
    waiting.answer = std::move(answer);
    waiting.finished.SignalAll();
  });
  MutexLock lock(&waiting.mutex);
  while (!waiting.answer) waiting.finished.Wait(&waiting.mutex);
  return *std::move(waiting.answer);
}

void HttpClient::Send(HttpCall call, std::function<void(absl::StatusOr<HttpAnswer>)> done) {
  ClientLoop& loop = impl_->LoopFor(call);
  loop.Send(std::move(call), std::move(done));
}

}  // namespace rapport
