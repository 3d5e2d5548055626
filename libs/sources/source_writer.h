#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_worker.h"
#include "libs/sources/contact_sink.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// What a source sent that cannot be used.
struct SourceRefusal {
  std::string source;
  std::string record_id;
  std::string content;  // cut to the 64 KiB that are kept
  // With the place in the file, when it stood in one.
  std::string reason;
};

// Writes what sources sent into the logs. Thread-safe.
class SourceWriter final : public ContactSink {
 public:
  // All outlive it. `now` is the wall clock.
  SourceWriter(EventLog* log, LogTopics topics, ContactResolver* resolver,
               std::function<absl::Time()> now);

  // Appends records to the sources log, with received_at set; those with a call fact keyed by the
  // call. What the log does not take, since it is too large, is refused (Refuse) and the rest
  // written; `refused`: the places of those. Unavailable: the log is away or full.
  absl::Status Append(std::vector<source::v1::SourceRecord> records, RefusedContacts* refused);
  absl::Status Append(std::vector<source::v1::SourceRecord> records);
  absl::Status Write(absl::Span<const OfferedContact> contacts, RefusedContacts* refused) override;
  absl::Status Write(absl::Span<const OfferedContact> contacts);
  // Into the rejected log, and the ledger.
  absl::Status Refuse(absl::Span<const SourceRefusal> refusals);

 private:
  // Appends what the log takes; the others' places, and why. Unavailable as EventLog::Append.
  absl::Status AppendTaken(const std::string& topic, absl::Span<const Record> records,
                           std::map<size_t, std::string>* not_taken);
  // The record of a contact's touchpoint, and what the ledger is told of it; or why it cannot be
  // one.
  absl::StatusOr<Record> MakeTouchpoint(const OfferedContact& contact, absl::Time now,
                                        source::v1::SourceRecord* item);

  EventLog* const log_;
  const LogTopics topics_;
  ContactResolver* const resolver_;
  const std::function<absl::Time()> now_;
};

}  // namespace rapport
