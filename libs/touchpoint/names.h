#pragma once

#include "absl/strings/string_view.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What kinds and channels are called, on the wire and on a screen. Views are static.

namespace rapport {

// "OrderPlaced"; "" when no payload is set.
absl::string_view KindName(touchpoint::v1::Touchpoint::PayloadCase kind);
// "order_placed": its field in Touchpoint; "" when no payload is set.
absl::string_view KindFieldName(touchpoint::v1::Touchpoint::PayloadCase kind);
// "order placed", for people; "unknown" when no payload is set.
absl::string_view KindLabel(touchpoint::v1::Touchpoint::PayloadCase kind);
// "rapport.touchpoint.v1.OrderPlaced": the CloudEvents type.
absl::string_view KindFullName(touchpoint::v1::Touchpoint::PayloadCase kind);
// "e-mail", for people; "" when unspecified or unknown.
absl::string_view ChannelLabel(touchpoint::v1::Channel channel);

// Whether the kind belongs to no client: its client_id may be empty.
bool BelongsToNoClient(touchpoint::v1::Touchpoint::PayloadCase kind);

}  // namespace rapport
