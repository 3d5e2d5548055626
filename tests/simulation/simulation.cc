#include "tests/simulation/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/testing/fixture.h"
#include "libs/touchpoint/record.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr StepChances kChances;
constexpr int kSteps = 90;
constexpr int kTouchpoints = 160;
constexpr absl::Time kStart = absl::FromUnixSeconds(1735689600);

template <class T>
T OneOf(Random& random, std::initializer_list<T> values) {
  return *(values.begin() + random.Below(static_cast<int64_t>(values.size())));
}

HistoryOptions HistoryOf(uint64_t seed, Random& random) {
  HistoryOptions options;
  options.seed = seed;
  options.client_count = static_cast<int>(2 + random.Below(8));
  options.touchpoint_count = kTouchpoints;
  options.start = kStart;
  options.length = absl::Hours(24) * OneOf(random, {20, 120, 400});
  options.late_percent = OneOf(random, {0, 10, 50});
  options.duplicate_percent = OneOf(random, {0, 5, 40});
  options.tick = options.length / OneOf(random, {20, 60});
  options.silence = options.length / 4;
  return options;
}

LogFaults RandomFaults(Random& random) {
  // Half of the time the log is well.
  if (random.Chance(50)) return {};
  LogFaults faults;
  faults.append_before = OneOf(random, {0, 10, 50});
  faults.append_after = OneOf(random, {0, 10, 50});
  faults.append_in_part = OneOf(random, {0, 10, 50});
  faults.read_fails = OneOf(random, {0, 5, 30});
  faults.read_short = OneOf(random, {0, 50});
  faults.look_fails = OneOf(random, {0, 5, 20});
  return faults;
}

}  // namespace

