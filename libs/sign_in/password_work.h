#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/sign_in/password.h"

namespace rapport {

// Hashes and checks passwords on two threads of its own, so that no more than two at a time take
// their processor time and memory, and nobody's server thread waits for them. Others wait in a
// queue. What is handed in as `done` is called once, on one of the threads; it must not block, and
// not destroy this object. Thread-safe.
class PasswordWork {
 public:
  static constexpr int kThreads = 2;

  struct Options {
    size_t most_waiting = 64;  // beside those under way
    std::function<absl::StatusOr<std::string>(const std::string& password)> hash = HashPassword;
    std::function<absl::StatusOr<PasswordCheck>(const std::string& hash,
                                                const std::string& password)>
        check = CheckPassword;
  };

  PasswordWork() : PasswordWork(Options()) {}
  explicit PasswordWork(Options options);
  // Answers what still waits with Cancelled, itself, and waits for what is under way.
  ~PasswordWork();
  PasswordWork(const PasswordWork&) = delete;
  PasswordWork& operator=(const PasswordWork&) = delete;

  // As HashPassword and CheckPassword. ResourceExhausted: the queue is full, told within the call.
  void Hash(std::string password, std::function<void(absl::StatusOr<std::string>)> done);
  // nullopt: there is no such account; the answer, which never matches, takes as long.
  void Check(std::optional<std::string> hash, std::string password,
             std::function<void(absl::StatusOr<PasswordCheck>)> done);

 private:
  // Does the work, or answers with the status if that is not OK.
  using Job = std::function<void(const absl::Status&)>;

  void Add(Job job);
  void Run();

  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int idle_ ABSL_GUARDED_BY(mutex_) = kThreads;
  std::deque<Job> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace rapport
