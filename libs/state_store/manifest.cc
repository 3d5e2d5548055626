#include "libs/state_store/manifest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rapport {
namespace {

constexpr size_t kBlock = 32768;
constexpr size_t kHeader = 7;
constexpr size_t kRecyclableHeader = 11;
// Types of records: a whole one, and its pieces, in this order; recyclable ones are 4 higher.
constexpr uint8_t kNone = 0;
constexpr uint8_t kFirst = 2;
constexpr uint8_t kMiddle = 3;
constexpr uint8_t kLastRecyclable = 8;

}  // namespace

bool EndsWithinRecord(absl::string_view file) {
  bool open = false;  // a record has begun and its last piece has not come yet
  for (size_t begin = 0; begin < file.size(); begin += kBlock) {
    absl::string_view block = file.substr(begin, kBlock);
    const bool last_block = begin + block.size() == file.size();
    while (!block.empty()) {
      if (block.size() < kHeader) {
        // Padding, if this is the end of a block.
        if (last_block && file.size() % kBlock != 0) return true;
        break;
      }
      const auto byte = [&](size_t at) { return static_cast<uint8_t>(block[at]); };
      const size_t length = byte(4) | size_t{byte(5)} << 8;
      const uint8_t type = byte(6);
      if (type == kNone) break;  // allocated, and not written yet
      const bool recyclable = type > 4 && type <= kLastRecyclable;
      const size_t size = (recyclable ? kRecyclableHeader : kHeader) + length;
      if (size > block.size()) return true;
      const uint8_t piece = recyclable ? type - 4 : type;
      open = piece == kFirst || piece == kMiddle;
      block.remove_prefix(size);
    }
  }
  return open;
}

}  // namespace rapport
