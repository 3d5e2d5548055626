#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/identity/identity_rules.h"
#include "libs/projections/identity/identity.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/projector.h"
#include "libs/projector/rebuild.h"
#include "libs/sources/identifier_table.h"
#include "libs/sources/observed_log.h"

namespace rapport {

// What an identifier tells of the client.
enum class Standing {
  kUnknown,        // no client has it
  kOne,            // it names one client
  kShared,         // so many have it that it names nobody: a switchboard, info@
  kContradiction,  // a few registered clients have it
};

// A client that an identifier leads to.
struct KnownClient {
  std::string client_id;
  bool provisional = false;
  // Clients through which it was reached, the latest last: they were absorbed.
  std::vector<std::string> former_client_ids;
  bool operator==(const KnownClient&) const = default;
};

struct Identification {
  Standing standing = Standing::kUnknown;
  // kOne: that client first, and then the provisional ones that have the identifier too.
  // kContradiction: the registered ones, whose claim is the latest first. kShared: the first ones.
  std::vector<KnownClient> clients;
  // All who have it, also beyond those listed.
  size_t client_count = 0;
};

// Two clients that have an identifier in common and are one.
struct ClientJoin {
  std::string absorbed_client_id;
  std::string survivor_client_id;
  Identifier identifier;
  // When the second of them got it.
  absl::Time since;
  bool operator==(const ClientJoin&) const = default;
};

// Whose an identifier is: a full copy of the projection `identity` in this process, folded from all
// partitions, and a table of it in memory, which each commit brings up to date. Thread-safe.
class IdentifierIndex {
 public:
  struct Options {
    // `<data>/state/identity`.
    std::string folder;
    // A group that no other process is in, so that all partitions are here.
    std::string group;
    std::string member;
    IdentityRules rules;
    // partition and bulk don't matter. A short interval, since a client is to be found soon after
    // it was registered.
    FoldOptions fold = {.commit_interval = absl::Milliseconds(50)};
  };

  // Begins to fold. A state of other rules is folded anew first. All pointers outlive it.
  static absl::StatusOr<std::unique_ptr<IdentifierIndex>> Start(EventLog* log,
                                                                const LogTopics& topics,
                                                                StoreResources* resources,
                                                                CacheBudget* budget,
                                                                const Options& options);
  ~IdentifierIndex();

  // Waits until all that the log holds is folded and in the table, which then follows. To be called
  // before Find, and again after an error (Unavailable, DeadlineExceeded).
  absl::Status Load(absl::Duration timeout);
  // Waits until the table has all that the log holds at the time of the call.
  absl::Status CatchUp(absl::Duration timeout);
  // Unavailable before it is loaded and while a partition stands still.
  absl::Status Ready() const;

  Identification Find(const Identifier& identifier) const;
  // The client itself, or the one under which it goes on.
  KnownClient Follow(const std::string& client_id) const;
  // The claims to an identifier by client, as they are committed. Unavailable: a partition is not
  // open.
  absl::StatusOr<std::vector<std::pair<std::string, state::v1::ClaimRow>>> Claims(
      const Identifier& identifier) const;
  // Identifiers that a few registered clients have and that count, at most `limit`.
  absl::StatusOr<std::vector<Identifier>> Contradictions(
      size_t limit, const std::function<bool(const Identification& found)>& counts) const;
  // Calls `visit` with each two clients who were found not to be one, as the log tells.
  absl::Status EachDistinctPair(
      const std::function<void(const std::string& client_id, const std::string& other_client_id)>&
          visit) const;
  // Calls `visit` with each client whose contacts named another one too, as the log tells; whether
  // they still do, the identifiers tell.
  absl::Status EachMetContradiction(
      const std::function<void(const std::string& client_id,
                               const state::v1::MetContradiction& met)>& visit) const;

  // Clients that have an identifier in common with others, since the last call; waits up to `wait`
  // for one.
  std::vector<std::string> AwaitMeetings(absl::Duration wait);
  // Who is one with the client: a provisional client and the registered one that has its
  // identifier; or two provisional ones, of which the smaller id survives. Not those whose
  // identifiers lead to several registered clients, nor those who were found not to be one.
  absl::StatusOr<std::vector<ClientJoin>> JoinsOf(const std::string& client_id) const;

  // Folds the log anew into `scratch_folder` up to where this copy is and compares with what is
  // stored, as Verify of a projector does; and what is stored with the table that answers.
  absl::StatusOr<VerifyResult> Verify(const std::string& scratch_folder,
                                      const RebuildOptions& options);

  // How far the partitions are.
  absl::StatusOr<std::vector<StoredPosition>> Positions() const { return View().Positions(); }
  // Whether the client's history was ever told anew.
  absl::StatusOr<bool> WasRetold(const std::string& client_id) const;

  const IdentityRules& rules() const { return options_.rules; }
  Projector& projector() const { return *projector_; }
  size_t identifier_count() const;
  size_t memory_bytes() const;

 private:
  struct Touched {
    Offset offset;
    std::string client_id;
  };
  // A claimant and where it goes on.
  struct Reached {
    std::string claimant;
    KnownClient client;
    bool of_former = false;
  };

  IdentifierIndex(EventLog* log, const LogTopics& topics, Options options);

  void Observe(Partition partition, absl::Span<const RecordView> records);
  // Brings the table up to what the partition has committed.
  void Refresh(Partition partition);
  absl::Status RefreshClient(const ProjectionView& view, const std::string& client_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadFrom(const ProjectionView& view);
  // Puts all that is stored into a table.
  absl::Status Fill(const ProjectionView& view, IdentifierTable* table) const;
  // Where the table differs from what is stored; empty when it does not.
  absl::StatusOr<std::string> CompareTable();
  ProjectionView View() const;
  KnownClient FollowLocked(absl::string_view client_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Distinct clients that have the identifier, those registered first; `claimant` is the strongest.
  std::vector<Reached> Reach(const std::string& identifier_key) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the two were found not to be one.
  absl::StatusOr<bool> AreDistinct(const std::string& client_id,
                                   const std::string& other_client_id) const;
  void NoteMeetings(const IdentifierTable::Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Identifiers that several clients have, each with one of them.
  std::vector<std::pair<IdentifierTable::Key, std::string>> SharedWithClient() const;
  // Puts what the store knows of the claims: former clients, and which is the latest.
  void Complete(const Identifier& identifier, bool latest_first,
                std::vector<Reached>* reached) const;

  const Options options_;
  const std::string topic_;
  SpecOf<IdentityProjection> spec_;
  ObservedLog log_;

  mutable Mutex mutex_;
  CondVar met_;
  IdentifierTable table_ ABSL_GUARDED_BY(mutex_);
  bool observing_ ABSL_GUARDED_BY(mutex_) = false;
  bool loaded_ ABSL_GUARDED_BY(mutex_) = false;
  // Clients that records behind the last commit are about.
  std::map<Partition, std::deque<Touched>> touched_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> meetings_ ABSL_GUARDED_BY(mutex_);

  // Gone first: it calls the others.
  std::unique_ptr<Projector> projector_;
};

}  // namespace rapport
