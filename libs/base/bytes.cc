#include "libs/base/bytes.h"

namespace rapport {

void AppendKeyString(std::string* out, absl::string_view value) {
  for (const char c : value) {
    out->push_back(c);
    if (c == '\0') out->push_back('\xff');
  }
  out->push_back('\0');
  out->push_back('\x01');
}

bool ConsumeKeyString(absl::string_view* in, std::string* value) {
  value->clear();
  for (size_t i = 0; i + 1 < in->size(); ++i) {
    const char c = (*in)[i];
    if (c != '\0') {
      value->push_back(c);
      continue;
    }
    const char next = (*in)[++i];
    if (next == '\x01') {
      in->remove_prefix(i + 1);
      return true;
    }
    if (next != '\xff') return false;
    value->push_back('\0');
  }
  return false;
}

}  // namespace rapport
