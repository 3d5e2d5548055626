#include "libs/serving/query_values.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"

namespace rapport {

std::vector<std::string> QueryAll(const HttpRequest& request, absl::string_view name) {
  std::vector<std::string> values;
  for (const auto& [parameter, value] : request.query) {
    if (parameter == name) values.push_back(value);
  }
  return values;
}

namespace {

// "open" of ALERT_STATE_OPEN.
std::string WordOf(const google::protobuf::EnumValueDescriptor& value) {
  const absl::string_view prefix = absl::StripSuffix(value.type()->value(0)->name(), "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), prefix));
}

}  // namespace

std::string EnumWords(const google::protobuf::EnumDescriptor& type) {
  std::vector<std::string> words;
  for (int i = 1; i < type.value_count(); ++i) words.push_back(WordOf(*type.value(i)));
  return absl::StrJoin(words, ", ");
}

absl::StatusOr<int> ParseEnum(absl::string_view name, absl::string_view value,
                              const google::protobuf::EnumDescriptor& type) {
  for (int i = 1; i < type.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& candidate = *type.value(i);
    if (value == WordOf(candidate) || value == candidate.name()) return candidate.number();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is '", value, "'; there are: ", EnumWords(type)));
}

absl::StatusOr<bool> QueryFlag(const HttpRequest& request, absl::string_view name) {
  const std::string value = request.Query(name).value_or("false");
  if (value != "true" && value != "false") {
    return absl::InvalidArgumentError(absl::StrCat(name, " is '", value, "'; it is true or false"));
  }
  return value == "true";
}

absl::Status ParseJsonBody(const HttpRequest& request, google::protobuf::Message* message) {
  if (request.body.empty()) return absl::OkStatus();
  const auto status = google::protobuf::util::JsonStringToMessage(request.body, message);
  if (status.ok()) return absl::OkStatus();
  const absl::string_view why(status.message().data(), status.message().size());
  return absl::InvalidArgumentError(absl::StrCat("body: ", absl::CHexEscape(why.substr(0, 200))));
}

}  // namespace rapport
