#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/printable.h"
#include "nlohmann/json.hpp"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"

// How things are written for people and for programs.

namespace rapport {

// JSON keeps the order in which fields are added. Names are snake_case; moments are RFC 3339 in
// UTC, absent ones null; amounts are {"minor_units", "currency_code"}.
using Json = nlohmann::ordered_json;

// Columns one under the other. A heading that begins with '>' has its column's values on the right
// side; when all are empty, no headings are shown.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void Add(std::vector<std::string> cells);
  // Lines, each ending with a line break; empty when there are no rows.
  std::string ToString() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// "1,234,567".
std::string FormatCount(int64_t count);
// "3 rows", "1 row".
std::string CountOf(int64_t count, absl::string_view singular, absl::string_view plural);
// "2026-03-09 18:30" in the process's time zone; "" for a time that is infinite.
std::string FormatMoment(absl::Time time);
std::string FormatMoment(const google::protobuf::Timestamp& time);
// "1,234.50 GBP".
std::string FormatAmount(int64_t minor_units, absl::string_view currency_code);
// "high".
std::string SeverityWord(alert::v1::Severity severity);
// "business"; "" when unspecified.
std::string SegmentWord(touchpoint::v1::Segment segment);

// The text of a member; empty when there is none or it is none.
std::string TextOf(const Json& object, const char* name);
Json MomentJson(absl::Time time);
Json MomentJson(const google::protobuf::Timestamp& time);
Json AmountJson(int64_t minor_units, absl::string_view currency_code);
// {"code", "text", "points", "facts", "touchpoint_ids"}, the ids in hexadecimal; of the facts those
// that there are.
Json ReasonJson(const alert::v1::Reason& reason);
// {"code", "text", "facts", "item_id"} of each remedy, "score", "clears".
Json ClearingJson(const alert::v1::WouldClear& clearing);
// {"code", "text", "facts", "item_id", "channel", "hours"}.
Json NextStepJson(const alert::v1::NextStep& step);
// "Settle the complaint of 2026-08-08, and Call the client (950 becomes 410)" for people,
// printable.
std::string ClearingText(const alert::v1::WouldClear& clearing);

// Lines to standard output and to standard error (PrintableLines). What comes from outside goes
// through Printable before it is put into a line, so that it stays in it; a Table does so itself.
void Print(absl::string_view text);
void PrintError(absl::string_view text);
// With two spaces of indentation and a line break; bytes that are not UTF-8 are replaced.
void PrintJson(const Json& json);
// JSON as it is, in a line of its own.
void PrintJsonLine(absl::string_view json);

}  // namespace rapport
