#include "libs/serving/projection_metrics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace rapport {
namespace {

constexpr absl::Duration kReadEvery = absl::Seconds(2);

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;

Counters& MakeCounters(Metrics* metrics, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(metrics->registry());
}

Gauges& MakeGauges(Metrics* metrics, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(metrics->registry());
}

}  // namespace

struct ProjectionMetrics::Families {
  Families(Metrics* metrics, const std::string& projection)
      : folded(MakeCounters(metrics, "rapport_folded_total", "Touchpoints that changed a state")),
        duplicates(MakeCounters(metrics, "rapport_duplicates_total",
                                "Touchpoints dropped because they had been folded before")),
        timers(MakeCounters(metrics, "rapport_timers_total", "Timers that fired")),
        effects(MakeCounters(metrics, "rapport_effects_total", "Effects that came about")),
        dead_letters(MakeGauges(metrics, "rapport_dead_letters", "Dead letters that stand there")),
        clients(MakeGauges(metrics, "rapport_clients", "Clients with a state")),
        lag_offsets(MakeGauges(metrics, "rapport_fold_lag_offsets",
                               "Records of the log that are not folded yet")),
        lag_seconds(MakeGauges(metrics, "rapport_fold_lag_seconds",
                               "Age of the last folded record while the log goes on behind it")),
        stands_still(MakeGauges(metrics, "rapport_fold_stands_still",
                                "1 while the partition cannot be folded")),
        clock_age_seconds(MakeGauges(metrics, "rapport_clock_age_seconds",
                                     "How far the fold's clock is behind this machine's; negative "
                                     "while it is ahead")),
        disk_bytes(MakeGauges(metrics, "rapport_state_disk_bytes", "Files of the stored state")),
        cache_bytes(MakeGauges(metrics, "rapport_state_cache_bytes",
                               "Decoded states of all projections of the process")
                        .Add({})),
        commit_seconds(
            prometheus::BuildHistogram()
                .Name("rapport_commit_seconds")
                .Help("Time that a commit of the live fold took")
                .Register(metrics->registry())
                .Add({{"projection", projection}}, prometheus::Histogram::BucketBoundaries{
                                                       0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                       0.05, 0.1, 0.25, 0.5, 1, 2.5, 5})) {}

  Counters& folded;
  Counters& duplicates;
  Counters& timers;
  Counters& effects;
  Gauges& dead_letters;
  Gauges& clients;
  Gauges& lag_offsets;
  Gauges& lag_seconds;
  Gauges& stands_still;
  Gauges& clock_age_seconds;
  Gauges& disk_bytes;
  prometheus::Gauge& cache_bytes;
  prometheus::Histogram& commit_seconds;
};

// The metrics of one partition, there as long as it is folded here.
struct ProjectionMetrics::OfPartition {
  OfPartition(Families& of, const std::string& projection, Partition partition)
      : families(of),
        labels({{"projection", projection}, {"partition", absl::StrCat(partition.value())}}),
        folded(of.folded.Add(labels)),
        duplicates(of.duplicates.Add(labels)),
        timers(of.timers.Add(labels)),
        effects(of.effects.Add(labels)),
        dead_letters(of.dead_letters.Add(labels)),
        clients(of.clients.Add(labels)),
        lag_offsets(of.lag_offsets.Add(labels)),
        lag_seconds(of.lag_seconds.Add(labels)),
        stands_still(of.stands_still.Add(labels)),
        clock_age_seconds(of.clock_age_seconds.Add(labels)),
        disk_bytes(of.disk_bytes.Add(labels)) {}
  ~OfPartition() {
    families.folded.Remove(&folded);
    families.duplicates.Remove(&duplicates);
    families.timers.Remove(&timers);
    families.effects.Remove(&effects);
    families.dead_letters.Remove(&dead_letters);
    families.clients.Remove(&clients);
    families.lag_offsets.Remove(&lag_offsets);
    families.lag_seconds.Remove(&lag_seconds);
    families.stands_still.Remove(&stands_still);
    families.clock_age_seconds.Remove(&clock_age_seconds);
    families.disk_bytes.Remove(&disk_bytes);
  }

