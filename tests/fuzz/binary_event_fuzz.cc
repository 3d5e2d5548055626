// Binary mode: lines "name: value" up to an empty one, and the body.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/fuzz/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<rapport::Header> headers;
  std::string type;
  std::string encoding;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const absl::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) break;
    const size_t colon = line.find(": ");
    if (colon == absl::string_view::npos) continue;
    const std::string name(line.substr(0, colon));
    const std::string value(line.substr(colon + 2));
    if (name == "content-type") type = value;
    if (name == "content-encoding") encoding = value;
    headers.push_back({name, value});
  }
  rapport::fuzz::DecodeAndCheck(type, encoding, headers, std::string(rest));
  return 0;
}
