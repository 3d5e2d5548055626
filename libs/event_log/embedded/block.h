#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/event_log/event_log.h"

// How records are stored: consecutive records of one partition make a block, the value of one row.
// README.md holds the grammar, block_test.cc a golden block that freezes it.

namespace rapport::embedded {

// What stands before a block's records.
struct BlockHeader {
  uint32_t count = 0;
  // The latest timestamp (ms since 1970) in the partition up to and with this block, so that a time
  // can be found by binary search even where timestamps don't rise.
  int64_t latest_ms = 0;
  int64_t base_ms = 0;
};

// Collects records into one block; reusable.
class BlockBuilder {
 public:
  void Add(const Record& record);
  bool empty() const { return header_.count == 0; }
  uint32_t count() const { return header_.count; }
  size_t bytes() const { return records_.size(); }
  // The latest timestamp (ms) of the records so far; only when not empty.
  int64_t latest_ms() const { return header_.latest_ms; }

  // The block's two parts: its header, where `latest_before_ms` is the latest timestamp of the
  // blocks before, and its records, which live until Clear.
  std::string Header(std::optional<int64_t> latest_before_ms) const;
  absl::string_view records() const { return records_; }
  void Clear();

 private:
  BlockHeader header_;
  std::string records_;
};

// Goes through the records of one block without copying them.
class BlockParser {
 public:
  // False when `block` does not start with a block header that this version knows.
  bool Start(absl::string_view block, Offset base);
  const BlockHeader& header() const { return header_; }

  uint32_t remaining() const { return remaining_; }
  // Parses the next record into views of the block; false when the block is malformed. Only while
  // remaining() > 0.
  bool Next(RecordView* record);

 private:
  BlockHeader header_;
  const char* data_ = nullptr;
  const char* limit_ = nullptr;
  Offset next_;
  uint32_t remaining_ = 0;
};

// Decodes RecordView::headers of a record that BlockParser returned.
std::vector<Header> DecodeHeaders(const RecordView& record);

// Key, value and headers: what counts against the size limit.
size_t SizeOf(const Record& record);

}  // namespace rapport::embedded
