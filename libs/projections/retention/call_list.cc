#include "libs/projections/retention/call_list.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "libs/base/bytes.h"
#include "libs/base/time.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/remedies.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using state::v1::RetentionState;
using state::v1::RiskFactors;

constexpr int kReasonsInRow = 3;
constexpr int kStepBits = 3;

// The least number with no more than four significant bits that is not below `value`.
int64_t CeilingOf(int64_t value) {
  if (value <= 0) return 0;
  const int bits = std::bit_width(static_cast<uint64_t>(value));
  if (bits <= kStepBits + 1) return value;
  const int shift = bits - kStepBits - 1;
  if (bits == 63) return std::numeric_limits<int64_t>::max();
  return ((value - 1) >> shift << shift) + (int64_t{1} << shift);
}

bool IsOn(absl::Time at, int32_t day) {
  return at != absl::InfinitePast() && DayOf(absl::ToUnixSeconds(at)) == day;
}

struct LastContact {
  absl::Time at = absl::InfinitePast();
  touchpoint::v1::Channel channel = touchpoint::v1::CHANNEL_UNSPECIFIED;
};

LastContact LastContactOf(const RiskFactors& factors) {
  LastContact last;
  const auto look = [&](const state::v1::Rhythm& rhythm, touchpoint::v1::Channel channel) {
    if (LastOf(rhythm) > last.at) last = {LastOf(rhythm), channel};
  };
  look(factors.phone(), touchpoint::v1::CHANNEL_PHONE);
  look(factors.meetings(), touchpoint::v1::CHANNEL_MEETING);
  look(factors.e_mail(), touchpoint::v1::CHANNEL_E_MAIL);
  look(factors.chat(), touchpoint::v1::CHANNEL_CHAT);
  look(factors.letters(), touchpoint::v1::CHANNEL_LETTER);
  return last;
}

// The fewer, the more the person weighs.
int PlaceOf(touchpoint::v1::Influence influence) {
  switch (influence) {
    case touchpoint::v1::INFLUENCE_DECISION_MAKER:
      return 0;
    case touchpoint::v1::INFLUENCE_INFLUENCER:
      return 1;
    case touchpoint::v1::INFLUENCE_USER:
      return 2;
    case touchpoint::v1::INFLUENCE_GATEKEEPER:
      return 3;
    default:
      return 4;
  }
}

const state::v1::StakeholderFactor* WhomToCall(const RiskFactors& factors) {
  const state::v1::StakeholderFactor* best = nullptr;
  for (const auto& stakeholder : factors.stakeholders()) {
    const bool gone = stakeholder.has_left() && !Earlier(stakeholder.left(), stakeholder.added());
    if (gone || stakeholder.phone().empty()) continue;
    if (best == nullptr || PlaceOf(stakeholder.influence()) < PlaceOf(best->influence())) {
      best = &stakeholder;
    }
  }
  return best;
}

}  // namespace

void IndexCallList(const RetentionState& state, IndexWriter& index) {
  const RiskFactors& factors = state.factors();
  if (factors.owner().owner_id().empty()) return;
  const std::optional<Money> yearly = YearlyValueOf(factors);
  std::string key;
  AppendKeyString(&key, factors.owner().owner_id());
  AppendOrdered64(&key, -CeilingOf(yearly.has_value() ? yearly->minor_units : 0));
  index.Add(kByOwnerAndValueIndex, key);
}

int64_t ValueCeiling(absl::string_view sort_key) {
  return -ReadOrdered64(sort_key.data() + (sort_key.size() - sizeof(int64_t)));
}

bool IsToBeCalled(const RetentionState& state, absl::Time now) {
  const RiskFactors& factors = state.factors();
  const state::v1::RetentionAlert& alert = state.alert();
  if (IsGone(factors)) return false;
  const bool snoozed = alert.phase() == state::v1::ALERT_PHASE_OPEN && alert.has_snoozed_until() &&
                       now < FromProto(alert.snoozed_until());
  if (snoozed) return false;
  const int32_t today = DayOf(absl::ToUnixSeconds(now));
  if (IsOn(LastOf(factors.phone()), today) || IsOn(LastOf(factors.meetings()), today)) return false;
  // One that began this morning and of which nobody has told yet counts, too.
  const absl::Time midnight = absl::FromUnixSeconds(today * kSecondsPerDay);
  const auto meeting = NextPlannedMeeting(factors, midnight - absl::Seconds(1));
  return !meeting.has_value() || !IsOn(*meeting, today);
}

int64_t AvertableLoss(const RetentionState& state, const RetentionSettings& settings,
                      absl::Time now) {
  const std::optional<Money> yearly = YearlyValueOf(state.factors());
  if (!yearly.has_value()) return 0;
  const CallEffect call = EffectOfCall(state.factors(), settings, now);
  return ExpectedLoss(*yearly, std::max(0, call.score - call.score_after)).minor_units;
}

query::v1::CallListRow CallListRowOf(absl::string_view client_id, const RetentionState& state,
                                     const RetentionSettings& settings, absl::Time now) {
  const RiskFactors& factors = state.factors();
  query::v1::CallListRow row;
  row.set_client_id(client_id.data(), client_id.size());
  row.set_client_name(factors.label().name());
  row.set_owner_id(factors.owner().owner_id());
  row.set_segment(factors.label().segment());
  row.set_key_account(factors.key_account().flag());
  const CallEffect call = EffectOfCall(factors, settings, now);
  row.set_score(call.score);
  row.set_score_after_call(call.score_after);
  const RetentionExplanation explanation = ExplainRetention(state, settings, now);
  if (explanation.yearly_value.has_value()) {
    const Money& yearly = *explanation.yearly_value;
    *row.mutable_yearly_value() = ProtoOf(yearly);
    *row.mutable_expected_loss() = ProtoOf(ExpectedLoss(yearly, call.score));
    *row.mutable_avertable_loss() =
        ProtoOf(ExpectedLoss(yearly, std::max(0, call.score - call.score_after)));
  }
  for (const alert::v1::Reason& told : explanation.reasons) {
    if (told.points() <= 0 || row.reasons_size() == kReasonsInRow) break;
    query::v1::RetentionReason& reason = *row.add_reasons();
    reason.set_code(told.code());
    reason.set_text(told.text());
    reason.set_points(told.points());
    if (told.has_facts()) *reason.mutable_facts() = told.facts();
  }
  *row.mutable_next_step() = NextStepFor(factors, settings, now);
  if (const auto* person = WhomToCall(factors)) {
    row.set_stakeholder_id(person->stakeholder_id());
    row.set_stakeholder_name(person->name());
    row.set_phone(person->phone());
  }
  const LastContact last = LastContactOf(factors);
  if (last.at != absl::InfinitePast()) {
    ToProto(last.at, row.mutable_last_contact_at());
    row.set_last_contact_channel(last.channel);
  }
  if (state.alert().phase() == state::v1::ALERT_PHASE_OPEN) {
    row.set_alert_id(RetentionAlertId(client_id, state.alert()));
    row.set_severity(state.alert().severity());
    row.set_acknowledged(state.alert().has_acknowledged_at());
  }
  return row;
}

}  // namespace rapport
