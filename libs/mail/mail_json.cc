#include "libs/mail/mail_json.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/web_hook_check/json_limits.h"

namespace rapport::mail_internal {

using nlohmann::json;

absl::StatusOr<json> ParseJson(absl::string_view text) {
  RAPPORT_RETURN_IF_ERROR(CheckJsonLimits(text));
  json value = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!value.is_discarded()) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("the mail is no JSON in UTF-8; it has ", text.size(), " bytes"));
}

const json& At(const json& object, const char* name) {
  static const json* const kNull = new json;
  if (!object.is_object()) return *kNull;
  const auto found = object.find(name);
  return found == object.end() ? *kNull : *found;
}

std::string AsText(const json& value) { return value.is_string() ? value.get<std::string>() : ""; }

std::string TextAt(const json& object, const char* name) { return AsText(At(object, name)); }

int64_t NumberAt(const json& object, const char* name) {
  const json& value = At(object, name);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

}  // namespace rapport::mail_internal
