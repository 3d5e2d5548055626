#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/import/csv_reader.h"
#include "libs/import/group_mapper.h"
#include "libs/import/import_input.h"
#include "libs/import/import_sink.h"
#include "libs/import/mapping.h"

namespace rapport {

// The rows of a CSV file, put through a mapping group by group.
class CsvInput : public ImportInput {
 public:
  // The file, its columns, and the mapping held against them. `now` as in GroupMapper.
  static absl::StatusOr<std::unique_ptr<CsvInput>> Open(const std::string& path,
                                                        const MappingFile& mapping, absl::Time now);

  absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) override;
  int64_t size() const override { return reader_->file().size(); }

 private:
  CsvInput(std::string path, std::unique_ptr<CsvReader> reader, std::unique_ptr<GroupMapper> mapper)
      : path_(std::move(path)), reader_(std::move(reader)), mapper_(std::move(mapper)) {}

  absl::Status TakeRow(CsvRow* row);
  // Keeps the first row alone, which tells where the group ends.
  absl::Status GiveUpLargeGroup();
  absl::Status RejectDamaged(const CsvRow& row, const std::string& why);
  absl::Status FinishGroup();
  absl::Status UseGroup();
  absl::Status RejectGroup(size_t bad_row, const std::string& why);
  absl::Status Reject(const CsvRow& row, const std::string& why);

  const std::string path_;
  const std::unique_ptr<CsvReader> reader_;
  const std::unique_ptr<GroupMapper> mapper_;
  ImportSink* sink_ = nullptr;
  std::vector<CsvRow> group_;
  std::vector<MappedTouchpoint> made_;
  int64_t damaged_line_ = 0;  // a damaged row after the group's last; 0 for none
  int64_t lacking_line_ = 0;  // a damaged row amid the group; 0 for none
  bool too_large_ = false;    // the group was given up, and group_ holds its first row alone
};

}  // namespace rapport
