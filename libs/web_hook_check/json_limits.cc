#include "libs/web_hook_check/json_limits.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

constexpr int kMostLevels = 32;
constexpr size_t kMostValues = 200'000;

}  // namespace

absl::Status CheckJsonLimits(absl::string_view text) {
  int level = 0;
  size_t values = 1;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++level;
    if (c == '}' || c == ']') --level;
    if (level > kMostLevels) {
      return absl::InvalidArgumentError(
          absl::StrCat("the JSON is nested deeper than ", kMostLevels, " levels"));
    }
    // Each value but the first of all stands behind one of these.
    if (c == ',' || c == '{' || c == '[') ++values;
    if (values > kMostValues) {
      return absl::InvalidArgumentError(
          absl::StrCat("the JSON has more than ", kMostValues, " values"));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport
