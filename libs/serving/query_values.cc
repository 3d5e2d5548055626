#include "libs/serving/query_values.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"

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

// How many letters have to be put in, taken out or changed to make one of the other. Of the
// beginning alone of what is longer than any name.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  constexpr size_t kLongestName = 64;
  a = a.substr(0, kLongestName);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({changed, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
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

absl::StatusOr<std::set<int>> QueryEnums(const HttpRequest& request, absl::string_view name,
                                         const google::protobuf::EnumDescriptor& type) {
  std::set<int> numbers;
  for (const std::string& value : QueryAll(request, name)) {
    RAPPORT_ASSIGN_OR_RETURN(const int number, ParseEnum(name, value, type));
    numbers.insert(number);
  }
  return numbers;
}

absl::StatusOr<touchpoint::v1::Touchpoint::PayloadCase> ParseKind(absl::string_view name,
                                                                  absl::string_view value) {
  const google::protobuf::OneofDescriptor& payload =
      *touchpoint::v1::Touchpoint::descriptor()->FindOneofByName("payload");
  std::vector<std::string> kinds;
  for (int i = 0; i < payload.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& kind = *payload.field(i);
    if (value == kind.name()) {
      return static_cast<touchpoint::v1::Touchpoint::PayloadCase>(kind.number());
    }
    kinds.push_back(kind.name());
  }
  return NoSuchWord(name, value, kinds);
}

absl::Status NoSuchWord(absl::string_view name, absl::string_view value,
                        const std::vector<std::string>& words) {
  constexpr size_t kNear = 3;
  const auto nearest =
      std::min_element(words.begin(), words.end(), [value](const auto& a, const auto& b) {
        return EditDistance(value, a) < EditDistance(value, b);
      });
  if (nearest != words.end() && EditDistance(value, *nearest) <= kNear) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is '", value, "'; did you mean ", *nearest, "?"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is '", value, "'; there are: ", absl::StrJoin(words, ", ")));
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
