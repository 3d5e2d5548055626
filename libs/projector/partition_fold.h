#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/base/strong_type.h"
#include "libs/event_log/event_log.h"
#include "libs/projections/projection.h"
#include "libs/projector/log_identity.h"
#include "libs/projector/touchpoint_parser.h"
#include "libs/state_store/digest.h"
#include "libs/state_store/seen_ids.h"
#include "libs/state_store/state_store.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/state/v1/store.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Which code and settings folded a state: a state of another identity has to be rebuilt.
struct ProjectionIdentity {
  std::string name;
  int version = 0;
  std::string settings_fingerprint;
  bool operator==(const ProjectionIdentity&) const = default;
};

// The memory that decoded states of all folds of a process may take together. Thread-safe.
class CacheBudget {
 public:
  explicit CacheBudget(size_t limit_bytes) : limit_(limit_bytes) {}

  void Enter() { ++folds_; }
  void Leave(size_t used) {
    --folds_;
    used_ -= used;
  }
  // A fold's use changed from `before` to `after` bytes.
  void Update(size_t before, size_t after) { used_ += after - before; }
  bool Exceeded() const { return used_ > limit_; }
  // What one fold is cut back to when the limit is exceeded.
  size_t Share() const { return limit_ / static_cast<size_t>(std::max(1, folds_.load())); }
  size_t used() const { return used_; }

 private:
  const size_t limit_;
  std::atomic<size_t> used_ = 0;
  std::atomic<int> folds_ = 0;
};

// Where an effect came about: it orders the effects of one input partition.
struct EffectPlace {
  Offset input_offset = Offset(-1);
  int32_t ordinal = 0;
  auto operator<=>(const EffectPlace&) const = default;
};

// An effect that is committed and waits to be published.
struct OutboxEntry {
  EffectPlace place;
  std::string client_id;
  std::string event;  // serialised alert.v1.AlertEvent
  EventId effect_id;
  absl::Time at;
};

struct FoldOptions {
  Partition partition;
  // Commits: after this much time, or this many bytes of changes, whichever is first.
  absl::Duration commit_interval = absl::Seconds(1);
  // Or, in the live fold, once nothing has come for so long: there is nothing to wait for that
  // could share the commit, and readers see the last of it.
  absl::Duration quiet_interval = absl::Milliseconds(10);
  size_t commit_bytes = size_t{48} << 20;
  // Effects are committed, and so published, after this long, so that those of a few milliseconds
  // share a commit; longer while the reader is catching up.
  absl::Duration effect_delay = absl::Milliseconds(2);
  absl::Duration effect_delay_catching_up = absl::Milliseconds(100);
  // Load in bulk (a rebuild): commits are sorted files, and come only when memory asks for it.
  bool bulk = false;
  // Partitions of the touchpoints topic, so that a touchpoint in the wrong one is noticed; 0: it is
  // not looked at.
  int partition_count = 0;
};

// Folds the records of one partition of the touchpoints log into the states of one projection, in
// log order, and commits. What of it does not depend on the projection's types is here; FoldEngine
// has the rest. One thread at a time. After an error the object is to be thrown away and made anew
// from what is stored: nothing uncommitted counts.
class PartitionFold {
 public:
  PartitionFold(ProjectionIdentity identity, const FoldOptions& options, StateStore* store,
                CacheBudget* budget);
  virtual ~PartitionFold();
  PartitionFold(const PartitionFold&) = delete;
  PartitionFold& operator=(const PartitionFold&) = delete;

  // Loads where the store stands. FailedPrecondition: it was folded by another version or with
  // other settings and has to be rebuilt.
  absl::Status Open();

  // Folds records that continue at position(); those before it are skipped. A record that cannot
  // be folded becomes a dead letter. FailedPrecondition: a gap in the offsets.
  absl::Status Fold(absl::Span<const RecordView> records);
  // Moves on to `next`, before which the log holds nothing more.
  void PassOver(Offset next);

