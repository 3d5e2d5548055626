#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/generations.h"
#include "libs/projector/partition_worker.h"

namespace rapport {

// How one partition stands.
struct PartitionStatus {
  Partition partition;
  Offset position;   // next record to fold
  Offset committed;  // position of the last commit
  Offset end;        // of the touchpoints log
  absl::Time clock = absl::InfinitePast();
  // When the log took the record before `position`; InfinitePast before one was folded here.
  absl::Time last_record_at = absl::InfinitePast();
  Digest digest;  // of what is committed
  state::v1::FoldCounts counts;
  // Why the partition stands still, when it does; it is tried again.
  absl::Status trouble;
};

// Runs one projection over the touchpoints log on a thread of its own: the partitions that its
// group membership gives it, each folded from its stored position, committed and published. After
// an error a partition is opened again from what is stored, with growing pauses. Thread-safe.
class Projector : private PartitionListener {
 public:
  struct Options {
    // `<data>/state/<projection>`.
    std::string folder;
    // Group of the projection's processes, and this process's stable name in it.
    std::string group;
    std::string member;
    // How others reach this process, for the group's list of members; may be empty.
    std::string address;
    // CatchUp waits until at least so many partitions are owned: all of them where there is no
    // other member.
    int least_partitions = 1;
    // partition and bulk are set by the projector.
    FoldOptions fold;
    // Told of each live commit and how long it took, on the projector's thread.
    std::function<void(Partition, absl::Duration)> on_commit;
  };

  // Starts folding. A generation that another version or other settings folded is left to serve
  // nothing: FailedPrecondition says to rebuild.
  static absl::StatusOr<std::unique_ptr<Projector>> Start(const ProjectionEnv& env,
                                                          const Options& options);
  ~Projector() override { Stop(); }

  // Commits, gives up its partitions and stops: on_commit is not called after it. A second time:
  // nothing. Not thread-safe.
  void Stop();

  // Waits until all owned partitions have folded, committed and published what the log holds at the
  // time of the call; with `progress`, tells it about every 200 ms. Unavailable: a partition stands
  // still, with why; DeadlineExceeded after `timeout`.
  absl::Status CatchUp(
      absl::Duration timeout,
      const std::function<void(const std::vector<PartitionStatus>&)>& progress = {});

  // Calls `done` once, as soon as the partition has committed all before `position`; what is folded
  // and waits for its commit is committed at once then. NotFound: the partition is not owned here;
  // Unavailable: it went away meanwhile; DeadlineExceeded. `done` is called on the caller's or the
  // projector's thread, and must be quick.
  void NotifyAt(Partition partition, Offset position, absl::Time deadline,
                std::function<void(absl::Status)> done);

  // Why the log is not read, or not all of our partitions; ok when they are. What is wrong with a
  // partition's state stands in Status.
  absl::Status ReadingTrouble() const;
  // These wait for no fold or commit.
  absl::StatusOr<std::vector<PartitionStatus>> Status() const;
  // The store of an owned partition, for reading what is committed; null when it is not open here.
  std::shared_ptr<StateStore> StoreOf(Partition partition) const;
  // Those of all partitions that are open here.
  std::map<Partition, std::shared_ptr<StateStore>> Stores() const;
  // Stops folding while `action` runs with the workers of the owned partitions, flushed; it may
  // replace them (one that it takes away is opened again), and change which generation serves. An
  // error when one of them stands still.
  using Workers = std::map<Partition, std::unique_ptr<PartitionWorker>>;
  absl::Status WhilePaused(const std::function<absl::Status(Workers*, Generations*)>& action);

  const ProjectionEnv& env() const { return env_; }
  const Options& options() const { return options_; }
  int generation() const { return shown_generation_; }
  int partition_count() const { return partition_count_; }

 private:
  struct Slot {
    std::unique_ptr<PartitionWorker> worker;  // null: closed after an error, or not opened yet
    absl::Status trouble;
    absl::Duration pause = absl::ZeroDuration();
    absl::Time retry_at = absl::InfinitePast();
    // Loaded in bulk up to here.
    Offset bulk_until = Offset(0);
    // Read again from the log up to here: it was polled while the worker was closed.
    Offset reread_until = Offset(0);
    absl::Time last_record_at = absl::InfinitePast();
    // Whether the subscription knows where to read; until then it asks again and again.
    bool reading = false;
    // When it got records last.
    absl::Time folded_at = absl::InfinitePast();
  };
  // What others see of a partition without waiting for its fold.
  struct Shown {
    PartitionStatus status;  // without `end`
    std::shared_ptr<StateStore> store;
  };
  struct Waiter {
    Offset position;
    absl::Time since;
    absl::Time deadline;
    std::function<void(absl::Status)> done;
  };

  Projector(const ProjectionEnv& env, Options options, Generations generations, int partitions)
      : env_(env),
        options_(std::move(options)),
        partition_count_(partitions),
        generations_(std::move(generations)),
        shown_generation_(*generations_.current()) {}

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override;

  void Run();
  void PollAndFold() ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls the waiters whose wait is over.
  void CallWaiters() ABSL_LOCKS_EXCLUDED(mutex_, shown_mutex_);
  // Whether somebody waits for what the partition has folded and not committed.
  bool IsAwaited(Partition partition, const PartitionFold& fold) const
      ABSL_LOCKS_EXCLUDED(shown_mutex_);
  void NoteReading(const absl::Status& trouble) ABSL_LOCKS_EXCLUDED(shown_mutex_);
  // Brings what is shown up to date.
  void Show() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) ABSL_LOCKS_EXCLUDED(shown_mutex_);
  // Folds what was read; on an error closes the worker and notes the trouble.
  void FoldInto(const PartitionRecords& read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether it has followed the log closely, and nothing came for a while.
  bool IsQuiet(const Slot& slot) const;
  // `all_polled`: there was nothing more to read, in any partition.
  void Maintain(Partition partition, Slot& slot, bool catching_up, bool all_polled)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenWorker(Partition partition, Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Fail(Partition partition, Slot& slot, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProjectionEnv env_;
  const Options options_;
  const int partition_count_;
  std::unique_ptr<Subscription> subscription_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  // Somebody waits for a flush or for the lock: the loop is not to linger in Poll.
  std::atomic<int> waiting_ = 0;
  // Of the thread alone.
  absl::Duration idle_wait_ = absl::Milliseconds(25);

  mutable Mutex mutex_;
  CondVar changed_;
  Generations generations_ ABSL_GUARDED_BY(mutex_);
  std::map<Partition, Slot> slots_ ABSL_GUARDED_BY(mutex_);

  // The fold holds mutex_ for as long as a batch takes; readers take this one, and only shortly.
  mutable Mutex shown_mutex_ ABSL_ACQUIRED_AFTER(mutex_);
  std::map<Partition, Shown> shown_ ABSL_GUARDED_BY(shown_mutex_);
  absl::Status reading_trouble_ ABSL_GUARDED_BY(shown_mutex_);
  std::multimap<Partition, Waiter> waiters_ ABSL_GUARDED_BY(shown_mutex_);
  std::atomic<int> shown_generation_;
};

}  // namespace rapport
