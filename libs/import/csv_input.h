#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/import/csv_reader.h"
#include "libs/import/group_mapper.h"
#include "libs/import/group_spool.h"
#include "libs/import/import_input.h"
#include "libs/import/import_sink.h"
#include "libs/import/mapping_file.h"

namespace rapport {

// The rows of the CSV files of one mapping, put through it group by group: rows that belong
// together are gathered from wherever in a file they stand.
class CsvInput : public ImportInput {
 public:
  // The files, their columns, and the mapping held against them. `now` as in GroupMapper;
  // `spool_folder` for temporary files.
  static absl::StatusOr<std::unique_ptr<CsvInput>> Open(const std::vector<std::string>& paths,
                                                        const MappingFile& mapping, absl::Time now,
                                                        const std::string& spool_folder);

  absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) override;
  int64_t size() const override;

 private:
  struct File {
    std::string path;
    std::unique_ptr<CsvReader> reader;
    std::unique_ptr<GroupMapper> mapper;
    int64_t rows = 0;
  };
  struct GroupRow {
    int file = 0;
    CsvRow row;
  };

  CsvInput(std::string spool_folder, bool encoding_told, size_t file_count)
      : spool_folder_(std::move(spool_folder)),
        encoding_told_(encoding_told),
        made_so_far_(spool_folder_, file_count) {}

  absl::Status OpenFile(const std::string& path, const MappingFile& mapping, absl::Time now);
  absl::Status ReadFile(int file, int64_t bytes_before, int64_t total_bytes);
  absl::Status TakeRow(int file, CsvRow* row);
  // Where rows are gathered in groups.
  absl::Status GatherRow(int file, const CsvRow& row);
  // A row that cannot be told apart in fields; `why` for people.
  absl::Status RejectDamaged(int file, const CsvRow& row, absl::string_view why);

  absl::Status UseGroups();
  absl::Status UseGroup(size_t i);
  // Whether the rows of a group stand in one file, or are the same in several: then those of the
  // first are left. Else they are rejected.
  absl::StatusOr<bool> SettleFiles();
  // The rows in rows_, all of one file.
  absl::Status MapRows(int file);
  absl::Status RejectRows(int file, size_t bad_row, absl::string_view why);
  absl::Status Reject(int file, const CsvRow& row, const std::string& why);

  const std::string spool_folder_;
  const bool encoding_told_;
  MadeSoFar made_so_far_;
  std::vector<File> files_;
  ImportSink* sink_ = nullptr;

  std::unique_ptr<GroupSpool> spool_;  // null: each row is a group
  absl::uint128 last_key_ = 0;         // of the row gathered last
  bool any_gathered_ = false;          // in the file
  int64_t damaged_line_ = 0;           // a damaged row after it; 0 for none

  std::vector<GroupRow> group_;
  std::vector<CsvRow> rows_;
  std::vector<MappedTouchpoint> made_;
};

}  // namespace rapport
