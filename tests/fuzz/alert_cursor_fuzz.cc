// Last-Event-ID of the stream of alerts: what is taken is written again and read as the same.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "libs/base/check.h"
#include "services/alerts/alert_cursor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr int kPartitions = 12;
  const auto cursor = rapport::AlertCursor::Parse(text, kPartitions);
  if (!cursor.ok()) return 0;
  const auto again = rapport::AlertCursor::Parse(cursor->ToText(), kPartitions);
  RAPPORT_CHECK(again.ok() && *again == *cursor, cursor->ToText());
  return 0;
}
