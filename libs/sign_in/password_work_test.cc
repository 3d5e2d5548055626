#include "libs/sign_in/password_work.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// Checks that begin, and end when they are told to.
class Gate {
 public:
  // In place of CheckPassword: "right" is what matches.
  absl::StatusOr<PasswordCheck> Check(const std::string& hash, const std::string& password) {
    MutexLock lock(&mutex_);
    hashes_.push_back(hash);
    ++under_way_;
    most_under_way_ = std::max(most_under_way_, under_way_);
    changed_.SignalAll();
    while (!open_) changed_.Wait(&mutex_);
    --under_way_;
    return PasswordCheck{password == "right", password == "right"};
  }
  void AwaitUnderWay(int count) {
    MutexLock lock(&mutex_);
    while (under_way_ != count) changed_.Wait(&mutex_);
  }
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
    changed_.SignalAll();
  }
  // What is done with an answer.
  std::function<void(absl::StatusOr<PasswordCheck>)> Done() {
    return [this](absl::StatusOr<PasswordCheck> answer) {
      MutexLock lock(&mutex_);
      answers_.push_back(std::move(answer));
      changed_.SignalAll();
    };
  }
  std::vector<absl::StatusOr<PasswordCheck>> AwaitAnswers(size_t count) {
    MutexLock lock(&mutex_);
    while (answers_.size() < count) changed_.Wait(&mutex_);
    return std::exchange(answers_, {});
  }
  int most_under_way() {
    MutexLock lock(&mutex_);
    return most_under_way_;
  }
  std::vector<std::string> hashes() {
    MutexLock lock(&mutex_);
    return hashes_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> hashes_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::StatusOr<PasswordCheck>> answers_ ABSL_GUARDED_BY(mutex_);
};

PasswordWork::Options OptionsOf(Gate& gate, size_t most_waiting) {
  PasswordWork::Options options;
  options.most_waiting = most_waiting;
  options.check = [&gate](const std::string& hash, const std::string& password) {
    return gate.Check(hash, password);
  };
  return options;
}

TEST(PasswordWorkTest, HashesAndChecksRealPasswords) {
  Gate gate;
  std::string kept;
  {
    Mutex mutex;
    CondVar hashed;
    absl::StatusOr<std::string> hash = absl::UnknownError("");
    PasswordWork work;
    work.Hash("correct horse battery", [&](absl::StatusOr<std::string> answer) {
      MutexLock lock(&mutex);
      hash = std::move(answer);
      hashed.SignalAll();
    });
    {
      MutexLock lock(&mutex);
      while (absl::IsUnknown(hash.status())) hashed.Wait(&mutex);
    }
    ASSERT_OK(hash);
    work.Check(*hash, "correct horse battery", gate.Done());
    EXPECT_TRUE(gate.AwaitAnswers(1)[0]->matches);
    work.Check(*hash, "correct horse batterz", gate.Done());
    EXPECT_FALSE(gate.AwaitAnswers(1)[0]->matches);
    work.Check(std::nullopt, "correct horse battery", gate.Done());
    EXPECT_FALSE(gate.AwaitAnswers(1)[0]->matches);
  }
}

TEST(PasswordWorkTest, NeverMoreThanTwoAtATime) {
  Gate gate;
  PasswordWork work(OptionsOf(gate, 100));
  for (int i = 0; i < 50; ++i) work.Check("hash", "right", gate.Done());
  gate.AwaitUnderWay(2);
  gate.Open();
  EXPECT_THAT(gate.AwaitAnswers(50), Each(IsOk()));
  EXPECT_EQ(gate.most_under_way(), 2);
}

TEST(PasswordWorkTest, WhatIsBeyondTheQueueIsRefusedAtOnce) {
  Gate gate;
  PasswordWork work(OptionsOf(gate, 3));
  for (int i = 0; i < 2; ++i) work.Check("hash", "right", gate.Done());
  gate.AwaitUnderWay(2);
  for (int i = 0; i < 4; ++i) work.Check("hash", "right", gate.Done());
  const std::vector<absl::StatusOr<PasswordCheck>> refused = gate.AwaitAnswers(1);
  EXPECT_THAT(refused, SizeIs(1));
  EXPECT_THAT(refused[0], StatusIs(absl::StatusCode::kResourceExhausted,
                                   "too many passwords are being checked: 3 wait"));
  gate.Open();
  EXPECT_THAT(gate.AwaitAnswers(5), Each(IsOk()));
}

TEST(PasswordWorkTest, AnUnknownAccountTakesTheSameWork) {
  Gate gate;
  gate.Open();
  PasswordWork work(OptionsOf(gate, 3));
  work.Check(std::nullopt, "right", gate.Done());
  const absl::StatusOr<PasswordCheck> answer = gate.AwaitAnswers(1)[0];
  ASSERT_OK(answer);
  // Whatever the check says.
  EXPECT_FALSE(answer->matches);
  EXPECT_FALSE(answer->needs_rehash);
  EXPECT_THAT(gate.hashes(), ElementsAre(UnmatchedHash()));
}

TEST(PasswordWorkTest, WhatWaitsAtTheEndIsCancelled) {
  Gate gate;
  auto work = std::make_unique<PasswordWork>(OptionsOf(gate, 3));
  for (int i = 0; i < 2; ++i) work->Check("hash", "right", gate.Done());
  gate.AwaitUnderWay(2);
  work->Check("hash", "right", gate.Done());
  std::thread end([&work] { work.reset(); });
  EXPECT_THAT(gate.AwaitAnswers(1),
              ElementsAre(StatusIs(absl::StatusCode::kCancelled, "the process ends")));
  gate.Open();
  end.join();
  EXPECT_THAT(gate.AwaitAnswers(2), Each(IsOk()));
}

}  // namespace
}  // namespace rapport
