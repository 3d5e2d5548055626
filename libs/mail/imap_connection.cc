#include "libs/mail/imap_connection.h"

#include <sys/socket.h>

#include <array>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "curl/curl.h"
#include "libs/base/status.h"

namespace rapport::mail_internal {
namespace {

absl::Status Stopped() { return absl::CancelledError("the reader of the mailbox was stopped"); }

// What makes retrying without a change of the settings useless.
bool IsRefusal(CURLcode code) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
    case CURLE_URL_MALFORMAT:
      return true;
    default:
      return false;
  }
}

bool IsLoopback(absl::string_view address) {
  const absl::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  return absl::StartsWith(host, "127.") &&
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

int StopTransfer(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const StopSignal*>(stop)->stopped() ? 1 : 0;
}

class CurlConnection : public ImapConnection {
 public:
  CurlConnection(const ImapSettings& settings, const StopSignal* stop)
      : stop_(stop),
        timeout_(settings.answer_timeout),
        // A server's idea of a size may be a little off.
        lexer_(static_cast<size_t>(2 * settings.max_message_bytes + settings.cut_bytes)),
        curl_(curl_easy_init()) {}

  ~CurlConnection() override {
    // So that libcurl has nobody to say LOGOUT to, whose answer it would wait for.
    if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
    curl_easy_cleanup(curl_);
  }

  absl::Status Connect(const ImapSettings& settings, const std::string& secret) {
    const bool tls = settings.security == ImapSecurity::kTls;
    const std::string url = absl::StrCat(tls ? "imaps" : "imap", "://", settings.address, "/");
    std::array<char, CURL_ERROR_SIZE> error{};
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "imap,imaps");
    curl_easy_setopt(curl_, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(absl::ToInt64Milliseconds(timeout_)));
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, StopTransfer);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, stop_);
    if (settings.security == ImapSecurity::kStartTls) {
      curl_easy_setopt(curl_, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    }
    if (!settings.ca_file.empty()) {
      curl_easy_setopt(curl_, CURLOPT_CAINFO, settings.ca_file.c_str());
    }
    curl_easy_setopt(curl_, CURLOPT_USERNAME, settings.username.c_str());
    if (settings.authentication == ImapAuthentication::kXoauth2) {
      curl_easy_setopt(curl_, CURLOPT_XOAUTH2_BEARER, secret.c_str());
      curl_easy_setopt(curl_, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
    } else {
      curl_easy_setopt(curl_, CURLOPT_PASSWORD, secret.c_str());
    }
    const CURLcode code = curl_easy_perform(curl_);
    // It lives no longer than this call.
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, nullptr);
    if (stop_->stopped()) return Stopped();
    if (code != CURLE_OK) {
      const absl::string_view detail(error.data());
      const std::string message = absl::StrCat(
          "cannot connect to the mail server ", settings.address, " as ", settings.username, ": ",
          curl_easy_strerror(code), detail.empty() ? "" : absl::StrCat(" (", detail, ")"));
      return IsRefusal(code) ? absl::FailedPreconditionError(message)
                             : absl::UnavailableError(message);
    }
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket);
    if (socket == CURL_SOCKET_BAD) return Lost("it closed the connection after the log-in");
    socket_ = socket;
    return absl::OkStatus();
  }

  absl::Status Send(absl::string_view bytes) override {
    while (!bytes.empty()) {
      if (stop_->stopped()) return Stopped();
      size_t sent = 0;
      const CURLcode code = curl_easy_send(curl_, bytes.data(), bytes.size(), &sent);
      if (code != CURLE_OK && code != CURLE_AGAIN) return Lost(curl_easy_strerror(code));
      bytes.remove_prefix(sent);
      if (code == CURLE_AGAIN && !stop_->WaitWritable(socket_, timeout_) && !stop_->stopped()) {
        return Lost("it takes no more bytes");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<ImapResponse>> Receive(absl::Duration silence) override {
    while (true) {
      if (stop_->stopped()) return Stopped();
      RAPPORT_ASSIGN_OR_RETURN(std::optional<ImapResponse> response, lexer_.Next());
      if (response.has_value()) return response;
      size_t received = 0;
      // Without a look at the socket first: TLS may hold decrypted bytes.
      const CURLcode code = curl_easy_recv(curl_, buffer_.data(), buffer_.size(), &received);
      if (code == CURLE_OK && received == 0) return Lost("it closed the connection");
      if (code != CURLE_OK && code != CURLE_AGAIN) return Lost(curl_easy_strerror(code));
      lexer_.Feed({buffer_.data(), received});
      if (code == CURLE_AGAIN && !stop_->WaitReadable(socket_, silence) && !stop_->stopped()) {
        return std::optional<ImapResponse>();
      }
    }
  }

 private:
  static absl::Status Lost(absl::string_view why) {
    return absl::UnavailableError(absl::StrCat("the mail server is gone: ", why));
  }

  const StopSignal* const stop_;
  const absl::Duration timeout_;
  ImapLexer lexer_;
  CURL* const curl_;
  int socket_ = -1;
  std::array<char, 64 << 10> buffer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ImapConnection>> ImapConnection::Open(const ImapSettings& settings,
                                                                     const StopSignal* stop) {
  if (settings.security == ImapSecurity::kPlain && !IsLoopback(settings.address)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the connection to ", settings.address,
                     " would show the password to the network: set security to tls or starttls"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string secret, settings.secret());
  auto connection = std::make_unique<CurlConnection>(settings, stop);
  RAPPORT_RETURN_IF_ERROR(connection->Connect(settings, secret));
  return connection;
}

}  // namespace rapport::mail_internal
