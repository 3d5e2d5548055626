#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/event_log/event_log.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/rebuild.h"
#include "tests/simulation/retellings.h"
#include "tests/support/faulty_log.h"
#include "tests/support/fold_oracle.h"
#include "tests/support/power_cut_env.h"

// The world that is simulated, in one thread, the same for the same seed.
//
// Touchpoints. A random history of some clients arrives in parts: some touchpoints late, some
// twice; a writer whose append failed with an unknown outcome writes the same again. Between them
// come records that nobody can fold (garbage, an unknown kind, impossible values, the mark of a
// retelling behind which a client's touchpoints have to wait), and an operator retries or skips
// them, or others that were never there. Clients are merged and split, also several into one, by
// somebody who dies in the middle of it and begins again. The clock ticks, jumps ahead by weeks,
// and falls back.
//
// The log is correct, but not always there: appends fail before, after and in the middle of
// writing, reads fail and come short. What it has acknowledged it keeps, but for one thing: now and
// then an older copy of it is restored, all of its topics as they stood at one moment, and goes on
// from there with other records.
//
// Processes. A partition of a projection is folded by one process at a time. It dies at any moment:
// with what it has folded and not committed, between commit and publishing, after an append to the
// alerts log of which it never learned the outcome. Or it gives up the partition in good order.
// Whoever opens it next finds what was committed, and all of what was committed. Or the power
// fails, for all processes at once: then the disk loses what was not synced, in part and with holes
// (power_cut_env.h). Or a process stops, and another one, with a disk of its own, takes over; the
// first wakes up later, folds and publishes, and only then learns that the partition is not its
// own. Two never have one store open (the store's lock).
//
// Settings. A projection is started with other settings now and then: its state is built anew under
// them before it serves.
//
// Rebuilds. A generation is built beside the live one, dies on the way and is gone on with, takes
// over at any moment, and has to be equal to the one before at that moment.
//
// Held against it at the end: an oracle that folds the log in the plainest way. Every state, list
// entry, row, timer and dead letter is as the oracle's; the alerts log holds each of its alerts
// once and in order (what a former owner has sent as well counts once; alerts that were sent under
// other settings are not compared); the running digest is that of what is stored, and that of a
// rebuild from nothing in batches of another size. RocksDB's background threads are its own, so
// that what a power cut takes away is not always the same for one seed.

namespace rapport::testing {

// Chances in percent of each kind of step; what is left is folding.
struct StepChances {
  int arrive = 22;         // touchpoints arrive, in a batch
  int poison = 3;          // a record that cannot be folded arrives
  int operate = 3;         // an operator retries or skips a dead letter
  int clock_jump = 2;      // the clock jumps, ahead or back
  int retell = 5;          // clients are merged, split, or a history told anew
  int change_faults = 4;   // the log gets better or worse
  int crash = 5;           // a process dies
  int commit_and_die = 2;  // the same, right after a commit that it has not published
  int hand_over = 3;       // a process gives up its partition in good order
  int flush = 4;           // a process commits and publishes all
  int rebuild = 3;         // a rebuild begins, or goes on
  int power_cut = 2;       // the power fails
  int copy_log = 1;        // the log is copied, or the copy restored
  int stop = 2;            // a process stops, and another takes its place
  int wake_up = 3;         // one that has stopped goes on
  int settings = 1;        // a projection is started with other settings
};

// What happened, to see that something did.
struct SimulationCounts {
  int64_t records = 0;
  int64_t alerts = 0;
  int64_t dead_letters = 0;
  int64_t retellings = 0;
  int64_t log_faults = 0;
  int64_t deaths = 0;
  int64_t takeovers = 0;
  int64_t cut_off_rebuilds = 0;
  int64_t power_cuts = 0;
  int64_t restored_logs = 0;
  int64_t late_owners = 0;
  int64_t changed_settings = 0;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed);
  ~Simulation();

  // What went wrong; empty when all is well.
  std::vector<std::string> Run();
  const SimulationCounts& counts() const { return counts_; }

 private:
  // One partition of a projection.
  struct Seat {
    std::unique_ptr<PartitionWorker> worker;  // null: nobody has it open
    int generation = 1;
    int disk = 0;  // of the process that owns it
    // One that has stopped as the owner, on the other disk.
    std::unique_ptr<PartitionWorker> stopped;
  };
  // One projection.
  struct Subject {
    std::unique_ptr<ProjectionSpec> spec;
    // The same with other settings; empty when its settings have changed already.
    std::function<std::unique_ptr<ProjectionSpec>()> change;
    // Those with other settings, whose folds may still be open.
    std::vector<std::unique_ptr<ProjectionSpec>> former;
    bool changed = false;
    // What differs from the oracle.
    std::function<std::vector<std::string>(Partition, const StateStore&)> compare;
    std::map<Partition, Seat> seats;
  };

  // `other`: settings that it may be started with; none when null.
  template <Projection P>
  void AddSubject(std::function<typename P::Settings()> other);

  void Step();
  void Arrive();
  void ArrivePoison();
  void Operate();
  void JumpClock();
  void Retell();
  void ChangeFaults();
  void Rebuild(Subject& subject);
  void TakeOver(Subject& subject, Projector::Workers&& built);
  void CutPower();
  void CopyOrRestoreLog();
  void StopAndReplace(Seat& seat);
  void WakeUp(Seat& seat);
  void ChangeSettings(Subject& subject);
  void Settle();
  void CompareAll();

  // A process with the partition open, opening it when nobody has; null when that failed.
  PartitionWorker* Open(Subject& subject, Partition partition);
  // Folds, or does else, and dies of an error, which must be Unavailable.
  void Do(Seat& seat, const std::function<absl::Status(PartitionWorker&)>& action);
  void Die(Seat& seat);
  absl::Time WrittenAt();
  void AppendSafely(std::vector<Record> records);
  void AppendClock(absl::Time now);
  void Expect(const absl::Status& status, const char* what);
  ProjectionEnv EnvOf(const Subject& subject);
  std::string FolderOf(const Subject& subject, int generation, Partition partition) const;
  std::vector<Seat*> AllSeats();
  Partition RandomPartition() {
    return Partition(static_cast<int32_t>(random_.Below(partitions_)));
  }

  Random random_;
  const int partitions_;
  std::unique_ptr<EventLog> real_log_;
  FaultyLog log_;
  // Where an older copy of the log ends, by topic and partition; empty when there is none.
  std::map<std::pair<std::string, Partition>, Offset> copy_;
  PowerCutEnv disk_;
  StoreResources resources_;
  CacheBudget budget_;
  FoldOptions fold_;
  std::vector<touchpoint::v1::Touchpoint> history_;
  size_t arrived_ = 0;
  absl::Time now_;
  Retellings retellings_;
  std::vector<RecordPosition> poison_;
  std::vector<Subject> subjects_;
  SimulationCounts counts_;
  // No two records are written at one time.
  int64_t appended_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace rapport::testing
