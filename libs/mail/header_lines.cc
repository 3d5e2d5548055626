#include "libs/mail/header_lines.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rapport::mail_internal {

void HeaderLines::Add(absl::string_view name, absl::string_view value) {
  if (name.empty() || value.empty()) return;
  const auto one_line = [](absl::string_view text) {
    return absl::StrReplaceAll(text, {{"\r", " "}, {"\n", " "}});
  };
  absl::StrAppend(&text_, one_line(name), ": ", one_line(value), "\n");
}

void HeaderLines::AddBlock(absl::string_view fields) {
  fields = absl::StripAsciiWhitespace(fields);
  if (!fields.empty()) absl::StrAppend(&text_, fields, "\n");
}

std::string WrittenAddress(absl::string_view name, absl::string_view address) {
  if (address.empty()) return "";
  if (name.empty()) return absl::StrCat("<", address, ">");
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\" <",
                      address, ">");
}

}  // namespace rapport::mail_internal