  // The same for a stretch of records that ClientReplay has grouped by client: BeginReplay, then
  // ReplayClient for each client that has records in the stretch and each of DueClients, ReplayStep
  // now and then, and EndReplay, which commits. Nothing may be uncommitted before.
  struct Tick {
    Offset offset;
    absl::Time now;
    int64_t micros;  // of `now`, rounded down
  };
  void BeginReplay();
  // Clients with a timer that one of `ticks` fires, as it is stored.
  absl::StatusOr<std::vector<std::string>> DueClients(absl::Span<const Tick> ticks) const;
  absl::Status ReplayClient(const std::string& client, absl::Span<const RecordView> records,
                            absl::Span<const Tick> ticks);
  // Hands what was replayed to the commit, and lets go of its memory.
  absl::Status ReplayStep();
  // `records`: how many the stretch has; `last`: the last of them.
  absl::Status EndReplay(absl::Span<const Tick> ticks, int64_t records,
                         const RecordFingerprint& last);
  // Whether the last commit stands in the middle of a record, which a replay cannot go on with.
  bool within_record() const { return next_ordinal_ != 0; }
  // FailedPrecondition: records are missing between `expected` and `record`.
  absl::Status CheckGap(Offset expected, const RecordView& record) const;

  // Whether it is time to commit. `catching_up`: more records are waiting.
  bool CommitDue(absl::Time now, bool catching_up) const;
  // Writes everything since the last commit as one.
  absl::Status Commit();
  void set_bulk(bool bulk) { options_.bulk = bulk; }
  // Lets go of all decoded states that are committed.
  void DropCache();

  // Committed effects that wait to be published, in order.
  const std::vector<OutboxEntry>& outbox() const { return outbox_; }
  // Takes the effects up to `place` off the outbox; the next commit remembers it.
  // `last_alert`: the record of the alerts log behind which the rest will be found.
  void MarkPublished(EffectPlace place, const RecordFingerprint& last_alert);
  EffectPlace published() const { return published_; }
  // A generation that takes over, with its effects held back: `told` has the alerts that readers
  // hold for open, by client, as they were told last, up to published(). Puts before the effects
  // that wait what makes readers hold what this generation held there: alerts that it did not have
  // are cleared, those that only it has are raised, others are updated. Nothing where they agree.
  // Commits.
  absl::Status TellDifference(const absl::btree_map<std::string, alert::v1::AlertEvent>& told);
  Offset alerts_position() const { return alerts_position_; }
  const RecordFingerprint& last_alert() const { return last_alert_; }

  const ProjectionIdentity& identity() const { return identity_; }
  Partition partition() const { return options_.partition; }
  // The offset of the next record to fold.
  Offset position() const { return position_; }
  // The position of the last commit.
  Offset committed_position() const { return committed_position_; }
  // The record before position().
  const RecordFingerprint& last_record() const { return last_record_; }
  bool has_uncommitted() const { return uncommitted_; }
  absl::Time clock() const { return clock_; }
  const state::v1::FoldCounts& counts() const { return counts_; }
  // Of what is committed.
  Digest digest() const { return digest_; }
  StateStore* store() const { return store_; }

 protected:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  static int64_t ToMicros(absl::Time time);
  static absl::Time FromMicros(int64_t micros);

  // The projection's part.
  virtual bool Wants(const touchpoint::v1::Touchpoint& touchpoint) const = 0;
  // InvalidArgument or DataLoss from the projection: `*refusal` is set and the state unchanged; an
  // error returned is the store's.
  virtual absl::Status ApplyTouchpoint(const touchpoint::v1::Touchpoint& touchpoint,
                                       absl::Status* refusal) = 0;
  virtual absl::Status FireTimer(const std::string& client, int64_t due) = 0;
  // Whether a corrected clock changes states; then RewindState is called for each client.
  virtual bool RewindsStates() const = 0;
  virtual absl::Status RewindState(const std::string& client) = 0;
  // Whether the effects are steps of alerts. Then TellState adds to `output` the raising of the one
  // that is open in the client's state.
  virtual bool TellsAlertsOfStates() const = 0;
  virtual absl::Status TellState(const std::string& client, FoldOutput* output) = 0;
  // When the client's timer is due; kNever when it has none.
  virtual absl::StatusOr<int64_t> TimerOf(const std::string& client) = 0;
  // What HistoryReopened asks of a client's state.
  struct Reopening {
    bool within = false;  // another retelling, which was not closed
    bool forgets = false;
    bool absorbed = false;  // the client goes on under another
    // The state whose life goes on, as ReopenState returned it before; nullopt: the present one.
    std::optional<std::string> kept;
  };
  // Forgets the client's state and timer if it is to; readers keep both state and lists until
  // CloseState. Returns the state as it stood before
  // ("" when there was none); nullopt when the projection has no use for it.
  virtual absl::StatusOr<std::optional<std::string>> ReopenState(const std::string& client,
                                                                 const Reopening& reopening) = 0;
  // The client's history has been told, and readers see it with the next commit. `kept`: from where
  // its life goes on; nothing does when it was absorbed. `*refusal` as in ApplyTouchpoint.
  virtual absl::Status CloseState(const touchpoint::v1::Touchpoint& touchpoint, bool absorbed,
                                  const std::optional<std::string>& kept,
                                  absl::Status* refusal) = 0;
  // Adds the changed states and lists to the commit, and their hashes to the digest. Those of
  // clients that are being retold are put aside: readers keep what stood before.
  virtual void AddStates(class Commit& commit, Digest* digest) = 0;
  // After the commit: all states are as stored.
  virtual void StatesCommitted() = 0;
  // Estimated bytes of the decoded states, and dropping unchanged ones down to `target` bytes.
  virtual size_t CacheBytes() const = 0;
  virtual void Evict(size_t target) = 0;

