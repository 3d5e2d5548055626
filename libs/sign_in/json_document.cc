#include "libs/sign_in/json_document.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/printable.h"
#include "libs/base/status.h"
#include "libs/web_hook_check/json_limits.h"

namespace rapport {
namespace {

constexpr size_t kQuotedBytes = 200;
constexpr size_t kQuotedValues = 10;

absl::Status IsNot(const std::string& name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, " is not ", what));
}

}  // namespace

absl::StatusOr<nlohmann::json> ParseDocument(absl::string_view text) {
  RAPPORT_RETURN_IF_ERROR(CheckJsonLimits(text));
  nlohmann::json json =
      nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("it is no JSON object");
  return json;
}

absl::StatusOr<std::string> TextMember(const nlohmann::json& object, const std::string& name) {
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) return std::string();
  if (!member->is_string()) return IsNot(name, "a text");
  return member->get<std::string>();
}

absl::StatusOr<std::vector<std::string>> TextsMember(const nlohmann::json& object,
                                                     const std::string& name) {
  std::vector<std::string> texts;
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) return texts;
  if (member->is_string()) {
    texts.push_back(member->get<std::string>());
    return texts;
  }
  if (!member->is_array()) return IsNot(name, "a list of texts");
  for (const nlohmann::json& element : *member) {
    if (!element.is_string()) return IsNot(name, "a list of texts");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::string Quoted(absl::string_view value) {
  const bool cut = value.size() > kQuotedBytes;
  return absl::StrCat("'", Printable(value.substr(0, kQuotedBytes)), cut ? "...'" : "'");
}

std::string Quoted(const std::vector<std::string>& values) {
  const size_t count = std::min(values.size(), kQuotedValues);
  const std::string joined = absl::StrJoin(
      values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), ", ",
      [](std::string* out, const std::string& value) { absl::StrAppend(out, Quoted(value)); });
  return absl::StrCat("[", joined, count < values.size() ? ", ...]" : "]");
}

std::string UtcText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace rapport
