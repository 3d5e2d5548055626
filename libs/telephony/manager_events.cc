#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/manager_session.h"

namespace rapport {
namespace {

using source::v1::QueueEvent;
using source::v1::SourceRecord;

constexpr size_t kMaxIdBytes = 200;

absl::StatusOr<SourceRecord> ParseCdrEvent(const ManagerPacket& packet, const CallSource& source,
                                           absl::Time received_at) {
  return CdrRecord({.source = packet["Source"],
                    .destination = packet["Destination"],
                    .context = packet["DestinationContext"],
                    .caller_id = packet["CallerID"],
                    .channel = packet["Channel"],
                    .destination_channel = packet["DestinationChannel"],
                    .application = packet["LastApplication"],
                    .application_data = packet["LastData"],
                    .start = packet["StartTime"],
                    .answer = packet["AnswerTime"],
                    .end = packet["EndTime"],
                    .duration = packet["Duration"],
                    .billed_seconds = packet["BillableSeconds"],
                    .disposition = packet["Disposition"],
                    .unique_id = packet["UniqueID"],
                    .user_field = packet["UserField"],
                    .linked_id = packet["LinkedID"],
                    .sequence = packet["Sequence"]},
                   source, received_at);
}

std::optional<QueueEvent> QueueEventOf(const ManagerPacket& packet) {
  const absl::string_view event = packet["Event"];
  if (event == "QueueCallerJoin") return source::v1::QUEUE_EVENT_ENTERED;
  if (event == "QueueCallerLeave") return source::v1::QUEUE_EVENT_GONE;
  if (event == "QueueCallerAbandon") return source::v1::QUEUE_EVENT_ABANDONED;
  if (event == "AgentConnect") return source::v1::QUEUE_EVENT_CONNECTED;
  if (event == "AgentRingNoAnswer") return source::v1::QUEUE_EVENT_NOT_TAKEN;
  if (event == "AgentComplete") {
    return absl::EqualsIgnoreCase(packet["Reason"], "transfer")
               ? source::v1::QUEUE_EVENT_TRANSFERRED
               : source::v1::QUEUE_EVENT_COMPLETED;
  }
  return std::nullopt;
}

absl::StatusOr<int32_t> Seconds(const ManagerPacket& packet, absl::string_view key) {
  const absl::string_view text = packet[key];
  int64_t seconds;
  if (text.empty()) return 0;
  if (!absl::SimpleAtoi(text, &seconds)) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, ": '", ToUtf8(text), "' is no number of seconds"));
  }
  return ToSeconds(seconds);
}

// "1741600012.123456".
absl::Time HappenedAt(const ManagerPacket& packet, absl::Time otherwise) {
  double seconds;
  if (!absl::SimpleAtod(packet["Timestamp"], &seconds) || !(seconds > 0) || seconds > 1e11) {
    return otherwise;
  }
  return absl::FromUnixMicros(static_cast<int64_t>(seconds * 1e6));
}

absl::StatusOr<SourceRecord> ParseQueueEvent(const ManagerPacket& packet, QueueEvent event,
                                             const CallSource& source, absl::Time received_at) {
  const std::string unique_id = ToUtf8(packet["Uniqueid"]);
  const std::string linked_id = ToUtf8(packet["Linkedid"]);
  const std::string agent_id = ToUtf8(packet["DestUniqueid"]);
  if (unique_id.empty() ||
      std::max({unique_id.size(), linked_id.size(), agent_id.size()}) > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("Uniqueid: it must be there, and have at most ", kMaxIdBytes, " bytes"));
  }
  const absl::Time at = HappenedAt(packet, received_at);
  const std::string record_id =
      absl::StrCat("ami/", ToUtf8(packet["Event"]), "/",
                   HashId(absl::StrCat(unique_id, "\n", packet["Queue"], "\n", packet["Interface"],
                                       "\n", absl::ToUnixMicros(at))));
  SourceRecord record = MakeSourceRecord(source, record_id, received_at);
  ToProto(at, record.mutable_occurred_at());
  source::v1::CallFact* const fact = record.mutable_call_fact();
  fact->set_system(source.system);
  fact->set_call_id(linked_id.empty() ? unique_id : linked_id);
  for (const std::string& id : {unique_id, agent_id}) {
    if (!id.empty() && id != fact->call_id()) fact->add_related_call_ids(id);
  }
  source::v1::QueueStep* const step = fact->mutable_queue_step();
  ToProto(at, step->mutable_at());
  step->set_event(event);
  step->set_queue(ToUtf8(packet["Queue"]));
  step->set_agent(ToUtf8(packet["MemberName"]));
  RAPPORT_ASSIGN_OR_RETURN(const int32_t wait, Seconds(packet, "HoldTime"));
  RAPPORT_ASSIGN_OR_RETURN(const int32_t talk, Seconds(packet, "TalkTime"));
  step->set_wait_seconds(wait);
  step->set_talk_seconds(talk);
  if (event == source::v1::QUEUE_EVENT_ENTERED) step->set_caller(ToUtf8(packet["CallerIDNum"]));
  return record;
}

}  // namespace

absl::StatusOr<std::vector<SourceRecord>> ParseManagerEvent(const ManagerPacket& packet,
                                                            const CallSource& source,
                                                            absl::Time received_at) {
  std::vector<SourceRecord> records;
  if (packet["Event"] == "Cdr") {
    RAPPORT_ASSIGN_OR_RETURN(SourceRecord record, ParseCdrEvent(packet, source, received_at));
    records.push_back(std::move(record));
  } else if (const std::optional<QueueEvent> event = QueueEventOf(packet); event.has_value()) {
    RAPPORT_ASSIGN_OR_RETURN(SourceRecord record,
                             ParseQueueEvent(packet, *event, source, received_at));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace rapport
