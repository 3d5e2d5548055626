#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/util/message_differencer.h"
#include "libs/base/time.h"
#include "libs/projections/projection.h"

namespace rapport::testing {

// The simplest host of a projection: everything in ordered maps, one partition, nothing stored. The
// oracle against which the projector is held; so it shares no code with it.
//
// Duplicates (by client and event_id) are dropped. ClockAdvanced moves the clock and then fires the
// timers that are due, in (due, client) order, each once. A touchpoint that the projection cannot
// fold goes to `dead_letters` and changes nothing else. Between HistoryReopened and HistoryClosed a
// client's history is told anew, and readers are served what stood before.
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
    if (touchpoint.has_clock_corrected()) return Correct(touchpoint);
    const std::string& client = touchpoint.client_id();
    if (touchpoint.has_history_reopened() || touchpoint.has_history_closed()) {
      if (!retellings_seen_.insert({client, touchpoint.event_id()}).second) return;
      return touchpoint.has_history_reopened() ? Reopen(touchpoint) : Close(touchpoint);
    }
    if (!P::Wants(touchpoint) || retold_[client].absorbed) return;
    if (seen_[client].count(touchpoint.event_id()) > 0) return;
    if (Apply(touchpoint)) seen_[client].insert(touchpoint.event_id());
  }

  // Time as an event.
  void AdvanceTo(absl::Time now) {
    if (now <= now_) return;
    SetNow(now);
    while (!timers_.empty() && timers_.begin()->first <= now_) {
      const auto [at, client] = *timers_.begin();
      if (!retold_[client].id.empty()) {
        SetWake(client, WakeAfter(now_));
        continue;
      }
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
  // Of a projection that has them, all sums by key; of a client whose history is being told anew
  // they stay as they were.
  std::map<std::string, int64_t> Sums() const {
    PlainFold summed = *this;
    summed.SumUp();
    std::map<std::string, int64_t> sums = std::move(summed.sums_);
    std::erase_if(sums, [](const auto& sum) { return sum.second == 0; });
    return sums;
  }
  const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }

  // What readers see: the above, but of clients whose history is being told anew what they had when
  // it was reopened.
  std::map<std::string, typename P::State> ServedStates() const {
    std::map<std::string, typename P::State> served = states_;
    for (const auto& [client, retold] : retold_) {
      if (!retold.served) continue;
      served.erase(client);
      if (retold.served->state) served[client] = *retold.served->state;
    }
    return served;
  }
  absl::Time ServedWakeOf(const std::string& client) const {
    const auto retold = retold_.find(client);
    const bool aside = retold != retold_.end() && retold->second.served;
    return aside ? retold->second.served->wake : WakeOf(client);
  }
  std::vector<Row> ServedRows() const {
    std::vector<Row> served = rows_;
    for (const auto& [client, retold] : retold_) {
      if (!retold.served) continue;
      std::erase_if(served, [&id = client](const Row& row) { return row.client_id == id; });
      served.insert(served.end(), retold.served->rows.begin(), retold.served->rows.end());
    }
    return served;
  }

  // All index entries that readers see: key and value.
  std::map<std::string, std::string> IndexEntries() const {
    std::map<std::string, std::string> all;
    IndexWriter index;
    for (const auto& [client, state] : ServedStates()) {
      index.Reset(client);
      P::Index(state, settings_, index);
      for (const auto& entry : index.entries()) all[entry.key] = entry.value;
    }
    return all;
  }

 private:
  void Correct(const touchpoint::v1::Touchpoint& touchpoint) {
    if (!seen_[""].insert(touchpoint.event_id()).second) return;
    const absl::Time now = FromProto(touchpoint.clock_corrected().now());
    if (now > now_) return AdvanceTo(now);
    SetNow(now);
    if constexpr (RewindsClock<P>) {
      for (auto& [client, state] : states_) {
        FoldOutput output;
        output.wake = WakeOf(client);
        P::Rewind({client, now_}, settings_, state, output);
        if (output.wake <= now_) output.wake = WakeAfter(now_);
        alert::v1::Cause cause;
        cause.set_event_id(touchpoint.event_id());
        Take(client, cause, output);
      }
    }
  }

  // What has been told anew of a client.
  struct Retold {
    std::string id;  // of what is under way
    absl::Time since = absl::InfinitePast();
    bool absorbed = false;
    bool passing = false;
    // What it was when that retelling began.
    struct Kept {
      std::optional<typename P::State> state;
      absl::Time wake;
    };
    std::map<std::string, Kept> kept;
    // While it is under way.
    struct Served {
      std::optional<typename P::State> state;
      absl::Time wake;
      std::vector<Row> rows;
    };
    std::optional<Served> served;
  };

  typename Retold::Served ServedOf(const std::string& client) const {
    typename Retold::Served served;
    if (states_.count(client) > 0) served.state = StateOf(client);
    served.wake = WakeOf(client);
    std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(served.rows),
                 [&](const Row& row) { return row.client_id == client; });
    return served;
  }

  // That of a split is named after the merge, at which it was kept.
  static std::string KeptBy(const std::string& id) {
    const size_t slash = id.rfind("/split");
    return slash != std::string::npos && slash + 6 == id.size() ? id.substr(0, slash) : id;
  }

  bool Apply(const touchpoint::v1::Touchpoint& touchpoint) {
    const std::string& client = touchpoint.client_id();
    FoldOutput output;
    output.wake = WakeOf(client);
    typename P::State state = StateOf(client);
    const FoldContext context{client, now_, retold_[client].since};
    const absl::Status status = P::Apply(context, touchpoint, settings_, state, output);
    if (!status.ok()) {
      dead_letters_.push_back({client, touchpoint.event_id(), status});
      return false;
    }
    states_[client] = state;
    if (output.wake <= now_) output.wake = WakeAfter(now_);
    alert::v1::Cause cause;
    cause.set_event_id(touchpoint.event_id());
    Take(client, cause, output);
    return true;
  }

  void Reopen(const touchpoint::v1::Touchpoint& touchpoint) {
    const auto& reopened = touchpoint.history_reopened();
    const std::string& client = touchpoint.client_id();
    Resum(client);
    Retold& retold = retold_[client];
    if (!retold.served) retold.served = ServedOf(client);
    retold.id = reopened.retelling_id();
    retold.since = FromProto(touchpoint.occurred_at());
    retold.absorbed = !reopened.absorbed_into_client_id().empty();
    retold.passing = reopened.forgets() && !retold.absorbed;
    const typename P::State before = StateOf(client);
    [[maybe_unused]] typename P::State goes_on = before;
    if (const auto kept = retold.kept.find(KeptBy(retold.id)); kept != retold.kept.end()) {
      goes_on = kept->second.state.value_or(typename P::State());
    } else {
      retold.kept[retold.id].wake = WakeOf(client);
      if (states_.count(client) > 0) retold.kept[retold.id].state = before;
    }
    if (!reopened.forgets()) return;
    seen_.erase(client);
    states_.erase(client);
    std::erase_if(rows_, [&](const Row& row) { return row.client_id == client; });
    SetWake(client, absl::InfiniteFuture());
    if constexpr (CarriesOver<P>) {
      typename P::State state;
      FoldOutput output;
      P::CarryOver({client, now_, retold.since}, settings_, before,
                   retold.absorbed ? nullptr : &goes_on, state, output);
      if (state.ByteSizeLong() > 0) states_[client] = state;
      alert::v1::Cause cause;
      cause.set_event_id(touchpoint.event_id());
      output.wake = absl::InfiniteFuture();
      Take(client, cause, output);
    }
  }

  void Close(const touchpoint::v1::Touchpoint& touchpoint) {
    const std::string& client = touchpoint.client_id();
    Retold& retold = retold_[client];
    if (retold.id.empty() || retold.id != touchpoint.history_closed().retelling_id()) return;
    const std::string kept_by = KeptBy(retold.id);
    retold.id.clear();
    retold.served.reset();
    retold.since = absl::InfinitePast();
    if (!retold.absorbed && states_.count(client) > 0) CloseState(touchpoint, kept_by);
    if (retold.passing) retold.kept.erase(kept_by);
    changed_.insert(client);
  }

  void CloseState(const touchpoint::v1::Touchpoint& touchpoint, const std::string& kept_by) {
    const std::string& client = touchpoint.client_id();
    if constexpr (CarriesOver<P>) {
      const auto kept = retold_[client].kept.find(kept_by);
      if (kept != retold_[client].kept.end() && kept->second.state &&
          google::protobuf::util::MessageDifferencer::Equals(*kept->second.state,
                                                             states_[client])) {
        const absl::Time wake = kept->second.wake;
        return SetWake(client, wake <= now_ ? WakeAfter(now_) : wake);
      }
    }
    if (P::Wants(touchpoint)) Apply(touchpoint);
  }

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
    changed_.insert(client);
  }

  // What changed until now is known on the day that the clock leaves.
  void SetNow(absl::Time now) {
    if constexpr (Tallies<P>) {
      if (P::TallyDay(now, settings_) != P::TallyDay(now_, settings_)) SumUp();
    }
    now_ = now;
  }
  void SumUp() {
    for (const std::string& client : std::exchange(changed_, {})) Resum(client);
  }

  void Resum(const std::string& client) {
    if constexpr (Tallies<P>) {
      if (!retold_[client].id.empty()) return;
      // All of the old is taken out, and all of the new put in: no difference is made here.
      typename P::Tallied now;
      if (states_.count(client) > 0) P::Tally(states_[client], settings_, now);
      std::unordered_map<std::string, uint64_t> changes;
      const auto post = [&](const typename P::Tallied& before, const typename P::Tallied& after) {
        P::PostDifference(before, after, P::TallyDay(now_, settings_), settings_,
                          [&](absl::string_view key, int64_t more) {
                            changes[std::string(key)] += static_cast<uint64_t>(more);
                          });
      };
      post(contributed_[client], {});
      post({}, now);
      for (const auto& [key, more] : changes) {
        if (more == 0) continue;
        int64_t& sum = sums_[key];
        sum = static_cast<int64_t>(static_cast<uint64_t>(sum) + more);
      }
      contributed_[client] = std::move(now);
    }
  }

  const typename P::Settings settings_;
  absl::Time now_ = absl::InfinitePast();
  std::map<std::string, typename P::State> states_;
  std::map<std::string, std::set<std::string>> seen_;
  std::set<std::pair<std::string, std::string>> retellings_seen_;
  std::map<std::string, Retold> retold_;
  std::map<std::string, absl::Time> wakes_;
  std::set<std::pair<absl::Time, std::string>> timers_;
  std::vector<alert::v1::AlertEvent> effects_;
  std::vector<Row> rows_;
  std::set<std::string> changed_;  // since they were summed up
  std::map<std::string, typename TalliedOf<P>::Type> contributed_;
  std::map<std::string, int64_t> sums_;
  std::vector<DeadLetter> dead_letters_;
};

}  // namespace rapport::testing
