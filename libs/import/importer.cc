#include "libs/import/importer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/import/csv_reader.h"
#include "libs/import/group_mapper.h"
#include "libs/import/history.h"
#include "libs/import/input_file.h"
#include "libs/import/spool.h"
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
// More in one group is a mistake in group_columns, and would fill the memory.
constexpr size_t kMaxGroupRows = 10'000;
constexpr char kTooLarge[] = "the group has more than 10000 rows; are the group_columns right?";
constexpr int64_t kMaxClockRecords = 10'000'000;

// Appends to one topic in batches.
class BatchWriter {
 public:
  BatchWriter(EventLog* log, std::string topic, size_t batch)
      : log_(log), topic_(std::move(topic)), batch_(batch) {}

  absl::Status Add(Record record) {
    records_.push_back(std::move(record));
    return records_.size() >= batch_ ? Flush() : absl::OkStatus();
  }
  absl::Status Flush() {
    if (records_.empty()) return absl::OkStatus();
    RAPPORT_RETURN_IF_ERROR(log_->Append(topic_, records_).status());
    records_.clear();
    return absl::OkStatus();
  }

 private:
  EventLog* const log_;
  const std::string topic_;
  const size_t batch_;
  std::vector<Record> records_;
};

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Import {
 public:
  Import(EventLog* log, const MappingFile& mapping, const std::string& path,
         const ImportOptions& options)
      : log_(log),
        mapping_file_(mapping),
        path_(path),
        options_(options),
        touchpoints_(log, options.touchpoints_topic, kBatchRecords),
        rejected_(log, options.rejected_topic, kRejectedBatchRecords) {}

  absl::StatusOr<ImportSummary> Run() {
    if (options_.clock_step <= absl::ZeroDuration()) {
      return absl::InvalidArgumentError("the clock step must be longer than nothing");
    }
    RAPPORT_ASSIGN_OR_RETURN(partitions_, log_->PartitionCount(options_.touchpoints_topic));
    RAPPORT_RETURN_IF_ERROR(Open());
    if (options_.as_it_happened || options_.shift_to_now) {
      RAPPORT_ASSIGN_OR_RETURN(spool_, TouchpointSpool::Create(options_.spool_folder));
    }
    RAPPORT_RETURN_IF_ERROR(ReadAll());
    RAPPORT_RETURN_IF_ERROR(rejected_.Flush());
    if (spool_ != nullptr) RAPPORT_RETURN_IF_ERROR(WriteSpool());
    RAPPORT_RETURN_IF_ERROR(AppendClock(EndOfClock()));
    RAPPORT_RETURN_IF_ERROR(touchpoints_.Flush());
    summary_.clients = mapper_->client_count();
    return std::move(summary_);
  }

 private:
  // The file, its columns, and the mapping held against them.
  absl::Status Open() {
    RAPPORT_ASSIGN_OR_RETURN(const char delimiter, DelimiterOf(mapping_file_));
    RAPPORT_ASSIGN_OR_RETURN(auto file, InputFile::Open(path_));
    reader_ = std::make_unique<CsvReader>(std::move(file), delimiter);
    const auto& names = mapping_file_.proto().format().column_names();
    std::vector<std::string> columns(names.begin(), names.end());
    if (columns.empty()) {
      CsvRow row;
      const absl::StatusOr<bool> found = reader_->Next(&row);
      RAPPORT_RETURN_IF_ERROR(Annotate(found.status(), absl::StrCat(path_, ":1")));
      if (!*found) return absl::InvalidArgumentError(absl::StrCat(path_, ": the file is empty"));
      for (size_t i = 0; i < row.size(); ++i) columns.emplace_back(row[i]);
    }
    RAPPORT_ASSIGN_OR_RETURN(ImportPlan plan, CompileMapping(mapping_file_, columns));
    mapper_ = std::make_unique<GroupMapper>(std::move(plan), options_.now);
    return absl::OkStatus();
  }

  absl::Status ReadAll() {
    CsvRow row;
    for (;;) {
      const absl::StatusOr<bool> more = reader_->Next(&row);
      if (more.ok() && !*more) break;
      if (!more.ok() && !absl::IsInvalidArgument(more.status())) return more.status();
      ++summary_.rows;
      if (summary_.rows % kProgressRows == 0) ReportReading();
      if (!more.ok()) {
        RAPPORT_RETURN_IF_ERROR(RejectDamaged(row, std::string(more.status().message())));
      } else if (row.size() != mapper_->column_count()) {
        RAPPORT_RETURN_IF_ERROR(RejectDamaged(
            row,
            absl::StrCat("the row has ", row.size(), " fields, not ", mapper_->column_count())));
      } else {
        RAPPORT_RETURN_IF_ERROR(TakeRow(&row));
      }
    }
    ReportReading();
    return FinishGroup();
  }

  absl::Status TakeRow(CsvRow* row) {
    if (!group_.empty() && !mapper_->SameGroup(group_.front(), *row)) {
      RAPPORT_RETURN_IF_ERROR(FinishGroup());
    }
    // A damaged row between two of a group is most likely one of it, and the sums would be wrong.
    if (damaged_line_ != 0 && !group_.empty()) lacking_line_ = damaged_line_;
    damaged_line_ = 0;
    if (!too_large_ && group_.size() == kMaxGroupRows) RAPPORT_RETURN_IF_ERROR(GiveUpLargeGroup());
    if (too_large_) return Reject(*row, kTooLarge);
    group_.push_back(std::move(*row));
    return absl::OkStatus();
  }

  // Keeps the first row alone, which tells where the group ends.
  absl::Status GiveUpLargeGroup() {
    too_large_ = true;
    for (const CsvRow& row : group_) RAPPORT_RETURN_IF_ERROR(Reject(row, kTooLarge));
    group_.resize(1);
    return absl::OkStatus();
  }

  absl::Status RejectDamaged(const CsvRow& row, const std::string& why) {
    damaged_line_ = row.line();
    return Reject(row, why);
  }

  absl::Status FinishGroup() {
    if (!group_.empty() && !too_large_) RAPPORT_RETURN_IF_ERROR(UseGroup());
    group_.clear();
    damaged_line_ = lacking_line_ = 0;
    too_large_ = false;
    return absl::OkStatus();
  }

  absl::Status UseGroup() {
    made_.clear();
    size_t bad_row = 0;
    absl::Status status = lacking_line_ == 0
                              ? mapper_->Map(group_, &made_, &bad_row)
                              : absl::InvalidArgumentError(absl::StrCat(
                                    "line ", lacking_line_, ", amid its group, is damaged"));
    if (!status.ok()) {
      RAPPORT_RETURN_IF_ERROR(RejectGroup(bad_row, std::string(status.message())));
    } else if (made_.empty()) {
      summary_.skipped_rows += static_cast<int64_t>(group_.size());
    }
    for (Touchpoint& touchpoint : made_) RAPPORT_RETURN_IF_ERROR(Accept(&touchpoint));
    return absl::OkStatus();
  }

  absl::Status RejectGroup(size_t bad_row, const std::string& why) {
    RAPPORT_RETURN_IF_ERROR(Reject(group_[bad_row], why));
    const std::string other =
        absl::StrCat("of the same group as line ", group_[bad_row].line(), ": ", why);
    for (size_t i = 0; i < group_.size(); ++i) {
      if (i != bad_row) RAPPORT_RETURN_IF_ERROR(Reject(group_[i], other));
    }
    return absl::OkStatus();
  }

  absl::Status Reject(const CsvRow& row, const std::string& why) {
    ++summary_.rejected_rows;
    if (summary_.rejected.size() < kRejectedInSummary) {
      summary_.rejected.push_back({row.line(), why});
    }
    rejected::v1::RejectedRecord rejected;
    rejected.set_source(mapper_->source());
    rejected.set_file(BaseName(path_));
    rejected.set_line(row.line());
    rejected.set_content(row.raw());
    rejected.set_reason(why);
    ToProto(options_.now, rejected.mutable_rejected_at());
    Record record;
    record.key = rejected.file();
    record.value = rejected.SerializeAsString();
    record.headers = {{"content-type", "application/protobuf"}};
    record.timestamp = options_.now;
    return rejected_.Add(std::move(record));
  }

  absl::Status Accept(Touchpoint* touchpoint) {
    if (spool_ != nullptr) return spool_->Add(*touchpoint);
    return Append(touchpoint, options_.now);
  }

  absl::Status Append(Touchpoint* touchpoint, absl::Time recorded_at) {
    const absl::Time time = FromProto(touchpoint->occurred_at());
    if (summary_.touchpoints == 0) summary_.first = summary_.last = time;
    summary_.first = std::min(summary_.first, time);
    summary_.last = std::max(summary_.last, time);
    ++summary_.touchpoints;
    ++summary_.kinds[std::string(KindFieldName(touchpoint->payload_case()))];
    ToProto(recorded_at, touchpoint->mutable_recorded_at());
    return touchpoints_.Add(MakeRecord(*touchpoint));
  }

  // Second half of an import that needs to know all touchpoints before it writes the first.
  absl::Status WriteSpool() {
    absl::Time last = absl::InfinitePast();
    for (size_t i = 0; i < spool_->size(); ++i) last = std::max(last, spool_->TimeAt(i));
    if (spool_->size() == 0) return absl::OkStatus();
    if (options_.shift_to_now) summary_.shifted_by = ShiftToNow(last, options_.now);
    if (options_.as_it_happened) return PlayHistory();
    RAPPORT_RETURN_IF_ERROR(spool_->Sort());
    Touchpoint touchpoint;
    for (size_t i = 0; i < spool_->size(); ++i) {
      RAPPORT_RETURN_IF_ERROR(ReadShifted(i, &touchpoint));
      RAPPORT_RETURN_IF_ERROR(Append(&touchpoint, options_.now));
    }
    return absl::OkStatus();
  }

  absl::Status PlayHistory() {
    RAPPORT_RETURN_IF_ERROR(spool_->Sort());
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

  absl::Status CheckClockStep(absl::Duration history) const {
    const double records = absl::FDivDuration(history, options_.clock_step) * partitions_;
    if (records <= static_cast<double>(kMaxClockRecords)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("a clock step of ", absl::FormatDuration(options_.clock_step),
                     " over a history of ", absl::FormatDuration(history), " makes more than ",
                     kMaxClockRecords, " records of the clock; choose a longer step"));
  }

  absl::Status ReadShifted(size_t i, Touchpoint* touchpoint) {
    if (i % kProgressTouchpoints == 0 && options_.progress) {
      options_.progress({ImportProgress::Phase::kWriting, static_cast<int64_t>(i),
                         static_cast<int64_t>(spool_->size()), summary_.rows});
    }
    RAPPORT_RETURN_IF_ERROR(spool_->Read(i, touchpoint));
    ShiftTimes(summary_.shifted_by, touchpoint);
    return absl::OkStatus();
  }

  // History that is not moved ends with its last touchpoint; everything else ends now.
  absl::Time EndOfClock() const {
    if (!options_.as_it_happened || options_.shift_to_now) return options_.now;
    return std::max(summary_.last, summary_.clock_was_at);
  }

  absl::Status AppendClock(absl::Time now) {
    if (now == absl::InfinitePast() || now <= summary_.clock) return absl::OkStatus();
    summary_.clock = now;
    for (int i = 0; i < partitions_; ++i) {
      ++summary_.clock_records;
      RAPPORT_RETURN_IF_ERROR(touchpoints_.Add(MakeClockRecord(now, Partition(i))));
    }
    return absl::OkStatus();
  }

  void ReportReading() const {
    if (!options_.progress) return;
    options_.progress({ImportProgress::Phase::kReading, reader_->file().position(),
                       reader_->file().size(), summary_.rows});
  }

  EventLog* const log_;
  const MappingFile& mapping_file_;
  const std::string path_;
  const ImportOptions& options_;
  int partitions_ = 0;
  BatchWriter touchpoints_;
  BatchWriter rejected_;
  std::unique_ptr<CsvReader> reader_;
  std::unique_ptr<GroupMapper> mapper_;
  std::unique_ptr<TouchpointSpool> spool_;  // null: touchpoints are appended as they come
  std::vector<CsvRow> group_;
  std::vector<Touchpoint> made_;
  int64_t damaged_line_ = 0;  // a damaged row after the group's last; 0 for none
  int64_t lacking_line_ = 0;  // a damaged row amid the group; 0 for none
  bool too_large_ = false;    // the group was given up, and group_ holds its first row alone
  ImportSummary summary_;
};

}  // namespace

absl::StatusOr<ImportSummary> ImportCsv(EventLog* log, const MappingFile& mapping,
                                        const std::string& path, const ImportOptions& options) {
  return Import(log, mapping, path, options).Run();
}

}  // namespace rapport
