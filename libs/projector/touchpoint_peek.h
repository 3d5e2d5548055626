#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace rapport {

// The client of a serialised touchpoint, found without parsing all of it; points into `bytes`.
// nullopt when it takes a full parse to tell what the record is: its fields are not well-formed, or
// it may be one that concerns more than its client's state (a ClockAdvanced, an order about dead
// letters), or behind which, where it is not valid, the client that its key names has to wait (the
// beginning and end of a retelling).
std::optional<absl::string_view> PeekClient(absl::string_view bytes);

// The field number of the last payload in a serialised touchpoint; 0 when there is none, or its
// fields are not well-formed.
int PeekPayload(absl::string_view bytes);

}  // namespace rapport
