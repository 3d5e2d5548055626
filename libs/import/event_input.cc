#include "libs/import/event_input.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "libs/base/status.h"
#include "libs/import/input_file.h"
#include "libs/intake/cloud_events.h"
#include "libs/touchpoint/validate.h"

namespace rapport {

absl::StatusOr<std::unique_ptr<EventInput>> EventInput::Open(const std::string& path,
                                                             absl::Time now) {
  RAPPORT_ASSIGN_OR_RETURN(auto file, InputFile::Open(path));
  RAPPORT_RETURN_IF_ERROR(file->ReadAsText(""));
  auto lines = std::make_unique<LineReader>(std::move(file));
  return std::unique_ptr<EventInput>(new EventInput(path, std::move(lines), now));
}

absl::Status EventInput::ReadInto(ImportSink* sink, int64_t bytes_before, int64_t total_bytes) {
  CloudEventDecoder decoder({.max_future = absl::ZeroDuration(), .partitions = sink->partitions()});
  std::string line;
  IntakeEvent event;
  touchpoint::v1::Touchpoint touchpoint;
  for (;;) {
    const absl::StatusOr<bool> more = lines_->Next(&line);
    if (more.ok() && !*more) return absl::OkStatus();
    if (!more.ok() && !absl::IsInvalidArgument(more.status())) return more.status();
    if (more.ok() && absl::StripAsciiWhitespace(line).empty()) continue;
    sink->CountRow(bytes_before + lines_->file().position(), total_bytes);
    if (!more.ok()) {
      RAPPORT_RETURN_IF_ERROR(
          sink->Reject("", path_, lines_->line(), line, std::string(more.status().message())));
      continue;
    }
    event = IntakeEvent();
    decoder.DecodeStructured(&line, now_, &event);
    if (!event.status.ok()) {
      RAPPORT_RETURN_IF_ERROR(sink->Reject(event.source, path_, lines_->line(), event.offered,
                                           std::string(event.status.message())));
      continue;
    }
    RAPPORT_RETURN_IF_ERROR(ParseTouchpoint(event.record.value, &touchpoint));
    RAPPORT_RETURN_IF_ERROR(sink->Accept(path_, lines_->line(), &touchpoint));
  }
}

}  // namespace rapport
