#include "libs/intake/event_import.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/intake/cloud_events.h"
#include "libs/intake/line_reader.h"
#include "libs/intake/rejection.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"

namespace rapport {
namespace {

constexpr size_t kBatchRecords = 8192;
constexpr size_t kRejectedBatchRecords = 512;
constexpr int64_t kProgressLines = 5000;
constexpr size_t kRejectedInSummary = 10;

class EventImport {
 public:
  EventImport(EventLog* log, const std::string& path, const EventImportOptions& options)
      : log_(log), path_(path), options_(options) {}

  absl::StatusOr<EventImportSummary> Run() {
    RAPPORT_ASSIGN_OR_RETURN(const int partitions,
                             log_->PartitionCount(options_.touchpoints_topic));
    limits_.partitions = partitions;
    limits_.max_future = options_.max_future;
    RAPPORT_ASSIGN_OR_RETURN(reader_, LineReader::Open(path_));
    RAPPORT_RETURN_IF_ERROR(ReadAll());
    for (int i = 0; i < partitions; ++i) {
      ++summary_.clock_records;
      records_.push_back(MakeClockRecord(options_.now, Partition(i)));
    }
    RAPPORT_RETURN_IF_ERROR(Flush(options_.touchpoints_topic, &records_));
    RAPPORT_RETURN_IF_ERROR(Flush(options_.rejected_topic, &rejected_));
    summary_.clients = static_cast<int64_t>(clients_.size());
    return std::move(summary_);
  }

 private:
  absl::Status ReadAll() {
    CloudEventDecoder decoder(limits_);
    IntakeEvent event;
    std::string line;
    for (int64_t number = 1;; ++number) {
      RAPPORT_ASSIGN_OR_RETURN(const bool more, reader_->Next(limits_.max_body_bytes, &line));
      if (!more) break;
      if (number % kProgressLines == 0) Report();
      if (line.empty()) continue;
      ++summary_.lines;
      if (line.size() > limits_.max_body_bytes) {
        event.status = absl::InvalidArgumentError(
            absl::StrCat("body: the line has more than ", limits_.max_body_bytes, " bytes"));
      } else {
        event = {};
        decoder.DecodeStructured(&line, options_.now, &event);
      }
      RAPPORT_RETURN_IF_ERROR(event.status.ok() ? Accept(&event) : Reject(number, line, event));
    }
    Report();
    return absl::OkStatus();
  }

  absl::Status Accept(IntakeEvent* event) {
    const absl::Time time = event->occurred_at;
    if (summary_.touchpoints == 0) summary_.first = summary_.last = time;
    summary_.first = std::min(summary_.first, time);
    summary_.last = std::max(summary_.last, time);
    ++summary_.touchpoints;
    ++summary_.kinds[std::string(KindFieldName(event->kind))];
    if (!event->record.key.empty()) clients_.insert(event->record.key);
    records_.push_back(std::move(event->record));
    if (records_.size() < kBatchRecords) return absl::OkStatus();
    return Flush(options_.touchpoints_topic, &records_);
  }

  absl::Status Reject(int64_t number, absl::string_view line, const IntakeEvent& event) {
    ++summary_.rejected_lines;
    const std::string reason(event.status.message());
    if (summary_.rejected.size() < kRejectedInSummary) {
      summary_.rejected.push_back({number, reason});
    }
    rejected_.push_back(MakeRejection({.source = event.source,
                                       .file = path_.substr(path_.rfind('/') + 1),
                                       .line = number,
                                       .content = line,
                                       .reason = reason,
                                       .now = options_.now}));
    if (rejected_.size() < kRejectedBatchRecords) return absl::OkStatus();
    return Flush(options_.rejected_topic, &rejected_);
  }

  absl::Status Flush(const std::string& topic, std::vector<Record>* records) {
    if (records->empty()) return absl::OkStatus();
    RAPPORT_RETURN_IF_ERROR(log_->Append(topic, *records).status());
    records->clear();
    return absl::OkStatus();
  }

  void Report() const {
    if (!options_.progress) return;
    options_.progress({reader_->position(), reader_->size(), summary_.lines});
  }

  EventLog* const log_;
  const std::string& path_;
  const EventImportOptions& options_;
  IntakeLimits limits_;
  std::unique_ptr<LineReader> reader_;
  std::vector<Record> records_;
  std::vector<Record> rejected_;
  absl::flat_hash_set<std::string> clients_;
  EventImportSummary summary_;
};

}  // namespace

absl::StatusOr<EventImportSummary> ImportCloudEvents(EventLog* log, const std::string& path,
                                                     const EventImportOptions& options) {
  return EventImport(log, path, options).Run();
}

}  // namespace rapport
