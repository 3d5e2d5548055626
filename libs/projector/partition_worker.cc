#include "libs/projector/partition_worker.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"
#include "libs/projector/generations.h"
#include "libs/projector/log_identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

constexpr absl::Duration kReadWait = absl::Seconds(5);

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
  absl::Status status = worker->OpenStore(options);
  if (absl::IsDataLoss(status)) {
    worker->fold_.reset();
    worker->store_.reset();
    worker->set_aside_ = std::string(status.message());
    RAPPORT_RETURN_IF_ERROR(SetAside(folder, env.resources, status.message()));
    status = worker->OpenStore(options);
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(status, absl::StrCat("opening ", env.spec->identity().name,
                                                        " partition ", options.partition.value())));
  return worker;
}

absl::Status PartitionWorker::OpenStore(const FoldOptions& options) {
  RAPPORT_ASSIGN_OR_RETURN(store_, StateStore::Open(folder_, env_.resources));
  fold_ = env_.spec->NewFold(options, store_.get(), env_.budget);
  RAPPORT_RETURN_IF_ERROR(fold_->Open());
  RAPPORT_RETURN_IF_ERROR(CheckSameLog(*env_.log, env_.topics.touchpoints, fold_->partition(),
                                       fold_->last_record(), env_.log_patience));
  // Alerts that the state takes for sent have to be there, too.
  RAPPORT_RETURN_IF_ERROR(CheckSameLog(*env_.log, env_.topics.alerts, fold_->partition(),
                                       fold_->last_alert(), env_.log_patience));
  return effects_ == Effects::kPublish ? FindPublished() : absl::OkStatus();
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
  RAPPORT_RETURN_IF_ERROR(Annotate(OfLog(read), "reading the log"));
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
  fold_->MarkPublished(
      fold_->outbox().back().place,
      FingerprintOf(positions.back().offset, records.back().key, records.back().value));
  return absl::OkStatus();
}

absl::Status PartitionWorker::FindPublished() {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env_.log->GetWatermarks(env_.topics.alerts, fold_->partition()));
  EffectPlace published = fold_->published();
  RecordFingerprint last_alert = fold_->last_alert();
  const Offset known = fold_->alerts_position();
  const Offset from = std::max(known, marks.begin);
  if (from > known) last_alert = {marks.end - 1, ""};
  absl::Time oldest_kept = absl::InfiniteFuture();
  alert::v1::AlertEvent event;
  std::optional<alert::v1::AlertEvent> newest;
  const absl::Status read = ReadRange(
      *env_.log, env_.topics.alerts, fold_->partition(), from, marks.end,
      [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
        for (const RecordView& record : records) {
          oldest_kept = std::min(oldest_kept, record.timestamp);
          const bool ours =
              event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) &&
              event.projection() == env_.spec->identity().name &&
              event.cause().partition() == fold_->partition().value();
          if (!ours) continue;
          const EffectPlace place{Offset(event.cause().offset()), event.cause().ordinal()};
          if (place <= published) continue;
          published = place;
          newest = event;
        }
        if (!records.empty()) {
          const RecordView& last = records.back();
          last_alert = FingerprintOf(last.offset, last.key, last.value);
        }
        return absl::OkStatus();
      });
  RAPPORT_RETURN_IF_ERROR(Annotate(OfLog(read), "finding what was published"));
  if (newest) RAPPORT_RETURN_IF_ERROR(CheckCause(*newest));
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
  fold_->MarkPublished(published, last_alert);
  frontier_known_ = true;
  return absl::OkStatus();
}

// What was sent by a fold of another touchpoints log is no reason to hold back what follows from
// this one.
absl::Status PartitionWorker::CheckCause(const alert::v1::AlertEvent& published) const {
  const Offset offset(published.cause().offset());
  const std::string& topic = env_.topics.touchpoints;
  const auto another = [&](const auto&... why) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", env_.topics.alerts, " holds an alert that came about at offset ", offset.value(),
        " of partition ", fold_->partition().value(), " of topic ", topic, ", ", why...,
        ": they are not of one log. Restore both from one copy, or make topic ", env_.topics.alerts,
        " anew, too"));
  };
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env_.log->GetWatermarks(topic, fold_->partition()));
  // What a takeover told stands behind the alert before it, whatever that one rests on.
  if (offset < marks.begin || !published.cause().takeover().empty()) return absl::OkStatus();
  if (offset >= marks.end) return another("which ends at ", marks.end.value());
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                           env_.log->OpenReader(topic, fold_->partition(), offset));
  const absl::StatusOr<absl::Span<const RecordView>> records = reader->Read(1, kReadWait);
  RAPPORT_RETURN_IF_ERROR(OfLog(records.status()));
  if (records->empty()) {
    return absl::UnavailableError(
        absl::StrCat("the log gave no record from offset ", offset.value()));
  }
  touchpoint::v1::Touchpoint cause;
  const bool parsed = ParseTouchpoint(records->front().value, &cause).ok();
  const std::string& event_id = published.cause().event_id();
  // An order about a dead letter has the events folded that waited for it.
  const bool same =
      parsed && records->front().offset == offset &&
      (event_id.empty() ? cause.has_clock_advanced() || cause.has_clock_corrected()
                        : cause.event_id() == event_id || cause.has_dead_letter_retried() ||
                              cause.has_dead_letter_skipped());
  return same ? absl::OkStatus() : another("where something else stands");
}

}  // namespace rapport