  // For the projection's part.
  FoldContext context(absl::string_view client) const {
    return {client, clock_, retelling_since_, position_ >= published_.input_offset};
  }
  // Between HistoryReopened and HistoryClosed, where no timer is fired, and what is told stands
  // aside.
  bool IsBeingRetold(absl::string_view client) const;
  // Whether the client's history was ever told anew, or is being.
  bool WasRetold(absl::string_view client) const { return FindRetold(client) != nullptr; }
  // The effects and rows of one Apply or Wake.
  void TakeOutput(absl::string_view client, FoldOutput& output);
  // Moves the client's timer; kNever for none.
  void MoveTimer(const std::string& client, int64_t from, int64_t to);
  // The timer for a wake that the projection asked for: not before the next ClockAdvanced.
  int64_t TimerFor(int64_t wake) const;
  // Adds to a stored sum.
  void AddToTally(absl::string_view key, int64_t amount);
  bool nothing_stored() const { return stored_clients_ == 0 && retold_.empty(); }
  void CountClients(int64_t more) { counts_.set_clients(counts_.clients() + more); }
  // A state that the next commit will write; its memory is counted by CacheBytes.
  void AddDirtyState(size_t bytes) { dirty_state_bytes_ += bytes; }

 private:
  using TimerKey = std::pair<int64_t, std::string>;

  // While a stretch is replayed client by client.
  struct Replay {
    std::unique_ptr<class Commit> commit;
    Digest digest;
    absl::Time start_clock;
    int64_t timer = kNever;  // of the client at hand
    size_t first_row = 0;    // of the client at hand, in new_rows_
    // Effects of timers wait until all clients are through: their order is that of the log, of what
    // was due when, and of the clients.
    struct Effect {
      OutboxEntry entry;
      int64_t due = 0;
      int32_t sequence = 0;
      bool of_timer = false;
    };
    std::vector<Effect> effects;
  };
  absl::Status FireUntil(const std::string& client, Offset end, absl::Span<const Tick> ticks);
  void NumberReplayedEffects();
  void ChangeTimer(int64_t due, absl::string_view client, bool set, class Commit& commit,
                   Digest* digest) const;

  absl::Status FoldRecord(const RecordView& record);
  // Why a touchpoint that parses is no business of the fold's; ok when it is.
  absl::Status CheckPlace(const RecordView& record,
                          const touchpoint::v1::Touchpoint& touchpoint) const;
  absl::Status FoldClientTouchpoint(const RecordView& record,
                                    const touchpoint::v1::Touchpoint& touchpoint);
  // Whether the record has to wait behind one that could not be folded; then it is put there.
  bool WaitsBehind(const RecordView& record, absl::string_view client);
  // False when `id` was seen before; else it counts as seen from now on.
  absl::StatusOr<bool> MarkSeen(const EventId& id);
  static EventId SeenIdOf(const EventId& event_id, absl::string_view client, int64_t epoch);
  absl::Status AdvanceClock(absl::Time now);
  absl::Status TakeDueTimers(int64_t from, int64_t until);
  absl::StatusOr<absl::btree_map<std::string, alert::v1::AlertEvent>> OpenAtFrontier();
  absl::Status CorrectClock(const touchpoint::v1::Touchpoint& touchpoint);
  absl::Status RewindStates();

