#include "libs/touchpoint/names.h"

#include <array>
#include <string>

#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"

namespace rapport {
namespace {

using touchpoint::v1::Channel;
using touchpoint::v1::Touchpoint;

struct KindNames {
  std::string name;
  std::string field_name;
  std::string label;
  std::string full_name;
};

// Indexed by tag, which payload cases are.
constexpr int kMaxTag = 160;

const std::array<KindNames, kMaxTag>& AllKinds() {
  static const auto* const kinds = [] {
    auto* const all = new std::array<KindNames, kMaxTag>;
    (*all)[0].label = "unknown";
    const auto* const payload = Touchpoint::descriptor()->FindOneofByName("payload");
    for (int i = 0; i < payload->field_count(); ++i) {
      const auto* const field = payload->field(i);
      KindNames& names = all->at(static_cast<size_t>(field->number()));
      names.name = field->message_type()->name();
      names.field_name = field->name();
      names.label = absl::StrReplaceAll(field->name(), {{"_", " "}});
      names.full_name = field->message_type()->full_name();
    }
    return all;
  }();
  return *kinds;
}

}  // namespace

absl::string_view KindName(Touchpoint::PayloadCase kind) {
  return AllKinds().at(static_cast<size_t>(kind)).name;
}

absl::string_view KindFieldName(Touchpoint::PayloadCase kind) {
  return AllKinds().at(static_cast<size_t>(kind)).field_name;
}

absl::string_view KindLabel(Touchpoint::PayloadCase kind) {
  return AllKinds().at(static_cast<size_t>(kind)).label;
}

absl::string_view KindFullName(Touchpoint::PayloadCase kind) {
  return AllKinds().at(static_cast<size_t>(kind)).full_name;
}

absl::string_view ChannelLabel(Channel channel) {
  switch (channel) {
    case touchpoint::v1::CHANNEL_PHONE:
      return "phone";
    case touchpoint::v1::CHANNEL_E_MAIL:
      return "e-mail";
    case touchpoint::v1::CHANNEL_MEETING:
      return "meeting";
    case touchpoint::v1::CHANNEL_CHAT:
      return "chat";
    case touchpoint::v1::CHANNEL_LETTER:
      return "letter";
    case touchpoint::v1::CHANNEL_FAX:
      return "fax";
    case touchpoint::v1::CHANNEL_PORTAL:
      return "portal";
    case touchpoint::v1::CHANNEL_EVENT:
      return "event";
    case touchpoint::v1::CHANNEL_SURVEY:
      return "survey";
    case touchpoint::v1::CHANNEL_BACK_OFFICE:
      return "back office";
    case touchpoint::v1::CHANNEL_FIELD_VISIT:
      return "field visit";
    case touchpoint::v1::CHANNEL_SOCIAL:
      return "social";
    case touchpoint::v1::CHANNEL_UNSPECIFIED:
    case touchpoint::v1::Channel_INT_MIN_SENTINEL_DO_NOT_USE_:
    case touchpoint::v1::Channel_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "";
}

bool BelongsToNoClient(Touchpoint::PayloadCase kind) {
  return kind == Touchpoint::kClockAdvanced || kind == Touchpoint::kTargetSet ||
         kind == Touchpoint::kDeadLetterRetried || kind == Touchpoint::kDeadLetterSkipped ||
         kind == Touchpoint::kClockCorrected;
}

}  // namespace rapport
