#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/event_log.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "nlohmann/json.hpp"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Twelve clients of anna and ben in May 2026, with a January and an April before it, and figures
// that a handbook of the trade tells of them.

namespace rapport {

inline absl::Time At(const std::string& text) {
  absl::Time at;
  std::string error;
  RAPPORT_CHECK(absl::ParseTime(absl::RFC3339_full, text, &at, &error), error);
  return at;
}

// `data`: the touchpoint's other fields in JSON.
inline touchpoint::v1::Touchpoint TouchpointOf(const std::string& client, const std::string& id,
                                               absl::Time at, const std::string& data) {
  touchpoint::v1::Touchpoint touchpoint;
  const auto parsed = google::protobuf::util::JsonStringToMessage(data, &touchpoint);
  RAPPORT_CHECK(parsed.ok(), parsed.ToString());
  touchpoint.set_source("kpi-world");
  touchpoint.set_source_event_id(id);
  touchpoint.set_event_id(std::string(MakeEventId("kpi-world", id).view()));
  touchpoint.set_client_id(client);
  ToProto(at, touchpoint.mutable_occurred_at());
  ToProto(at, touchpoint.mutable_recorded_at());
  return touchpoint;
}

// In the order of time.
inline std::vector<touchpoint::v1::Touchpoint> World() {
  std::ifstream file(RAPPORT_KPI_WORLD);
  std::vector<touchpoint::v1::Touchpoint> world;
  for (std::string line; std::getline(file, line);) {
    const auto event = nlohmann::json::parse(line);
    world.push_back(TouchpointOf(event.value("subject", ""), event["id"], At(event["time"]),
                                 event["data"].dump()));
  }
  std::stable_sort(world.begin(), world.end(), [](const auto& a, const auto& b) {
    return FromProto(a.occurred_at()) < FromProto(b.occurred_at());
  });
  return world;
}

// As it happened: a day's touchpoints, and then its end, in every partition; up to 2 June, noon.
inline std::vector<Record> WorldAsItHappened(int partitions) {
  std::vector<Record> records;
  const auto tick = [&](absl::Time now) {
    for (int i = 0; i < partitions; ++i) records.push_back(MakeClockRecord(now, Partition(i)));
  };
  absl::CivilDay day(2026, 1, 1);
  const auto end_days_before = [&](absl::CivilDay next) {
    for (; day < next; ++day) tick(absl::FromCivil(day + 1, absl::UTCTimeZone()));
  };
  for (const touchpoint::v1::Touchpoint& touchpoint : World()) {
    end_days_before(absl::ToCivilDay(FromProto(touchpoint.occurred_at()), absl::UTCTimeZone()));
    records.push_back(MakeRecord(touchpoint));
  }
  end_days_before(absl::CivilDay(2026, 6, 1));
  tick(At("2026-06-02T12:00:00Z"));
  return records;
}

}  // namespace rapport
