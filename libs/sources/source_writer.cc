#include "libs/sources/source_writer.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/intake/rejected_offer.h"
#include "libs/telephony/call_record.h"
#include "libs/touchpoint/record.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using touchpoint::v1::Touchpoint;

std::string KeyOf(const SourceRecord& record) {
  if (record.has_call_fact()) {
    return CallKey(record.call_fact().system(), record.call_fact().call_id());
  }
  return record.source();
}

Record Encode(const SourceRecord& record, absl::Time now) {
  return {.key = KeyOf(record), .value = record.SerializeAsString(), .timestamp = now};
}

Record RejectedRecordOf(const SourceRefusal& refusal, absl::Time now) {
  return MakeRejectedRecord(
      {.source = refusal.source, .content = refusal.content, .reason = refusal.reason, .now = now});
}

}  // namespace

SourceWriter::SourceWriter(EventLog* log, LogTopics topics, ContactResolver* resolver,
                           std::function<absl::Time()> now)
    : log_(log), topics_(std::move(topics)), resolver_(resolver), now_(std::move(now)) {}

absl::Status SourceWriter::Append(std::vector<SourceRecord> records) {
  if (records.empty()) return absl::OkStatus();
  const absl::Time now = now_();
  std::vector<Record> encoded;
  encoded.reserve(records.size());
  for (SourceRecord& record : records) {
    ToProto(now, record.mutable_received_at());
    encoded.push_back(Encode(record, now));
  }
  return log_->Append(topics_.sources, encoded).status();
}

absl::Status SourceWriter::Write(absl::Span<const OfferedContact> contacts) {
  RefusedContacts refused;
  return Write(contacts, &refused);
}

absl::Status SourceWriter::Write(absl::Span<const OfferedContact> contacts,
                                 RefusedContacts* refused) {
  refused->clear();
  const absl::Time now = now_();
  std::vector<Record> touchpoints;
  std::vector<SourceRefusal> refusals;
  std::vector<SourceRecord> items;
  std::set<std::string> clients;  // of a contact that names several
  for (size_t i = 0; i < contacts.size(); ++i) {
    const OfferedContact& contact = contacts[i];
    if (!contact.of_another_client) clients.clear();
    SourceRecord item;
    item.set_source(contact.source);
    item.set_record_id(contact.record_id);
    if (!contact.skipped_because.empty()) {
      item.mutable_item()->set_skipped_because(contact.skipped_because);
      item.mutable_item()->set_description(contact.description);
    } else {
      absl::StatusOr<Record> record = MakeTouchpoint(contact, now, &item);
      if (!record.ok()) {
        refused->insert(i);
        if (contact.record_id.empty()) {
          Log(LogLevel::kError,
              absl::StrCat(
                  contact.source, ": ", contact.draft.touchpoint.source_event_id(),
                  " cannot be written, and is in the rejected log: ", record.status().message()));
        }
        refusals.push_back({.source = contact.source,
                            .record_id = contact.record_id,
                            .content = RejectedContentOf(contact),
                            .reason = std::string(record.status().message())});
        continue;
      }
      if (!clients.insert(item.item().client_id()).second) continue;
      touchpoints.push_back(*std::move(record));
    }
    if (!contact.record_id.empty()) items.push_back(std::move(item));
  }
  if (!touchpoints.empty()) {
    RAPPORT_RETURN_IF_ERROR(log_->Append(topics_.touchpoints, touchpoints).status());
  }
  if (!refusals.empty()) RAPPORT_RETURN_IF_ERROR(Refuse(refusals));
  return Append(std::move(items));
}

absl::StatusOr<Record> SourceWriter::MakeTouchpoint(const OfferedContact& contact, absl::Time now,
                                                    SourceRecord* item) {
  RAPPORT_ASSIGN_OR_RETURN(const Touchpoint touchpoint,
                           ResolvedTouchpoint(contact.draft, now, resolver_));
  *item->mutable_occurred_at() = touchpoint.occurred_at();
  item->mutable_item()->set_event_id(touchpoint.event_id());
  item->mutable_item()->set_client_id(touchpoint.client_id());
  return MakeRecord(touchpoint);
}

absl::Status SourceWriter::Refuse(absl::Span<const SourceRefusal> refusals) {
  const absl::Time now = now_();
  std::vector<Record> rejected;
  std::vector<SourceRecord> counted;
  for (const SourceRefusal& refusal : refusals) {
    rejected.push_back(RejectedRecordOf(refusal, now));
    if (refusal.record_id.empty()) continue;
    SourceRecord& record = counted.emplace_back();
    record.set_source(refusal.source);
    record.set_record_id(refusal.record_id);
    record.mutable_rejection()->set_reason(refusal.reason);
  }
  RAPPORT_RETURN_IF_ERROR(log_->Append(topics_.rejected, rejected).status());
  return Append(std::move(counted));
}

}  // namespace rapport
