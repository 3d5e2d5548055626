#include "libs/projections/profile/commitments.h"

#include "libs/base/bytes.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/rhythm.h"

namespace rapport {
namespace {

using state::v1::CommitmentProfile;

// Where it stands, and since when or until when.
CommitmentKey KeyOf(const CommitmentProfile& commitment) {
  CommitmentKey key;
  const absl::Time due =
      commitment.has_due_at() ? FromProto(commitment.due_at()) : absl::InfiniteFuture();
  if (IsOpen(commitment)) {
    key.at = due;
    return key;
  }
  key.at = FromProto(commitment.ended().occurred_at());
  key.kind = commitment.end() == state::v1::COMMITMENT_END_BROKEN ? CommitmentClass::kBroken
             : key.at <= due                                      ? CommitmentClass::kKept
                                                                  : CommitmentClass::kLate;
  return key;
}

}  // namespace

void IndexCommitments(const state::v1::ProfileState& state, IndexWriter& index) {
  if (state.commitments().empty()) return;
  state::v1::CommitmentRow row;
  row.set_owner_id(OwnerOf(state));
  std::string owner_key;
  AppendKeyString(&owner_key, row.owner_id());
  for (const CommitmentProfile& commitment : state.commitments()) {
    row.set_promised_by_agent_id(commitment.promised_by_agent_id());
    const std::string value = row.SerializeAsString();
    std::string promiser_key;
    AppendKeyString(&promiser_key, row.promised_by_agent_id());
    const auto add = [&](CommitmentClass kind, absl::Time at) {
      std::string key;
      AppendBig32(&key, static_cast<uint32_t>(kind));
      const int64_t nanos = absl::ToUnixNanos(at);
      AppendOrdered64(&key, kind == CommitmentClass::kOpen ? nanos : -nanos);
      AppendKeyString(&key, commitment.commitment_id());
      index.Add(kCommitmentsIndex, key, value);
      index.Add(kCommitmentsByOwnerIndex, owner_key + key, value);
      index.Add(kCommitmentsByPromiserIndex, promiser_key + key, value);
    };
    const CommitmentKey key = KeyOf(commitment);
    add(key.kind, key.at);
    if (!commitment.has_moved()) continue;
    add(commitment.moved_with_consent() ? CommitmentClass::kMovedWithConsent
                                        : CommitmentClass::kMovedWithoutConsent,
        FromProto(commitment.moved().occurred_at()));
  }
}

std::optional<CommitmentKey> ReadCommitmentKey(absl::string_view sort_key) {
  if (sort_key.size() < sizeof(uint32_t) + sizeof(int64_t)) return std::nullopt;
  CommitmentKey key;
  key.kind = static_cast<CommitmentClass>(ReadBig32(sort_key.data()));
  const int64_t nanos = ReadOrdered64(sort_key.data() + sizeof(uint32_t));
  sort_key.remove_prefix(sizeof(uint32_t) + sizeof(int64_t));
  if (!ConsumeKeyString(&sort_key, &key.commitment_id)) return std::nullopt;
  const bool open = key.kind == CommitmentClass::kOpen;
  key.at = open && nanos == absl::ToUnixNanos(absl::InfiniteFuture())
               ? absl::InfiniteFuture()
               : absl::FromUnixNanos(open ? nanos : -nanos);
  return key;
}

query::v1::CommitmentState StateOf(const CommitmentKey& key, absl::Time now) {
  switch (key.kind) {
    case CommitmentClass::kOpen: {
      if (key.at < now) return query::v1::COMMITMENT_STATE_OVERDUE;
      if (key.at == absl::InfiniteFuture() || now == absl::InfinitePast()) {
        return query::v1::COMMITMENT_STATE_OPEN;
      }
      const bool today = DayOf(absl::ToUnixSeconds(key.at)) == DayOf(absl::ToUnixSeconds(now));
      return today ? query::v1::COMMITMENT_STATE_DUE : query::v1::COMMITMENT_STATE_OPEN;
    }
    case CommitmentClass::kKept:
      return query::v1::COMMITMENT_STATE_KEPT;
    case CommitmentClass::kLate:
      return query::v1::COMMITMENT_STATE_LATE;
    case CommitmentClass::kBroken:
      return query::v1::COMMITMENT_STATE_BROKEN;
    case CommitmentClass::kMovedWithConsent:
    case CommitmentClass::kMovedWithoutConsent:
      return query::v1::COMMITMENT_STATE_MOVED;
  }
  return query::v1::COMMITMENT_STATE_UNSPECIFIED;
}

query::v1::CommitmentState StateOf(const CommitmentProfile& commitment, absl::Time now) {
  return StateOf(KeyOf(commitment), now);
}

}  // namespace rapport
