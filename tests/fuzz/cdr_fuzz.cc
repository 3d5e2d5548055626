// Rows of a CDR file, one to a line, with all columns.

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/cdr_parser.h"
#include "tests/fuzz/call_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  rapport::CallSource source = rapport::fuzz::FuzzSource();
  RAPPORT_CHECK(absl::LoadTimeZone("Europe/Berlin", &source.time_zone), "time zone");
  rapport::CdrParser parser(source, {.unique_id = true, .user_field = true, .linkage = true});
  std::vector<rapport::source::v1::SourceRecord> records;
  for (const absl::string_view row : absl::StrSplit(text, '\n')) {
    if (auto record = parser.Parse(row, {}); record.ok()) records.push_back(*std::move(record));
  }
  rapport::fuzz::CheckCallRecords(records);
  return 0;
}
