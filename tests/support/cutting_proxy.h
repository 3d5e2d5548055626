#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "libs/base/mutex.h"

namespace rapport {

// A way to a TCP server of this machine that breaks: for tests. Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(int server_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  // The connection on which the server has sent so many bytes, counted over all connections from
  // now on, is cut; those after it are not. A negative number: never.
  void CutAfter(int64_t bytes) { left_ = bytes; }
  // Cuts all connections that stand.
  void CutNow() ABSL_LOCKS_EXCLUDED(mutex_);
  // How many connections were made.
  int connections() const { return connections_; }

 private:
  void Accept() ABSL_LOCKS_EXCLUDED(mutex_);
  void Carry(int client, int server);

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int64_t> left_{-1};
  std::atomic<int> connections_{0};
  Mutex mutex_;
  std::vector<int> sockets_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> carriers_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace rapport
