#include "libs/import/import_sink.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/import/history.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"
#include "rapport/rejected/v1/rejected.pb.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr size_t kBatchRecords = 8192;
constexpr size_t kRejectedBatchRecords = 512;
constexpr int64_t kProgressRows = 5000;
constexpr size_t kProgressTouchpoints = 5000;
constexpr size_t kRejectedInSummary = 10;
constexpr int64_t kMaxClockRecords = 10'000'000;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

absl::Status ImportSink::BatchWriter::Add(Record record) {
  *Next() = std::move(record);
  return FlushIfFull();
}

absl::Status ImportSink::BatchWriter::Add(const Touchpoint& touchpoint) {
  MakeRecord(touchpoint, Next());
  return FlushIfFull();
}

Record* ImportSink::BatchWriter::Next() {
  if (count_ == records_.size()) records_.emplace_back();
  return &records_[count_++];
}

absl::Status ImportSink::BatchWriter::FlushIfFull() {
  return count_ >= batch_ ? Flush() : absl::OkStatus();
}

absl::Status ImportSink::BatchWriter::Flush() {
  if (count_ == 0) return absl::OkStatus();
  RAPPORT_RETURN_IF_ERROR(log_->Append(topic_, absl::MakeSpan(records_).first(count_)).status());
  count_ = 0;
  return absl::OkStatus();
}

ImportSink::ImportSink(EventLog* log, const ImportOptions& options)
    : log_(log),
      options_(options),
      touchpoints_(log, options.touchpoints_topic, kBatchRecords),
      rejected_(log, options.rejected_topic, kRejectedBatchRecords) {}

