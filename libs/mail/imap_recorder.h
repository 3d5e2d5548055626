#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/mail/imap_follower.h"

namespace rapport {

// For tests: does with the messages of a follower what a careful caller does, and tells what it
// saw. Thread-safe.
class ImapRecorder {
 public:
  // A message that is on disk for good.
  using Key = std::tuple<std::string, uint32_t, uint32_t>;  // folder, UIDVALIDITY, UID

  ImapFollower::Events Events() {
    return {
        .on_message = [this](ImapMessage message) { return Take(std::move(message)); },
        .on_batch = [this](const source::v1::ImapCursor& cursor) { return Keep(cursor); },
        .on_gap =
            [this](const ImapGap& gap) {
              AddGap(absl::StrCat(
                  gap.folder, " ", gap.uid,
                  gap.missing == 1 ? "" : absl::StrCat(" and ", gap.missing - 1, " more")));
            },
        .on_state = [this](const std::string&, const absl::Status& status) { AddState(status); }};
  }

  // The next so many batches are refused.
  void Refuse(int batches) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    refuse_ = batches;
  }

  // Waits until so many different messages are kept.
  std::map<Key, ImapMessage> AwaitMessages(size_t count) ABSL_LOCKS_EXCLUDED(mutex_) {
    Await([this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return kept_.size() >= count; });
    const MutexLock lock(&mutex_);
    return kept_;
  }
  // Waits until that code was reported so often; the last status with it.
  absl::Status AwaitState(absl::StatusCode code, int times = 1) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::Status found;
    Await([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      int seen = 0;
      for (const absl::Status& state : states_) {
        if (state.code() != code) continue;
        found = state;
        ++seen;
      }
      return seen >= times;
    });
    return found;
  }
  source::v1::ImapCursor cursor() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return cursor_;
  }
  std::vector<std::string> gaps() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return gaps_;
  }
  // How often a message was kept that had been kept before.
  int kept_again() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return kept_again_;
  }
  // Whether UIDs of a folder always went up.
  bool in_order() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    return in_order_;
  }

 private:
  template <class Condition>
  void Await(const Condition& condition) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    while (!condition()) {
      if (changed_.WaitFor(&mutex_, absl::Seconds(60))) continue;
      ADD_FAILURE() << "nothing happens any more; the last state is "
                    << (states_.empty() ? "none" : states_.back().ToString());
      return;
    }
  }
  void AddGap(std::string gap) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    gaps_.push_back(std::move(gap));
    changed_.SignalAll();
  }
  void AddState(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    states_.push_back(status);
    changed_.SignalAll();
  }
  absl::Status Take(ImapMessage message) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    Key key(message.folder, message.uid_validity, message.uid);
    uint32_t& last = last_[message.folder];
    if (!pending_.empty() && message.uid <= last) in_order_ = false;
    last = message.uid;
    pending_.emplace_back(std::move(key), std::move(message));
    return absl::OkStatus();
  }
  absl::Status Keep(const source::v1::ImapCursor& cursor) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    if (refuse_ > 0) {
      --refuse_;
      pending_.clear();
      return absl::UnavailableError("the disk is full");
    }
    for (auto& [key, message] : pending_) {
      if (!kept_.insert_or_assign(key, std::move(message)).second) ++kept_again_;
    }
    pending_.clear();
    cursor_ = cursor;
    changed_.SignalAll();
    return absl::OkStatus();
  }

  Mutex mutex_;
  CondVar changed_;
  int refuse_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::pair<Key, ImapMessage>> pending_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, ImapMessage> kept_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint32_t> last_ ABSL_GUARDED_BY(mutex_);
  source::v1::ImapCursor cursor_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> gaps_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> states_ ABSL_GUARDED_BY(mutex_);
  int kept_again_ ABSL_GUARDED_BY(mutex_) = 0;
  bool in_order_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace rapport
