#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

struct FormField {
  std::string name;
  std::string value;
  bool operator==(const FormField&) const = default;
};

// The fields of an application/x-www-form-urlencoded body or of a query, in their order, "+" and
// percent escapes decoded; a field without "=" has an empty value. InvalidArgument: an escape that
// is none, or more than 1,000 fields.
absl::StatusOr<std::vector<FormField>> ParseForm(absl::string_view text);

// The value of the first field of this name; empty when there is none.
absl::string_view FormValue(const std::vector<FormField>& fields, absl::string_view name);

}  // namespace rapport
