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

// Calls visit(field number, its bytes when it has a length) for each field until that is false.
// Whether all of it is well-formed, and was visited.
template <class Visit>
bool ScanFields(absl::string_view bytes, const Visit& visit) {
  while (!bytes.empty()) {
    uint64_t tag;
    uint64_t value;
    if (!ReadVarint(&bytes, &tag)) return false;
    absl::string_view content;
    bool well_formed = false;
    switch (tag & 7) {
      case kVarint:
        well_formed = ReadVarint(&bytes, &value);
        break;
      case kFixed64:
        well_formed = Skip(&bytes, sizeof(uint64_t));
        break;
      case kFixed32:
        well_formed = Skip(&bytes, sizeof(uint32_t));
        break;
      case kLengthDelimited:
        if (!ReadVarint(&bytes, &value)) return false;
        content = bytes.substr(0, value);
        well_formed = Skip(&bytes, value);
        break;
      default:
        break;
    }
    if (!well_formed || !visit(tag >> 3, content)) return false;
  }
  return true;
}

bool NeedsFullParse(uint64_t field) {
  switch (field) {
    case Touchpoint::kClockAdvancedFieldNumber:
    case Touchpoint::kHistoryReopenedFieldNumber:
    case Touchpoint::kHistoryClosedFieldNumber:
    case Touchpoint::kDeadLetterRetriedFieldNumber:
    case Touchpoint::kDeadLetterSkippedFieldNumber:
    case Touchpoint::kClockCorrectedFieldNumber:
      return true;
    default:
      return false;
  }
}

bool IsPayload(uint64_t field) {
  return field >= Touchpoint::kCallCompletedFieldNumber &&
         field != Touchpoint::kStakeholderIdsFieldNumber &&
         field != Touchpoint::kFormerClientIdsFieldNumber &&
         field != Touchpoint::kContradictionsFieldNumber;
}

}  // namespace

std::optional<absl::string_view> PeekClient(absl::string_view bytes) {
  absl::string_view client;
  const bool clear = ScanFields(bytes, [&](uint64_t field, absl::string_view content) {
    // As in a parse, the last one counts.
    if (field == Touchpoint::kClientIdFieldNumber) client = content;
    return !NeedsFullParse(field);
  });
  return clear ? std::make_optional(client) : std::nullopt;
}

int PeekPayload(absl::string_view bytes) {
  uint64_t payload = 0;
  const bool well_formed = ScanFields(bytes, [&](uint64_t field, absl::string_view) {
    if (IsPayload(field)) payload = field;
    return true;
  });
  return well_formed && payload <= Touchpoint::kDeadLetterSkippedFieldNumber
             ? static_cast<int>(payload)
             : 0;
}

}  // namespace rapport
