// A batch in protobuf: the input is the body.

#include <cstdint>
#include <string>

#include "tests/fuzz/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  rapport::fuzz::DecodeAndCheck("application/x-protobuf", "", {}, body);
  return 0;
}
