#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/projections/projection.h"

namespace rapport::testing {

// The simplest host of a projection: everything in ordered maps, one partition, nothing stored. The
// oracle against which the projector is held; so it shares no code with it.
//
// Duplicates (by client and event_id) are dropped. ClockAdvanced moves the clock and then fires the
// timers that are due, in (due, client) order, each once. A touchpoint that the projection cannot
// fold goes to `dead_letters` and changes nothing else.
template <Projection P>
class PlainFold {
 public:
  struct Row {
    std::string client_id;
    std::string sort_key;
    std::string value;
    bool operator==(const Row&) const = default;
  };
  struct DeadLetter {
    std::string client_id;
    std::string event_id;
    absl::Status status;
  };

  explicit PlainFold(typename P::Settings settings = {}) : settings_(std::move(settings)) {}

  // The next record of the partition.
  void Fold(const touchpoint::v1::Touchpoint& touchpoint) {
    if (touchpoint.has_clock_advanced()) {
      AdvanceTo(FromProto(touchpoint.clock_advanced().now()));
      return;
    }
    const std::string& client = touchpoint.client_id();
    if (!P::Wants(touchpoint) || seen_.count({client, touchpoint.event_id()}) > 0) return;
    FoldOutput output;
    output.wake = WakeOf(client);
    typename P::State state = StateOf(client);
    const absl::Status status = P::Apply({client, now_}, touchpoint, settings_, state, output);
    if (!status.ok()) {
      dead_letters_.push_back({client, touchpoint.event_id(), status});
      return;
    }
    seen_.insert({client, touchpoint.event_id()});
    states_[client] = state;
    if (output.wake <= now_) output.wake = WakeAfter(now_);
    alert::v1::Cause cause;
    cause.set_event_id(touchpoint.event_id());
    Take(client, cause, output);
  }

  // Time as an event.
  void AdvanceTo(absl::Time now) {
    if (now <= now_) return;
    now_ = now;
    while (!timers_.empty() && timers_.begin()->first <= now_) {
      const auto [at, client] = *timers_.begin();
      SetWake(client, absl::InfiniteFuture());
      FoldOutput output;
      P::Wake({client, now_}, at, settings_, states_[client], output);
      if (output.wake <= at) output.wake = WakeAfter(now_);
      alert::v1::Cause cause;
      ToProto(at, cause.mutable_timer_due_at());
      Take(client, cause, output);
    }
  }

  absl::Time now() const { return now_; }
  const std::map<std::string, typename P::State>& states() const { return states_; }
  // The default state when nothing was folded for the client.
  typename P::State StateOf(const std::string& client) const {
    const auto place = states_.find(client);
    return place == states_.end() ? typename P::State() : place->second;
  }
  absl::Time WakeOf(const std::string& client) const {
    const auto place = wakes_.find(client);
    return place == wakes_.end() ? absl::InfiniteFuture() : place->second;
  }
  // In the order in which they came about; `projection` and the cause's trigger and sequence are
  // filled, its place in the log and effect_id are not.
  const std::vector<alert::v1::AlertEvent>& effects() const { return effects_; }
  const std::vector<Row>& rows() const { return rows_; }
  // Sums by (client, key).
  const std::map<std::pair<std::string, std::string>, int64_t>& tallies() const { return tallies_; }
  const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }

  // All index entries: key and value.
  std::map<std::string, std::string> IndexEntries() const {
    std::map<std::string, std::string> all;
    IndexWriter index;
    for (const auto& [client, state] : states_) {
      index.Reset(client);
      P::Index(state, settings_, index);
      for (const auto& entry : index.entries()) all[entry.key] = entry.value;
    }
    return all;
  }

 private:
  void SetWake(const std::string& client, absl::Time wake) {
    timers_.erase({WakeOf(client), client});
    wakes_.erase(client);
    if (wake == absl::InfiniteFuture()) return;
    wakes_[client] = wake;
    timers_.insert({wake, client});
  }

  void Take(const std::string& client, alert::v1::Cause cause, FoldOutput& output) {
    SetWake(client, output.wake);
    for (size_t i = 0; i < output.effects.size(); ++i) {
      effects_.push_back(std::move(output.effects[i]));
      cause.set_sequence(static_cast<int32_t>(i));
      effects_.back().set_projection(P::kName);
      *effects_.back().mutable_cause() = cause;
    }
    for (FoldOutput::Row& row : output.rows)
      rows_.push_back({client, std::move(row.sort_key), std::move(row.value)});
    for (const FoldOutput::Tally& tally : output.tallies)
      tallies_[{client, tally.key}] += tally.delta;
  }

  const typename P::Settings settings_;
  absl::Time now_ = absl::InfinitePast();
  std::map<std::string, typename P::State> states_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::map<std::string, absl::Time> wakes_;
  std::set<std::pair<absl::Time, std::string>> timers_;
  std::vector<alert::v1::AlertEvent> effects_;
  std::vector<Row> rows_;
  std::map<std::pair<std::string, std::string>, int64_t> tallies_;
  std::vector<DeadLetter> dead_letters_;
};

}  // namespace rapport::testing
