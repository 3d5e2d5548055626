#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "rapport/touchpoint/v1/contact.pb.h"

namespace rapport {

// Which thread a mail belongs to, by the mails met before: a mail that answers a known one is of
// its thread, whether it names all that went before or that one alone; and one that names only
// mails that never came is of the thread that has its subject and the same client. Of a mail of
// which nothing is known, the header tells (EmailExchanged.thread_id).
//
// The latest 100,000 and more ids are known, about 20 MB; a new process knows none. Thread-safe.
class MailThreads {
 public:
  // The thread of `mail`, of which all but thread_id is right; remembers it.
  std::string ThreadOf(const touchpoint::v1::EmailExchanged& mail, absl::Time at);

 private:
  static constexpr size_t kIds = 100'000;
  struct Entry {
    std::string thread;
    absl::Time at;
  };
  using Known = absl::flat_hash_map<uint64_t, Entry>;

  const Entry* Find(uint64_t key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(uint64_t key, const std::string& thread, absl::Time at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Choose(const touchpoint::v1::EmailExchanged& mail, uint64_t subject,
                     absl::Time at) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  Known recent_ ABSL_GUARDED_BY(mutex_);
  Known older_ ABSL_GUARDED_BY(mutex_);
};

// A subject without what mail programs put before it when they answer or pass on ("Re: AW: "), in
// lower case. `answers`: whether there was such a thing; may be null.
std::string BaseSubject(absl::string_view subject, bool* answers);

}  // namespace rapport