Simulation::Simulation(uint64_t seed)
    : random_(seed * 2 + 1),
      partitions_(static_cast<int>(1 + random_.Below(2))),
      real_log_(NewInMemoryEventLog()),
      log_(real_log_.get(), seed),
      resources_({.memory_bytes = size_t{8} << 20,
                  .write_buffer_bytes = OneOf<size_t>(random_, {64 << 10, 8 << 20, 8 << 20}),
                  .recent_seen_ids = OneOf<size_t>(random_, {10, 100'000}),
                  .in_memory = true,
                  .env = disk_.env()}),
      budget_(OneOf<size_t>(random_, {1, 30'000, size_t{64} << 20})),
      now_(kStart) {
  // How a worker commits must not depend on the real clock.
  fold_.commit_interval = absl::InfiniteDuration();
  fold_.commit_bytes = OneOf<size_t>(random_, {1, 5'000, size_t{48} << 20});
  fold_.effect_delay = fold_.effect_delay_catching_up =
      OneOf(random_, {absl::ZeroDuration(), absl::InfiniteDuration()});
  history_ = RandomHistory(HistoryOf(seed, random_));
  for (const char* topic : {"touchpoints", "alerts"}) {
    Expect(real_log_->CreateTopic(topic, partitions_), "creating a topic");
  }
  AddSubject<Retention>([] {
    Retention::Settings settings;
    settings.raise_points = 800;
    return settings;
  });
  AddSubject<Profile>(nullptr);
  AddSubject<DealPipeline>(nullptr);
  AddSubject<Kpi>(nullptr);
}

Simulation::~Simulation() = default;

template <Projection P>
void Simulation::AddSubject(std::function<typename P::Settings()> other) {
  Subject& subject = subjects_.emplace_back();
  subject.spec = std::make_unique<SpecOf<P>>(typename P::Settings());
  if (other) {
    subject.change = [other] { return std::make_unique<SpecOf<P>>(other()); };
  }
  const size_t index = subjects_.size() - 1;
  subject.compare = [this, other, index](Partition partition, const StateStore& store) {
    const bool changed = subjects_[index].changed;
    const FoldOracle<P> oracle(*real_log_, "touchpoints", partition,
                               changed ? other() : typename P::Settings());
    counts_.alerts += static_cast<int64_t>(oracle.plain().effects().size());
    counts_.dead_letters += static_cast<int64_t>(oracle.dead_letters());
    std::vector<std::string> differences = oracle.CompareStore(store);
    if (changed) return differences;
    for (std::string& text : oracle.CompareAlerts(*real_log_, "alerts", counts_.late_owners > 0)) {
      differences.push_back(std::move(text));
    }
    return differences;
  };
  for (int i = 0; i < partitions_; ++i) subject.seats[Partition(i)];
}

std::vector<std::string> Simulation::Run() {
  for (int i = 0; i < kSteps && failures_.empty(); ++i) Step();
  if (failures_.empty()) Settle();
  if (failures_.empty()) CompareAll();
  counts_.log_faults = log_.faults_so_far();
  return failures_;
}

void Simulation::Step() {
  int64_t dice = random_.Below(100);
  const auto falls = [&](int chance) { return (dice -= chance) < 0; };
  if (falls(kChances.arrive)) return Arrive();
  if (falls(kChances.poison)) return ArrivePoison();
  if (falls(kChances.operate)) return Operate();
  if (falls(kChances.clock_jump)) return JumpClock();
  if (falls(kChances.retell)) return Retell();
  if (falls(kChances.change_faults)) return ChangeFaults();
  if (falls(kChances.power_cut)) return CutPower();
  if (falls(kChances.copy_log)) return CopyOrRestoreLog();
  Subject& subject = subjects_[static_cast<size_t>(random_.Below(std::ssize(subjects_)))];
  const Partition partition = RandomPartition();
  Seat& seat = subject.seats[partition];
  if (falls(kChances.rebuild)) return Rebuild(subject);
  if (falls(kChances.settings)) return ChangeSettings(subject);
  if (falls(kChances.stop)) return StopAndReplace(seat);
  if (falls(kChances.wake_up)) return WakeUp(seat);
  if (falls(kChances.crash)) return Die(seat);
  if (Open(subject, partition) == nullptr) return;
  if (falls(kChances.commit_and_die)) {
    Do(seat, [](PartitionWorker& worker) { return worker.fold().Commit(); });
    return Die(seat);
  }
  if (falls(kChances.hand_over)) {
    Do(seat, [](PartitionWorker& worker) { return worker.Flush(); });
    seat.worker.reset();
    return;
  }
  if (falls(kChances.flush)) {
    return Do(seat, [](PartitionWorker& worker) { return worker.Flush(); });
  }
  const size_t batch = OneOf<size_t>(random_, {1, 7, 50, 500});
  Do(seat, [&](PartitionWorker& worker) -> absl::Status {
    RAPPORT_ASSIGN_OR_RETURN(
        const std::unique_ptr<LogReader> reader,
        log_.OpenReader("touchpoints", worker.fold().partition(), worker.fold().position()));
    RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                             reader->Read(batch, absl::ZeroDuration()));
    RAPPORT_RETURN_IF_ERROR(worker.Fold(records));
    return worker.CommitIfDue(now_, /*catching_up=*/random_.Chance(50));
  });
}

void Simulation::Arrive() {
  const size_t end = std::min(history_.size(),
                              arrived_ + static_cast<size_t>(OneOf<int64_t>(random_, {1, 10, 60})));
  std::vector<Record> records;
  for (; arrived_ < end; ++arrived_) {
    const Touchpoint& touchpoint = history_[arrived_];
    if (!touchpoint.has_clock_advanced()) {
      records.push_back(MakeRecord(touchpoint));
      retellings_.Arrived(touchpoint);
      continue;
    }
    now_ = std::max(now_, FromProto(touchpoint.clock_advanced().now()));
    for (int i = 0; i < partitions_; ++i) records.push_back(MakeClockRecord(now_, Partition(i)));
  }
  if (!records.empty()) AppendSafely(records);
}

// After all that a record may tell of, so that none is a dead letter for its time.
absl::Time Simulation::WrittenAt() {
  return now_ + absl::Hours(24 * 60) + absl::Milliseconds(++appended_);
}

void Simulation::AppendSafely(std::vector<Record> records) {
  for (Record& record : records) record.timestamp = WrittenAt();
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (log_.Append("touchpoints", records).ok()) return;
  }
  Expect(real_log_->Append("touchpoints", records).status(), "appending");
}

std::vector<Simulation::Seat*> Simulation::AllSeats() {
  std::vector<Seat*> seats;
  for (Subject& subject : subjects_) {
    for (auto& [partition, seat] : subject.seats) seats.push_back(&seat);
  }
  return seats;
}

void Simulation::CutPower() {
  disk_.files().PowerOff();
  for (Seat* seat : AllSeats()) {
    Die(*seat);
    seat->stopped.reset();
  }
  disk_.files().PowerOn(&random_);
  ++counts_.power_cuts;
}

// The log is that of a process that has nothing of ours open meanwhile.
void Simulation::CopyOrRestoreLog() {
  const std::vector<std::string> topics = {"touchpoints", "alerts"};
  if (copy_.empty()) {
    for (const std::string& topic : topics) {
      for (int i = 0; i < partitions_; ++i) {
        const Partition partition(i);
        copy_[{topic, partition}] = real_log_->GetWatermarks(topic, partition)->end;
      }
    }
    return;
  }
  for (Seat* seat : AllSeats()) {
    Die(*seat);
    seat->stopped.reset();
  }
  std::unique_ptr<EventLog> restored = NewInMemoryEventLog();
  for (const std::string& topic : topics) {
    Expect(restored->CreateTopic(topic, partitions_), "creating a topic");
    for (int i = 0; i < partitions_; ++i) {
      const Partition partition(i);
      ForEachRecord(*real_log_, topic, partition, [&](const RecordView& view) {
        if (view.offset >= copy_.at({topic, partition})) return;
        Record record;
        record.key = std::string(view.key);
        record.value = std::string(view.value);
        record.timestamp = view.timestamp;
        record.partition = partition;
        Expect(restored->Append(topic, {record}).status(), "restoring");
      });
    }
  }
  real_log_ = std::move(restored);
  log_.set_log(real_log_.get());
  std::erase_if(poison_, [&](const RecordPosition& place) {
    return place.offset >= copy_.at({"touchpoints", place.partition});
  });
  copy_.clear();
  ++counts_.restored_logs;
}

void Simulation::StopAndReplace(Seat& seat) {
  if (seat.worker == nullptr || seat.stopped != nullptr) return;
  seat.stopped = std::move(seat.worker);
  seat.disk = 1 - seat.disk;
}

void Simulation::WakeUp(Seat& seat) {
  if (seat.stopped == nullptr) return;
  const std::unique_ptr<PartitionWorker> stopped = std::move(seat.stopped);
  const auto go_on = [&]() -> absl::Status {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             real_log_->GetWatermarks("touchpoints", stopped->fold().partition()));
    RAPPORT_RETURN_IF_ERROR(stopped->FoldUpTo(marks.end));
    return stopped->Flush();
  };
  const absl::Status status = go_on();
  Expect(absl::IsUnavailable(status) ? absl::OkStatus() : status, "waking up");
  ++counts_.late_owners;
}

// As when services are stopped, and started with another configuration.
void Simulation::ChangeSettings(Subject& subject) {
  if (subject.change == nullptr) return;
  for (auto& [partition, seat] : subject.seats) {
    Die(seat);
    seat.stopped.reset();
  }
  subject.former.push_back(std::exchange(subject.spec, subject.change()));
  subject.change = nullptr;
  subject.changed = true;
  // Begun anew under the new settings; BringUpToDate does it beside the state before.
  for (auto& [partition, seat] : subject.seats) seat.generation += 100;
  ++counts_.changed_settings;
}

void Simulation::ArrivePoison() {
  const std::string client = absl::StrCat("client-", random_.Below(3));
  Touchpoint touchpoint = RandomTouchpoint(client, now_, random_.Next() >> 2, &random_);
  Record record = MakeRecord(touchpoint);
  record.partition = RandomPartition();
  switch (random_.Below(7)) {
    case 0:
      record.value = "garbage \xff\x01";
      break;
    case 1:
      record.value.resize(record.value.size() / 2);
      break;
    case 2:  // a kind of a later version: an unknown field 900
      touchpoint.clear_payload();
      record.value = touchpoint.SerializeAsString() + "\xa2\x38\x01x";
      break;
    case 3:
      touchpoint.set_event_id("short");
      record.value = touchpoint.SerializeAsString();
      break;
    case 4:  // in its own partition: in another it would be a dead letter to those who read no
             // calls
      touchpoint.mutable_call_completed()->set_talk_seconds(-1);
      record.value = touchpoint.SerializeAsString();
      record.partition.reset();
      break;
    case 5:
      record.value.clear();
      break;
    default:
      // Without its name: the client's touchpoints wait behind it. It has to stand in the client's
      // partition.
      touchpoint.mutable_history_reopened();
      record.value = touchpoint.SerializeAsString();
      record.partition.reset();
  }
  record.timestamp = WrittenAt();
  const auto positions = real_log_->Append("touchpoints", {record});
  Expect(positions.status(), "appending poison");
  poison_.push_back(positions->front());
}

void Simulation::Operate() {
  // Now and then one that was never there.
  RecordPosition place = {RandomPartition(), Offset(random_.Below(200))};
  if (!poison_.empty() && random_.Chance(80)) {
    place = poison_[static_cast<size_t>(random_.Below(std::ssize(poison_)))];
  }
  const size_t subject = static_cast<size_t>(random_.Below(std::ssize(subjects_)));
  const bool skip = random_.Chance(70);
  Touchpoint order =
      MakeTouchpoint(skip ? Touchpoint::kDeadLetterSkipped : Touchpoint::kDeadLetterRetried, "",
                     absl::StrCat("operator ", random_.Next()), now_);
  const auto fill = [&](auto* payload) {
    payload->set_projection(subjects_[subject].spec->identity().name);
    payload->set_partition(place.partition.value());
    payload->set_offset(place.offset.value());
  };
  if (skip) {
    fill(order.mutable_dead_letter_skipped());
  } else {
    fill(order.mutable_dead_letter_retried());
  }
  AppendSafely({MakeRecord(order)});
}

void Simulation::JumpClock() {
  const absl::Duration by = absl::Hours(24 * (random_.Below(60) - 20));
  AppendClock(now_ + by);
  now_ = std::max(now_, now_ + by);
}

void Simulation::Retell() {
  std::vector<Record> records;
  for (const Touchpoint& touchpoint : retellings_.Next(now_, &random_)) {
    records.push_back(MakeRecord(touchpoint));
  }
  if (!records.empty()) AppendSafely(records);
  ++counts_.retellings;
}

void Simulation::AppendClock(absl::Time now) {
  std::vector<Record> records;
  for (int i = 0; i < partitions_; ++i) records.push_back(MakeClockRecord(now, Partition(i)));
  AppendSafely(records);
}

void Simulation::ChangeFaults() { log_.set_faults(RandomFaults(random_)); }

PartitionWorker* Simulation::Open(Subject& subject, Partition partition) {
  Seat& seat = subject.seats[partition];
  if (seat.worker != nullptr) return seat.worker.get();
  FoldOptions fold = fold_;
  fold.partition = partition;
  fold.partition_count = partitions_;
  auto worker = PartitionWorker::Open(EnvOf(subject), FolderOf(subject, seat.generation, partition),
                                      fold, PartitionWorker::Effects::kPublish);
  if (!worker.ok()) {
    Expect(absl::IsUnavailable(worker.status()) ? absl::OkStatus() : worker.status(), "opening");
    return nullptr;
  }
  seat.worker = *std::move(worker);
  return seat.worker.get();
}

void Simulation::Do(Seat& seat, const std::function<absl::Status(PartitionWorker&)>& action) {
  const absl::Status status = action(*seat.worker);
  if (status.ok()) return;
  Expect(absl::IsUnavailable(status) ? absl::OkStatus() : status, "folding");
  Die(seat);
}

void Simulation::Die(Seat& seat) {
  if (seat.worker != nullptr) ++counts_.deaths;
  seat.worker.reset();
}

void Simulation::Rebuild(Subject& subject) {
  const int generation = subject.seats.begin()->second.generation + 1;
  const auto targets = TargetsAtEnd(*real_log_, "touchpoints");
  RebuildOptions options;
  options.batch_records = OneOf<size_t>(random_, {40, 200, 4096});
  // So a rebuild that is cut off leaves something, or nothing.
  options.checkpoint_records = OneOf(random_, {int64_t{1}, int64_t{5'000'000}});
  auto built = BuildAside(
      EnvOf(subject), [&](Partition partition) { return FolderOf(subject, generation, partition); },
      *targets, options);
  if (!built.ok()) {
    ++counts_.cut_off_rebuilds;
    Expect(absl::IsUnavailable(built.status()) ? absl::OkStatus() : built.status(), "rebuilding");
    return;
  }
  // Or it dies at the end; the next one finds everything there.
  if (random_.Chance(70)) TakeOver(subject, *std::move(built));
}

// As rapport::Rebuild does it, but for Generations, which lives on a real file system.
void Simulation::TakeOver(Subject& subject, Projector::Workers&& built) {
  const auto align = [&](PartitionWorker& live, PartitionWorker& next) -> absl::Status {
    next.GoLive();
    RAPPORT_RETURN_IF_ERROR(live.FoldUpTo(next.fold().position()));
    RAPPORT_RETURN_IF_ERROR(live.Flush());
    RAPPORT_RETURN_IF_ERROR(next.FoldUpTo(live.fold().position()));
    RAPPORT_RETURN_IF_ERROR(next.Flush());
    return next.FindPublished();
  };
  for (auto& [partition, worker] : built) {
    if (Open(subject, partition) == nullptr) return;
    bool aligned = false;
    Do(subject.seats[partition], [&, &worker = worker](PartitionWorker& live) -> absl::Status {
      RAPPORT_RETURN_IF_ERROR(align(live, *worker));
      aligned = true;
      if (live.fold().digest() != worker->fold().digest()) {
        const auto difference = FirstDifference(*live.store(), *worker->store());
        return absl::InternalError(absl::StrCat(
            "the new generation of ", subject.spec->identity().name, " differs",
            difference.ok() && *difference
                ? absl::StrCat(" in ", DescribeEntry((*difference)->family, (*difference)->key))
                : ""));
      }
      return absl::OkStatus();
    });
    if (!aligned) return;
  }
  for (auto& [partition, worker] : built) {
    Seat& seat = subject.seats[partition];
    worker->StartPublishing();
    seat.worker = std::move(worker);
    ++seat.generation;
  }
  ++counts_.takeovers;
}

void Simulation::Settle() {
  log_.set_faults({});
  Arrive();
  for (Seat* seat : AllSeats()) WakeUp(*seat);
  for (Subject& subject : subjects_) {
    for (auto& [partition, seat] : subject.seats) {
      if (Open(subject, partition) == nullptr) {
        return Expect(absl::InternalError("nothing is in the way"), "opening at the end");
      }
      const Offset end = real_log_->GetWatermarks("touchpoints", partition)->end;
      Expect(seat.worker->FoldUpTo(end), "folding at the end");
      Expect(seat.worker->Flush(), "flushing at the end");
    }
  }
}

void Simulation::CompareAll() {
  const auto targets = TargetsAtEnd(*real_log_, "touchpoints");
  RebuildOptions options;
  options.batch_records = 13;
  CacheBudget roomy(size_t{64} << 20);
  for (Subject& subject : subjects_) {
    const std::string& name = subject.spec->identity().name;
    ProjectionEnv env = EnvOf(subject);
    env.budget = &roomy;
    const auto anew = BuildAside(
        env, [&](Partition partition) { return FolderOf(subject, 1000, partition); }, *targets,
        options);
    Expect(anew.status(), "rebuilding from nothing");
    if (!anew.ok()) return;
    for (auto& [partition, seat] : subject.seats) {
      counts_.records += seat.worker->fold().position().value();
      const auto fail = [&, partition = partition](absl::string_view what) {
        failures_.push_back(absl::StrCat(name, " partition ", partition.value(), ": ", what));
      };
      for (const std::string& text : subject.compare(partition, *seat.worker->store())) fail(text);
      const Digest digest = seat.worker->fold().digest();
      if (digest != *seat.worker->store()->ComputeDigest()) {
        fail("the running digest is not that of what is stored");
      }
      if (digest != anew->at(partition)->fold().digest()) fail("a rebuild from nothing differs");
      if (!anew->at(partition)->fold().outbox().empty()) fail("a rebuild would send alerts again");
    }
  }
}

void Simulation::Expect(const absl::Status& status, const char* what) {
  if (!status.ok()) failures_.push_back(absl::StrCat(what, ": ", status.ToString()));
}

ProjectionEnv Simulation::EnvOf(const Subject& subject) {
  ProjectionEnv env;
  env.log = &log_;
  env.spec = subject.spec.get();
  env.resources = &resources_;
  env.budget = &budget_;
  env.log_patience = absl::ZeroDuration();
  return env;
}

std::string Simulation::FolderOf(const Subject& subject, int generation,
                                 Partition partition) const {
  const int disk = subject.seats.at(partition).disk;
  return absl::StrCat("/simulation-", subject.spec->identity().name, "-disk", disk, "-g",
                      generation, "-p", partition.value());
}

}  // namespace rapport::testing
