// Lines of a queue log.

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/queue_log_parser.h"
#include "tests/fuzz/call_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<rapport::source::v1::SourceRecord> records;
  int64_t offset = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    auto record = rapport::ParseQueueLogLine(line, "f", offset++, rapport::fuzz::FuzzSource(), {});
    if (record.ok()) records.push_back(*std::move(record));
  }
  rapport::fuzz::CheckCallRecords(records);
  return 0;
}
