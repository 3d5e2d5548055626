#include "libs/event_log/embedded/block.h"

#include <algorithm>
#include <limits>

#include "libs/base/check.h"

namespace rapport::embedded {
namespace {

constexpr char kVersion = 1;

constexpr size_t kMostVarintBytes = 10;

// Returns where it ends.
char* WriteVarint(uint64_t value, char* out) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

void AppendVarint(std::string* out, uint64_t value) {
  char buffer[kMostVarintBytes];
  out->append(buffer, static_cast<size_t>(WriteVarint(value, buffer) - buffer));
}

// Moves `*data` behind the varint; false when it does not end before `limit`.
inline bool ConsumeVarint(const char** data, const char* limit, uint64_t* value) {
  if (*data < limit && static_cast<uint8_t>(**data) < 0x80) [[likely]] {
    *value = static_cast<uint8_t>(*(*data)++);
    return true;
  }
  uint64_t result = 0;
  for (int shift = 0; shift < 64 && *data < limit; shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(*(*data)++);
    result |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

// Small absolute values make short varints: 0, -1, 1, -2 become 0, 1, 2, 3.
uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

char* WriteBytes(absl::string_view bytes, char* out) {
  out = WriteVarint(bytes.size(), out);
  return std::copy(bytes.begin(), bytes.end(), out);
}

inline bool ConsumeBytes(const char** data, const char* limit, absl::string_view* bytes) {
  uint64_t size;
  if (!ConsumeVarint(data, limit, &size) || size > static_cast<uint64_t>(limit - *data)) {
    return false;
  }
  *bytes = absl::string_view(*data, size);
  *data += size;
  return true;
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

size_t BytesSize(absl::string_view bytes) { return VarintSize(bytes.size()) + bytes.size(); }

}  // namespace

void BlockBuilder::Add(const Record& record) {
  const int64_t ms = absl::ToUnixMillis(record.timestamp);
  if (header_.count++ == 0) {
    header_.base_ms = ms;
    header_.latest_ms = ms;
  }
  header_.latest_ms = std::max(header_.latest_ms, ms);
  const uint64_t delta = ZigZag(
      static_cast<int64_t>(static_cast<uint64_t>(ms) - static_cast<uint64_t>(header_.base_ms)));
  size_t headers = 0;
  for (const auto& [name, value] : record.headers) headers += BytesSize(name) + BytesSize(value);
  // Its place is made once, and not for each of its parts.
  const size_t begin = records_.size();
  records_.resize(begin + VarintSize(delta) + BytesSize(record.key) + BytesSize(record.value) +
                  VarintSize(headers) + headers);
  char* out = WriteVarint(delta, records_.data() + begin);
  out = WriteBytes(record.key, out);
  out = WriteBytes(record.value, out);
  out = WriteVarint(headers, out);
  for (const auto& [name, value] : record.headers) {
    out = WriteBytes(name, out);
    out = WriteBytes(value, out);
  }
}

std::string BlockBuilder::Header(std::optional<int64_t> latest_before_ms) const {
  std::string out(1, kVersion);
  AppendVarint(&out, header_.count);
  AppendVarint(&out,
               ZigZag(std::max(header_.latest_ms, latest_before_ms.value_or(header_.latest_ms))));
  AppendVarint(&out, ZigZag(header_.base_ms));
  return out;
}

void BlockBuilder::Clear() {
  header_ = {};
  records_.clear();
}

bool BlockParser::Start(absl::string_view block, Offset base) {
  remaining_ = 0;
  data_ = block.data();
  limit_ = block.data() + block.size();
  next_ = base;
  uint64_t count, latest, base_ms;
  if (block.empty() || *data_++ != kVersion || !ConsumeVarint(&data_, limit_, &count) ||
      !ConsumeVarint(&data_, limit_, &latest) || !ConsumeVarint(&data_, limit_, &base_ms) ||
      count == 0 || count > std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  header_ = {.count = static_cast<uint32_t>(count),
             .latest_ms = UnZigZag(latest),
             .base_ms = UnZigZag(base_ms)};
  remaining_ = header_.count;
  return true;
}

bool BlockParser::Next(RecordView* record) {
  uint64_t delta;
  if (!ConsumeVarint(&data_, limit_, &delta) || !ConsumeBytes(&data_, limit_, &record->key) ||
      !ConsumeBytes(&data_, limit_, &record->value)) {
    return false;
  }
  record->headers = data_;
  absl::string_view headers;
  if (!ConsumeBytes(&data_, limit_, &headers)) return false;
  if (--remaining_ == 0 && data_ != limit_) return false;
  record->offset = next_;
  record->timestamp = absl::FromUnixMillis(static_cast<int64_t>(
      static_cast<uint64_t>(header_.base_ms) + static_cast<uint64_t>(UnZigZag(delta))));
  ++next_;
  return true;
}

std::vector<Header> DecodeHeaders(const RecordView& record) {
  std::vector<Header> headers;
  if (record.headers == nullptr) return headers;
  const char* data = static_cast<const char*>(record.headers);
  // The parser has checked that the size and as many bytes are there.
  uint64_t size;
  ConsumeVarint(&data, data + 10, &size);
  const char* const limit = data + size;
  while (data < limit) {
    absl::string_view name, value;
    // Checksums have been verified, so that only a wrong program could have written such headers.
    RAPPORT_CHECK(ConsumeBytes(&data, limit, &name) && ConsumeBytes(&data, limit, &value),
                  "malformed headers at offset ", record.offset.value());
    headers.push_back({std::string(name), std::string(value)});
  }
  return headers;
}

size_t SizeOf(const Record& record) {
  size_t size = record.key.size() + record.value.size();
  for (const auto& [name, value] : record.headers) size += name.size() + value.size();
  return size;
}

}  // namespace rapport::embedded
