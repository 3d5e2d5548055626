#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "libs/import/decimal.h"
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

struct ValuePlan {
  enum class Content { kText, kProductSum, kRowCount };
  Content content = Content::kText;
  TextPlan text;
  std::vector<int> factors;  // columns of a ProductSum
  std::string strip_suffix;
  absl::flat_hash_map<std::string, std::string> translations;
  bool translated_only = false;
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

struct ConditionPlan {
  int column = 0;
  std::string pattern;
  bool negated = false;
};

struct RulePlan {
  const google::protobuf::FieldDescriptor* kind = nullptr;
  std::vector<ConditionPlan> conditions;
  bool once_per_client = false;
  ValuePlan source_event_id;
  std::vector<AssignmentPlan> assignments;
  std::vector<RowListPlan> row_lists;
};

struct FormatPlan {
  Decimal::Marks marks;
  std::string time_format;
  absl::TimeZone time_zone;
};

struct ImportPlan {
  std::string source;
  FormatPlan format;
  size_t column_count = 0;
  std::vector<int> group_columns;
  ValuePlan client_id;
  ValuePlan time;
  std::vector<RulePlan> rules;
};

// The character between fields, which must be known before the columns are.
absl::StatusOr<char> DelimiterOf(const MappingFile& mapping);

// InvalidArgument with the line: an unknown column, kind, field, time zone; a value that cannot be
// put into its field.
absl::StatusOr<ImportPlan> CompileMapping(const MappingFile& mapping,
                                          const std::vector<std::string>& columns);

}  // namespace rapport
