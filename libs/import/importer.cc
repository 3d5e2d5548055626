#include "libs/import/importer.h"

#include <memory>
#include <utility>

#include "libs/base/status.h"
#include "libs/import/csv_input.h"
#include "libs/import/event_input.h"
#include "libs/import/import_input.h"
#include "libs/import/import_sink.h"

namespace rapport {
namespace {

absl::StatusOr<std::unique_ptr<ImportInput>> Open(const ImportFile& file, absl::Time now) {
  if (file.open) return file.open(file.path, now);
  if (file.mapping == nullptr) return EventInput::Open(file.path, now);
  return CsvInput::Open(file.path, *file.mapping, now);
}

}  // namespace

absl::StatusOr<ImportSummary> ImportFiles(EventLog* log, absl::Span<const ImportFile> files,
                                          const ImportOptions& options) {
  if (options.clock_step <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("the clock step must be longer than nothing");
  }
  ImportSink sink(log, options);
  std::vector<std::unique_ptr<ImportInput>> inputs;
  int64_t total_bytes = 0;
  for (const ImportFile& file : files) {
    RAPPORT_ASSIGN_OR_RETURN(inputs.emplace_back(), Open(file, options.now));
    total_bytes += inputs.back()->size();
  }
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