  absl::Status FoldRetelling(const RecordView& record,
                             const touchpoint::v1::Touchpoint& touchpoint);
  absl::Status Reopen(const touchpoint::v1::Touchpoint& touchpoint);
  absl::Status Close(const RecordView& record, const touchpoint::v1::Touchpoint& touchpoint);
  // Null when the client's history was never told anew.
  const state::v1::RetoldClient* FindRetold(absl::string_view client) const;
  absl::StatusOr<std::optional<std::string>> FindKept(absl::string_view client,
                                                      absl::string_view retelling_id) const;
  absl::Status ForgetRows(const std::string& client);
  // The rows told so far, by key; they stand aside no more.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> TakeToldRows(
      const std::string& client);
  // Clients whose histories are being told anew, in their order: the store may have their states
  // aside alone.
  std::vector<std::string> ClientsBeingRetold() const;
  absl::Status LoadRetold();
  void AddRetold(class Commit& commit) const;

  void Bury(const RecordView& record, absl::string_view client, absl::string_view reason,
            bool holds_back, bool waiting);
  absl::Status TakeUp(Offset offset, bool skip);
  void AddEffect(absl::string_view client, EffectPlace place, int32_t sequence,
                 alert::v1::AlertEvent* event);
  absl::StatusOr<std::optional<state::v1::DeadLetter>> FindDeadLetter(Offset offset) const;
  absl::Status LoadDeadLetters();
  absl::Status LoadOutbox();

  void AddRows(class Commit& commit, Digest* digest);
  void AddTimersRowsAndEffects(class Commit& commit, Digest* digest);
  absl::Status AddTallies(class Commit& commit, Digest* digest) const;
  absl::Status AddDeadLetters(class Commit& commit, Digest* digest) const;
  std::string EncodeMeta(Digest digest) const;
  void TakeFingerprint();
  void AccountCache();

  const ProjectionIdentity identity_;
  FoldOptions options_;
  StateStore* const store_;
  CacheBudget* const budget_;
  size_t accounted_bytes_ = 0;

  // Where the fold stands.
  Offset position_ = Offset(0);
  Offset committed_position_ = Offset(0);
  absl::Time clock_ = absl::InfinitePast();
  int32_t next_ordinal_ = 0;
  RecordFingerprint last_record_;
  // Within Fold: that record, before its fingerprint is taken.
  const RecordView* last_folded_ = nullptr;
  state::v1::FoldCounts counts_;
  int64_t stored_clients_ = 0;
  Digest digest_;

  // The record being folded, and what an effect would be caused by.
  TouchpointParser parser_;
  std::optional<EventId> trigger_event_;
  // Of the client of that record.
  absl::Time retelling_since_ = absl::InfinitePast();
  int64_t trigger_due_ = kNever;

  // What the next commit will carry besides the states.
  bool uncommitted_ = false;
  size_t dirty_bytes_ = 0;  // beside the states
  size_t dirty_state_bytes_ = 0;
  mutable absl::Time effects_since_ = absl::InfiniteFuture();
  mutable absl::Time changes_since_ = absl::InfiniteFuture();
  SeenIdSet new_seen_;
  std::vector<std::pair<std::string, std::string>> new_rows_;
  // Stored rows that are to go, by key, with their hashes; those that come again among new_rows_
  // stay.
  absl::flat_hash_map<std::string, Digest> forgotten_rows_;
  absl::btree_set<std::string> retold_changes_;
  // By key in the family `meta`: states that were kept, and rows that are told and stand aside;
  // nullopt: to be removed.
  absl::btree_map<std::string, std::optional<std::string>> meta_changes_;
  absl::flat_hash_map<std::string, int64_t> tally_deltas_;
  absl::btree_map<TimerKey, bool> timer_changes_;  // true: set, false: removed
  // While the clock advances, or is put back: the timers that are due and come before `due_end_`.
  absl::btree_set<TimerKey> due_;
  TimerKey due_end_;
  bool advancing_ = false;
  absl::Time clock_before_ = absl::InfinitePast();
  std::vector<OutboxEntry> new_effects_;
  std::vector<EffectPlace> published_since_commit_;
  std::unique_ptr<Replay> replay_;
  // By offset; nullopt: taken up.
  std::map<int64_t, std::optional<state::v1::DeadLetter>> dead_letter_changes_;

  std::vector<OutboxEntry> outbox_;
  EffectPlace published_;
  Offset alerts_position_ = Offset(0);
  RecordFingerprint last_alert_;
  // Clients whose touchpoints wait, with the offsets of what waits, the cause first.
  absl::btree_map<std::string, std::set<int64_t>> held_back_;
  // Clients whose history was ever told anew.
  absl::flat_hash_map<std::string, state::v1::RetoldClient> retold_;
};

// Makes the fold of one projection with its settings; what the runtime knows of a projection.
class ProjectionSpec {
 public:
  virtual ~ProjectionSpec() = default;
  virtual const ProjectionIdentity& identity() const = 0;
  virtual std::unique_ptr<PartitionFold> NewFold(const FoldOptions& options, StateStore* store,
                                                 CacheBudget* budget) const = 0;
};

}  // namespace rapport
