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
      step->set_outcome(event.cleared().outcome());
      step->set_dismissal_reason(event.cleared().dismissal_reason());
      step->set_agent_id(event.cleared().agent_id());
      step->set_note(event.cleared().note());
      return;
    case alert::v1::AlertEvent::kEscalated:
      step->set_change(query::v1::ALERT_CHANGE_ESCALATED);
      return;
    case alert::v1::AlertEvent::kReminded:
      step->set_change(query::v1::ALERT_CHANGE_REMINDED);
      *step->mutable_reminder() = event.reminded();
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
  step.set_client_name(event.client_name());
  step.set_key_account(event.key_account());
  if (event.has_yearly_value()) *step.mutable_yearly_value() = event.yearly_value();
  if (event.has_expected_loss()) *step.mutable_expected_loss() = event.expected_loss();
  if (event.has_would_clear()) *step.mutable_would_clear() = event.would_clear();
  if (event.has_next_step()) *step.mutable_next_step() = event.next_step();
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
    alert->clear_escalated_at();
  }
  alert->set_model_version(step.model_version());
  alert->set_client_name(step.client_name());
  alert->set_key_account(step.key_account());
  alert->clear_yearly_value();
  alert->clear_expected_loss();
  if (step.has_yearly_value()) *alert->mutable_yearly_value() = step.yearly_value();
  if (step.has_expected_loss()) *alert->mutable_expected_loss() = step.expected_loss();
  if (cleared) {
    if (alert->severity() == alert::v1::SEVERITY_UNSPECIFIED) alert->set_severity(step.severity());
    alert->set_score(step.score());
    *alert->mutable_closed_at() = step.at();
    alert->set_clear_reason(step.clear_reason());
    alert->set_outcome(step.outcome());
    alert->set_dismissal_reason(step.dismissal_reason());
    if (!step.agent_id().empty()) {
      *alert->mutable_closed_by()->mutable_at() = step.at();
      alert->mutable_closed_by()->set_agent_id(step.agent_id());
      alert->mutable_closed_by()->set_note(step.note());
    }
    alert->clear_acknowledged();
    alert->clear_snoozed();
    alert->clear_would_clear();
    alert->clear_next_step();
    return;
  }
  alert->set_severity(step.severity());
  alert->set_score(step.score());
  alert->clear_closed_at();
  alert->clear_clear_reason();
  alert->clear_outcome();
  alert->clear_dismissal_reason();
  alert->clear_closed_by();
  *alert->mutable_reasons() = step.reasons();
  if (step.has_would_clear()) *alert->mutable_would_clear() = step.would_clear();
  if (step.has_next_step()) *alert->mutable_next_step() = step.next_step();
  if (step.change() == query::v1::ALERT_CHANGE_ESCALATED) {
    *alert->mutable_escalated_at() = step.at();
  }
  // Whoever put it off has been reminded by this step.
  if (alert->has_snoozed() && FromProto(alert->snoozed().until()) <= FromProto(step.at())) {
    alert->clear_snoozed();
  }
}

query::v1::AlertStatus StatusOf(const query::v1::Alert& alert) {
  if (alert.state() == query::v1::ALERT_STATE_OPEN) {
    if (alert.has_snoozed()) return query::v1::ALERT_STATUS_SNOOZED;
    return alert.has_acknowledged() ? query::v1::ALERT_STATUS_ACKNOWLEDGED
                                    : query::v1::ALERT_STATUS_OPEN;
  }
  switch (alert.clear_reason()) {
    case alert::v1::CLEAR_REASON_RESOLVED:
      return query::v1::ALERT_STATUS_RESOLVED;
    case alert::v1::CLEAR_REASON_DISMISSED:
      return query::v1::ALERT_STATUS_DISMISSED;
    case alert::v1::CLEAR_REASON_EXPIRED:
      return query::v1::ALERT_STATUS_EXPIRED;
    default:
      return query::v1::ALERT_STATUS_CLEARED;
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
