#pragma once

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Writes "file:line: check failed: condition: message" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              absl::string_view message);

}  // namespace rapport

// Aborts when an invariant of the program itself is broken; stays on in release builds. Never for
// input from outside: that is a Status. The further arguments are StrCat'ed into the message.
#define RAPPORT_CHECK(condition, ...)                                        \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::rapport::CheckFailed(__FILE__, __LINE__, #condition,                 \
                             ::absl::StrCat("" __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)
