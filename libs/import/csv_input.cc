#include "libs/import/csv_input.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/stubs/common.h"
#include "libs/base/status.h"
#include "libs/import/input_file.h"
#include "libs/import/lookup.h"
#include "libs/import/mapping.h"
#include "xxhash.h"

namespace rapport {
namespace {

// More in one group is a mistake in group_columns, and would fill the memory.
constexpr int64_t kMaxGroupRows = 10'000;
constexpr char kTooLarge[] = "the group has more than 10000 rows; are the group_columns right?";
constexpr char kSeparatorsOnly[] = "nothing but separators";
constexpr char kNotMeant[] = "no rule is meant for them";
constexpr char kRepeated[] = "another file has the same";
constexpr char kOtherEncoding[] =
    " (is the file in another encoding, such as windows-1252? then `encoding` in the mapping's "
    "format must name it)";

std::string BaseName(absl::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// "orders.csv line 7".
std::string PlaceOf(absl::string_view path, const CsvRow& row) {
  return absl::StrCat(BaseName(path), " line ", row.line());
}

// What the fields of a row with a stray quote most likely are.
CsvRow SplitRoughly(const CsvRow& row, const CsvReader& reader) {
  CsvRow rough;
  for (absl::string_view field : absl::StrSplit(row.raw(), reader.delimiter())) {
    field = absl::StripAsciiWhitespace(field);
    absl::ConsumePrefix(&field, "\"");
    absl::ConsumeSuffix(&field, "\"");
    rough.AddField(field);
  }
  return rough;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CsvInput>> CsvInput::Open(const std::vector<std::string>& paths,
                                                         const MappingFile& mapping, absl::Time now,
                                                         const std::string& spool_folder) {
  std::unique_ptr<CsvInput> input(
      new CsvInput(spool_folder, !mapping.proto().format().encoding().empty(), paths.size()));
  for (const std::string& path : paths) {
    RAPPORT_RETURN_IF_ERROR(input->OpenFile(path, mapping, now));
  }
  return input;
}

absl::Status CsvInput::OpenFile(const std::string& path, const MappingFile& mapping,
                                absl::Time now) {
  RAPPORT_ASSIGN_OR_RETURN(const char delimiter, DelimiterOf(mapping));
  RAPPORT_ASSIGN_OR_RETURN(auto bytes, InputFile::Open(path));
  const config::v1::CsvFormat& format = mapping.proto().format();
  if (const absl::Status known = bytes->ReadAsText(format.encoding()); !known.ok()) {
    return mapping.ErrorAt(format, "encoding", known.message());
  }
  auto reader = std::make_unique<CsvReader>(std::move(bytes), delimiter);
  std::vector<std::string> columns(format.column_names().begin(), format.column_names().end());
  if (columns.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(columns, ReadColumnNames(path, reader.get()));
  }
  RAPPORT_ASSIGN_OR_RETURN(const LookupTables lookups, LoadLookups(mapping, path));
  RAPPORT_ASSIGN_OR_RETURN(ImportPlan plan, CompileMapping(mapping, columns, lookups));
  auto mapper = std::make_unique<GroupMapper>(std::move(plan), now, static_cast<int>(files_.size()),
                                              &made_so_far_);
  files_.push_back({path, std::move(reader), std::move(mapper)});
  return absl::OkStatus();
}

int64_t CsvInput::size() const {
  int64_t size = 0;
  for (const File& file : files_) size += file.reader->file().size();
  return size;
}

absl::Status CsvInput::ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) {
  sink_ = sink;
  if (files_.front().mapper->has_groups()) {
    RAPPORT_ASSIGN_OR_RETURN(spool_, GroupSpool::Create(spool_folder_));
  }
  for (size_t i = 0; i < files_.size(); ++i) {
    RAPPORT_RETURN_IF_ERROR(ReadFile(static_cast<int>(i), bytes_before, total_bytes));
    bytes_before += files_[i].reader->file().size();
  }
  if (spool_ != nullptr) RAPPORT_RETURN_IF_ERROR(UseGroups());
  return made_so_far_.first_of_clients.Release([this](MappedTouchpoint* made) {
    return sink_->Accept(files_[static_cast<size_t>(made->file)].path, made->line,
                         &made->touchpoint);
  });
}

absl::Status CsvInput::ReadFile(int number, int64_t bytes_before, int64_t total_bytes) {
  File& file = files_[static_cast<size_t>(number)];
  any_gathered_ = false;
  CsvRow row;
  for (;;) {
    const absl::StatusOr<bool> more = file.reader->Next(&row);
    if (more.ok() && !*more) return absl::OkStatus();
    if (!more.ok() && !absl::IsInvalidArgument(more.status())) return more.status();
    sink_->CountRow(bytes_before + file.reader->file().position(), total_bytes);
    ++file.rows;
    const size_t columns = file.mapper->column_count();
    if (!more.ok()) {
      RAPPORT_RETURN_IF_ERROR(RejectDamaged(number, row, more.status().message()));
    } else if (row.EmptyFrom(0)) {
      sink_->Skip(1, kSeparatorsOnly, PlaceOf(file.path, row));
    } else if (row.size() < columns || !row.EmptyFrom(columns)) {
      RAPPORT_RETURN_IF_ERROR(RejectDamaged(
          number, row, absl::StrCat("the row has ", row.size(), " fields, not ", columns)));
    } else {
      RAPPORT_RETURN_IF_ERROR(TakeRow(number, &row));
    }
  }
}

absl::Status CsvInput::TakeRow(int number, CsvRow* row) {
  const File& file = files_[static_cast<size_t>(number)];
  row->Cut(file.mapper->column_count());
  if (file.mapper->numbers_rows()) row->AddField(absl::StrCat(file.rows));
  if (const std::string* reason = file.mapper->SkipReason(*row); reason != nullptr) {
    sink_->Skip(1, *reason, PlaceOf(file.path, *row));
    return absl::OkStatus();
  }
  if (spool_ != nullptr) return GatherRow(number, *row);
  rows_.resize(1);
  std::swap(rows_.front(), *row);
  return MapRows(number);
}

absl::Status CsvInput::GatherRow(int number, const CsvRow& row) {
  const absl::uint128 key = *files_[static_cast<size_t>(number)].mapper->GroupKeyOf(row);
  // A damaged row between two of a group is most likely one of it, and the sums would be wrong.
  if (damaged_line_ != 0 && any_gathered_ && key == last_key_) {
    spool_->MarkDamaged(key, damaged_line_);
  }
  damaged_line_ = 0;
  any_gathered_ = true;
  last_key_ = key;
  return spool_->Add(key, number, row);
}

absl::Status CsvInput::RejectDamaged(int number, const CsvRow& row, absl::string_view why) {
  if (spool_ != nullptr) {
    const File& file = files_[static_cast<size_t>(number)];
    const std::optional<absl::uint128> key =
        file.mapper->GroupKeyOf(row.size() > 0 ? row : SplitRoughly(row, *file.reader));
    if (key.has_value()) spool_->MarkDamaged(*key, row.line());
    const bool elsewhere = key.has_value() && spool_->Has(*key) && *key != last_key_;
    if (!elsewhere) damaged_line_ = row.line();
  }
  return Reject(number, row, std::string(why));
}

absl::Status CsvInput::UseGroups() {
  spool_->Sort();
  int64_t rows = 0;
  for (size_t i = 0; i < spool_->size(); ++i) {
    RAPPORT_RETURN_IF_ERROR(UseGroup(i));
    sink_->ReportGrouping(rows, rows + spool_->group(i).rows, spool_->rows());
    rows += spool_->group(i).rows;
  }
  spool_ = nullptr;
  return absl::OkStatus();
}

absl::Status CsvInput::UseGroup(size_t i) {
  const GroupSpool::Group& group = spool_->group(i);
  if (group.rows > kMaxGroupRows) {
    return spool_->Read(i, [this](int file, CsvRow* row) { return Reject(file, *row, kTooLarge); });
  }
  size_t count = 0;
  group_.resize(std::max(group_.size(), static_cast<size_t>(group.rows)));
  RAPPORT_RETURN_IF_ERROR(spool_->Read(i, [&](int file, CsvRow* row) {
    group_[count].file = file;
    std::swap(group_[count].row, *row);
    ++count;
    return absl::OkStatus();
  }));
  group_.resize(count);
  RAPPORT_ASSIGN_OR_RETURN(const bool settled, SettleFiles());
  if (!settled) return absl::OkStatus();
  const int file = group_.front().file;
  rows_.resize(group_.size());
  for (size_t row = 0; row < group_.size(); ++row) std::swap(rows_[row], group_[row].row);
  if (group.damaged_line != 0) {
    return RejectRows(file, 0,
                      absl::StrCat("line ", group.damaged_line, ", of the same ",
                                   files_.front().mapper->group_name(), ", is damaged"));
  }
  if (group.scattered) sink_->CountScatteredGroup();
  files_[static_cast<size_t>(file)].mapper->SortByTime(&rows_);
  return MapRows(file);
}

absl::StatusOr<bool> CsvInput::SettleFiles() {
  if (group_.front().file == group_.back().file) return true;
  struct OfFile {
    size_t begin = 0;
    size_t size = 0;
    absl::uint128 content = 0;  // of its rows in any order
  };
  std::vector<OfFile> files;
  for (size_t i = 0; i < group_.size(); ++i) {
    if (i == 0 || group_[i].file != group_[i - 1].file) files.push_back({i});
    const std::string& raw = group_[i].row.raw();
    const XXH128_hash_t hash = XXH3_128bits(raw.data(), raw.size());
    ++files.back().size;
    files.back().content += absl::MakeUint128(hash.high64, hash.low64);
  }
  const bool same = std::all_of(files.begin(), files.end(), [&files](const OfFile& one) {
    return one.size == files.front().size && one.content == files.front().content;
  });
  if (same) {
    for (auto other = files.begin() + 1; other != files.end(); ++other) {
      const GroupRow& first = group_[other->begin];
      sink_->Skip(static_cast<int64_t>(other->size), kRepeated,
                  PlaceOf(files_[static_cast<size_t>(first.file)].path, first.row));
    }
    group_.resize(files.front().size);
    return true;
  }
  const auto name = [this](const GroupRow& row) {
    return BaseName(files_[static_cast<size_t>(row.file)].path);
  };
  const GroupRow& second = group_[files[1].begin];
  const std::string why = absl::StrCat(
      "rows of the same ", files_.front().mapper->group_name(), " stand in ", name(group_.front()),
      " (line ", group_.front().row.line(), ") and, but not the same ones, in ", name(second),
      " (line ", second.row.line(), "); put them into one file");
  for (const GroupRow& row : group_) RAPPORT_RETURN_IF_ERROR(Reject(row.file, row.row, why));
  return false;
}

absl::Status CsvInput::MapRows(int number) {
  const File& file = files_[static_cast<size_t>(number)];
  made_.clear();
  size_t bad_row = 0;
  const absl::StatusOr<GroupMapper::Outcome> outcome = file.mapper->Map(rows_, &made_, &bad_row);
  if (absl::IsUnavailable(outcome.status())) return outcome.status();
  if (!outcome.ok()) return RejectRows(number, bad_row, outcome.status().message());
  if (*outcome != GroupMapper::Outcome::kUsed) {
    sink_->Skip(static_cast<int64_t>(rows_.size()),
                *outcome == GroupMapper::Outcome::kRepeated ? kRepeated : kNotMeant,
                PlaceOf(file.path, rows_.front()));
  }
  for (MappedTouchpoint& made : made_) {
    RAPPORT_RETURN_IF_ERROR(sink_->Accept(file.path, made.line, &made.touchpoint));
  }
  return absl::OkStatus();
}

absl::Status CsvInput::RejectRows(int file, size_t bad_row, absl::string_view why) {
  std::string reason(why);
  const std::string& raw = rows_[bad_row].raw();
  if (!encoding_told_ && !google::protobuf::internal::IsStructurallyValidUTF8(
                             raw.data(), static_cast<int>(raw.size()))) {
    reason += kOtherEncoding;
  }
  RAPPORT_RETURN_IF_ERROR(Reject(file, rows_[bad_row], reason));
  const std::string other =
      absl::StrCat("of the same group as line ", rows_[bad_row].line(), ": ", reason);
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (i != bad_row) RAPPORT_RETURN_IF_ERROR(Reject(file, rows_[i], other));
  }
  return absl::OkStatus();
}

absl::Status CsvInput::Reject(int file, const CsvRow& row, const std::string& why) {
  const File& of = files_[static_cast<size_t>(file)];
  return sink_->Reject(of.mapper->source(), of.path, row.line(), row.raw(), why);
}

}  // namespace rapport
