#include "libs/web_hook_check/form.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kMostFields = 1000;

absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded.push_back(' ');
    } else if (text[i] != '%') {
      decoded.push_back(text[i]);
    } else {
      const absl::string_view digits = text.substr(i + 1, 2);
      if (digits.size() < 2 || !absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(digits[1]))) {
        return absl::InvalidArgumentError(absl::StrCat("'", absl::CHexEscape(text.substr(i, 3)),
                                                       "' in the form is no percent escape"));
      }
      decoded.append(absl::HexStringToBytes(digits));
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

absl::StatusOr<std::vector<FormField>> ParseForm(absl::string_view text) {
  std::vector<FormField> fields;
  for (const absl::string_view part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    if (fields.size() == kMostFields) {
      return absl::InvalidArgumentError(
          absl::StrCat("the form has more than ", kMostFields, " fields"));
    }
    const size_t end = part.find('=');
    FormField field;
    RAPPORT_ASSIGN_OR_RETURN(field.name, Decode(part.substr(0, end)));
    if (end != absl::string_view::npos) {
      RAPPORT_ASSIGN_OR_RETURN(field.value, Decode(part.substr(end + 1)));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

absl::string_view FormValue(const std::vector<FormField>& fields, absl::string_view name) {
  for (const FormField& field : fields) {
    if (field.name == name) return field.value;
  }
  return "";
}

}  // namespace rapport
