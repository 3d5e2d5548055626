#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rapport {

// What is wrong with something offered: the path of the field, and why. The path begins in the
// touchpoint ("order_placed.lines[2].amount") or is an attribute of the CloudEvent ("subject").
struct Problem {
  std::string path;
  std::string reason;

  // Puts `name` before the path while the parsers unwind.
  void Prepend(absl::string_view name) {
    const bool joined = path.empty() || path.front() == '[';
    path = absl::StrCat(name, joined ? "" : ".", path);
  }
  // InvalidArgument "path: reason".
  absl::Status ToStatus() const {
    return absl::InvalidArgumentError(path.empty() ? reason : absl::StrCat(path, ": ", reason));
  }
};

// The path in a status of Problem::ToStatus or ValidateTouchpoint.
inline absl::string_view PathOf(const absl::Status& status) {
  const absl::string_view message = status.message();
  const size_t end = message.find(": ");
  return end == absl::string_view::npos ? absl::string_view() : message.substr(0, end);
}

}  // namespace rapport
