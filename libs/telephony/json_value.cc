#include "libs/telephony/json_value.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/telephony/call_record.h"
#include "libs/web_hook_check/json_limits.h"

namespace rapport {
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text) {
  RAPPORT_RETURN_IF_ERROR(CheckJsonLimits(text));
  nlohmann::json json =
      nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("the body is no JSON");
  return json;
}

absl::StatusOr<nlohmann::json> ParseJsonObject(absl::string_view text) {
  RAPPORT_ASSIGN_OR_RETURN(nlohmann::json json, ParseJson(text));
  if (!json.is_object()) return absl::InvalidArgumentError("the body is no JSON object");
  return json;
}

const nlohmann::json& JsonMember(const nlohmann::json& object, absl::string_view name) {
  static const nlohmann::json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(std::string(name));
  return it == object.end() ? kNull : *it;
}

std::string JsonText(const nlohmann::json& object, absl::string_view name) {
  const nlohmann::json& value = JsonMember(object, name);
  if (value.is_string()) return ToUtf8(value.get_ref<const std::string&>());
  if (value.is_number() || value.is_boolean()) return value.dump();
  return "";
}

std::optional<int64_t> JsonWhole(const nlohmann::json& object, absl::string_view name) {
  const nlohmann::json& value = JsonMember(object, name);
  int64_t whole;
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > uint64_t{INT64_MAX}) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_string() && absl::SimpleAtoi(value.get_ref<const std::string&>(), &whole)) {
    return whole;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<absl::Time>> JsonTime(const nlohmann::json& object,
                                                   absl::string_view name) {
  const std::string text = JsonText(object, name);
  if (text.empty()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time < absl::UnixEpoch() ||
      time > absl::FromUnixSeconds(100'000'000'000)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", text, "' is no time such as 2026-01-02T09:00:00Z"));
  }
  return time;
}

}  // namespace rapport
