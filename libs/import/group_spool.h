#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/import/csv_reader.h"
#include "libs/import/temp_file.h"

namespace rapport {

// Rows set aside in a temporary file, to be read again group by group, wherever they stood: about
// 24 bytes of memory for each stretch of rows of one group, and 80 for each group. One thread at a
// time.
class GroupSpool {
 public:
  // Unavailable, with the system's reason, when the file cannot be made in `folder`, or written or
  // read later.
  static absl::StatusOr<std::unique_ptr<GroupSpool>> Create(const std::string& folder);

  // `key`: the same for the rows of a group; `file`: a number.
  absl::Status Add(absl::uint128 key, int file, const CsvRow& row);
  // A row that was not added, on that line, seems to belong to the group of this key.
  void MarkDamaged(absl::uint128 key, int64_t line) { damaged_.try_emplace(key, line); }

  // Whether there are rows of this key.
  bool Has(absl::uint128 key) const { return index_.contains(key); }

  // After the last Add: puts the groups in order, by their first rows.
  void Sort();

  struct Group {
    int64_t rows = 0;
    int64_t damaged_line = 0;  // of a row that belongs to it, but was not added; 0 for none
    int file = 0;              // of its last row
    bool scattered = false;    // other rows of the same file stand between its rows
  };
  size_t size() const { return groups_.size(); }
  const Group& group(size_t i) const { return groups_[i]; }
  int64_t rows() const { return rows_; }
  // Gives the rows of group `i`, in the order in which they were added; the row may be moved from.
  absl::Status Read(size_t i, const std::function<absl::Status(int file, CsvRow* row)>& give);

 private:
  // Rows of one group, one behind the other in the spool.
  struct Stretch {
    uint32_t group;
    int32_t file;
    int64_t offset;
    int32_t size;
    int32_t rows;
  };
  explicit GroupSpool(std::unique_ptr<TempFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<TempFile> file_;
  absl::flat_hash_map<absl::uint128, uint32_t> index_;
  absl::flat_hash_map<absl::uint128, int64_t> damaged_;
  std::vector<Group> groups_;
  std::vector<Stretch> stretches_;
  std::vector<size_t> first_stretch_;  // of each group; once sorted
  int64_t rows_ = 0;
  std::string scratch_;
  CsvRow row_;
};

}  // namespace rapport
