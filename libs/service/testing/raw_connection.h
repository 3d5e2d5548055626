#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rapport {

// A connection to a server on this machine that sends exactly what a test says, for what no well
// behaved client would send.
class RawConnection {
 public:
  explicit RawConnection(int port, int receive_buffer_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    const timeval patience = {.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawConnection(RawConnection&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        received_(std::move(other.received_)) {}
  virtual ~RawConnection() { Close(); }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // False when the peer takes no more.
  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = SendSome(bytes.data(), bytes.size());
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // What was received up to and with `end`, or all there was before the peer closed.
  std::string ReadUntil(absl::string_view end) {
    while (true) {
      const size_t at = received_.find(std::string(end));
      if (at != std::string::npos) return Take(at + end.size());
      if (!Receive()) return Take(received_.size());
    }
  }
  // One answer with a Content-Length: head and body.
  std::string ReadAnswer() {
    std::string answer = ReadUntil("\r\n\r\n");
    const size_t at = answer.find("Content-Length: ");
    if (at == std::string::npos) return answer;
    const size_t length = std::stoul(answer.substr(at + 16));
    while (received_.size() < length && Receive()) {
    }
    return answer + Take(std::min(length, received_.size()));
  }
  // All until the peer closes.
  std::string ReadAll() {
    while (Receive()) {
    }
    return Take(received_.size());
  }

  // As send() and recv() do.
  virtual ssize_t SendSome(const char* bytes, size_t size) {
    return ::send(fd_, bytes, size, MSG_NOSIGNAL);
  }
  virtual ssize_t ReceiveSome(char* bytes, size_t size) { return ::recv(fd_, bytes, size, 0); }

 private:
  bool Receive() {
    char bytes[16384];
    const ssize_t size = ReceiveSome(bytes, sizeof bytes);
    if (size <= 0) return false;
    received_.append(bytes, static_cast<size_t>(size));
    return true;
  }
  std::string Take(size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
};

// A request without a body.
inline std::string RawGet(absl::string_view target, absl::string_view headers = "") {
  return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n");
}

}  // namespace rapport
