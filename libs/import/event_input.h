#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/import/import_input.h"
#include "libs/import/import_sink.h"
#include "libs/import/line_reader.h"

namespace rapport {

// CloudEvents in JSON, structured, one to a line (NDJSON): what ingest takes over HTTP.
class EventInput : public ImportInput {
 public:
  // Events later than `now` are refused.
  static absl::StatusOr<std::unique_ptr<EventInput>> Open(const std::string& path, absl::Time now);

  absl::Status ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) override;
  int64_t size() const override { return lines_->file().size(); }

 private:
  EventInput(std::string path, std::unique_ptr<LineReader> lines, absl::Time now)
      : path_(std::move(path)), lines_(std::move(lines)), now_(now) {}

  const std::string path_;
  const std::unique_ptr<LineReader> lines_;
  const absl::Time now_;
};

}  // namespace rapport