  // A counter only rises; a rollback may bring the count back.
  static void RaiseTo(prometheus::Counter& counter, int64_t count) {
    const double by = static_cast<double>(count) - counter.Value();
    if (by > 0) counter.Increment(by);
  }
  void Tell(const PartitionStatus& status, absl::Time now) {
    RaiseTo(folded, status.counts.folded());
    RaiseTo(duplicates, status.counts.duplicates());
    RaiseTo(timers, status.counts.timers());
    RaiseTo(effects, status.counts.effects());
    dead_letters.Set(static_cast<double>(status.counts.dead_letters()));
    clients.Set(static_cast<double>(status.counts.clients()));
    lag_offsets.Set(static_cast<double>(status.end.value() - status.position.value()));
    lag_seconds.Set(absl::ToDoubleSeconds(FoldLag(status, now)));
    stands_still.Set(status.trouble.ok() ? 0 : 1);
    if (status.clock != absl::InfinitePast()) {
      clock_age_seconds.Set(absl::ToDoubleSeconds(now - status.clock));
    }
  }

  Families& families;
  const prometheus::Labels labels;
  prometheus::Counter& folded;
  prometheus::Counter& duplicates;
  prometheus::Counter& timers;
  prometheus::Counter& effects;
  prometheus::Gauge& dead_letters;
  prometheus::Gauge& clients;
  prometheus::Gauge& lag_offsets;
  prometheus::Gauge& lag_seconds;
  prometheus::Gauge& stands_still;
  prometheus::Gauge& clock_age_seconds;
  prometheus::Gauge& disk_bytes;
};

ProjectionMetrics::ProjectionMetrics(Metrics* metrics, std::string projection,
                                     const CacheBudget* budget)
    : projection_(std::move(projection)),
      budget_(budget),
      families_(std::make_unique<Families>(metrics, projection_)) {}

ProjectionMetrics::~ProjectionMetrics() { Stop(); }

void ProjectionMetrics::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void ProjectionMetrics::Watch(const Projector* projector) {
  projector_ = projector;
  thread_ = std::thread([this] { Run(); });
}

void ProjectionMetrics::Commit(absl::Duration took) {
  families_->commit_seconds.Observe(absl::ToDoubleSeconds(took));
}

void ProjectionMetrics::Run() {
  for (;;) {
    Read();
    MutexLock lock(&mutex_);
    if (!stopping_) stop_.WaitFor(&mutex_, kReadEvery);
    if (stopping_) return;
  }
}

void ProjectionMetrics::Read() {
  families_->cache_bytes.Set(static_cast<double>(budget_->used()));
  const absl::StatusOr<std::vector<PartitionStatus>> all = projector_->Status();
  if (!all.ok()) return;  // the log is away; what was told stays
  const absl::Time now = absl::Now();
  const std::map<Partition, std::shared_ptr<StateStore>> stores = projector_->Stores();
  std::map<Partition, std::unique_ptr<OfPartition>> present;
  for (const PartitionStatus& status : *all) {
    std::unique_ptr<OfPartition>& partition = present[status.partition];
    partition = std::move(partitions_[status.partition]);
    if (partition == nullptr) {
      partition = std::make_unique<OfPartition>(*families_, projection_, status.partition);
    }
    partition->Tell(status, now);
    if (const auto store = stores.find(status.partition); store != stores.end()) {
      partition->disk_bytes.Set(static_cast<double>(store->second->DiskBytes()));
    }
  }
  partitions_ = std::move(present);
}

absl::Duration FoldLag(const PartitionStatus& status, absl::Time now) {
  if (status.position >= status.end || status.last_record_at == absl::InfinitePast()) {
    return absl::ZeroDuration();
  }
  return std::max(absl::ZeroDuration(), now - status.last_record_at);
}

}  // namespace rapport
