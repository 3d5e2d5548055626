#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport {

// One line on standard error that is drawn over and over while something takes its time, and wiped
// at the end. Draws nothing unless standard error is a terminal, nor before a third of a second has
// passed. One thread at a time.
class ProgressBar {
 public:
  // What is counted, such as "rows".
  explicit ProgressBar(std::string unit);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second. The rate begins anew with another label. `counted`: how much
  // of the unit was done, where that is not `done` itself (rows, while bytes are done).
  void Update(const std::string& label, int64_t done, int64_t total);
  void Update(const std::string& label, int64_t done, int64_t total, int64_t counted);

 private:
  const std::string unit_;
  const bool terminal_;
  const absl::Time created_;
  std::string label_;
  absl::Time started_;
  int64_t counted_at_start_ = 0;
  int64_t done_at_start_ = 0;
  absl::Time drawn_ = absl::InfinitePast();
};

// "reading [#####-----]  50 %  120,000 rows/s  0:07 left". `rate` per second; `remaining` may be
// infinite: it is then left out.
std::string FormatProgress(absl::string_view label, double fraction, double rate,
                           absl::string_view unit, absl::Duration remaining);

}  // namespace rapport