absl::Status ImportSink::Start() {
  RAPPORT_ASSIGN_OR_RETURN(partitions_, log_->PartitionCount(options_.touchpoints_topic));
  if (options_.as_it_happened || options_.shift_to_now) {
    RAPPORT_ASSIGN_OR_RETURN(spool_, TouchpointSpool::Create(options_.spool_folder));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportSummary> ImportSink::Finish() {
  RAPPORT_RETURN_IF_ERROR(rejected_.Flush());
  if (spool_ != nullptr) RAPPORT_RETURN_IF_ERROR(WriteSpool());
  RAPPORT_RETURN_IF_ERROR(AppendClock(EndOfClock()));
  RAPPORT_RETURN_IF_ERROR(touchpoints_.Flush());
  summary_.clients = static_cast<int64_t>(clients_.size());
  summary_.rejected_reasons = rejected_reasons_.Counts();
  for (const auto& [kind, count] : kinds_) {
    summary_.kinds[std::string(KindFieldName(kind))] = count;
  }
  return std::move(summary_);
}

void ImportSink::CountRow(int64_t done, int64_t total) {
  ++summary_.rows;
  if (summary_.rows % kProgressRows == 0) ReportReading(done, total);
}

void ImportSink::ReportReading(int64_t done, int64_t total) const {
  if (!options_.progress) return;
  options_.progress({ImportProgress::Phase::kReading, done, total, summary_.rows});
}

void ImportSink::ReportGrouping(int64_t before, int64_t done, int64_t total) const {
  if (!options_.progress || before / kProgressRows == done / kProgressRows) return;
  options_.progress({ImportProgress::Phase::kGrouping, done, total, summary_.rows});
}

absl::Status ImportSink::Accept(const std::string& file, int64_t line, Touchpoint* touchpoint) {
  if (options_.on_touchpoint) options_.on_touchpoint(file, line, *touchpoint);
  if (!touchpoint->client_id().empty()) clients_.insert(touchpoint->client_id());
  if (spool_ != nullptr) return spool_->Add(*touchpoint);
  return Append(touchpoint, options_.now);
}

absl::Status ImportSink::Reject(const std::string& source, const std::string& file, int64_t line,
                                absl::string_view content, const std::string& reason) {
  ++summary_.rejected_rows;
  // It may quote what the line holds, which need not be UTF-8.
  std::string why = reason;
  google::protobuf::internal::UTF8CoerceToStructurallyValid(reason, why.data(), '?');
  const RejectedLine told = {BaseName(file), line, why};
  if (summary_.rejected.size() < kRejectedInSummary) summary_.rejected.push_back(told);
  rejected_reasons_.Add(1, told);
  if (options_.on_rejected) options_.on_rejected(told);
  rejected::v1::RejectedRecord rejected;
  rejected.set_source(source);
  rejected.set_file(told.file);
  rejected.set_line(line);
  rejected.set_content(content.data(), content.size());
  rejected.set_reason(why);
  ToProto(options_.now, rejected.mutable_rejected_at());
  Record record;
  record.key = rejected.file();
  record.value = rejected.SerializeAsString();
  record.headers = {{"content-type", "application/protobuf"}};
  record.timestamp = options_.now;
  return rejected_.Add(std::move(record));
}

void ImportSink::Skip(int64_t rows, const std::string& reason, std::string what) {
  Skip(rows);
  SkippedRows& skipped = summary_.skipped[reason];
  skipped.rows += rows;
  skipped.examples.push_back(std::move(what));
  if (skipped.examples.size() > SkippedRows::kExamples) skipped.examples.pop_front();
}

absl::Status ImportSink::Append(Touchpoint* touchpoint, absl::Time recorded_at) {
  const absl::Time time = FromProto(touchpoint->occurred_at());
  if (summary_.touchpoints == 0) summary_.first = summary_.last = time;
  summary_.first = std::min(summary_.first, time);
  summary_.last = std::max(summary_.last, time);
  ++summary_.touchpoints;
  ++kinds_[touchpoint->payload_case()];
  ToProto(recorded_at, touchpoint->mutable_recorded_at());
  return touchpoints_.Add(*touchpoint);
}

absl::Status ImportSink::WriteSpool() {
  absl::Time last = absl::InfinitePast();
  for (size_t i = 0; i < spool_->size(); ++i) last = std::max(last, spool_->TimeAt(i));
  if (spool_->size() == 0) return absl::OkStatus();
  if (options_.shift_to_now) summary_.shifted_by = ShiftToNow(last, options_.now);
  if (options_.as_it_happened) return PlayHistory();
  spool_->Sort();
  Touchpoint touchpoint;
  for (size_t i = 0; i < spool_->size(); ++i) {
    RAPPORT_RETURN_IF_ERROR(ReadShifted(i, &touchpoint));
    RAPPORT_RETURN_IF_ERROR(Append(&touchpoint, options_.now));
  }
  return absl::OkStatus();
}

absl::Status ImportSink::PlayHistory() {
  spool_->Sort();
  const absl::Time first = spool_->TimeAt(0) + summary_.shifted_by;
  const absl::Time last = spool_->TimeAt(spool_->size() - 1) + summary_.shifted_by;
  RAPPORT_RETURN_IF_ERROR(CheckClockStep(last - first));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time latest,
                           LatestRecordTime(log_, options_.touchpoints_topic, partitions_));
  if (latest > first) summary_.clock_was_at = latest;
  // One tick before the first touchpoint, which tells the folds when that is.
  ClockSteps steps(std::max(latest, first - options_.clock_step), options_.clock_step);
  Touchpoint touchpoint;
  for (size_t i = 0; i < spool_->size(); ++i) {
    RAPPORT_RETURN_IF_ERROR(ReadShifted(i, &touchpoint));
    const absl::Time time = FromProto(touchpoint.occurred_at());
    for (absl::Time tick; steps.Next(time, &tick);) RAPPORT_RETURN_IF_ERROR(AppendClock(tick));
    RAPPORT_RETURN_IF_ERROR(Append(&touchpoint, std::max(time, latest)));
  }
  for (absl::Time tick; steps.Next(EndOfClock(), &tick);) {
    RAPPORT_RETURN_IF_ERROR(AppendClock(tick));
  }
  return absl::OkStatus();
}

absl::Status ImportSink::CheckClockStep(absl::Duration history) const {
  const double records = absl::FDivDuration(history, options_.clock_step) * partitions_;
  if (records <= static_cast<double>(kMaxClockRecords)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a clock step of ", absl::FormatDuration(options_.clock_step),
                   " over a history of ", absl::FormatDuration(history), " makes more than ",
                   kMaxClockRecords, " records of the clock; choose a longer step"));
}

absl::Status ImportSink::ReadShifted(size_t i, Touchpoint* touchpoint) {
  if (i % kProgressTouchpoints == 0 && options_.progress) {
    options_.progress({ImportProgress::Phase::kWriting, static_cast<int64_t>(i),
                       static_cast<int64_t>(spool_->size()), summary_.rows});
  }
  RAPPORT_RETURN_IF_ERROR(spool_->Read(i, touchpoint));
  ShiftTimes(summary_.shifted_by, touchpoint);
  return absl::OkStatus();
}

absl::Time ImportSink::EndOfClock() const {
  if (!options_.as_it_happened || options_.shift_to_now) return options_.now;
  return std::max(summary_.last, summary_.clock_was_at);
}

absl::Status ImportSink::AppendClock(absl::Time now) {
  if (now == absl::InfinitePast() || now <= summary_.clock) return absl::OkStatus();
  summary_.clock = now;
  for (int i = 0; i < partitions_; ++i) {
    ++summary_.clock_records;
    RAPPORT_RETURN_IF_ERROR(touchpoints_.Add(MakeClockRecord(now, Partition(i))));
  }
  return absl::OkStatus();
}

}  // namespace rapport
