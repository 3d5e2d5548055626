#include "libs/projector/log_identity.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace rapport {
namespace {

constexpr absl::Duration kReadWait = absl::Seconds(5);

}  // namespace

RecordFingerprint FingerprintOf(const RecordView& record) {
  std::string key(record.key);
  AppendBig64(&key, static_cast<uint64_t>(absl::ToUnixNanos(record.timestamp)));
  return FingerprintOf(record.offset, key, record.value);
}

RecordFingerprint FingerprintOf(Offset offset, absl::string_view key, absl::string_view value) {
  // The key's hash as the seed of the value's: no two pairs are one text.
  const XXH64_hash_t of_key = XXH3_64bits(key.data(), key.size());
  const XXH128_hash_t hash = XXH3_128bits_withSeed(value.data(), value.size(), of_key);
  RecordFingerprint fingerprint{offset, ""};
  AppendBig64(&fingerprint.hash, hash.high64);
  AppendBig64(&fingerprint.hash, hash.low64);
  return fingerprint;
}

void ToProto(const RecordFingerprint& fingerprint, state::v1::RecordFingerprint* proto) {
  proto->set_offset(fingerprint.offset.value());
  proto->set_hash(fingerprint.hash);
}

RecordFingerprint FromProto(const state::v1::RecordFingerprint& proto) {
  return {Offset(proto.offset()), proto.hash()};
}

absl::Status CheckSameLog(EventLog& log, absl::string_view topic, Partition partition,
                          const RecordFingerprint& last, absl::Duration patience) {
  if (last.offset < Offset(0)) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log.GetWatermarks(topic, partition));
  if (last.offset < marks.begin) return absl::OkStatus();
  const bool beyond = last.offset >= marks.end;
  const absl::Status ends_before = absl::DataLossError(
      absl::StrCat("topic ", topic, " ends at offset ", marks.end.value(), " of partition ",
                   partition.value(), ", and this was folded from one that had offset ",
                   last.offset.value(), ": the log is an older one, or another"));
  if (beyond && patience <= absl::ZeroDuration()) return ends_before;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                           log.OpenReader(topic, partition, last.offset));
  const absl::StatusOr<absl::Span<const RecordView>> records =
      reader->Read(1, beyond ? patience : kReadWait);
  if (beyond &&
      (absl::IsFailedPrecondition(records.status()) || (records.ok() && records->empty()))) {
    return ends_before;
  }
  RAPPORT_RETURN_IF_ERROR(OfLog(records.status()));
  if (records->empty()) {
    return absl::UnavailableError(absl::StrCat(
        "topic ", topic, " gave no record from offset ", last.offset.value(), " of partition ",
        partition.value(), ", though it reaches to ", marks.end.value()));
  }
  // Compacted away, or it was that of a version that kept no hash: it cannot be told.
  if (records->front().offset != last.offset || last.hash.empty()) return absl::OkStatus();
  const RecordView& found = records->front();
  if (FingerprintOf(found) == last || FingerprintOf(found.offset, found.key, found.value) == last) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "the record at offset ", last.offset.value(), " of partition ", partition.value(),
      " of topic ", topic, " is not the one that this was folded from: it is another log"));
}

absl::Status OfLog(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::FailedPreconditionError(absl::StrCat("reading the log: ", status.message()));
}

}  // namespace rapport
