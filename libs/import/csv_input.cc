#include "libs/import/csv_input.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/import/input_file.h"

namespace rapport {
namespace {

// More in one group is a mistake in group_columns, and would fill the memory.
constexpr size_t kMaxGroupRows = 10'000;
constexpr char kTooLarge[] = "the group has more than 10000 rows; are the group_columns right?";

}  // namespace

absl::StatusOr<std::unique_ptr<CsvInput>> CsvInput::Open(const std::string& path,
                                                         const MappingFile& mapping,
                                                         absl::Time now) {
  RAPPORT_ASSIGN_OR_RETURN(const char delimiter, DelimiterOf(mapping));
  RAPPORT_ASSIGN_OR_RETURN(auto file, InputFile::Open(path));
  auto reader = std::make_unique<CsvReader>(std::move(file), delimiter);
  const auto& names = mapping.proto().format().column_names();
  std::vector<std::string> columns(names.begin(), names.end());
  if (columns.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(columns, ReadColumnNames(path, reader.get()));
  }
  RAPPORT_ASSIGN_OR_RETURN(const LookupTables lookups, LoadLookups(mapping, path));
  RAPPORT_ASSIGN_OR_RETURN(ImportPlan plan, CompileMapping(mapping, columns, lookups));
  auto mapper = std::make_unique<GroupMapper>(std::move(plan), now);
  return std::unique_ptr<CsvInput>(new CsvInput(path, std::move(reader), std::move(mapper)));
}

absl::Status CsvInput::ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) {
  sink_ = sink;
  CsvRow row;
  for (;;) {
    const absl::StatusOr<bool> more = reader_->Next(&row);
    if (more.ok() && !*more) break;
    if (!more.ok() && !absl::IsInvalidArgument(more.status())) return more.status();
    sink->CountRow(bytes_before + reader_->file().position(), total_bytes);
    if (!more.ok()) {
      RAPPORT_RETURN_IF_ERROR(RejectDamaged(row, std::string(more.status().message())));
    } else if (row.size() != mapper_->column_count()) {
      RAPPORT_RETURN_IF_ERROR(RejectDamaged(
          row, absl::StrCat("the row has ", row.size(), " fields, not ", mapper_->column_count())));
    } else {
      RAPPORT_RETURN_IF_ERROR(TakeRow(&row));
    }
  }
  return FinishGroup();
}

absl::Status CsvInput::TakeRow(CsvRow* row) {
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

absl::Status CsvInput::GiveUpLargeGroup() {
  too_large_ = true;
  for (const CsvRow& row : group_) RAPPORT_RETURN_IF_ERROR(Reject(row, kTooLarge));
  group_.resize(1);
  return absl::OkStatus();
}

absl::Status CsvInput::RejectDamaged(const CsvRow& row, const std::string& why) {
  damaged_line_ = row.line();
  return Reject(row, why);
}

absl::Status CsvInput::FinishGroup() {
  if (!group_.empty() && !too_large_) RAPPORT_RETURN_IF_ERROR(UseGroup());
  group_.clear();
  damaged_line_ = lacking_line_ = 0;
  too_large_ = false;
  return absl::OkStatus();
}

absl::Status CsvInput::UseGroup() {
  made_.clear();
  size_t bad_row = 0;
  absl::Status status = lacking_line_ == 0
                            ? mapper_->Map(group_, &made_, &bad_row)
                            : absl::InvalidArgumentError(absl::StrCat(
                                  "line ", lacking_line_, ", amid its group, is damaged"));
  if (!status.ok()) {
    RAPPORT_RETURN_IF_ERROR(RejectGroup(bad_row, std::string(status.message())));
  } else if (made_.empty()) {
    sink_->Skip(static_cast<int64_t>(group_.size()));
  }
  for (MappedTouchpoint& made : made_) {
    RAPPORT_RETURN_IF_ERROR(sink_->Accept(path_, made.line, &made.touchpoint));
  }
  return absl::OkStatus();
}

absl::Status CsvInput::RejectGroup(size_t bad_row, const std::string& why) {
  RAPPORT_RETURN_IF_ERROR(Reject(group_[bad_row], why));
  const std::string other =
      absl::StrCat("of the same group as line ", group_[bad_row].line(), ": ", why);
  for (size_t i = 0; i < group_.size(); ++i) {
    if (i != bad_row) RAPPORT_RETURN_IF_ERROR(Reject(group_[i], other));
  }
  return absl::OkStatus();
}

absl::Status CsvInput::Reject(const CsvRow& row, const std::string& why) {
  return sink_->Reject(mapper_->source(), path_, row.line(), row.raw(), why);
}

}  // namespace rapport
