#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/event_log/event_log.h"
#include "libs/touchpoint/identity.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Alert events and touchpoints about them, as the retention projection and people make them.

namespace rapport::testing {

inline absl::Time Minute(int minute) {
  return absl::FromUnixSeconds(1'700'000'000) + absl::Minutes(minute);
}

// One step of the alert of `client`, whose cause stands at `offset` of partition 0.
inline alert::v1::AlertEvent MakeStep(const std::string& client, int64_t offset) {
  alert::v1::AlertEvent event;
  event.set_effect_id(std::string(MakeEventId("effect", absl::StrCat(client, offset)).view()));
  event.set_alert_id(absl::StrCat(client, "-alert"));
  event.set_projection("retention");
  event.set_client_id(client);
  event.set_owner_id("anna");
  event.set_rule("churn_risk");
  ToProto(Minute(static_cast<int>(offset)), event.mutable_at());
  event.set_severity(alert::v1::SEVERITY_HIGH);
  event.set_score(800);
  event.set_model_version("mbg-1");
  event.mutable_cause()->set_offset(offset);
  alert::v1::Reason* reason = event.add_reasons();
  reason->set_code("silent_against_own_rhythm");
  reason->set_text("no order since 2025-03-01; usually every 9 days");
  reason->set_points(400);
  reason->add_touchpoint_ids(std::string(MakeEventId("crm", "order").view()));
  return event;
}
inline alert::v1::AlertEvent MakeRaised(const std::string& client, int64_t offset) {
  alert::v1::AlertEvent event = MakeStep(client, offset);
  event.mutable_raised()->set_advice("Call before the client does.");
  return event;
}
inline alert::v1::AlertEvent MakeUpdated(const std::string& client, int64_t offset) {
  alert::v1::AlertEvent event = MakeStep(client, offset);
  event.mutable_updated()->set_previous_score(800);
  event.mutable_updated()->set_previous_severity(alert::v1::SEVERITY_HIGH);
  event.set_severity(alert::v1::SEVERITY_CRITICAL);
  event.set_score(950);
  return event;
}
inline alert::v1::AlertEvent MakeCleared(const std::string& client, int64_t offset) {
  alert::v1::AlertEvent event = MakeStep(client, offset);
  event.mutable_cleared()->set_reason(alert::v1::CLEAR_REASON_BELOW_THRESHOLD);
  event.clear_reasons();
  event.set_score(100);
  event.set_severity(alert::v1::SEVERITY_MEDIUM);
  return event;
}

// A record of the alerts log.
inline Record AlertRecord(const alert::v1::AlertEvent& event, Partition partition = Partition(0)) {
  Record record;
  record.key = event.client_id();
  record.value = event.SerializeAsString();
  record.timestamp = FromProto(event.at());
  record.partition = partition;
  return record;
}

inline touchpoint::v1::Touchpoint MakeAcknowledged(const std::string& alert_id, int minute) {
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.set_agent_id("berta");
  ToProto(Minute(minute), touchpoint.mutable_occurred_at());
  touchpoint.mutable_alert_acknowledged()->set_alert_id(alert_id);
  touchpoint.mutable_alert_acknowledged()->set_note("calling today");
  return touchpoint;
}
inline touchpoint::v1::Touchpoint MakeSnoozed(const std::string& alert_id, int minute, int until) {
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.set_agent_id("berta");
  ToProto(Minute(minute), touchpoint.mutable_occurred_at());
  touchpoint.mutable_alert_snoozed()->set_alert_id(alert_id);
  ToProto(Minute(until), touchpoint.mutable_alert_snoozed()->mutable_snoozed_until());
  return touchpoint;
}

}  // namespace rapport::testing
