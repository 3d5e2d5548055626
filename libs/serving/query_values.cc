#include "libs/serving/query_values.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace rapport {

std::vector<std::string> QueryAll(const HttpRequest& request, absl::string_view name) {
  std::vector<std::string> values;
  for (const auto& [parameter, value] : request.query) {
    if (parameter == name) values.push_back(value);
  }
  return values;
}

absl::StatusOr<int> ParseEnum(absl::string_view name, absl::string_view value,
                              const google::protobuf::EnumDescriptor& type) {
  constexpr absl::string_view kUnspecified = "UNSPECIFIED";
  const std::string& zero = type.value(0)->name();
  const absl::string_view prefix = absl::StripSuffix(zero, kUnspecified);
  std::vector<std::string> known;
  for (int i = 1; i < type.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& candidate = *type.value(i);
    known.push_back(absl::AsciiStrToLower(absl::StripPrefix(candidate.name(), prefix)));
    if (value == known.back() || value == candidate.name()) return candidate.number();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is '", value, "'; there are: ", absl::StrJoin(known, ", ")));
}

}  // namespace rapport
