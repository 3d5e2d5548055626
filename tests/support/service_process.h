#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"

namespace rapport {

// A service that runs as a process of its own, for tests. Killed with this object, and with the
// thread that started it. One thread at a time.
class ServiceProcess {
 public:
  // Starts `binary` and waits until it writes "listening on ADDRESS". Unknown with what it wrote
  // when it ends before.
  static absl::StatusOr<std::unique_ptr<ServiceProcess>> Start(
      const std::string& binary, const std::vector<std::string>& arguments);
  // The same in two steps, between which it can be killed.
  static std::unique_ptr<ServiceProcess> Launch(const std::string& binary,
                                                const std::vector<std::string>& arguments);
  absl::Status AwaitListening();
  ~ServiceProcess();

  // Such as "http://127.0.0.1:40123".
  const std::string& address() const { return address_; }
  // host:port of it.
  std::string host_and_port() const;
  // What it has written so far.
  std::string Output() const;

  // SIGKILL, and waits until it is gone.
  void Kill();
  // SIGTERM, and waits until it has ended; its exit code, or -signal when it was killed.
  int Terminate();
  bool Runs() const { return pid_ > 0; }

 private:
  ServiceProcess() = default;
  void ReadOutput(int pipe);
  int Wait();

  std::string binary_;
  pid_t pid_ = -1;
  std::string address_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::string output_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread reader_;
};

}  // namespace rapport
