#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/projections/projection.h"
#include "libs/projections/step_order.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// The state of one client as of `as_of`: its touchpoints that had happened by then, as known now,
// folded in the order in which they happened (step_order.h) with the clock at each of them, timers
// fired when they were due. So it is what a live fold would have had, had every touchpoint come at
// once. Touchpoints that the projection cannot fold are left out. One fold tells several moments,
// one after another.
template <Projection P>
class AsOfFold {
 public:
  AsOfFold(std::string client_id, typename P::Settings settings,
           std::vector<touchpoint::v1::Touchpoint> touchpoints)
      : client_id_(std::move(client_id)),
        settings_(std::move(settings)),
        touchpoints_(std::move(touchpoints)) {
    std::stable_sort(touchpoints_.begin(), touchpoints_.end(), StepBefore);
  }

  // The state as of `as_of`, which is not before the moment of the call before.
  const typename P::State& At(absl::Time as_of) {
    for (; next_ < touchpoints_.size(); ++next_) {
      const touchpoint::v1::Touchpoint& touchpoint = touchpoints_[next_];
      const absl::Time at = FromProto(touchpoint.occurred_at());
      if (at > as_of) break;
      if (!P::Wants(touchpoint)) continue;
      AdvanceTo(at);
      output_.Clear();
      output_.wake = wake_;
      if (!P::Apply(context(), touchpoint, settings_, state_, output_).ok()) continue;
      wake_ = output_.wake <= now_ ? WakeAfter(now_) : output_.wake;
      KeepEffects();
    }
    AdvanceTo(as_of);
    return state_;
  }

  // What the fold has told so far, in its order.
  const std::vector<alert::v1::AlertEvent>& effects() const { return effects_; }

 private:
  FoldContext context() const { return {client_id_, now_}; }

  void AdvanceTo(absl::Time now) {
    if (now <= now_) return;
    now_ = now;
    while (wake_ <= now_) {
      const absl::Time due = wake_;
      output_.Clear();
      P::Wake(context(), due, settings_, state_, output_);
      wake_ = output_.wake <= due ? WakeAfter(now_) : output_.wake;
      KeepEffects();
    }
  }

  void KeepEffects() {
    for (alert::v1::AlertEvent& effect : output_.effects) effects_.push_back(std::move(effect));
  }

  const std::string client_id_;
  const typename P::Settings settings_;
  std::vector<touchpoint::v1::Touchpoint> touchpoints_;
  size_t next_ = 0;
  typename P::State state_;
  absl::Time now_ = absl::InfinitePast();
  absl::Time wake_ = absl::InfiniteFuture();
  FoldOutput output_;
  std::vector<alert::v1::AlertEvent> effects_;
};

}  // namespace rapport
