#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace rapport {

// A source that we read, on threads of its own until it is destroyed. Thread-safe.
class SourceReader {
 public:
  virtual ~SourceReader() = default;
  // Ok, or why it cannot be read or written on; it is tried again.
  virtual absl::Status trouble() const = 0;
  // Bytes that are there and not read yet.
  virtual int64_t lag_bytes() const = 0;
};

}  // namespace rapport
