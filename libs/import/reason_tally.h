#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "libs/import/importer.h"

namespace rapport {

// What is the same in reasons alike: quoted values and numbers are left out.
std::string ReasonPattern(absl::string_view reason);

// Counts rows by reason. One thread at a time.
class ReasonTally {
 public:
  // `line`: the first of `rows`; `example`: what it was, for people, or empty.
  void Add(int64_t rows, const RejectedLine& line, std::string example = {});
  // Most rows first; all that is beyond a hundred reasons together, last.
  std::vector<LikeReasons> Counts() const;

 private:
  std::vector<LikeReasons> counts_;
  absl::flat_hash_map<std::string, size_t> index_;  // by pattern
};

}  // namespace rapport
