#include "libs/smtp/smtp_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "curl/curl.h"
#include "libs/base/check.h"

namespace rapport {
namespace {

// How long a connection waits for its next mail: less than servers do (RFC 5321 asks for five
// minutes, and not all grant it).
constexpr long kIdleSeconds = 20;
constexpr size_t kMaxTextBytes = 300;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// What is said between us and the server, as far as it tells what became of a mail. Never what a
// login sends.
class Conversation {
 public:
  void Begin(absl::string_view message) {
    message_ = message;
    sent_ = 0;
    step_ = "connect";
    code_ = 0;
    text_.clear();
    over_ = false;
  }

  size_t Read(char* buffer, size_t size) {
    const size_t count = std::min(size, message_.size() - sent_);
    std::copy_n(message_.data() + sent_, count, buffer);
    sent_ += count;
    return count;
  }

  void Command(absl::string_view line) {
    line = absl::StripAsciiWhitespace(line);
    // What follows a refusal, and is said after all that counts.
    over_ = over_ || absl::StartsWithIgnoreCase(line, "QUIT");
    if (over_) return;
    text_.clear();
    code_ = 0;
    for (const absl::string_view verb :
         {"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL FROM", "RCPT TO", "DATA"}) {
      if (!absl::StartsWithIgnoreCase(line, verb)) continue;
      step_ = std::string(verb);
      return;
    }
  }

  void Reply(absl::string_view line) {
    line = absl::StripAsciiWhitespace(line);
    int code = 0;
    if (over_ || line.size() < 3 || !absl::SimpleAtoi(line.substr(0, 3), &code)) return;
    // Of several lines, those of the same code belong together.
    if (code != code_) text_.clear();
    code_ = code;
    line.remove_prefix(std::min<size_t>(line.size(), 4));
    if (text_.size() < kMaxTextBytes) {
      absl::StrAppend(&text_, text_.empty() ? "" : " ", line.substr(0, kMaxTextBytes));
    }
  }

  bool all_sent() const { return sent_ == message_.size(); }
  int code() const { return code_; }
  const std::string& text() const { return text_; }
  const std::string& step() const { return step_; }

 private:
  absl::string_view message_;
  size_t sent_ = 0;
  std::string step_;
  int code_ = 0;
  std::string text_;
  bool over_ = false;
};

size_t ReadMessage(char* buffer, size_t size, size_t count, void* conversation) {
  return static_cast<Conversation*>(conversation)->Read(buffer, size * count);
}

int Overhear(CURL*, curl_infotype type, char* data, size_t size, void* conversation) {
  auto* const told = static_cast<Conversation*>(conversation);
  const absl::string_view line(data, size);
  if (type == CURLINFO_HEADER_OUT) told->Command(line);
  if (type == CURLINFO_HEADER_IN) told->Reply(line);
  return 0;
}

SmtpReply::Outcome Judge(CURLcode result, const Conversation& told) {
  using Outcome = SmtpReply::Outcome;
  if (result == CURLE_OK) return Outcome::kTaken;
  // The server is about to close, whatever it was told.
  if (told.code() == 421) return Outcome::kServerTrouble;
  const bool about_this_mail = told.step() == "RCPT TO" || told.step() == "DATA";
  // 552 to MAIL FROM: this mail is too large, others may not be.
  if (told.code() == 552) return Outcome::kRefused;
  if (!about_this_mail) return Outcome::kServerTrouble;
  if (told.code() >= 500) return Outcome::kRefused;
  if (told.code() >= 400) return Outcome::kPutOff;
  return told.step() == "DATA" && told.all_sent() ? Outcome::kUnknown : Outcome::kServerTrouble;
}

// RFC 5321 allows more in quotes, and no mailbox of a person has it.
bool CanBeTold(const std::string& address) {
  const size_t at = address.rfind('@');
  return at != std::string::npos && at > 0 && at + 1 < address.size() && address.size() <= 320 &&
         std::none_of(address.begin(), address.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c)) || c == ' ' || c == '<' ||
                  c == '>' || c == '"' || c == ',';
         });
}

}  // namespace

