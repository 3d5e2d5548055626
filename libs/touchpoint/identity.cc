#include "libs/touchpoint/identity.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "libs/base/bytes.h"
#include "libs/base/sha256.h"

namespace rapport {

EventId MakeEventId(absl::string_view source, absl::string_view source_event_id) {
  std::string message;
  message.reserve(source.size() + source_event_id.size() + 2 * sizeof(uint32_t));
  for (const absl::string_view part : {source, source_event_id}) {
    AppendBig32(&message, static_cast<uint32_t>(part.size()));
    message.append(part.data(), part.size());
  }
  const auto digest = Sha256(message);
  EventId id;
  std::copy_n(digest.begin(), EventId::kSize, id.bytes.begin());
  return id;
}

}  // namespace rapport
