#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::testing {

// By client: its contacts, each as ContactLine has it.
using Timelines = std::map<std::string, std::multiset<std::string>>;

// A contact as one line: all that its source told of it.
std::string ContactLine(const touchpoint::v1::Touchpoint& touchpoint);

// What a source has sent, each thing counted once however often it was sent.
struct SentItems {
  int64_t items = 0;
  int64_t skipped = 0;  // of these: such as are no contact
};

// What was sent, and what has to become of it. Thread-safe.
class SentContacts {
 public:
  void Add(const std::string& client, const std::string& contact) {
    const MutexLock lock(&mutex_);
    timelines_[client].insert(contact);
  }
  void Count(const std::string& source, int64_t items, int64_t skipped = 0) {
    const MutexLock lock(&mutex_);
    SentItems& sent = sent_[source];
    sent.items += items;
    sent.skipped += skipped;
  }
  Timelines timelines() const {
    const MutexLock lock(&mutex_);
    return timelines_;
  }
  // By source.
  std::map<std::string, SentItems> sent() const {
    const MutexLock lock(&mutex_);
    return sent_;
  }

 private:
  mutable Mutex mutex_;
  Timelines timelines_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SentItems> sent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::testing
