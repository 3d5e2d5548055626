#pragma once

#include <iconv.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Makes UTF-8 of text in another encoding, piece by piece. What cannot be text in it becomes the
// byte FF, which UTF-8 does not have, so that whoever reads the text refuses that part alone. One
// thread at a time.
class TextDecoder {
 public:
  // `encoding` as iconv names it. InvalidArgument: it is not known.
  static absl::StatusOr<std::unique_ptr<TextDecoder>> Create(const std::string& encoding);
  ~TextDecoder();
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;

  // A character cut off at the end waits for the next piece.
  std::string Decode(absl::string_view bytes);
  // What a character cut off at the end of all becomes.
  std::string Finish();

 private:
  TextDecoder(iconv_t handle, size_t unit) : handle_(handle), unit_(unit) {}

  const iconv_t handle_;
  const size_t unit_;  // bytes that a character has at least
  std::string rest_;   // bytes of a character that is not whole yet
};

// "UTF-16LE", "UTF-16BE", "UTF-32LE" or "UTF-32BE" when text that begins with these bytes is in it:
// a byte order mark says so, or every other of its first bytes is zero. Else empty.
absl::string_view WideEncodingOf(absl::string_view beginning);

}  // namespace rapport
