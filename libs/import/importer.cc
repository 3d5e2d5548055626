#include "libs/import/importer.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "libs/base/status.h"
#include "libs/import/csv_input.h"
#include "libs/import/event_input.h"
#include "libs/import/import_input.h"
#include "libs/import/import_sink.h"

namespace rapport {
namespace {

// Those that go through one mapping make one input.
absl::StatusOr<std::vector<std::unique_ptr<ImportInput>>> OpenAll(
    absl::Span<const ImportFile> files, const ImportOptions& options) {
  std::vector<std::unique_ptr<ImportInput>> inputs;
  absl::flat_hash_set<const MappingFile*> opened;
  for (const ImportFile& file : files) {
    if (file.open) {
      RAPPORT_ASSIGN_OR_RETURN(inputs.emplace_back(), file.open(file.path, options.now));
    } else if (file.mapping == nullptr) {
      RAPPORT_ASSIGN_OR_RETURN(inputs.emplace_back(), EventInput::Open(file.path, options.now));
    } else if (opened.insert(file.mapping).second) {
      std::vector<std::string> paths;
      for (const ImportFile& other : files) {
        if (!other.open && other.mapping == file.mapping) paths.push_back(other.path);
      }
      RAPPORT_ASSIGN_OR_RETURN(
          inputs.emplace_back(),
          CsvInput::Open(paths, *file.mapping, options.now, options.spool_folder));
    }
  }
  return inputs;
}

}  // namespace

absl::StatusOr<ImportSummary> ImportFiles(EventLog* log, absl::Span<const ImportFile> files,
                                          const ImportOptions& options) {
  if (options.clock_step <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("the clock step must be longer than nothing");
  }
  ImportSink sink(log, options);
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::unique_ptr<ImportInput>> inputs,
                           OpenAll(files, options));
  int64_t total_bytes = 0;
  for (const std::unique_ptr<ImportInput>& input : inputs) total_bytes += input->size();
  RAPPORT_RETURN_IF_ERROR(sink.Start());
  int64_t done_bytes = 0;
  for (const std::unique_ptr<ImportInput>& input : inputs) {
    RAPPORT_RETURN_IF_ERROR(input->ReadInto(&sink, done_bytes, total_bytes));
    done_bytes += input->size();
  }
  sink.ReportReading(done_bytes, total_bytes);
  return sink.Finish();
}

}  // namespace rapport
