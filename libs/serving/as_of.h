#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/projections/projection.h"
#include "libs/projections/step_order.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// The state of one client as of `as_of`: its touchpoints that had happened by then, as known now,
// folded in the order in which they happened (step_order.h) with the clock at each of them, timers
// fired when they were due. So it is what a live fold would have had, had every touchpoint come at
// once. Touchpoints that the projection cannot fold are left out.
template <Projection P>
class AsOfFold {
 public:
  AsOfFold(std::string client_id, typename P::Settings settings)
      : client_id_(std::move(client_id)), settings_(std::move(settings)) {}

  typename P::State Run(std::vector<touchpoint::v1::Touchpoint> touchpoints, absl::Time as_of) {
    std::stable_sort(touchpoints.begin(), touchpoints.end(), StepBefore);
    for (const touchpoint::v1::Touchpoint& touchpoint : touchpoints) {
      const absl::Time at = FromProto(touchpoint.occurred_at());
      if (at > as_of) break;
      if (!P::Wants(touchpoint)) continue;
      AdvanceTo(at);
      output_.Clear();
      output_.wake = wake_;
      if (!P::Apply(context(), touchpoint, settings_, state_, output_).ok()) continue;
      wake_ = output_.wake <= now_ ? WakeAfter(now_) : output_.wake;
    }
    AdvanceTo(as_of);
    return std::move(state_);
  }

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
    }
  }

  const std::string client_id_;
  const typename P::Settings settings_;
  typename P::State state_;
  absl::Time now_ = absl::InfinitePast();
  absl::Time wake_ = absl::InfiniteFuture();
  FoldOutput output_;
};

}  // namespace rapport
