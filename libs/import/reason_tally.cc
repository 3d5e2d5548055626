#include "libs/import/reason_tally.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace rapport {
namespace {

constexpr size_t kMostReasons = 100;
constexpr char kOthers[] = "other reasons";

}  // namespace

std::string ReasonPattern(absl::string_view reason) {
  std::string pattern;
  while (!reason.empty()) {
    const char c = reason.front();
    const size_t quoted = c == '\'' ? reason.find('\'', 1) : absl::string_view::npos;
    if (quoted != absl::string_view::npos) {
      pattern += "''";
      reason.remove_prefix(quoted + 1);
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      pattern += '#';
      reason.remove_prefix(std::min(reason.find_first_not_of("0123456789"), reason.size()));
    } else {
      pattern += c;
      reason.remove_prefix(1);
    }
  }
  return pattern;
}

void ReasonTally::Add(int64_t rows, const RejectedLine& line, std::string example) {
  std::string pattern = ReasonPattern(line.reason);
  auto known = index_.find(pattern);
  if (known == index_.end()) {
    const bool room = index_.size() < kMostReasons;
    if (!room) pattern = kOthers;
    const auto [it, added] = index_.try_emplace(std::move(pattern), counts_.size());
    if (added) counts_.push_back({0, {line.file, line.line, room ? line.reason : kOthers}});
    known = it;
  }
  LikeReasons& counted = counts_[known->second];
  counted.rows += rows;
  if (example.empty()) return;
  counted.examples.push_back(std::move(example));
  if (counted.examples.size() > LikeReasons::kExamples) counted.examples.pop_front();
}

std::vector<LikeReasons> ReasonTally::Counts() const {
  std::vector<LikeReasons> counts = counts_;
  const auto rank = [](const LikeReasons& one) {
    return one.first.reason == kOthers ? int64_t{-1} : one.rows;
  };
  std::stable_sort(counts.begin(), counts.end(),
                   [&](const LikeReasons& a, const LikeReasons& b) { return rank(a) > rank(b); });
  return counts;
}

}  // namespace rapport
