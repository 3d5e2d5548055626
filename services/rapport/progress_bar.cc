#include "services/rapport/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

constexpr int kCells = 24;
constexpr absl::Duration kDrawEvery = absl::Milliseconds(100);
constexpr absl::Duration kPatience = absl::Milliseconds(300);
constexpr char kWipe[] = "\r\x1b[K";

}  // namespace

std::string FormatProgress(absl::string_view label, double fraction, double rate,
                           absl::string_view unit, absl::Duration remaining) {
  fraction = std::clamp(fraction, 0.0, 1.0);
  const int full = static_cast<int>(fraction * kCells);
  std::string line = absl::StrFormat(
      "%s [%s%s] %3d %%  %s %s/s", label, std::string(full, '#'), std::string(kCells - full, '-'),
      static_cast<int>(fraction * 100), FormatCount(std::llround(rate)), unit);
  if (remaining < absl::Hours(1000)) {
    const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(remaining, absl::Seconds(1)));
    absl::StrAppendFormat(&line, "  %d:%02d left", seconds / 60, seconds % 60);
  }
  return line;
}

ProgressBar::ProgressBar(std::string unit)
    : unit_(std::move(unit)), terminal_(isatty(STDERR_FILENO) == 1), created_(absl::Now()) {}

ProgressBar::~ProgressBar() {
  if (drawn_ != absl::InfinitePast()) std::fputs(kWipe, stderr);
}

void ProgressBar::Update(const std::string& label, int64_t done, int64_t total) {
  Update(label, done, total, done);
}

void ProgressBar::Update(const std::string& label, int64_t done, int64_t total, int64_t counted) {
  if (!terminal_) return;
  const absl::Time now = absl::Now();
  if (label != label_) {
    label_ = label;
    started_ = now;
    counted_at_start_ = counted;
    done_at_start_ = done;
  }
  if (now - created_ < kPatience || now - drawn_ < kDrawEvery) return;
  drawn_ = now;
  const double seconds = std::max(absl::ToDoubleSeconds(now - started_), 1e-3);
  const double done_per_second = static_cast<double>(done - done_at_start_) / seconds;
  const absl::Duration remaining =
      done_per_second > 0 ? absl::Seconds(static_cast<double>(total - done) / done_per_second)
                          : absl::InfiniteDuration();
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
  std::fprintf(
      stderr, "%s%s", kWipe,
      FormatProgress(label, fraction, static_cast<double>(counted - counted_at_start_) / seconds,
                     unit_, remaining)
          .c_str());
  std::fflush(stderr);
}

}  // namespace rapport
