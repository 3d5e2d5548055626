#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// A value in a response of an IMAP server (RFC 3501): an atom or number, a quoted string or
// literal, NIL, or a list in parentheses.
struct ImapValue {
  enum class Kind { kAtom, kString, kNil, kList };

  Kind kind = Kind::kAtom;
  std::string text;              // of an atom or a string
  std::vector<ImapValue> items;  // of a list
};

// A response.
struct ImapResponse {
  std::string tag;     // "*", "+", or the tag of the command that it ends
  std::string status;  // OK, NO, BAD, BYE or PREAUTH; empty: the response has values
  std::string code;    // what follows a status in brackets, such as "UIDVALIDITY 42"
  std::string text;    // what follows a status, or "+", for people
  std::vector<ImapValue> values;
};

// Takes the bytes of a server as they come and gives its responses. Memory is bounded by the limits
// and the bytes fed. Pure; one thread at a time.
class ImapLexer {
 public:
  static constexpr size_t kMaxLineBytes = size_t{32} << 20;  // a search may name many messages
  static constexpr int kMaxDepth = 50;

  explicit ImapLexer(size_t max_literal_bytes) : max_literal_bytes_(max_literal_bytes) {}

  void Feed(absl::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }
  // nullopt: more bytes are needed. DataLoss: this is no IMAP, or goes beyond a limit; nothing can
  // be read any more.
  absl::StatusOr<std::optional<ImapResponse>> Next();

 private:
  absl::StatusOr<bool> FindEnd();

  const size_t max_literal_bytes_;
  std::string buffer_;
  size_t line_ = 0;  // where the line that is being looked at begins, in buffer_
  size_t seen_ = 0;  // before it there is no line break that was not looked at
  size_t end_ = 0;   // behind a whole response; 0: not known
};

// The number that a text is; nullopt when it is none, or more than 32 bits.
std::optional<uint32_t> ImapNumber(absl::string_view text);

}  // namespace rapport::mail_internal