class SmtpClient::Impl {
 public:
  explicit Impl(SmtpServer server) : server_(std::move(server)), curl_(curl_easy_init()) {
    RAPPORT_CHECK(curl_ != nullptr, "libcurl has no memory");
    const bool tls = server_.security == SmtpServer::Security::kTls;
    Set(CURLOPT_URL, absl::StrCat(tls ? "smtps://" : "smtp://", server_.host_and_port).c_str());
    Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_USE_SSL,
        static_cast<long>(server_.security == SmtpServer::Security::kNone ? CURLUSESSL_NONE
                                                                          : CURLUSESSL_ALL));
    if (!server_.ca_file.empty()) Set(CURLOPT_CAINFO, server_.ca_file.c_str());
    if (!server_.username.empty()) {
      Set(CURLOPT_USERNAME, server_.username.c_str());
      Set(CURLOPT_PASSWORD, server_.password.c_str());
    }
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    Set(CURLOPT_MAXAGE_CONN, kIdleSeconds);
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(server_.timeout)));
    Set(CURLOPT_ERRORBUFFER, error_);
    Set(CURLOPT_UPLOAD, 1L);
    Set(CURLOPT_READFUNCTION, &ReadMessage);
    Set(CURLOPT_READDATA, &conversation_);
    Set(CURLOPT_VERBOSE, 1L);
    Set(CURLOPT_DEBUGFUNCTION, &Overhear);
    Set(CURLOPT_DEBUGDATA, &conversation_);
  }
  ~Impl() { curl_easy_cleanup(curl_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  SmtpReply Send(const std::string& from, const std::string& to, absl::string_view message) {
    for (const std::string* address : {&from, &to}) {
      if (CanBeTold(*address)) continue;
      return {.outcome = SmtpReply::Outcome::kRefused,
              .text = absl::StrCat("'", absl::CHexEscape(*address), "' is no address of a mailbox"),
              .step = "connect"};
    }
    const absl::Time begun = absl::Now();
    conversation_.Begin(message);
    error_[0] = '\0';
    const std::unique_ptr<curl_slist, FreeList> recipients(
        curl_slist_append(nullptr, absl::StrCat("<", to, ">").c_str()));
    Set(CURLOPT_MAIL_FROM, absl::StrCat("<", from, ">").c_str());
    Set(CURLOPT_MAIL_RCPT, recipients.get());
    Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.size()));
    const CURLcode result = curl_easy_perform(curl_);
    Set(CURLOPT_MAIL_RCPT, static_cast<curl_slist*>(nullptr));
    SmtpReply reply;
    reply.outcome = Judge(result, conversation_);
    reply.code = conversation_.code();
    reply.text = conversation_.text();
    // A reply that refuses says why itself.
    if (result != CURLE_OK && reply.code < 400) {
      reply.code = 0;
      reply.text = error_[0] == '\0' ? curl_easy_strerror(result) : error_;
    }
    reply.step = conversation_.step();
    reply.took = absl::Now() - begun;
    return reply;
  }

 private:
  template <class Value>
  void Set(CURLoption option, Value value) {
    const CURLcode result = curl_easy_setopt(curl_, option, value);
    RAPPORT_CHECK(result == CURLE_OK, curl_easy_strerror(result));
  }

  const SmtpServer server_;
  CURL* const curl_;
  Conversation conversation_;
  char error_[CURL_ERROR_SIZE] = {};
};

SmtpClient::SmtpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmtpClient::~SmtpClient() = default;

absl::StatusOr<std::unique_ptr<SmtpClient>> SmtpClient::Create(SmtpServer server) {
  const std::string& name = server.host_and_port;
  const size_t colon = name.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(name.substr(colon + 1), &port) || port < 1 || port > 65535 ||
      name.find_first_of("/@ \t\r\n") != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CHexEscape(name), "' is no host:port, such as smtp.firm.example:587"));
  }
  // Once in a process, and before any thread needs it.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  RAPPORT_CHECK(ready == CURLE_OK, curl_easy_strerror(ready));
  return std::unique_ptr<SmtpClient>(new SmtpClient(std::make_unique<Impl>(std::move(server))));
}

SmtpReply SmtpClient::Send(const std::string& from, const std::string& to,
                           absl::string_view message) {
  return impl_->Send(from, to, message);
}

}  // namespace rapport
