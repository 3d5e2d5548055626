#include "libs/sign_in/attempts.h"

#include <algorithm>

#include "libs/base/sha256.h"

namespace rapport {

absl::Duration SignInAttempts::Begin(absl::string_view account, absl::string_view address,
                                     absl::Time now) {
  const Name account_name = Sha256(account);
  const Name address_name = Sha256(address);
  MutexLock lock(&mutex_);
  const absl::Duration wait =
      std::max(accounts_.Wait(account_name, now), addresses_.Wait(address_name, now));
  if (wait > absl::ZeroDuration()) return wait;
  accounts_.Count(account_name, now);
  addresses_.Count(address_name, now);
  return absl::ZeroDuration();
}

void SignInAttempts::Succeeded(absl::string_view account, absl::string_view address) {
  const Name account_name = Sha256(account);
  const Name address_name = Sha256(address);
  MutexLock lock(&mutex_);
  accounts_.Forget(account_name);
  addresses_.TakeBack(address_name);
}

absl::Duration SignInAttempts::Table::Wait(const Name& name, absl::Time now) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return absl::ZeroDuration();
  const Entry& entry = place->second->second;
  if (entry.failures < kFree || now - entry.last >= kRemembered) return absl::ZeroDuration();
  absl::Duration wait = kFirstWait;
  for (int i = kFree; i < entry.failures && wait < kLongestWait; ++i) wait *= 2;
  wait = std::min(wait, kLongestWait);
  // Also where the clock was set back.
  return std::clamp(entry.last + wait - now, absl::ZeroDuration(), wait);
}

void SignInAttempts::Table::Count(const Name& name, absl::Time now) {
  const auto place = places_.find(name);
  if (place != places_.end()) {
    entries_.splice(entries_.end(), entries_, place->second);
  } else {
    if (entries_.size() == kMostEntries) {
      places_.erase(entries_.front().first);
      entries_.pop_front();
    }
    places_[name] = entries_.insert(entries_.end(), {name, Entry()});
  }
  Entry& entry = entries_.back().second;
  if (now - entry.last >= kRemembered) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
}

void SignInAttempts::Table::TakeBack(const Name& name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return;
  Entry& entry = place->second->second;
  entry.failures = std::max(entry.failures - 1, 0);
}

void SignInAttempts::Table::Forget(const Name& name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return;
  entries_.erase(place->second);
  places_.erase(place);
}

}  // namespace rapport
