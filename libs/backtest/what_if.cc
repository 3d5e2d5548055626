#include "libs/backtest/what_if.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/backtest/replay.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/step_order.h"

namespace rapport::backtest {
namespace {

using touchpoint::v1::Touchpoint;

constexpr absl::Duration kDay = absl::Hours(24);

std::string DayText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

// Silence is taken away by what was missing, all else by what is missing then.
bool IsSilence(const std::string& reason) { return absl::StartsWith(reason, "no_"); }

// The past without the touchpoints behind the reason.
std::vector<Touchpoint> Without(const std::vector<Touchpoint>& past,
                                const alert::v1::Reason& reason, WhatIf* what_if) {
  const std::set<std::string> ids(reason.touchpoint_ids().begin(), reason.touchpoint_ids().end());
  std::vector<Touchpoint> changed;
  what_if->day = absl::InfinitePast();
  for (const Touchpoint& touchpoint : past) {
    if (ids.count(touchpoint.event_id()) == 0) {
      changed.push_back(touchpoint);
      continue;
    }
    ++what_if->changes;
    what_if->day = std::max(what_if->day, FromProto(touchpoint.occurred_at()));
  }
  what_if->text = absl::StrCat("without: ", reason.text());
  return changed;
}

// The past with one more of what the reason had last seen, the day before the alert.
std::vector<Touchpoint> WithOneMore(const std::vector<Touchpoint>& past,
                                    const alert::v1::Reason& reason, absl::Time raised,
                                    WhatIf* what_if) {
  std::vector<Touchpoint> changed = past;
  for (const Touchpoint& touchpoint : past) {
    if (reason.touchpoint_ids().empty() || touchpoint.event_id() != reason.touchpoint_ids(0))
      continue;
    Touchpoint more = touchpoint;
    what_if->day = raised - kDay;
    ToProto(what_if->day, more.mutable_occurred_at());
    std::string& id = *more.mutable_event_id();
    id.back() = static_cast<char>(id.back() ^ 1);
    const auto place = std::upper_bound(changed.begin(), changed.end(), more, StepBefore);
    changed.insert(place, std::move(more));
    what_if->changes = 1;
    what_if->text = absl::StrCat("with one more on ", DayText(what_if->day),
                                 " where there was: ", reason.text());
    break;
  }
  return changed;
}

}  // namespace

absl::StatusOr<std::vector<WhatIf>> WhatIfs(const History& history, const std::string& client_id,
                                            const RetentionSettings& settings) {
  std::vector<Touchpoint> past;
  RAPPORT_RETURN_IF_ERROR(
      history.Visit(client_id, [&](const Touchpoint& touchpoint) { past.push_back(touchpoint); }));
  const Replay real = ReplayTouchpoints(client_id, past, settings, history.last());
  const auto alert = std::find_if(real.steps.rbegin(), real.steps.rend(),
                                  [](const auto& step) { return step.has_raised(); });
  std::vector<WhatIf> what_ifs;
  if (alert == real.steps.rend()) return what_ifs;
  const absl::Time raised = FromProto(alert->at());
  for (const alert::v1::Reason& reason : alert->reasons()) {
    if (reason.points() <= 0) continue;
    WhatIf what_if;
    what_if.reason = reason.code();
    const std::vector<Touchpoint> changed = IsSilence(reason.code())
                                                ? WithOneMore(past, reason, raised, &what_if)
                                                : Without(past, reason, &what_if);
    if (what_if.changes == 0) continue;
    const Replay other = ReplayTouchpoints(client_id, changed, settings, raised);
    what_if.score = ExplainRetention(other.state, settings, raised).score;
    what_if.raised = other.state.alert().phase() == state::v1::ALERT_PHASE_OPEN;
    what_ifs.push_back(std::move(what_if));
  }
  std::stable_sort(what_ifs.begin(), what_ifs.end(), [](const WhatIf& a, const WhatIf& b) {
    return std::tuple(a.raised, a.changes, -absl::ToUnixSeconds(a.day)) <
           std::tuple(b.raised, b.changes, -absl::ToUnixSeconds(b.day));
  });
  return what_ifs;
}

}  // namespace rapport::backtest
