#include "libs/projector/partition_worker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"
#include "libs/projector/generations.h"

namespace rapport {
namespace {

Record ToRecord(const OutboxEntry& effect, absl::string_view projection, Partition partition,
                absl::Time now) {
  return {
      .key = effect.client_id,
      .value = effect.event,
      .headers = {{"ce_specversion", "1.0"},
                  {"ce_id", effect.effect_id.ToHex()},
                  {"ce_type", "rapport.alert.v1.AlertEvent"},
                  {"ce_source", absl::StrCat("rapport/", projection)},
                  {"ce_time", absl::FormatTime(absl::RFC3339_full, effect.at, absl::UTCTimeZone())},
                  {"ce_subject", effect.client_id},
                  {"content-type", "application/protobuf"}},
      .timestamp = now,
      .partition = partition};
}

absl::StatusOr<Offset> EndOf(const ProjectionEnv& env, Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env.log->GetWatermarks(env.topics.touchpoints, partition));
  return marks.end;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PartitionWorker>> PartitionWorker::Open(const ProjectionEnv& env,
                                                                       const std::string& folder,
                                                                       const FoldOptions& options,
                                                                       Effects effects) {
  auto worker = std::unique_ptr<PartitionWorker>(new PartitionWorker(env, folder, effects));
  const auto open = [&]() -> absl::Status {
    RAPPORT_ASSIGN_OR_RETURN(worker->store_, StateStore::Open(folder, env.resources));
    worker->fold_ = env.spec->NewFold(options, worker->store_.get(), env.budget);
    return worker->fold_->Open();
  };
  absl::Status status = open();
  if (absl::IsDataLoss(status)) {
    worker->fold_.reset();
    worker->store_.reset();
    RAPPORT_RETURN_IF_ERROR(SetAside(folder, status.message()));
    status = open();
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(status, absl::StrCat("opening ", env.spec->identity().name,
                                                        " partition ", options.partition.value())));
  if (effects == Effects::kPublish) RAPPORT_RETURN_IF_ERROR(worker->FindPublished());
  return worker;
}

absl::Status PartitionWorker::Fold(absl::Span<const RecordView> records) {
  if (records.empty()) return absl::OkStatus();
  if (records.front().offset > fold_->position()) {
    RAPPORT_RETURN_IF_ERROR(FoldUpTo(records.front().offset));
  }
  return fold_->Fold(records);
}

absl::Status PartitionWorker::FoldUpTo(Offset end) {
  if (fold_->position() >= end) return absl::OkStatus();
  absl::Status folded;
  const absl::Status read =
      ReadRange(*env_.log, env_.topics.touchpoints, fold_->partition(), fold_->position(), end,
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  folded = fold_->Fold(records);
                  if (folded.ok()) folded = CommitIfDue(absl::Now(), /*catching_up=*/true);
                  return folded;
                });
  RAPPORT_RETURN_IF_ERROR(folded);
  // DataLoss would have the state set aside.
  if (absl::IsDataLoss(read)) {
    return absl::FailedPreconditionError(absl::StrCat("reading the log: ", read.message()));
  }
  RAPPORT_RETURN_IF_ERROR(read);
  fold_->PassOver(end);
  return absl::OkStatus();
}

absl::Status PartitionWorker::CommitIfDue(absl::Time now, bool catching_up) {
  if (fold_->CommitDue(now, catching_up)) RAPPORT_RETURN_IF_ERROR(fold_->Commit());
  return Publish();
}

absl::Status PartitionWorker::Flush() {
  if (fold_->has_uncommitted()) RAPPORT_RETURN_IF_ERROR(fold_->Commit());
  RAPPORT_RETURN_IF_ERROR(Publish());
  // That they are published.
  if (fold_->has_uncommitted()) RAPPORT_RETURN_IF_ERROR(fold_->Commit());
  return absl::OkStatus();
}

absl::Status PartitionWorker::Publish() {
  if (effects_ == Effects::kHold || fold_->outbox().empty()) return absl::OkStatus();
  if (!frontier_known_) {
    RAPPORT_RETURN_IF_ERROR(FindPublished());
    if (fold_->outbox().empty()) return absl::OkStatus();
  }
  std::vector<Record> records;
  records.reserve(fold_->outbox().size());
  const absl::Time now = absl::Now();
  for (const OutboxEntry& effect : fold_->outbox()) {
    records.push_back(ToRecord(effect, env_.spec->identity().name, fold_->partition(), now));
  }
  frontier_known_ = false;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                           env_.log->Append(env_.topics.alerts, records));
  frontier_known_ = true;
  fold_->MarkPublished(fold_->outbox().back().place, positions.back().offset + 1);
  return absl::OkStatus();
}

absl::Status PartitionWorker::FindPublished() {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env_.log->GetWatermarks(env_.topics.alerts, fold_->partition()));
  EffectPlace published = fold_->published();
  const Offset known = fold_->alerts_position();
  const Offset from = std::max(known, marks.begin);
  absl::Time oldest_kept = absl::InfiniteFuture();
  alert::v1::AlertEvent event;
  RAPPORT_RETURN_IF_ERROR(ReadRange(
      *env_.log, env_.topics.alerts, fold_->partition(), from, marks.end,
      [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
        for (const RecordView& record : records) {
          oldest_kept = std::min(oldest_kept, record.timestamp);
          const bool ours =
              event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) &&
              event.projection() == env_.spec->identity().name &&
              event.cause().partition() == fold_->partition().value();
          if (!ours) continue;
          published = std::max(
              published, EffectPlace{Offset(event.cause().offset()), event.cause().ordinal()});
        }
        return absl::OkStatus();
      }));
  // The log of alerts keeps them for a time only, and what was deleted is not known to this state,
  // which is new or old: an effect whose cause is older than all that is left has been sent, and is
  // not sent again. What waits in the outbox is.
  if (known < marks.begin && fold_->outbox().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(
        const Offset before,
        oldest_kept == absl::InfiniteFuture()
            ? EndOf(env_, fold_->partition())
            : env_.log->OffsetForTime(env_.topics.touchpoints, fold_->partition(), oldest_kept));
    published = std::max(published, EffectPlace{before, -1});
  }
  fold_->MarkPublished(published, std::max(from, marks.end));
  frontier_known_ = true;
  return absl::OkStatus();
}

}  // namespace rapport
