#pragma once

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/time.h"
#include "libs/projections/projection.h"
#include "rapport/state/v1/store.pb.h"

namespace rapport::testing {

// A projection small enough to tell by heart what it must do, that uses everything a projection
// can: counts touchpoints (`records`); an order with the id "impossible" is refused; a complaint
// sends an effect; a call sets a timer an hour after it, or leaves an earlier one, whose firing
// counts in `timers` and sends an effect; each touchpoint adds a row; what the states count is
// summed; the list "busy" sorts by the count. The end of a retelling sets a timer for the next
// ClockAdvanced; `timers` is carried over, which sends an effect.
struct ToyProjection {
  static constexpr char kName[] = "toy";
  static constexpr int kVersion = 1;
  using State = state::v1::FoldCounts;
  struct Settings {
    std::string name = "default";
  };

  static bool Wants(const touchpoint::v1::Touchpoint& touchpoint) {
    return !touchpoint.client_id().empty() && !touchpoint.has_portal_used() &&
           !touchpoint.has_clients_merged() && !touchpoint.has_clients_split() &&
           !touchpoint.has_history_reopened();
  }

  static absl::Status Apply(const FoldContext& context,
                            const touchpoint::v1::Touchpoint& touchpoint, const Settings&,
                            State& state, FoldOutput& output) {
    if (touchpoint.has_order_placed() && touchpoint.order_placed().order_id() == "impossible") {
      return absl::InvalidArgumentError("order_placed.order_id: impossible");
    }
    if (touchpoint.has_history_closed()) {
      output.wake = absl::InfinitePast();
      return absl::OkStatus();
    }
    state.set_records(state.records() + 1);
    if (touchpoint.has_complaint_opened() && !context.retelling()) {
      AddEffect(context, "complaint", output);
    }
    if (touchpoint.has_call_completed() && !context.retelling()) {
      const absl::Time wake = FromProto(touchpoint.occurred_at()) + absl::Hours(1);
      if (wake < output.wake) output.wake = wake;
    }
    FoldOutput::Row& row = output.rows.emplace_back();
    AppendOrdered64(&row.sort_key, absl::ToUnixMicros(FromProto(touchpoint.occurred_at())));
    row.sort_key += touchpoint.event_id();
    row.value = absl::StrCat("kind ", touchpoint.payload_case());
    return absl::OkStatus();
  }

  static void Wake(const FoldContext& context, absl::Time, const Settings&, State& state,
                   FoldOutput& output) {
    state.set_timers(state.timers() + 1);
    AddEffect(context, "timer", output);
  }

  static void CarryOver(const FoldContext& context, const Settings&, const State& before,
                        const State* kept, State& state, FoldOutput& output) {
    if (kept != nullptr) state.set_timers(kept->timers());
    if (before.timers() != state.timers()) AddEffect(context, "carried over", output);
  }

  static void Index(const State& state, const Settings&, IndexWriter& index) {
    std::string sort_key;
    AppendBig64(&sort_key, static_cast<uint64_t>(state.records()));
    index.Add("busy", sort_key, absl::StrCat(state.records()));
  }

  // Effects that were known already.
  static inline std::atomic<int> kept_to_itself = 0;

  struct Tallied {
    int64_t records = 0;
    int64_t timers = 0;
    void Clear() { records = timers = 0; }
  };
  static void Tally(const State& state, const Settings&, Tallied& tallied) {
    tallied = {state.records(), state.timers()};
  }
  static int32_t TallyDay(absl::Time, const Settings&) { return 0; }
  static void PostDifference(const Tallied& before, const Tallied& after, int32_t, const Settings&,
                             absl::FunctionRef<void(absl::string_view key, int64_t more)> add) {
    add("records", after.records - before.records);
    add("timers", after.timers - before.timers);
  }

  static std::string Fingerprint(const Settings& settings) { return settings.name; }

 private:
  static void AddEffect(const FoldContext& context, absl::string_view rule, FoldOutput& output) {
    alert::v1::AlertEvent& effect = output.effects.emplace_back();
    effect.set_rule(std::string(rule));
    effect.set_client_id(std::string(context.client_id));
    effect.mutable_raised();
    if (context.effects_leave) return;
    effect.set_client_name("never to be seen");
    ++kept_to_itself;
  }
};

}  // namespace rapport::testing
