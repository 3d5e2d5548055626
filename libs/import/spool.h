#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/import/temp_file.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Touchpoints set aside in a temporary file, to be read again in the order of time: about 24 bytes
// of memory for each. One thread at a time.
class TouchpointSpool {
 public:
  // Unavailable, with the system's reason, when the file cannot be made in `folder`, or written or
  // read later.
  static absl::StatusOr<std::unique_ptr<TouchpointSpool>> Create(const std::string& folder);

  absl::Status Add(const touchpoint::v1::Touchpoint& touchpoint);
  // Sorts by occurred_at; those of the same time stay in the order in which they were added.
  void Sort();
  // The touchpoint at place `i` < size().
  absl::Status Read(size_t i, touchpoint::v1::Touchpoint* touchpoint);

  size_t size() const { return entries_.size(); }
  // Of place `i`.
  absl::Time TimeAt(size_t i) const { return absl::FromUnixNanos(entries_[i].nanos); }

 private:
  struct Entry {
    int64_t nanos;
    int64_t offset;
    int32_t size;
  };
  explicit TouchpointSpool(std::unique_ptr<TempFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<TempFile> file_;
  std::string scratch_;
  std::vector<Entry> entries_;
};

}  // namespace rapport
