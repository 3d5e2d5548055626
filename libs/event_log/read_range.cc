#include "libs/event_log/read_range.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kReadRecords = 4096;
constexpr absl::Duration kReadWait = absl::Seconds(5);

absl::Status CheckGap(absl::string_view topic, Partition partition, Offset expected, Offset next) {
  if (next <= expected) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "topic ", topic, " partition ", partition.value(), " goes on at offset ", next.value(),
      " where ", expected.value(), " was expected: records are missing from the log"));
}

}  // namespace

absl::Status ReadRange(
    EventLog& log, absl::string_view topic, Partition partition, Offset from, Offset end,
    const std::function<absl::Status(const HeaderDecoder&, absl::Span<const RecordView>)>& visit) {
  if (from >= end) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                           log.OpenReader(topic, partition, from));
  while (reader->position() < end) {
    const Offset begin = reader->position();
    RAPPORT_ASSIGN_OR_RETURN(absl::Span<const RecordView> records,
                             reader->Read(kReadRecords, kReadWait));
    if (records.empty() && reader->position() == begin) {
      return absl::UnavailableError(absl::StrCat("topic ", topic, " partition ", partition.value(),
                                                 " gave no records from offset ", begin.value(),
                                                 ", though it reaches to ", end.value()));
    }
    Offset expected = begin;
    for (const RecordView& record : records) {
      RAPPORT_RETURN_IF_ERROR(
          CheckGap(topic, partition, expected, record.offset - record.passed_over));
      expected = record.offset + 1;
    }
    while (!records.empty() && records.back().offset >= end) records.remove_suffix(1);
    if (!records.empty()) RAPPORT_RETURN_IF_ERROR(visit(*reader, records));
  }
  return absl::OkStatus();
}

absl::Status ReadToEnd(
    EventLog& log, absl::string_view topic, Partition partition, Offset from,
    const std::function<absl::Status(const HeaderDecoder&, absl::Span<const RecordView>)>& visit) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log.GetWatermarks(topic, partition));
  return ReadRange(log, topic, partition, std::max(from, marks.begin), marks.end, visit);
}

}  // namespace rapport
