#include <string>

#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

// Timers are solved for, and left out where nothing can come of them. Here every client is looked
// at after every tick of the clock: the alert must be what the score says, so no moment was missed.

namespace rapport {
namespace {

using state::v1::RetentionState;

constexpr int kHistories = 30;

// What is wrong with the alert at `now`; empty when nothing is.
std::string WhatWasMissed(const RetentionState& state, const RetentionSettings& settings,
                          absl::Time now) {
  const RetentionExplanation explanation = ExplainRetention(state, settings, now);
  const int score = explanation.score;
  const int alert_score = explanation.alert_score;
  const state::v1::RetentionAlert& alert = state.alert();
  const int sooner = state.factors().key_account().flag() ? settings.key_account_points : 0;
  const int clear_points = settings.clear_points - sooner;
  const int raise_points = settings.raise_points - sooner;
  if (alert.phase() == state::v1::ALERT_PHASE_OPEN) {
    if (IsGone(state.factors())) return "open although the client is gone";
    if (alert_score < clear_points) return "open although the risk is over";
    if (alert.has_snoozed_until()) return "";
    if (explanation.notice.has_value())
      return alert.severity() == explanation.notice->severity ? "" : "not as grave as the notice";
    if (explanation.is_newcomer)
      return alert.severity() == alert::v1::SEVERITY_MEDIUM ? "" : "graver than a newcomer's";
    const int64_t lost =
        ExpectedLoss(explanation.yearly_value.value_or(Money()), score).minor_units;
    const bool critical =
        score >= settings.critical_points || lost >= 100 * settings.loss_critical_value;
    const bool high = score >= settings.high_points || lost >= 100 * settings.loss_high_value;
    if (critical && alert.severity() < alert::v1::SEVERITY_CRITICAL) return "not critical";
    if (high && alert.severity() < alert::v1::SEVERITY_HIGH) return "not high";
    const int64_t lost_at_most =
        ExpectedLoss(explanation.yearly_value.value_or(Money()), score + settings.severity_margin)
            .minor_units;
    if (score < settings.high_points - settings.severity_margin &&
        lost_at_most < 100 * settings.loss_high_value &&
        alert.severity() >= alert::v1::SEVERITY_HIGH)
      return "still high";
    if (alert.has_acknowledged_at()) return "";
    if (now >= FromProto(alert.told_at()) + settings.expires_after) return "not expired";
    const absl::Duration after =
        alert.severity() == alert::v1::SEVERITY_CRITICAL ? settings.escalate_critical_after
        : alert.severity() == alert::v1::SEVERITY_HIGH   ? settings.escalate_high_after
                                                         : settings.escalate_medium_after;
    const bool waited = now >= FromProto(alert.unattended_since()) + after;
    return waited && !alert.has_escalated_at() ? "not escalated" : "";
  }
  if (alert.phase() == state::v1::ALERT_PHASE_DISMISSED)
    return alert_score < clear_points ? "still dismissed although the risk is over" : "";
  if (alert.phase() == state::v1::ALERT_PHASE_EXPIRED)
    return alert_score < clear_points ? "still expired although the risk is over" : "";
  const bool quiet = alert.has_quiet_until() && now < FromProto(alert.quiet_until());
  if (quiet || IsGone(state.factors()) || alert_score < raise_points) return "";
  return "not raised";
}

// Lets people act on half of the alerts, as soon as they are raised.
void Act(const alert::v1::AlertEvent& alert, uint64_t number, testing::Random* random,
         testing::PlainFold<Retention>* fold) {
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.set_client_id(alert.client_id());
  touchpoint.set_event_id(testing::EventIdOf(number));
  ToProto(fold->now() + absl::Seconds(1), touchpoint.mutable_occurred_at());
  const int64_t dice = random->Below(8);
  if (dice == 0) touchpoint.mutable_alert_dismissed()->set_alert_id(alert.alert_id());
  if (dice == 1) touchpoint.mutable_alert_resolved()->set_alert_id(alert.alert_id());
  if (dice == 2) {
    touchpoint.mutable_alert_snoozed()->set_alert_id(alert.alert_id());
    ToProto(fold->now() + absl::Hours(100),
            touchpoint.mutable_alert_snoozed()->mutable_snoozed_until());
  }
  if (dice == 3) touchpoint.mutable_alert_acknowledged()->set_alert_id(alert.alert_id());
  if (dice < 4) fold->Fold(touchpoint);
}

TEST(RetentionTimers, NoMomentIsMissed) {
  const RetentionSettings settings;
  int checks = 0;
  size_t alerts = 0;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    testing::HistoryOptions options;
    options.seed = seed;
    options.client_count = 6;
    options.touchpoint_count = seed % 2 == 0 ? 150 : 500;
    options.tick = seed % 3 == 0 ? absl::Hours(61) : absl::Hours(5);
    testing::PlainFold<Retention> fold;
    testing::Random random(seed);
    uint64_t number = uint64_t{1} << 40;
    for (const touchpoint::v1::Touchpoint& touchpoint : testing::RandomHistory(options)) {
      const size_t before = fold.effects().size();
      fold.Fold(touchpoint);
      const size_t after = fold.effects().size();
      for (size_t i = before; i < after; ++i)
        if (fold.effects()[i].has_raised()) Act(fold.effects()[i], ++number, &random, &fold);
      if (!touchpoint.has_clock_advanced()) continue;
      for (const auto& [client, state] : fold.states()) {
        if (state.unsettled()) continue;
        ASSERT_EQ(WhatWasMissed(state, settings, fold.now()), "")
            << "seed " << seed << " " << client << " " << fold.now() << "\n"
            << state.DebugString();
        ++checks;
      }
    }
    alerts += fold.effects().size();
  }
  EXPECT_GT(checks, 10000);
  EXPECT_GT(alerts, 300u);
}

}  // namespace
}  // namespace rapport
