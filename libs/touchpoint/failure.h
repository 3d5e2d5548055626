#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rapport::touchpoint_internal {

// The first rule that failed: where and why. Built only when something is wrong.
struct Failure {
  std::string path;
  std::string reason;

  // Puts `name` before the path while the checks unwind.
  void Prepend(absl::string_view name) {
    path = path.empty() ? std::string(name) : absl::StrCat(name, ".", path);
  }
};

}  // namespace rapport::touchpoint_internal
