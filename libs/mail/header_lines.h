#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// Puts a header together for MailParts.
class HeaderLines {
 public:
  // Appends "name: value"; nothing when either is empty. Line breaks become blanks, so that no
  // value can begin a field of its own.
  void Add(absl::string_view name, absl::string_view value);
  // Appends fields as they stand in a mail.
  void AddBlock(absl::string_view fields);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// "Jo Doe" <jo@example.com>; empty without an address.
std::string WrittenAddress(absl::string_view name, absl::string_view address);

}  // namespace rapport::mail_internal
