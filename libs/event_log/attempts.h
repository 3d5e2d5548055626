#pragma once

#include <algorithm>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rapport {

// What is tried again after a failure, with pauses that double from 0.1 up to 10 s, and why it
// failed the last time. One thread at a time.
class Attempts {
 public:
  // Notes the failure and returns it.
  const absl::Status& Failed(const absl::Status& status) {
    trouble_ = status;
    pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
    next_ = absl::Now() + pause_;
    return trouble_;
  }
  void Succeeded() { *this = Attempts(); }

  bool Due() const { return absl::Now() >= next_; }
  absl::Time next() const { return next_; }
  const absl::Status& trouble() const { return trouble_; }

 private:
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
  static constexpr absl::Duration kLongestPause = absl::Seconds(10);

  absl::Status trouble_;
  absl::Duration pause_ = absl::ZeroDuration();
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace rapport
