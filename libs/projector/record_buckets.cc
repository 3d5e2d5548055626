#include "libs/projector/record_buckets.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace rapport {
namespace {

constexpr size_t kPieceBytes = size_t{128} << 10;

// Before each record in a piece; the client (unless it is the key), key and value follow.
struct Prefix {
  uint64_t hash;  // of the client
  Offset offset;
  absl::Time timestamp;
  uint32_t client_size;
  uint32_t key_size;
  uint32_t value_size;
  bool client_is_key;
};
static_assert(std::is_trivially_copyable_v<Prefix>);

struct Item {
  uint64_t hash;
  absl::string_view client;
  RecordView record;
};

uint64_t HashOf(absl::string_view client) { return XXH3_64bits(client.data(), client.size()); }

absl::Status FileError(absl::string_view what, const std::string& folder) {
  return absl::UnavailableError(
      absl::StrCat(what, " a temporary file in ", folder, ": ", std::strerror(errno)));
}

absl::Status WriteAll(int file, absl::string_view bytes, const std::string& folder) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("writing", folder);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status ReadAll(int file, int64_t offset, char* data, size_t size, const std::string& folder) {
  while (size > 0) {
    const ssize_t got = ::pread(file, data, size, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return FileError("reading", folder);
    data += got;
    offset += got;
    size -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

std::vector<Item> ItemsOf(absl::string_view bytes) {
  std::vector<Item> items;
  while (!bytes.empty()) {
    Prefix prefix;
    std::memcpy(&prefix, bytes.data(), sizeof prefix);
    bytes.remove_prefix(sizeof prefix);
    const auto take = [&](size_t size) {
      const absl::string_view taken = bytes.substr(0, size);
      bytes.remove_prefix(size);
      return taken;
    };
    Item& item = items.emplace_back();
    item.hash = prefix.hash;
    item.client = take(prefix.client_is_key ? 0 : prefix.client_size);
    item.record.offset = prefix.offset;
    item.record.timestamp = prefix.timestamp;
    item.record.key = take(prefix.key_size);
    item.record.value = take(prefix.value_size);
    if (prefix.client_is_key) item.client = item.record.key;
  }
  return items;
}

// Brings the items of each client together also where two clients have one hash.
void SeparateCollisions(const std::vector<Item>& items,
                        std::vector<std::pair<uint64_t, uint32_t>>* order) {
  for (auto begin = order->begin(); begin != order->end();) {
    const auto end = std::find_if(begin, order->end(),
                                  [&](const auto& item) { return item.first != begin->first; });
    const absl::string_view client = items[begin->second].client;
    const bool one_client = std::all_of(
        begin, end, [&](const auto& item) { return items[item.second].client == client; });
    if (!one_client) {
      std::stable_sort(begin, end, [&](const auto& a, const auto& b) {
        return items[a.second].client < items[b.second].client;
      });
    }
    begin = end;
  }
}

}  // namespace

RecordBuckets::~RecordBuckets() {
  if (file_ >= 0) ::close(file_);
}

size_t RecordBuckets::BucketOf(absl::string_view client) { return HashOf(client) % kCount; }

absl::Status RecordBuckets::Add(absl::string_view client, const RecordView& record) {
  Prefix prefix = {};
  prefix.hash = HashOf(client);
  prefix.offset = record.offset;
  prefix.timestamp = record.timestamp;
  prefix.client_is_key = client == record.key;
  prefix.client_size = static_cast<uint32_t>(client.size());
  prefix.key_size = static_cast<uint32_t>(record.key.size());
  prefix.value_size = static_cast<uint32_t>(record.value.size());
  Bucket& bucket = buckets_[prefix.hash % kCount];
  std::string& bytes = bucket.last;
  const size_t before = bytes.size();
  bytes.append(reinterpret_cast<const char*>(&prefix), sizeof prefix);
  if (!prefix.client_is_key) bytes.append(client.data(), client.size());
  bytes.append(record.key.data(), record.key.size());
  bytes.append(record.value.data(), record.value.size());
  bytes_in_memory_ += bytes.size() - before;
  return bytes.size() < kPieceBytes ? absl::OkStatus() : Finish(bucket);
}

absl::Status RecordBuckets::Finish(Bucket& bucket) {
  Piece& piece = bucket.pieces.emplace_back();
  if (bytes_in_memory_ <= memory_bytes_) {
    piece.bytes.swap(bucket.last);
    return absl::OkStatus();
  }
  if (file_ < 0) {
    std::string name = absl::StrCat(folder_, "/replay_XXXXXX");
    file_ = ::mkstemp(name.data());
    if (file_ < 0) return FileError("making", folder_);
    ::unlink(name.c_str());
  }
  RAPPORT_RETURN_IF_ERROR(WriteAll(file_, bucket.last, folder_));
  piece.file_offset = file_end_;
  piece.file_bytes = bucket.last.size();
  file_end_ += static_cast<int64_t>(bucket.last.size());
  bytes_in_memory_ -= bucket.last.size();
  bucket.last.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::string> RecordBuckets::Gather(Bucket& bucket) {
  size_t size = bucket.last.size();
  for (const Piece& piece : bucket.pieces) size += piece.bytes.size() + piece.file_bytes;
  std::string bytes;
  bytes.reserve(size);
  for (Piece& piece : bucket.pieces) {
    if (piece.file_offset < 0) {
      bytes += piece.bytes;
      bytes_in_memory_ -= piece.bytes.size();
      std::string().swap(piece.bytes);
      continue;
    }
    const size_t at = bytes.size();
    bytes.resize(at + piece.file_bytes);
    RAPPORT_RETURN_IF_ERROR(
        ReadAll(file_, piece.file_offset, bytes.data() + at, piece.file_bytes, folder_));
  }
  bytes += bucket.last;
  bytes_in_memory_ -= bucket.last.size();
  bucket = Bucket();
  return bytes;
}

absl::Status RecordBuckets::Take(
    size_t bucket,
    absl::FunctionRef<absl::Status(const std::string& client, absl::Span<const RecordView> records)>
        visit) {
  RAPPORT_ASSIGN_OR_RETURN(const std::string bytes, Gather(buckets_[bucket]));
  const std::vector<Item> items = ItemsOf(bytes);
  // Items are large: sorted by what fits into a register each.
  std::vector<std::pair<uint64_t, uint32_t>> order;
  order.reserve(items.size());
  for (const Item& item : items) {
    order.emplace_back(item.hash, static_cast<uint32_t>(order.size()));
  }
  std::sort(order.begin(), order.end());
  SeparateCollisions(items, &order);
  std::vector<RecordView> records;
  std::string client;
  for (size_t begin = 0; begin < order.size();) {
    const absl::string_view name = items[order[begin].second].client;
    records.clear();
    size_t end = begin;
    for (; end < order.size() && items[order[end].second].client == name; ++end) {
      records.push_back(items[order[end].second].record);
    }
    client.assign(name.data(), name.size());
    RAPPORT_RETURN_IF_ERROR(visit(client, records));
    begin = end;
  }
  return absl::OkStatus();
}

}  // namespace rapport
