#include "tests/support/loopback.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace rapport {

sockaddr_in LoopbackAddress(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAddress(0);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
}

bool Listens(int port) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAddress(port);
  const bool connected =
      connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(client);
  return connected;
}

bool Greets(int port, absl::string_view greeting) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{1, 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address = LoopbackAddress(port);
  std::array<char, 16> heard = {};
  const size_t size = std::min(greeting.size(), heard.size());
  const bool greets = connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                      recv(client, heard.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size) &&
                      absl::string_view(heard.data(), size) == greeting.substr(0, size);
  close(client);
  return greets;
}

}  // namespace rapport
