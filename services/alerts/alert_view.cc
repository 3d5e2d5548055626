#include "services/alerts/alert_view.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "services/alerts/alert_cursor.h"

namespace rapport {
namespace {

using query::v1::AlertStep;

void AddReason(const alert::v1::Reason& reason, AlertStep* step) {
  query::v1::AlertReason* shown = step->add_reasons();
  shown->set_code(reason.code());
  shown->set_text(reason.text());
  shown->set_points(reason.points());
  if (reason.has_facts()) *shown->mutable_facts() = reason.facts();
  for (const std::string& id : reason.touchpoint_ids()) {
    shown->add_touchpoint_ids(absl::BytesToHexString(id));
  }
}

void TakeChange(const alert::v1::AlertEvent& event, AlertStep* step) {
  switch (event.change_case()) {
    case alert::v1::AlertEvent::kRaised:
      step->set_change(query::v1::ALERT_CHANGE_RAISED);
      step->set_advice(event.raised().advice());
      return;
    case alert::v1::AlertEvent::kUpdated:
      step->set_change(query::v1::ALERT_CHANGE_UPDATED);
      step->set_previous_severity(event.updated().previous_severity());
      step->set_previous_score(event.updated().previous_score());
      return;
    case alert::v1::AlertEvent::kCleared:
      step->set_change(query::v1::ALERT_CHANGE_CLEARED);
      step->set_clear_reason(event.cleared().reason());
      return;
    case alert::v1::AlertEvent::kHandedOver:
    case alert::v1::AlertEvent::CHANGE_NOT_SET:
      return;
  }
}

}  // namespace

AlertStep StepOf(const RecordPosition& position, const alert::v1::AlertEvent& event) {
  AlertStep step;
  step.set_effect_id(absl::BytesToHexString(event.effect_id()));
  step.set_position(PositionText(position));
  TakeChange(event, &step);
  step.set_alert_id(event.alert_id());
  step.set_client_id(event.client_id());
  step.set_owner_id(event.owner_id());
  step.set_projection(event.projection());
  step.set_rule(event.rule());
  *step.mutable_at() = event.at();
  step.set_severity(event.severity());
  step.set_score(event.score());
  step.set_model_version(event.model_version());
  for (const alert::v1::Reason& reason : event.reasons()) AddReason(reason, &step);
  if (event.has_cause()) {
    step.set_cause_position(
        PositionText({Partition(event.cause().partition()), Offset(event.cause().offset())}));
  }
  return step;
}

void ApplyStep(const AlertStep& step, query::v1::Alert* alert) {
  const bool cleared = step.change() == query::v1::ALERT_CHANGE_CLEARED;
  alert->set_alert_id(step.alert_id());
  alert->set_client_id(step.client_id());
  alert->set_owner_id(step.owner_id());
  alert->set_projection(step.projection());
  alert->set_rule(step.rule());
  alert->set_state(cleared ? query::v1::ALERT_STATE_CLOSED : query::v1::ALERT_STATE_OPEN);
  *alert->mutable_changed_at() = step.at();
  // Where the log no longer has the raising, the first step known is the best there is.
  if (step.change() == query::v1::ALERT_CHANGE_RAISED || !alert->has_raised_at()) {
    *alert->mutable_raised_at() = step.at();
    alert->set_advice(step.advice());
  }
  alert->set_model_version(step.model_version());
  if (cleared) {
    if (alert->severity() == alert::v1::SEVERITY_UNSPECIFIED) alert->set_severity(step.severity());
    alert->set_score(step.score());
    *alert->mutable_closed_at() = step.at();
    alert->set_clear_reason(step.clear_reason());
    alert->clear_acknowledged();
    alert->clear_snoozed();
    return;
  }
  alert->set_severity(step.severity());
  alert->set_score(step.score());
  alert->clear_closed_at();
  alert->clear_clear_reason();
  *alert->mutable_reasons() = step.reasons();
  // Whoever put it off has been reminded by this step.
  if (alert->has_snoozed() && FromProto(alert->snoozed().until()) <= FromProto(step.at())) {
    alert->clear_snoozed();
  }
}

std::string JsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  RAPPORT_CHECK(status.ok(), status.ToString());
  return json;
}

}  // namespace rapport
