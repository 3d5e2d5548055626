#include "services/retention/retention_answer.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/remedies.h"
#include "libs/projections/retention/retention.h"

namespace rapport {
namespace {

constexpr int kReasonsInList = 3;

query::v1::RetentionAlertStatus StatusOf(const state::v1::RetentionAlert& alert) {
  switch (alert.phase()) {
    case state::v1::ALERT_PHASE_OPEN:
      return query::v1::RETENTION_ALERT_STATUS_OPEN;
    case state::v1::ALERT_PHASE_DISMISSED:
      return query::v1::RETENTION_ALERT_STATUS_DISMISSED;
    case state::v1::ALERT_PHASE_EXPIRED:
      return query::v1::RETENTION_ALERT_STATUS_EXPIRED;
    default:
      return query::v1::RETENTION_ALERT_STATUS_NONE;
  }
}

query::v1::RetentionAlert ToAlert(const std::string& client_id,
                                  const state::v1::RetentionAlert& stored) {
  query::v1::RetentionAlert alert;
  alert.set_alert_id(RetentionAlertId(client_id, stored));
  alert.set_status(StatusOf(stored));
  *alert.mutable_raised_at() = stored.raised_at();
  alert.set_severity(stored.severity());
  alert.set_score(stored.score());
  if (stored.has_acknowledged_at()) *alert.mutable_acknowledged_at() = stored.acknowledged_at();
  if (stored.has_snoozed_until()) *alert.mutable_snoozed_until() = stored.snoozed_until();
  if (stored.has_escalated_at()) *alert.mutable_escalated_at() = stored.escalated_at();
  if (stored.has_quiet_until()) *alert.mutable_quiet_until() = stored.quiet_until();
  return alert;
}

// Who the client is, in an AtRiskClient or a Retention.
template <class Answer>
void NameClient(const state::v1::RiskFactors& factors, Answer* answer) {
  answer->set_client_name(factors.label().name());
  answer->set_segment(factors.label().segment());
  answer->set_key_account(factors.key_account().flag());
  if (factors.has_last_touchpoint_at()) {
    *answer->mutable_last_touchpoint_at() = factors.last_touchpoint_at();
  }
}

}  // namespace

query::v1::RetentionReason ToReason(const alert::v1::Reason& told) {
  query::v1::RetentionReason reason;
  reason.set_code(told.code());
  reason.set_text(told.text());
  reason.set_points(told.points());
  if (told.has_facts()) *reason.mutable_facts() = told.facts();
  return reason;
}

query::v1::AlertThresholds ThresholdsOf(const RetentionSettings& settings) {
  query::v1::AlertThresholds thresholds;
  thresholds.set_raised_from(settings.raise_points);
  thresholds.set_cleared_below(settings.clear_points);
  thresholds.set_high_from(settings.high_points);
  thresholds.set_critical_from(settings.critical_points);
  return thresholds;
}

query::v1::Retention ToRetention(const std::string& client_id,
                                 const state::v1::RetentionState& state,
                                 const RetentionSettings& settings, absl::Time now) {
  query::v1::Retention answer;
  answer.set_client_id(client_id);
  answer.set_owner_id(state.factors().owner().owner_id());
  *answer.mutable_thresholds() = ThresholdsOf(settings);
  NameClient(state.factors(), &answer);
  const RetentionExplanation explanation = ExplainRetention(state, settings, now);
  answer.set_score(explanation.score);
  if (now != absl::InfinitePast()) ToProto(now, answer.mutable_at());
  for (const alert::v1::Reason& told : explanation.reasons) {
    query::v1::RetentionReason& reason = *answer.add_reasons();
    reason = ToReason(told);
    for (const std::string& id : told.touchpoint_ids()) {
      reason.add_touchpoints()->set_touchpoint_id(absl::BytesToHexString(id));
    }
  }
  for (query::v1::PromisePrice& price : PriceOfPromises(state, settings, now))
    *answer.add_promises() = std::move(price);
  if (explanation.yearly_value.has_value()) {
    *answer.mutable_yearly_value() = ProtoOf(*explanation.yearly_value);
    *answer.mutable_expected_loss() =
        ProtoOf(ExpectedLoss(*explanation.yearly_value, explanation.score));
  }
  Advice advice = AdviceFor(state.factors(), settings, now);
  if (advice.would_clear) *answer.mutable_would_clear() = *std::move(advice.would_clear);
  if (advice.next_step) *answer.mutable_next_step() = *std::move(advice.next_step);
  if (state.alert().has_raised_at()) *answer.mutable_alert() = ToAlert(client_id, state.alert());
  return answer;
}

std::vector<std::string> TouchpointsBehind(const query::v1::Retention& retention) {
  std::set<std::string> ids;
  for (const query::v1::RetentionReason& reason : retention.reasons()) {
    for (const query::v1::ReasonTouchpoint& touchpoint : reason.touchpoints()) {
      ids.insert(absl::HexStringToBytes(touchpoint.touchpoint_id()));
    }
  }
  return {ids.begin(), ids.end()};
}

void FillTouchpoints(
    const google::protobuf::RepeatedPtrField<touchpoint::v1::Touchpoint>& touchpoints,
    query::v1::Retention* retention) {
  std::map<std::string, const touchpoint::v1::Touchpoint*> by_id;
  for (const touchpoint::v1::Touchpoint& touchpoint : touchpoints) {
    by_id[absl::BytesToHexString(touchpoint.event_id())] = &touchpoint;
  }
  for (query::v1::RetentionReason& reason : *retention->mutable_reasons()) {
    for (query::v1::ReasonTouchpoint& behind : *reason.mutable_touchpoints()) {
      const auto it = by_id.find(behind.touchpoint_id());
      if (it == by_id.end()) continue;
      const query::v1::TimelineEntry entry = TimelineEntryOf(*it->second);
      *behind.mutable_occurred_at() = entry.occurred_at();
      behind.set_kind(entry.kind());
      behind.set_summary(entry.summary());
    }
  }
}

query::v1::AtRiskClient ToAtRisk(const std::string& client_id, const state::v1::AtRiskRow& row,
                                 const state::v1::RetentionState* state,
                                 const RetentionSettings& settings, absl::Time now) {
  query::v1::AtRiskClient client;
  client.set_client_id(client_id);
  client.set_owner_id(row.owner_id());
  client.set_score(row.score());
  client.set_severity(row.severity());
  *client.mutable_raised_at() = row.raised_at();
  if (state == nullptr) return client;
  NameClient(state->factors(), &client);
  client.set_alert_id(RetentionAlertId(client_id, state->alert()));
  client.set_acknowledged(state->alert().has_acknowledged_at());
  if (state->alert().has_snoozed_until()) {
    *client.mutable_snoozed_until() = state->alert().snoozed_until();
  }
  const RetentionExplanation explanation = ExplainRetention(*state, settings, now);
  client.set_present_score(explanation.score);
  if (explanation.yearly_value.has_value()) {
    *client.mutable_yearly_value() = ProtoOf(*explanation.yearly_value);
    *client.mutable_expected_loss() =
        ProtoOf(ExpectedLoss(*explanation.yearly_value, explanation.score));
  }
  for (const alert::v1::Reason& told : explanation.reasons) {
    if (told.points() <= 0 || client.reasons_size() == kReasonsInList) break;
    *client.add_reasons() = ToReason(told);
  }
  return client;
}

}  // namespace rapport
