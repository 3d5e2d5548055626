#include "libs/sources/source_writer.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/intake/json_text.h"
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

// Such as the log always takes.
constexpr size_t kMaxRecordIdBytes = 256;
constexpr size_t kMaxContentBytes = size_t{64} << 10;
constexpr size_t kMaxReasonBytes = 4096;

Record RejectedRecordOf(const SourceRefusal& refusal, absl::Time now) {
  return MakeRejectedRecord(
      {.source = refusal.source, .content = refusal.content, .reason = refusal.reason, .now = now});
}

}  // namespace

SourceWriter::SourceWriter(EventLog* log, LogTopics topics, ContactResolver* resolver,
                           std::function<absl::Time()> now)
    : log_(log), topics_(std::move(topics)), resolver_(resolver), now_(std::move(now)) {}

absl::Status SourceWriter::AppendTaken(const std::string& topic, absl::Span<const Record> records,
                                       std::map<size_t, std::string>* not_taken) {
  const absl::Status status = log_->Append(topic, records).status();
  if (!absl::IsInvalidArgument(status)) return status;
  if (records.size() == 1) {
    not_taken->emplace(0, std::string(status.message()));
    return absl::OkStatus();
  }
  // The one that is too large is in one of the halves.
  const size_t middle = records.size() / 2;
  RAPPORT_RETURN_IF_ERROR(AppendTaken(topic, records.subspan(0, middle), not_taken));
  std::map<size_t, std::string> behind;
  RAPPORT_RETURN_IF_ERROR(AppendTaken(topic, records.subspan(middle), &behind));
  for (auto& [place, why] : behind) not_taken->emplace(place + middle, std::move(why));
  return absl::OkStatus();
}

absl::Status SourceWriter::Append(std::vector<SourceRecord> records) {
  RefusedContacts refused;
  return Append(std::move(records), &refused);
}

absl::Status SourceWriter::Append(std::vector<SourceRecord> records, RefusedContacts* refused) {
  refused->clear();
  if (records.empty()) return absl::OkStatus();
  const absl::Time now = now_();
  std::vector<Record> encoded;
  encoded.reserve(records.size());
  for (SourceRecord& record : records) {
    ToProto(now, record.mutable_received_at());
    encoded.push_back(Encode(record, now));
  }
  std::map<size_t, std::string> not_taken;
  RAPPORT_RETURN_IF_ERROR(AppendTaken(topics_.sources, encoded, &not_taken));
  std::vector<SourceRefusal> refusals;
  for (auto& [place, why] : not_taken) {
    refused->insert(place);
    refusals.push_back(
        {.source = records[place].source(),
         .record_id = std::string(Utf8Prefix(records[place].record_id(), kMaxRecordIdBytes)),
         .content = records[place].ShortDebugString().substr(0, kMaxContentBytes),
         .reason = std::move(why)});
  }
  return refusals.empty() ? absl::OkStatus() : Refuse(refusals);
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
  std::vector<size_t> places;  // of the contacts that became them
  std::vector<SourceRecord> items(contacts.size());
  std::map<size_t, std::string> why;
  std::set<std::string> clients;  // of a contact that names several
  std::set<size_t> again;         // of one of these clients
  for (size_t i = 0; i < contacts.size(); ++i) {
    const OfferedContact& contact = contacts[i];
    if (!contact.of_another_client) clients.clear();
    items[i].set_source(contact.source);
    items[i].set_record_id(contact.record_id);
    if (!contact.skipped_because.empty()) {
      items[i].mutable_item()->set_skipped_because(contact.skipped_because);
      items[i].mutable_item()->set_description(contact.description);
      continue;
    }
    absl::StatusOr<Record> record = MakeTouchpoint(contact, now, &items[i]);
    if (!record.ok()) {
      why.emplace(i, std::string(record.status().message()));
    } else if (clients.insert(items[i].item().client_id()).second) {
      touchpoints.push_back(*std::move(record));
      places.push_back(i);
    } else {
      again.insert(i);
    }
  }
  if (!touchpoints.empty()) {
    std::map<size_t, std::string> not_taken;
    RAPPORT_RETURN_IF_ERROR(AppendTaken(topics_.touchpoints, touchpoints, &not_taken));
    for (auto& [place, reason] : not_taken) why.emplace(places[place], std::move(reason));
  }
  std::vector<SourceRefusal> refusals;
  for (auto& [place, reason] : why) {
    const OfferedContact& contact = contacts[place];
    refused->insert(place);
    if (contact.record_id.empty()) {
      Log(LogLevel::kError,
          absl::StrCat(contact.source, ": ", contact.draft.touchpoint.source_event_id(),
                       " cannot be written, and is in the rejected log: ", reason));
    }
    refusals.push_back({.source = contact.source,
                        .record_id = contact.record_id,
                        .content = RejectedContentOf(contact),
                        .reason = std::move(reason)});
  }
  if (!refusals.empty()) RAPPORT_RETURN_IF_ERROR(Refuse(refusals));
  std::vector<SourceRecord> counted;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!contacts[i].record_id.empty() && !refused->contains(i) && !again.contains(i)) {
      counted.push_back(std::move(items[i]));
    }
  }
  return Append(std::move(counted));
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
    record.mutable_rejection()->set_reason(
        std::string(Utf8Prefix(refusal.reason, kMaxReasonBytes)));
  }
  RAPPORT_RETURN_IF_ERROR(log_->Append(topics_.rejected, rejected).status());
  return Append(std::move(counted));
}

}  // namespace rapport
