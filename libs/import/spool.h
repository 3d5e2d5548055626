#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Touchpoints set aside in a temporary file, to be read again in the order of time: about 24 bytes
// of memory for each. One thread at a time.
class TouchpointSpool {
 public:
  // The file is made in `folder` and has no name, so that nothing stays behind. Unavailable, with
  // the system's reason, when it cannot be written here or in Add.
  static absl::StatusOr<std::unique_ptr<TouchpointSpool>> Create(const std::string& folder);
  ~TouchpointSpool();
  TouchpointSpool(const TouchpointSpool&) = delete;
  TouchpointSpool& operator=(const TouchpointSpool&) = delete;

  absl::Status Add(const touchpoint::v1::Touchpoint& touchpoint);
  // Sorts by occurred_at; those of the same time stay in the order in which they were added.
  absl::Status Sort();
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
  explicit TouchpointSpool(int descriptor) : descriptor_(descriptor) {}
  absl::Status Flush();

  const int descriptor_;
  int64_t written_ = 0;
  std::string pending_;
  std::string scratch_;
  std::vector<Entry> entries_;
};

}  // namespace rapport
