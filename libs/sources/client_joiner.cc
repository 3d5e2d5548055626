#include "libs/sources/client_joiner.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/event_log/read_range.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// So that stopping takes no longer.
constexpr absl::Duration kPatience = absl::Milliseconds(200);

}  // namespace

Touchpoint MakeJoin(const ClientJoin& join, absl::Time now) {
  Touchpoint touchpoint;
  touchpoint.set_client_id(join.absorbed_client_id);
  touchpoint.set_source("identity");
  touchpoint.set_source_event_id(
      absl::StrCat("join/", join.absorbed_client_id, "/", join.survivor_client_id));
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(std::string(id.view()));
  ToProto(join.since, touchpoint.mutable_occurred_at());
  ToProto(now, touchpoint.mutable_recorded_at());
  touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  touchpoint::v1::ClientsMerged& merged = *touchpoint.mutable_clients_merged();
  merged.set_absorbed_client_id(join.absorbed_client_id);
  merged.set_survivor_client_id(join.survivor_client_id);
  merged.set_reason(absl::StrCat(IsProvisional(join.survivor_client_id)
                                     ? "linked with the same "
                                     : "registered with the same ",
                                 Describe(join.identifier)));
  merged.set_merge_id(id.ToHex());
  return touchpoint;
}

ClientJoiner::ClientJoiner(EventLog* log, LogTopics topics, IdentifierIndex* index,
                           std::function<absl::Time()> now)
    : log_(log), topics_(std::move(topics)), index_(index), now_(std::move(now)) {
  thread_ = std::thread([this] { Run(); });
}

ClientJoiner::~ClientJoiner() {
  stopping_ = true;
  thread_.join();
}

void ClientJoiner::Run() {
  while (!stopping_) {
    for (std::string& client : index_->AwaitMeetings(kPatience)) waiting_.insert(std::move(client));
    for (auto it = waiting_.begin(); it != waiting_.end() && !stopping_;) {
      const absl::Status status = JoinAll(*it);
      if (absl::IsUnavailable(status)) {
        // The log or the store is away: all of it again later.
        if (!away_) Log(LogLevel::kWarning, absl::StrCat("joining clients: ", status.message()));
        away_ = true;
        break;
      }
      away_ = false;
      if (!status.ok()) {
        Log(LogLevel::kError, absl::StrCat("joining client ", *it, ": ", status.message()));
      }
      it = waiting_.erase(it);
    }
  }
}

absl::Status ClientJoiner::JoinAll(const std::string& client_id) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<ClientJoin> joins, index_->JoinsOf(client_id));
  for (const ClientJoin& join : joins) {
    const std::pair<std::string, std::string> pair = {join.absorbed_client_id,
                                                      join.survivor_client_id};
    if (written_.count(pair) > 0) continue;
    RAPPORT_ASSIGN_OR_RETURN(const bool was_split, WasSplit(join));
    if (was_split) continue;
    const Touchpoint touchpoint = MakeJoin(join, now_());
    RAPPORT_RETURN_IF_ERROR(log_->Append(topics_.touchpoints, {MakeRecord(touchpoint)}).status());
    written_.insert(pair);
    ++joined_;
    Log(LogLevel::kInfo, absl::StrCat("client ", pair.first, " goes on as ", pair.second, ": ",
                                      touchpoint.clients_merged().reason()));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ClientJoiner::WasSplit(const ClientJoin& join) {
  RAPPORT_ASSIGN_OR_RETURN(const bool retold, index_->WasRetold(join.absorbed_client_id));
  // A split is followed by the client's history, told anew.
  if (!retold) return false;
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_->PartitionCount(topics_.touchpoints));
  RAPPORT_RETURN_IF_ERROR(ReadSplits(PartitionOf(join.absorbed_client_id, partitions)));
  return splits_.count({join.absorbed_client_id, join.survivor_client_id}) > 0;
}

absl::Status ClientJoiner::ReadSplits(Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           log_->GetWatermarks(topics_.touchpoints, partition));
  Offset& from = read_until_.try_emplace(partition, marks.begin).first->second;
  const auto take = [this](const RecordView& record) {
    if (PeekPayload(record.value) != Touchpoint::kClientsSplit) return;
    Touchpoint touchpoint;
    if (!touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
      return;
    }
    splits_.emplace(touchpoint.clients_split().separated_client_id(),
                    touchpoint.clients_split().survivor_client_id());
  };
  RAPPORT_RETURN_IF_ERROR(
      ReadRange(*log_, topics_.touchpoints, partition, from, marks.end,
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  if (stopping_) return absl::CancelledError("stopping");
                  for (const RecordView& record : records) take(record);
                  from = records.back().offset + 1;
                  return absl::OkStatus();
                }));
  from = std::max(from, marks.end);
  return absl::OkStatus();
}

}  // namespace rapport
