#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Groups many records by client, in bounded memory: they are spread over buckets by a hash of the
// client, and what exceeds the memory waits in a file that has no name, so that it is gone with the
// process. One thread.
class RecordBuckets {
 public:
  static constexpr size_t kCount = 64;

  // `folder`: where the file is made; it must be on a disk.
  RecordBuckets(std::string folder, size_t memory_bytes)
      : folder_(std::move(folder)), memory_bytes_(memory_bytes) {}
  ~RecordBuckets();
  RecordBuckets(const RecordBuckets&) = delete;
  RecordBuckets& operator=(const RecordBuckets&) = delete;

  static size_t BucketOf(absl::string_view client);

  // Copies the record. Unavailable: disk full or an I/O error.
  absl::Status Add(absl::string_view client, const RecordView& record);

  // Calls `visit` with each client of the bucket and its records, as they were added; clients come
  // in no particular order. Views last until it returns. The bucket is empty afterwards.
  absl::Status Take(size_t bucket,
                    absl::FunctionRef<absl::Status(const std::string& client,
                                                   absl::Span<const RecordView> records)>
                        visit);

 private:
  // Full pieces of a bucket, in memory or in the file.
  struct Piece {
    std::string bytes;
    int64_t file_offset = -1;
    size_t file_bytes = 0;
  };
  struct Bucket {
    std::vector<Piece> pieces;
    std::string last;  // still growing
  };

  absl::Status Finish(Bucket& bucket);
  absl::StatusOr<std::string> Gather(Bucket& bucket);

  const std::string folder_;
  const size_t memory_bytes_;
  size_t bytes_in_memory_ = 0;
  std::array<Bucket, kCount> buckets_;
  int file_ = -1;
  int64_t file_end_ = 0;
};

}  // namespace rapport
