#include "libs/projector/touchpoint_peek.h"

#include <cstdint>

#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;
constexpr int kMostVarintBits = 64;

bool ReadVarint(absl::string_view* in, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < kMostVarintBits && !in->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    *value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Skip(absl::string_view* in, uint64_t bytes) {
  if (bytes > in->size()) return false;
  in->remove_prefix(static_cast<size_t>(bytes));
  return true;
}

bool NeedsFullParse(uint64_t field) {
  switch (field) {
    case Touchpoint::kClockAdvancedFieldNumber:
    case Touchpoint::kClientsMergedFieldNumber:
    case Touchpoint::kClientsSplitFieldNumber:
    case Touchpoint::kDeadLetterRetriedFieldNumber:
    case Touchpoint::kDeadLetterSkippedFieldNumber:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<absl::string_view> PeekClient(absl::string_view bytes) {
  absl::string_view client;
  while (!bytes.empty()) {
    uint64_t tag;
    if (!ReadVarint(&bytes, &tag)) return std::nullopt;
    const uint64_t field = tag >> 3;
    if (NeedsFullParse(field)) return std::nullopt;
    uint64_t value;
    switch (tag & 7) {
      case kVarint:
        if (!ReadVarint(&bytes, &value)) return std::nullopt;
        break;
      case kFixed64:
        if (!Skip(&bytes, sizeof(uint64_t))) return std::nullopt;
        break;
      case kFixed32:
        if (!Skip(&bytes, sizeof(uint32_t))) return std::nullopt;
        break;
      case kLengthDelimited: {
        if (!ReadVarint(&bytes, &value)) return std::nullopt;
        const absl::string_view rest = bytes;
        if (!Skip(&bytes, value)) return std::nullopt;
        // As in a parse, the last one counts.
        if (field == Touchpoint::kClientIdFieldNumber) client = rest.substr(0, value);
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return client;
}

}  // namespace rapport
