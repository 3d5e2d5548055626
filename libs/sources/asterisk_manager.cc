#include "libs/sources/asterisk_manager.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

absl::Status SystemError(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(error)));
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

}  // namespace

absl::StatusOr<std::unique_ptr<AsteriskManager>> AsteriskManager::Start(Options options) {
  const size_t colon = options.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == options.address.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("address: '", options.address, "' is not host:port"));
  }
  RAPPORT_RETURN_IF_ERROR(
      ManagerSession::Create(options.username, options.secret, options.source).status());
  std::string host = options.address.substr(0, colon);
  std::string port = options.address.substr(colon + 1);
  return std::unique_ptr<AsteriskManager>(
      new AsteriskManager(std::move(options), std::move(host), std::move(port)));
}

AsteriskManager::AsteriskManager(Options options, std::string host, std::string port)
    : options_(std::move(options)), host_(std::move(host)), port_(std::move(port)) {
  RAPPORT_CHECK(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
  SetTrouble(absl::UnavailableError("not connected yet"));
  thread_ = std::thread([this] { Run(); });
}

AsteriskManager::~AsteriskManager() {
  wait_.Stop();
  // A full pipe wakes as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_[1], "x", 1);
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

absl::Status AsteriskManager::trouble() const {
  const MutexLock lock(&mutex_);
  return trouble_;
}

void AsteriskManager::SetTrouble(const absl::Status& status) {
  const MutexLock lock(&mutex_);
  trouble_ = status;
}

void AsteriskManager::Run() {
  absl::Duration pause = options_.shortest_pause;
  while (!wait_.stopped()) {
    was_logged_in_ = false;
    const absl::Status status = Connect();
    if (was_logged_in_) {
      lost_at_ = options_.now();
      pause = options_.shortest_pause;
    }
    SetTrouble(Annotate(status, absl::StrCat("Asterisk at ", options_.address)));
    if (!wait_.For(pause)) return;
    pause = std::min(2 * pause, options_.longest_pause);
  }
}

absl::Status AsteriskManager::Connect() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("looking up the host: ", ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  absl::Status status = absl::UnavailableError("the host has no address");
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                address->ai_protocol);
    if (socket < 0) return SystemError("socket", errno);
    const absl::Cleanup close = [socket] { ::close(socket); };
    if (::connect(socket, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
      status = SystemError("connecting", errno);
      continue;
    }
    RAPPORT_ASSIGN_OR_RETURN(
        ManagerSession session,
        ManagerSession::Create(options_.username, options_.secret, options_.source));
    status = Converse(socket, std::move(session));
    if (was_logged_in_ || wait_.stopped()) return status;
  }
  return status;
}

absl::Status AsteriskManager::Converse(int socket, ManagerSession session) {
  std::string output;
  std::array<char, 1 << 16> buffer;
  for (int silent = 0; !wait_.stopped();) {
    absl::StrAppend(&output, session.TakeOutput());
    std::array<pollfd, 2> waits = {
        pollfd{socket, static_cast<short>(POLLIN | (output.empty() ? 0 : POLLOUT)), 0},
        pollfd{wake_[0], POLLIN, 0}};
    const int ready = ::poll(waits.data(), waits.size(),
                             static_cast<int>(absl::ToInt64Milliseconds(options_.patience)));
    if (ready < 0 && errno != EINTR) return SystemError("waiting", errno);
    if (ready == 0) {
      if (++silent == 2) return absl::UnavailableError("nothing has come for too long");
      if (session.logged_in()) session.Ping();
      continue;
    }
    if ((waits[0].revents & POLLOUT) != 0) {
      const ssize_t sent = ::send(socket, output.data(), output.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return SystemError("sending", errno);
      output.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    }
    if ((waits[0].revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (count == 0) return absl::UnavailableError("Asterisk closed the connection");
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      return SystemError("receiving", errno);
    }
    silent = 0;
    RAPPORT_ASSIGN_OR_RETURN(
        const ManagerSession::Received received,
        session.Receive(absl::string_view(buffer.data(), static_cast<size_t>(count)),
                        options_.now()));
    if (session.logged_in() && !was_logged_in_) RAPPORT_RETURN_IF_ERROR(NoteLogin());
    RAPPORT_RETURN_IF_ERROR(Take(received));
  }
  return absl::CancelledError("stopped");
}

absl::Status AsteriskManager::NoteLogin() {
  was_logged_in_ = true;
  SetTrouble(absl::OkStatus());
  if (lost_at_ == absl::InfiniteFuture()) return absl::OkStatus();
  source::v1::SourceRecord gap = MakeSourceRecord(
      options_.source, absl::StrCat("ami/gap/", absl::ToUnixMicros(lost_at_)), options_.now());
  gap.mutable_gap()->set_description(
      absl::StrCat("events between ", absl::FormatTime(lost_at_, absl::UTCTimeZone()), " and ",
                   absl::FormatTime(options_.now(), absl::UTCTimeZone())));
  // A file of the same system may tell what was missed.
  gap.mutable_gap()->set_system(options_.source.system);
  ToProto(lost_at_, gap.mutable_gap()->mutable_began_at());
  ToProto(options_.now(), gap.mutable_gap()->mutable_ended_at());
  return Insist([&] { return options_.append({gap}); });
}

absl::Status AsteriskManager::Take(const ManagerSession::Received& received) {
  if (!received.records.empty()) {
    RAPPORT_RETURN_IF_ERROR(Insist([&] { return options_.append(received.records); }));
  }
  if (!received.problems.empty()) {
    RAPPORT_RETURN_IF_ERROR(Insist([&] { return options_.refuse(received.problems); }));
  }
  return absl::OkStatus();
}

absl::Status AsteriskManager::Insist(const std::function<absl::Status()>& write) {
  for (;;) {
    absl::Status status = write();
    if (status.code() != absl::StatusCode::kUnavailable) {
      if (was_logged_in_ && status.ok()) SetTrouble(status);
      return status;
    }
    SetTrouble(status);
    if (!wait_.For(options_.shortest_pause)) return absl::CancelledError("stopped");
  }
}

}  // namespace rapport
