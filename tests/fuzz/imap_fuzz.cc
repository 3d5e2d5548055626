// Answers of an IMAP server: read the same in whichever pieces they come.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/mail/imap_lexer.h"

namespace {

using rapport::mail_internal::ImapLexer;
using rapport::mail_internal::ImapResponse;
using rapport::mail_internal::ImapValue;

void Show(const ImapValue& value, std::string* out) {
  absl::StrAppend(out, static_cast<int>(value.kind), ":", value.text.size(), ":", value.text, "(");
  for (const ImapValue& item : value.items) Show(item, out);
  absl::StrAppend(out, ")");
}

// All responses, up to an error or the end.
std::string ReadAll(absl::string_view bytes, size_t piece) {
  ImapLexer lexer(10'000);
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    lexer.Feed(bytes.substr(at, piece));
    while (true) {
      const auto next = lexer.Next();
      if (!next.ok()) {
        RAPPORT_CHECK(absl::IsDataLoss(next.status()), next.status().ToString());
        return out;
      }
      if (!next->has_value()) break;
      const ImapResponse& response = **next;
      absl::StrAppend(&out, response.tag, "|", response.status, "|", response.code, "|",
                      response.text, "|");
      for (const ImapValue& value : response.values) Show(value, &out);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  RAPPORT_CHECK(ReadAll(input, 1) == ReadAll(input, input.size() + 1),
                "the pieces make a difference");
  return 0;
}
