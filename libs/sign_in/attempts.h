#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"

namespace rapport {

// Slows down who guesses passwords: after kFree attempts on one account, or from one address, that
// did not succeed, each further one must wait, from one second, doubling, up to 15 minutes. In
// memory: what was longest not touched is forgotten beyond kMostEntries of each kind, and all that
// failed longer than a day ago. Thread-safe.
class SignInAttempts {
 public:
  static constexpr int kFree = 5;
  static constexpr size_t kMostEntries = 10'000;
  static constexpr absl::Duration kFirstWait = absl::Seconds(1);
  static constexpr absl::Duration kLongestWait = absl::Minutes(15);
  static constexpr absl::Duration kRemembered = absl::Hours(24);

  // Zero: the attempt may be made, and counts as failed until Succeeded says otherwise, so that
  // many at the same time are no way around. Else how long to wait before the next one; nothing
  // counts.
  absl::Duration Begin(absl::string_view account, absl::string_view address, absl::Time now);

  // What was begun so succeeded: forgets the attempts on the account. Those from the address stay
  // without this one, since who guesses may have one good account.
  void Succeeded(absl::string_view account, absl::string_view address);

 private:
  // Names are kept as hashes: as long as whatever is sent, they would not bound the memory.
  using Name = std::array<uint8_t, 32>;

  class Table {
   public:
    // How long to wait before the next attempt.
    absl::Duration Wait(const Name& name, absl::Time now) const;
    void Count(const Name& name, absl::Time now);
    void TakeBack(const Name& name);
    void Forget(const Name& name);

   private:
    struct Entry {
      int failures = 0;
      absl::Time last;
    };
    // The longest untouched one first.
    std::list<std::pair<Name, Entry>> entries_;
    absl::flat_hash_map<Name, std::list<std::pair<Name, Entry>>::iterator> places_;
  };

  Mutex mutex_;
  Table accounts_ ABSL_GUARDED_BY(mutex_);
  Table addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
