#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "libs/import/import_sink.h"

namespace rapport {

// One file of an import.
class ImportInput {
 public:
  virtual ~ImportInput() = default;
  // Gives all that it holds to the sink. For the progress, `bytes_before` of the `total_bytes` of
  // all inputs have been read before.
  virtual absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) = 0;
  // Bytes as they lie on disk.
  virtual int64_t size() const = 0;
};

}  // namespace rapport
