#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Merges and splits as they stand in the log, written out by hand.

namespace rapport::testing {

using Touchpoints = std::vector<touchpoint::v1::Touchpoint>;

inline touchpoint::v1::Touchpoint RetellingHeader(const std::string& client, const std::string& id,
                                                  absl::string_view what, absl::Time at) {
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.set_client_id(client);
  touchpoint.set_source("test");
  touchpoint.set_source_event_id(absl::StrCat(id, "/", client, "/", what));
  touchpoint.set_event_id(std::string(MakeEventId("test", touchpoint.source_event_id()).view()));
  ToProto(at, touchpoint.mutable_occurred_at());
  ToProto(at, touchpoint.mutable_recorded_at());
  return touchpoint;
}

inline touchpoint::v1::Touchpoint Reopened(const std::string& client, const std::string& id,
                                           absl::Time at, bool forgets,
                                           const std::string& absorbed_into = "") {
  touchpoint::v1::Touchpoint touchpoint = RetellingHeader(client, id, "reopened", at);
  touchpoint.mutable_history_reopened()->set_retelling_id(id);
  touchpoint.mutable_history_reopened()->set_forgets(forgets);
  touchpoint.mutable_history_reopened()->set_absorbed_into_client_id(absorbed_into);
  return touchpoint;
}

inline touchpoint::v1::Touchpoint Closed(const std::string& client, const std::string& id,
                                         absl::Time at) {
  touchpoint::v1::Touchpoint touchpoint = RetellingHeader(client, id, "closed", at);
  touchpoint.mutable_history_closed()->set_retelling_id(id);
  return touchpoint;
}

// The history told under `client` between the two marks.
inline Touchpoints Telling(const std::string& client, const std::string& id, absl::Time at,
                           bool forgets, const Touchpoints& history) {
  Touchpoints told = {Reopened(client, id, at, forgets)};
  told.insert(told.end(), history.begin(), history.end());
  told.push_back(Closed(client, id, at));
  return told;
}

// `absorbed` goes on under `survivor`, who gets its history.
inline Touchpoints Merge(const std::string& id, const std::string& absorbed,
                         const std::string& survivor, Touchpoints history, absl::Time at) {
  touchpoint::v1::Touchpoint merged = RetellingHeader(absorbed, id, "merged", at);
  merged.mutable_clients_merged()->set_absorbed_client_id(absorbed);
  merged.mutable_clients_merged()->set_survivor_client_id(survivor);
  merged.mutable_clients_merged()->set_merge_id(id);
  for (touchpoint::v1::Touchpoint& touchpoint : history) {
    touchpoint.set_client_id(survivor);
    touchpoint.add_former_client_ids(absorbed);
  }
  Touchpoints all = {merged};
  const Touchpoints told = Telling(survivor, id, at, /*forgets=*/false, history);
  all.insert(all.end(), told.begin(), told.end());
  all.push_back(Reopened(absorbed, id, at, /*forgets=*/true, survivor));
  all.push_back(Closed(absorbed, id, at));
  return all;
}

// The merge is taken back; each gets its own history.
inline Touchpoints Split(const std::string& merge_id, const std::string& separated,
                         const std::string& survivor, const Touchpoints& separated_history,
                         const Touchpoints& survivor_history, absl::Time at) {
  const std::string id = merge_id + "/split";
  touchpoint::v1::Touchpoint split = RetellingHeader(separated, id, "split", at);
  split.mutable_clients_split()->set_survivor_client_id(survivor);
  split.mutable_clients_split()->set_separated_client_id(separated);
  split.mutable_clients_split()->set_merge_id(merge_id);
  Touchpoints all = {split};
  for (const Touchpoints& told : {Telling(survivor, id, at, true, survivor_history),
                                  Telling(separated, id, at, true, separated_history)}) {
    all.insert(all.end(), told.begin(), told.end());
  }
  return all;
}

}  // namespace rapport::testing
