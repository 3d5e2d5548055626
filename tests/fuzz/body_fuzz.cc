// Packed bodies: the input is the body, and is unpacked in each way.

#include <cstdint>
#include <string>

#include "libs/base/check.h"
#include "libs/intake/body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLimit = size_t{256} << 10;
  const std::string input(reinterpret_cast<const char*>(data), size);
  for (const char* const encoding : {"gzip", "zstd", ""}) {
    std::string body = input;
    const absl::Status status = rapport::UnpackBody(encoding, kLimit, &body);
    if (status.ok()) {
      RAPPORT_CHECK(body.size() <= kLimit, "the limit does not hold");
    } else {
      RAPPORT_CHECK(absl::IsInvalidArgument(status) || absl::IsOutOfRange(status),
                    status.ToString());
      RAPPORT_CHECK(body == input, "a refused body was changed");
    }
  }
  return 0;
}
