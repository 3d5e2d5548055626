#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/partition_fold.h"
#include "libs/touchpoint/identity.h"

// The part of PartitionFold that takes over from a generation of another model, version or
// settings: readers have been told by that one.

namespace rapport {
namespace {

using alert::v1::AlertEvent;
using AlertsByClient = absl::btree_map<std::string, AlertEvent>;

// What makes readers who were told `told` hold that `open` is open; nullopt when they do.
std::optional<AlertEvent> StepTo(const AlertEvent& told, const AlertEvent& open) {
  if (told.severity() == open.severity() && told.score() == open.score()) return std::nullopt;
  AlertEvent step = open;
  step.mutable_updated()->set_previous_score(told.score());
  step.mutable_updated()->set_previous_severity(told.severity());
  return step;
}

AlertEvent Cleared(const AlertEvent& told, absl::Time at) {
  AlertEvent step = told;
  ToProto(at, step.mutable_at());
  step.mutable_cleared()->set_reason(alert::v1::CLEAR_REASON_MODEL_CHANGED);
  step.clear_reasons();
  return step;
}

// What makes readers who were told `told` hold what is in `open`.
std::vector<AlertEvent> Difference(const AlertsByClient& told, const AlertsByClient& open,
                                   absl::Time at) {
  std::vector<AlertEvent> steps;
  for (const auto& [client, event] : told) {
    const auto ours = open.find(client);
    if (ours == open.end() || ours->second.alert_id() != event.alert_id()) {
      steps.push_back(Cleared(event, at));
    } else if (std::optional<AlertEvent> step = StepTo(event, ours->second)) {
      steps.push_back(*std::move(step));
    }
  }
  for (const auto& [client, event] : open) {
    const auto before = told.find(client);
    if (before == told.end() || before->second.alert_id() != event.alert_id()) {
      steps.push_back(event);
    }
  }
  return steps;
}

}  // namespace

// The alerts that were open in this generation when the last effect that is published came about:
// those of the states as they are, without what waits.
absl::StatusOr<AlertsByClient> PartitionFold::OpenAtFrontier() {
  AlertsByClient open;
  std::vector<std::string> clients;
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kState, "", "", [&](absl::string_view client, absl::string_view) {
        clients.emplace_back(client);
        return true;
      }));
  for (std::string& client : ClientsBeingRetold()) clients.push_back(std::move(client));
  FoldOutput output;
  retelling_since_ = absl::InfinitePast();
  for (const std::string& client : clients) {
    output.Clear();
    RAPPORT_RETURN_IF_ERROR(TellState(client, &output));
    for (AlertEvent& raised : output.effects) open[client] = std::move(raised);
    AccountCache();
    if (budget_->Exceeded()) DropCache();
  }
  // From the last to the first: what the first of a client's says of the time before it counts.
  for (auto waiting = outbox_.rbegin(); waiting != outbox_.rend(); ++waiting) {
    AlertEvent event;
    if (!event.ParseFromString(waiting->event)) {
      return absl::DataLossError("an effect in the outbox does not parse");
    }
    // No steps of an alert that is open.
    if (event.has_handed_over() || event.has_reminded()) continue;
    if (event.has_raised()) {
      open.erase(waiting->client_id);
      continue;
    }
    if (event.has_updated()) {
      const alert::v1::AlertUpdated updated = event.updated();
      event.set_score(updated.previous_score());
      event.set_severity(updated.previous_severity());
    }
    event.mutable_raised();
    open[waiting->client_id] = std::move(event);
  }
  return open;
}

absl::Status PartitionFold::TellDifference(const AlertsByClient& told) {
  if (!TellsAlertsOfStates()) return absl::OkStatus();
  const absl::Time at = std::max(clock_, absl::UnixEpoch());
  RAPPORT_ASSIGN_OR_RETURN(AlertsByClient open, OpenAtFrontier());
  if (Difference(told, open, at).empty()) return absl::OkStatus();

  // By another model the effects of the last record that was told of are others, and their numbers
  // mean nothing here: what they come to is part of the difference.
  std::erase_if(outbox_, [&](const OutboxEntry& entry) {
    const bool told_of = entry.place.input_offset == published_.input_offset;
    if (told_of) published_since_commit_.push_back(entry.place);
    return told_of;
  });
  RAPPORT_ASSIGN_OR_RETURN(open, OpenAtFrontier());
  EffectPlace place = published_;
  const std::string takeover = absl::StrCat(identity_.version, "/", identity_.settings_fingerprint);
  for (AlertEvent& step : Difference(told, open, at)) {
    ++place.ordinal;
    step.clear_cause();
    alert::v1::Cause& cause = *step.mutable_cause();
    cause.set_partition(options_.partition.value());
    cause.set_offset(place.input_offset.value());
    cause.set_ordinal(place.ordinal);
    cause.set_takeover(takeover);
    const EventId id = MakeEventId(absl::StrCat("rapport/effect/", identity_.name),
                                   absl::StrCat(step.client_id(), "\ntakeover ", takeover, "\n",
                                                place.input_offset.value(), "\n", place.ordinal));
    step.set_effect_id(std::string(id.view()));
    step.set_projection(identity_.name);
    new_effects_.push_back(
        {place, step.client_id(), step.SerializeAsString(), id, FromProto(step.at())});
  }
  // A bulk commit knows no order, and the places of effects that went may be those of others.
  set_bulk(false);
  uncommitted_ = true;
  std::vector<OutboxEntry> later = std::exchange(outbox_, {});
  RAPPORT_RETURN_IF_ERROR(Commit());
  outbox_.insert(outbox_.end(), std::make_move_iterator(later.begin()),
                 std::make_move_iterator(later.end()));
  return absl::OkStatus();
}

}  // namespace rapport
