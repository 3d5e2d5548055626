#include "tests/support/cutting_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "libs/base/check.h"

namespace rapport {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool SendAll(int socket, const char* bytes, int64_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= sent;
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(int server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  RAPPORT_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  RAPPORT_CHECK(listen(listener_, 16) == 0);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  CutNow();
  std::vector<std::thread> carriers;
  {
    const MutexLock lock(&mutex_);
    carriers.swap(carriers_);
  }
  for (std::thread& carrier : carriers) carrier.join();
  const MutexLock lock(&mutex_);
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

void CuttingProxy::CutNow() {
  const MutexLock lock(&mutex_);
  for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
}

void CuttingProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    ++connections_;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(server_port_);
    const bool up = connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const MutexLock lock(&mutex_);
    // Closed at the end alone, so that no number is used twice meanwhile.
    sockets_.push_back(client);
    sockets_.push_back(server);
    if (up) {
      carriers_.emplace_back([this, client, server] { Carry(client, server); });
    } else {
      shutdown(client, SHUT_RDWR);
    }
  }
}

void CuttingProxy::Carry(int client, int server) {
  std::vector<char> buffer(16 << 10);
  bool open = true;
  while (open) {
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    poll(both, 2, -1);
    if (both[0].revents != 0) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), 0);
      open = got > 0 && SendAll(server, buffer.data(), got);
    }
    if (open && both[1].revents != 0) {
      const ssize_t got = recv(server, buffer.data(), buffer.size(), 0);
      int64_t passed = got;
      if (left_ >= 0 && got > 0) {
        passed = std::min<int64_t>(got, left_);
        left_ -= passed;
      }
      open = got > 0 && SendAll(client, buffer.data(), passed) && passed == got;
      if (passed < got) left_ = -1;
    }
  }
  shutdown(client, SHUT_RDWR);
  shutdown(server, SHUT_RDWR);
}

}  // namespace rapport
