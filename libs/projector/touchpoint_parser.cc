#include "libs/projector/touchpoint_parser.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using touchpoint::v1::Touchpoint;

// The member of the payload with that number; null when there is none.
const FieldDescriptor* PayloadField(size_t number) {
  static const auto* const kFields = [] {
    auto* fields =
        new std::array<const FieldDescriptor*, Touchpoint::kDeadLetterSkippedFieldNumber + 1>();
    const auto* payload = Touchpoint::descriptor()->FindOneofByName("payload");
    for (int i = 0; i < payload->field_count(); ++i) {
      const auto at = static_cast<size_t>(payload->field(i)->number());
      if (at < fields->size()) (*fields)[at] = payload->field(i);
    }
    return fields;
  }();
  return (*kFields)[number];
}

}  // namespace

absl::Status TouchpointParser::Parse(absl::string_view bytes) {
  const google::protobuf::Reflection& reflection = *touchpoint_.GetReflection();
  const auto before = static_cast<size_t>(touchpoint_.payload_case());
  if (before > 0 && before < kNumbers) {
    payloads_[before].reset(
        reflection.UnsafeArenaReleaseMessage(&touchpoint_, PayloadField(before)));
    payloads_[before]->Clear();
  }
  touchpoint_.Clear();
  const auto next = static_cast<size_t>(PeekPayload(bytes));
  if (payloads_[next] != nullptr) {
    reflection.UnsafeArenaSetAllocatedMessage(&touchpoint_, payloads_[next].release(),
                                              PayloadField(next));
  }
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  if (touchpoint_.MergePartialFromCodedStream(&stream) && stream.ConsumedEntireMessage()) {
    return CheckTouchpoint(touchpoint_);
  }
  // Says what is wrong.
  return ParseTouchpoint(bytes, &touchpoint_);
}

}  // namespace rapport
