#include "libs/projections/retention/records.h"

#include <algorithm>
#include <limits>

#include "libs/base/bytes.h"
#include "xxhash.h"

namespace rapport {

uint32_t RecordSeconds(const google::protobuf::Timestamp& at) {
  return static_cast<uint32_t>(
      std::clamp<int64_t>(at.seconds(), 0, std::numeric_limits<uint32_t>::max()));
}

uint32_t RecordHash(absl::string_view id) {
  if (id.empty()) return 0;
  return std::max(1u, static_cast<uint32_t>(XXH3_64bits(id.data(), id.size())));
}

void KeepRecord(absl::string_view record, size_t most, std::string* records) {
  const size_t size = record.size();
  size_t place = records->size();
  while (place > 0 && absl::string_view(*records).substr(place - size, size) > record)
    place -= size;
  if (place == 0 && records->size() >= most * size) return;
  records->insert(place, record.data(), size);
  if (records->size() > most * size) records->erase(0, size);
}

std::string EventRecord(const touchpoint::v1::Touchpoint& touchpoint) {
  std::string record;
  AppendBig32(&record, RecordSeconds(touchpoint));
  record += touchpoint.event_id();
  return record;
}

}  // namespace rapport
