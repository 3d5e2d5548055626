#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/money.h"
#include "libs/projections/projection.h"
#include "libs/projections/retention/risk.h"
#include "libs/projections/retention/settings.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/state/v1/retention.pb.h"

namespace rapport {

// Which clients are about to leave, and why. One rule, "churn_risk", with at most one open alert
// per client: raised when the score reaches the upper threshold, cleared below the lower one.
//
// The moment at which time alone will lift the score to the next threshold is solved for, and is
// the one timer of the client; so is the moment when a promise falls due, a mention fades or a
// snooze ends. The risk factors do not depend on the order of arrival; the alert is a function of
// the log as it stands:
// - A touchpoint that happened less than a day before or after `now` is judged at once, at its own
//   time or at `now` if that is later. Any other, and all before the first ClockAdvanced, wait for
//   the next ClockAdvanced and are judged at its time: an import raises what is true now.
// - Notice that the client gives is told at once whatever was decided about its alerts before, and
//   however long they are to be quiet.
// - A timer is judged at its due time, however late it fires, and so is each later moment up to
//   `now` at which something changes.
struct Retention {
  static constexpr char kName[] = "retention";
  static constexpr int kVersion = 9;
  using State = state::v1::RetentionState;
  using Settings = RetentionSettings;

  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint);
  // InvalidArgument when event_id has not 16 bytes.
  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings& settings,
                            State& state, FoldOutput& output);
  static void Wake(const FoldContext& context, absl::Time due, const Settings& settings,
                   State& state, FoldOutput& output);
  // The alert's life goes on. Actions on alerts that are told again have done their work in it.
  static void CarryOver(const FoldContext& context, const Settings& settings, const State& before,
                        const State* kept, State& state, FoldOutput& output);
  // Alerts that were raised later than the true time are taken back, those that went away by
  // themselves are open again; all is judged at the next ClockAdvanced. What people did stays.
  static void Rewind(const FoldContext& context, const Settings& settings, State& state,
                     FoldOutput& output);
  static void Tell(const FoldContext& context, const Settings& settings, const State& state,
                   FoldOutput& output);
  // The lists below: the four at_risk for a client with an open alert, the last one for all who
  // have an owner.
  static void Index(const State& state, const Settings& settings, IndexWriter& index);
  static std::string Fingerprint(const Settings& settings);
};

// Sort key: 1000 - score as AppendBig32, so that the highest score comes first. Value: AtRiskRow.
inline constexpr char kAtRiskIndex[] = "at_risk";
// The same after AppendKeyString(owner_id).
inline constexpr char kAtRiskByOwnerIndex[] = "at_risk_by_owner";
// Sort key: the expected loss by the score told last, negated, as AppendOrdered64; minor units of
// whatever currency it is.
inline constexpr char kAtRiskByLossIndex[] = "at_risk_by_loss";
// The same after AppendKeyString(owner_id).
inline constexpr char kAtRiskByOwnerAndLossIndex[] = "at_risk_by_owner_and_loss";

// Sort key: AppendKeyString(owner_id), and the ceiling of what the client brings in a year,
// negated, as AppendOrdered64; minor units of whatever currency it is, 0 when nothing is known. No
// value. More than that cannot be averted by a call (call_list.h).
inline constexpr char kByOwnerAndValueIndex[] = "by_owner_and_value";

inline constexpr char kChurnRiskRule[] = "churn_risk";

struct RetentionExplanation {
  int score = 0;  // points, 0 to 1000
  // What alerts are raised and cleared by: less than the score as long as the client is not called
  // silent (OrderRiskSettings::least_silence).
  int alert_score = 0;
  // Present when the client has given notice.
  std::optional<Notice> notice;
  bool is_newcomer = false;  // RiskCurve::is_newcomer
  // What the client brings in a year (client_value.h).
  std::optional<Money> yearly_value;
  // What has happened, the heaviest first; then what the client is like (what and how much it
  // orders); those that speak against the risk last. `points` tells by how much the score would be
  // lower without the reason.
  std::vector<alert::v1::Reason> reasons;
};

// The score at `now` and what makes it, whether or not there is an alert.
RetentionExplanation ExplainRetention(const state::v1::RetentionState& state,
                                      const RetentionSettings& settings, absl::Time now);

// What it costs if a promise of ours fails, for each that is open and not due yet at `now`, the
// earliest due first.
std::vector<query::v1::PromisePrice> PriceOfPromises(const state::v1::RetentionState& state,
                                                     const RetentionSettings& settings,
                                                     absl::Time now);

// Id of the client's alert: "retention/churn_risk/CLIENT/N", N one more than the alerts of the
// client that people have closed. It does not depend on the model, so that what people decide holds
// whatever model comes, and when it would have raised the alert.
std::string RetentionAlertId(absl::string_view client_id, const state::v1::RetentionAlert& alert);

}  // namespace rapport
