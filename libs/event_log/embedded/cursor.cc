#include "libs/event_log/embedded/cursor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/storage.h"

namespace rapport::embedded {
namespace {

constexpr size_t kReadahead = 1 << 20;

}  // namespace

absl::StatusOr<absl::Span<const RecordView>> Cursor::Next(size_t max_records) {
  views_.clear();
  const Offset end(partition_->end.load(std::memory_order_acquire));
  if (position_ > end) {
    return absl::FailedPreconditionError(
        absl::StrCat(topic_->Place(partition_->id), ": offset ", position_.value(),
                     " is past the end of the log, ", end.value()));
  }
  if (position_ == end) {
    iterator_.reset();
    return absl::Span<const RecordView>();
  }
  if (iterator_ == nullptr || parser_.remaining() == 0) {
    if (absl::Status status = FindBlock(end); !status.ok()) {
      iterator_.reset();
      return status;
    }
  }
  const size_t count = std::min<size_t>(max_records, parser_.remaining());
  views_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (!parser_.Next(&views_[i])) {
      // What came before the damage is good; the next call stops at it.
      iterator_.reset();
      if (i == 0) return Damaged("a malformed record");
      views_.resize(i);
      break;
    }
  }
  position_ = position_ + static_cast<int64_t>(views_.size());
  return absl::Span<const RecordView>(views_);
}

absl::Status Cursor::FindBlock(Offset end) {
  if (iterator_ != nullptr) {
    iterator_->Next();
    // The iterator sees the log as it was when it was made.
    if (!iterator_->Valid() && iterator_->status().ok()) iterator_.reset();
  }
  if (iterator_ == nullptr) Seek(end);
  if (!iterator_->Valid()) {
    if (iterator_->status().ok()) return Damaged("the record is missing");
    return FromRocks(iterator_->status(),
                     absl::StrCat(topic_->Place(partition_->id), ", offset ", position_.value()));
  }
  Offset base;
  if (!ParseBlockKey(iterator_->key(), &base) || !parser_.Start(ToView(iterator_->value()), base)) {
    return Damaged("a malformed block");
  }
  if (base > position_ || base + parser_.header().count <= position_) {
    return Damaged("the record is missing");
  }
  RecordView skipped;
  for (Offset offset = base; offset < position_; ++offset) {
    if (!parser_.Next(&skipped)) return Damaged("a malformed record");
  }
  return absl::OkStatus();
}

void Cursor::Seek(Offset end) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  // Who is far behind reads on; who is near the end would read ahead for nothing.
  if (end - position_ > 10'000) options.readahead_size = kReadahead;
  iterator_.reset(db_->NewIterator(options, partition_->family));
  const std::string key = BlockKey(position_);
  iterator_->Seek(key);
  // Only a start amid a block makes the second look-up necessary.
  if (!iterator_->Valid() || iterator_->key() != rocksdb::Slice(key)) {
    if (iterator_->status().ok()) iterator_->SeekForPrev(key);
  }
}

absl::Status Cursor::Damaged(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(topic_->Place(partition_->id), ", offset ",
                                          position_.value(), ": the log is damaged: ", what));
}

absl::StatusOr<Offset> FindTime(rocksdb::DB* db, const Topic& topic, const PartitionLog& partition,
                                absl::Time time) {
  const Offset end(partition.end.load(std::memory_order_acquire));
  const auto damaged = [&](Offset offset) {
    return absl::DataLossError(absl::StrCat(topic.Place(partition.id), ", offset ", offset.value(),
                                            ": the log is damaged: no block with this record"));
  };
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> iterator(db->NewIterator(options, partition.family));
  BlockParser parser;
  // The first block whose latest time is not before `time` holds the first such record.
  Offset low(0);
  Offset high = end;
  while (low < high) {
    const Offset middle = low + (high - low) / 2;
    iterator->SeekForPrev(BlockKey(middle));
    RAPPORT_RETURN_IF_ERROR(FromRocks(iterator->status(), topic.Place(partition.id)));
    Offset base;
    if (!iterator->Valid() || !ParseBlockKey(iterator->key(), &base) ||
        !parser.Start(ToView(iterator->value()), base) || base + parser.header().count <= middle) {
      return damaged(middle);
    }
    if (absl::FromUnixMillis(parser.header().latest_ms) >= time) {
      high = base;
    } else {
      low = base + parser.header().count;
    }
  }
  if (low == end) return end;
  iterator->SeekForPrev(BlockKey(low));
  RAPPORT_RETURN_IF_ERROR(FromRocks(iterator->status(), topic.Place(partition.id)));
  if (!iterator->Valid() || !parser.Start(ToView(iterator->value()), low)) return damaged(low);
  RecordView record;
  while (parser.remaining() > 0) {
    if (!parser.Next(&record)) return damaged(low);
    if (record.timestamp >= time) return record.offset;
  }
  return damaged(low);
}

}  // namespace rapport::embedded
