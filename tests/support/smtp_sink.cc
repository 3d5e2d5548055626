#include "tests/support/smtp_sink.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"

namespace rapport {
namespace {

// The lines of a connection, one after the other.
class Lines {
 public:
  explicit Lines(int socket) : socket_(socket) {}
  // Without its end; false when the connection is over.
  bool Next(std::string* line) {
    size_t end = rest_.find("\r\n");
    while (end == std::string::npos) {
      char bytes[16384];
      const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      const size_t looked = rest_.empty() ? 0 : rest_.size() - 1;
      rest_.append(bytes, static_cast<size_t>(count));
      end = rest_.find("\r\n", looked);
    }
    line->assign(rest_, 0, end);
    rest_.erase(0, end + 2);
    return true;
  }

 private:
  const int socket_;
  std::string rest_;
};

// "anna@firm.example" of "RCPT TO:<anna@firm.example> NOTIFY=NEVER".
std::string AddressIn(absl::string_view line) {
  const size_t begin = line.find('<');
  const size_t end = line.find('>');
  if (begin == absl::string_view::npos || end == absl::string_view::npos) return "";
  return std::string(line.substr(begin + 1, end - begin - 1));
}

}  // namespace

SmtpSink::SmtpSink() { Listen(); }

SmtpSink::~SmtpSink() {
  StopListening();
  std::vector<std::thread> servers;
  {
    MutexLock lock(&mutex_);
    servers.swap(servers_);
  }
  for (std::thread& server : servers) server.join();
}

std::string SmtpSink::address() const { return absl::StrCat("127.0.0.1:", port_); }

void SmtpSink::Behave(Manners manners) {
  MutexLock lock(&mutex_);
  manners_ = std::move(manners);
}

void SmtpSink::Listen() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port_));
  socklen_t size = sizeof address;
  RAPPORT_CHECK(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::listen(listener, 64) == 0,
                "the port of the SMTP sink");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  listener_ = listener;
  acceptor_ = std::thread([this] { Accept(); });
}

void SmtpSink::StopListening() {
  const int listener = listener_.exchange(-1);
  if (listener >= 0) {
    ::shutdown(listener, SHUT_RDWR);
    acceptor_.join();
    ::close(listener);
  }
  MutexLock lock(&mutex_);
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

void SmtpSink::GoAway() { StopListening(); }
void SmtpSink::ComeBack() { Listen(); }

std::vector<SmtpSink::Mail> SmtpSink::mails() const {
  MutexLock lock(&mutex_);
  return mails_;
}

int64_t SmtpSink::commands(absl::string_view verb) const {
  MutexLock lock(&mutex_);
  const auto found = commands_.find(std::string(verb));
  return found == commands_.end() ? 0 : found->second;
}

void SmtpSink::Accept() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    MutexLock lock(&mutex_);
    sockets_.push_back(socket);
    servers_.emplace_back([this, socket] { Serve(socket); });
  }
}

void SmtpSink::Serve(int socket) {
  Lines lines(socket);
  Manners manners;
  const auto reply = [&](const std::string& text) {
    if (manners.pause > absl::ZeroDuration()) absl::SleepFor(manners.pause);
    const std::string line = absl::StrCat(text, "\r\n");
    return ::send(socket, line.data(), line.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(line.size());
  };
  const auto look = [&] {
    MutexLock lock(&mutex_);
    manners = manners_;
  };
  const auto either = [](const std::string& told, const char* usual) {
    return told.empty() ? std::string(usual) : told;
  };
  look();
  bool stands = reply(either(manners.greeting, "220 sink ESMTP")) && manners.greeting.empty();
  Mail mail;
  std::string line;
  while (stands && lines.Next(&line)) {
    look();
    const std::string verb =
        absl::AsciiStrToUpper(line.substr(0, std::min(line.find_first_of(" :"), line.size())));
    {
      MutexLock lock(&mutex_);
      ++commands_[verb];
    }
    if (verb == "MAIL") {
      mail = {.from = AddressIn(line)};
      stands = reply(either(manners.mail_reply, "250 2.1.0 ok"));
    } else if (verb == "RCPT") {
      mail.to = AddressIn(line);
      const auto choosy = manners.rcpt_replies.find(mail.to);
      stands =
          reply(choosy != manners.rcpt_replies.end() ? choosy->second
                                                     : either(manners.rcpt_reply, "250 2.1.5 ok"));
    } else if (verb == "DATA") {
      stands = reply("354 go on");
      while (stands && (stands = lines.Next(&line)) && line != ".") {
        absl::string_view text = line;
        absl::ConsumePrefix(&text, ".");
        absl::StrAppend(&mail.data, text, "\r\n");
      }
      if (!stands) break;
      look();
      if (manners.data_reply.empty()) {
        mail.at = absl::Now();
        ++count_;
        MutexLock lock(&mutex_);
        if (keeps_) mails_.push_back(mail);
      }
      stands = !manners.cuts_after_data && reply(either(manners.data_reply, "250 2.0.0 taken"));
    } else {
      stands = reply(verb == "QUIT" ? "221 bye" : "250 sink") && verb != "QUIT";
    }
  }
  MutexLock lock(&mutex_);
  sockets_.erase(std::find(sockets_.begin(), sockets_.end(), socket));
  ::close(socket);
}

}  // namespace rapport
