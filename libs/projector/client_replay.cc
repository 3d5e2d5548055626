#include "libs/projector/client_replay.h"

#include <array>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"

namespace rapport {

absl::StatusOr<size_t> ClientReplay::Add(absl::Span<const RecordView> records) {
  RAPPORT_ASSIGN_OR_RETURN(const size_t taken, AddSome(records));
  if (taken > 0 && records[taken - 1].offset + 1 == end_) last_ = FingerprintOf(records[taken - 1]);
  return taken;
}

absl::StatusOr<size_t> ClientReplay::AddSome(absl::Span<const RecordView> records) {
  for (size_t i = 0; i < records.size(); ++i) {
    const RecordView& record = records[i];
    if (record.offset < end_) continue;
    RAPPORT_RETURN_IF_ERROR(fold_.CheckGap(end_, record));
    if (const std::optional<absl::string_view> client = PeekClient(record.value)) {
      RAPPORT_RETURN_IF_ERROR(buckets_.Add(*client, record));
    } else {
      RAPPORT_ASSIGN_OR_RETURN(const bool taken, AddUnclear(record));
      if (!taken) return i;
    }
    end_ = record.offset + 1;
    ++records_;
  }
  return records.size();
}

// False: it has to be folded in its turn.
absl::StatusOr<bool> ClientReplay::AddUnclear(const RecordView& record) {
  if (!ParseTouchpoint(record.value, &touchpoint_).ok()) {
    // A dead letter, behind which the touchpoints of the client that its key names may have to
    // wait.
    RAPPORT_RETURN_IF_ERROR(buckets_.Add(record.key, record));
    return true;
  }
  if (touchpoint_.has_dead_letter_retried() || touchpoint_.has_dead_letter_skipped() ||
      touchpoint_.has_clock_corrected()) {
    return false;
  }
  if (!touchpoint_.has_clock_advanced()) {
    RAPPORT_RETURN_IF_ERROR(buckets_.Add(touchpoint_.client_id(), record));
    return true;
  }
  if (!CheckClock(touchpoint_, record.timestamp).ok()) {
    RAPPORT_RETURN_IF_ERROR(buckets_.Add(record.key, record));  // a dead letter too
    return true;
  }
  const absl::Time now = FromProto(touchpoint_.clock_advanced().now());
  if (now > (ticks_.empty() ? fold_.clock() : ticks_.back().now)) {
    ticks_.push_back({record.offset, now, absl::ToUnixMicros(now)});
  }
  return true;
}

absl::Status ClientReplay::Run(absl::FunctionRef<absl::Status(int64_t records)> progress) {
  if (records_ == 0) return absl::OkStatus();
  fold_.BeginReplay();
  std::array<absl::flat_hash_set<std::string>, RecordBuckets::kCount> due;
  RAPPORT_ASSIGN_OR_RETURN(std::vector<std::string> due_clients, fold_.DueClients(ticks_));
  for (std::string& client : due_clients) {
    const size_t bucket = RecordBuckets::BucketOf(client);
    due[bucket].insert(std::move(client));
  }
  due_clients.clear();
  int64_t told = 0;
  for (size_t bucket = 0; bucket < RecordBuckets::kCount; ++bucket) {
    int64_t folded = 0;
    RAPPORT_RETURN_IF_ERROR(
        buckets_.Take(bucket, [&](const std::string& client, absl::Span<const RecordView> records) {
          due[bucket].erase(client);
          folded += static_cast<int64_t>(records.size());
          return fold_.ReplayClient(client, records, ticks_);
        }));
    for (const std::string& client : due[bucket]) {
      RAPPORT_RETURN_IF_ERROR(fold_.ReplayClient(client, {}, ticks_));
    }
    due[bucket].clear();
    RAPPORT_RETURN_IF_ERROR(fold_.ReplayStep());
    // The rest is told when it is committed.
    if (bucket + 1 == RecordBuckets::kCount) break;
    told += folded;
    RAPPORT_RETURN_IF_ERROR(progress(folded));
  }
  RAPPORT_RETURN_IF_ERROR(fold_.EndReplay(ticks_, records_, last_));
  return progress(records_ - told);
}

}  // namespace rapport
