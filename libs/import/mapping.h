#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "libs/identity/identifier.h"
#include "libs/import/columns.h"
#include "libs/import/decimal.h"
#include "libs/import/lookup.h"
#include "libs/import/mapping_file.h"

namespace rapport {

// The mapping, checked against Touchpoint and the columns of a file, in the form that rows are put
// through. Points into Touchpoint's descriptors.

// "order/{InvoiceNo}" taken apart.
struct TextPlan {
  struct Part {
    std::string literal;
    int column = -1;  // -1: the literal
  };
  std::vector<Part> parts;
  bool has_column = false;
};

// How a time is written.
struct TimePlan {
  std::string format;
  absl::TimeZone zone;
  TextPlan later_months;  // empty: none
  TextPlan later_days;
};

struct ValuePlan {
  enum class Content { kText, kProductSum, kRowCount };
  Content content = Content::kText;
  TextPlan text;
  std::vector<int> factors;  // columns of a ProductSum
  std::string strip_suffix;
  std::vector<std::shared_ptr<const LookupTable>> lookups;
  bool known_only = false;
  absl::flat_hash_map<std::string, std::string> translations;
  bool translated_only = false;
  int64_t plus = 0;
  bool previous_row = false;
  TimePlan time;  // of values that are times
  TextPlan currency;
  int decimal_shift = 0;
  bool negated = false;
  bool rounded = false;
};

struct AssignmentPlan {
  std::vector<const google::protobuf::FieldDescriptor*> path;
  ValuePlan value;
  std::string name;  // the path as written, for messages
};

struct RowListPlan {
  std::vector<const google::protobuf::FieldDescriptor*> path;
  std::vector<AssignmentPlan> assignments;
};

struct RulePlan {
  const google::protobuf::FieldDescriptor* kind = nullptr;
  int index = 0;  // which of the rules it is
  std::vector<ConditionPlan> conditions;
  bool once_per_client = false;
  bool each_row = false;
  bool once_per_group = false;
  ValuePlan time;
  bool time_may_lack = false;
  ValuePlan source_event_id;
  std::vector<AssignmentPlan> assignments;
  std::vector<RowListPlan> row_lists;
};

// What clients are known by in place of their id.
struct IdentifierPlan {
  IdentifierKind kind = touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED;
  std::string issuer;
  NormalForms forms;
};

// Rows that are left out.
struct SkipPlan {
  std::vector<ConditionPlan> conditions;
  std::string reason;
};

struct ImportPlan {
  std::string source;
  Decimal::Marks marks;
  // In the file; behind them may follow the number of the row.
  size_t column_count = 0;
  bool numbers_rows = false;
  std::vector<int> group_columns;
  std::string group_name;  // the columns, for messages
  std::vector<SkipPlan> skipped;
  std::optional<ValuePlan> time;  // of a row, where the mapping tells it for all rules
  ValuePlan client;               // the client_id, or an identifier
  std::optional<IdentifierPlan> client_identifier;
  std::vector<RulePlan> rules;
};

// The character between fields, which must be known before the columns are.
absl::StatusOr<char> DelimiterOf(const MappingFile& mapping);

// InvalidArgument with the line: an unknown column, kind, field, lookup, time zone; a value that
// cannot be put into its field.
absl::StatusOr<ImportPlan> CompileMapping(const MappingFile& mapping,
                                          const std::vector<std::string>& columns,
                                          const LookupTables& lookups);

}  // namespace rapport
