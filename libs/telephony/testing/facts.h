#pragma once

// Facts for tests, from files and lines.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/telephony/call_assembler.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/queue_log_parser.h"

namespace rapport::testing {

inline std::vector<std::string> TestLines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return absl::StrSplit(text.str(), '\n', absl::SkipEmpty());
}

inline CallSource TestSource() { return {.source = "pbx", .system = "office"}; }

inline source::v1::SourceRecord ParseCdr(absl::string_view row, absl::Time received_at = {}) {
  CdrParser parser(TestSource(), {.unique_id = true, .user_field = true, .linkage = true});
  auto record = parser.Parse(row, received_at);
  EXPECT_OK(record) << row;
  return record.ok() ? *record : source::v1::SourceRecord();
}

inline source::v1::SourceRecord ParseQueueLog(absl::string_view line, int64_t offset,
                                              absl::Time received_at = {}) {
  auto record = ParseQueueLogLine(line, "f1", offset, TestSource(), received_at);
  EXPECT_OK(record) << line;
  return record.ok() ? *record : source::v1::SourceRecord();
}

// Extensions of three digits, and the numbers that begin with 300.
inline bool TestNumberIsOurs(absl::string_view number) {
  return number.size() == 3 || absl::StartsWith(number, "300");
}

inline AssembledCall Assemble(const std::vector<source::v1::SourceRecord>& records,
                              bool queue_steps_expected = false) {
  std::vector<const source::v1::CallFact*> facts;
  for (const source::v1::SourceRecord& record : records) {
    if (record.has_call_fact()) facts.push_back(&record.call_fact());
  }
  return AssembleCall(facts,
                      {.is_ours = TestNumberIsOurs, .queue_steps_expected = queue_steps_expected});
}

}  // namespace rapport::testing
