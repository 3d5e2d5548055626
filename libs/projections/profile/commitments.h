#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/projection.h"
#include "rapport/query/v1/commitment.pb.h"
#include "rapport/state/v1/profile.pb.h"

// The ledger of promises, as entries of three lists: all, by the client's relationship manager, and
// by who promised.

namespace rapport {

// Sort key: AppendBig32(CommitmentClass), AppendOrdered64(nanoseconds since 1970: when an open one
// is due; of the others minus when it ended, or was moved last), AppendKeyString(commitment_id).
// Value: CommitmentRow.
inline constexpr char kCommitmentsIndex[] = "commitments";
// The same behind AppendKeyString(owner).
inline constexpr char kCommitmentsByOwnerIndex[] = "commitments_by_owner";
// The same behind AppendKeyString(who promised).
inline constexpr char kCommitmentsByPromiserIndex[] = "commitments_by_promiser";

// What the first number of a sort key says. A promise has an entry in one of the first four, and in
// one of the last two when it was moved.
enum class CommitmentClass : uint32_t {
  kOpen = 1,
  kKept = 2,
  kLate = 3,
  kBroken = 4,
  kMovedWithConsent = 5,
  kMovedWithoutConsent = 6,
};

void IndexCommitments(const state::v1::ProfileState& state, IndexWriter& index);

// What a sort key says.
struct CommitmentKey {
  CommitmentClass kind = CommitmentClass::kOpen;
  absl::Time at;  // due, ended, or moved; InfiniteFuture of an open one without a date
  std::string commitment_id;
};
// nullopt when it is damaged.
std::optional<CommitmentKey> ReadCommitmentKey(absl::string_view sort_key);

// Where a promise stands at `now`; an open one is not due while there is no clock.
query::v1::CommitmentState StateOf(const CommitmentKey& key, absl::Time now);
query::v1::CommitmentState StateOf(const state::v1::CommitmentProfile& commitment, absl::Time now);

}  // namespace rapport
