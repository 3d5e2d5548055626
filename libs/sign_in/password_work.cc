#include "libs/sign_in/password_work.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/sign_in/secrets.h"

namespace rapport {

PasswordWork::PasswordWork(Options options) : options_(std::move(options)) {
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Run(); });
}

PasswordWork::~PasswordWork() {
  std::deque<Job> waiting;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    waiting.swap(waiting_);
    changed_.SignalAll();
  }
  for (const Job& job : waiting) job(absl::CancelledError("the process ends"));
  for (std::thread& thread : threads_) thread.join();
}

void PasswordWork::Hash(std::string password,
                        std::function<void(absl::StatusOr<std::string>)> done) {
  Add([this, password = std::move(password),
       done = std::move(done)](const absl::Status& status) mutable {
    absl::StatusOr<std::string> answer =
        status.ok() ? options_.hash(password) : absl::StatusOr<std::string>(status);
    Forget(&password);
    done(std::move(answer));
  });
}

void PasswordWork::Check(std::optional<std::string> hash, std::string password,
                         std::function<void(absl::StatusOr<PasswordCheck>)> done) {
  Add([this, hash = std::move(hash), password = std::move(password),
       done = std::move(done)](const absl::Status& status) mutable {
    absl::StatusOr<PasswordCheck> answer =
        status.ok() ? options_.check(hash ? *hash : UnmatchedHash(), password)
                    : absl::StatusOr<PasswordCheck>(status);
    Forget(&password);
    if (answer.ok() && !hash) *answer = PasswordCheck();
    done(std::move(answer));
  });
}

void PasswordWork::Add(Job job) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    if (waiting_.size() < options_.most_waiting + static_cast<size_t>(idle_)) {
      waiting_.push_back(std::move(job));
      changed_.Signal();
      return;
    }
    refused = absl::ResourceExhaustedError(
        absl::StrCat("too many passwords are being checked: ", waiting_.size(), " wait"));
  }
  job(refused);
}

void PasswordWork::Run() {
  while (true) {
    Job job;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
      --idle_;
    }
    job(absl::OkStatus());
    MutexLock lock(&mutex_);
    ++idle_;
  }
}

}  // namespace rapport
