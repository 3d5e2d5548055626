#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What a projection is: pure functions over one client's state. The projector (libs/projector) runs
// them live, in a rebuild, in a backtest and in scenario tests, with the same result bit for bit.
// A projection reads no clock, file, network, random number or environment, and iterates in key
// order.

namespace rapport {

// What a fold may know besides the state and the touchpoint.
struct FoldContext {
  absl::string_view client_id;
  // Time as the log tells it: the latest ClockAdvanced before this point of the partition, or
  // absl::InfinitePast() when there was none yet. Never falls, but at a ClockCorrected.
  absl::Time now = absl::InfinitePast();
  // Since when the client's history is being told anew (the HistoryReopened's occurred_at), or
  // absl::InfinitePast() when it is not. What is folded meanwhile is not to be judged: no effects
  // and no wake, until Apply gets the HistoryClosed.
  absl::Time retelling_since = absl::InfinitePast();
  // False when the effects are known to readers already, as while a projection is rebuilt: what
  // costs much, changes no state and stands in effects alone may be left out.
  bool effects_leave = true;

  bool retelling() const { return retelling_since != absl::InfinitePast(); }
};

// What a fold hands out besides the new state. Reused from call to call.
struct FoldOutput {
  struct Row {
    std::string sort_key;  // unique within the client; sorts the client's rows
    std::string value;
  };
  // What leaves for the alerts log. The projector fills effect_id, projection and cause; the
  // projection all else.
  std::vector<alert::v1::AlertEvent> effects;
  // Rows that are appended and never changed (a timeline).
  std::vector<Row> rows;
  // In and out: when Wake is to be called next; absl::InfiniteFuture() for never. Comes in as it
  // was left. A value at or before `now` (from Wake: at or before `due`) becomes WakeAfter(now): it
  // fires at the next ClockAdvanced.
  absl::Time wake = absl::InfiniteFuture();

  void Clear() {
    effects.clear();
    rows.clear();
    wake = absl::InfiniteFuture();
  }
};

// The timer for a wake in the past: right after `now`, or at the smallest time that a protobuf
// Timestamp can hold while there is no clock yet.
inline absl::Time WakeAfter(absl::Time now) {
  constexpr int64_t kYearOneSeconds = -62135596800;
  return now == absl::InfinitePast() ? absl::FromUnixSeconds(kYearOneSeconds)
                                     : now + absl::Microseconds(1);
}

// Collects what lists read: entries (index, sort key) -> value, of one client. Made anew from each
// changed state; the projector writes the difference.
class IndexWriter {
 public:
  struct Entry {
    std::string key;
    std::string value;
    bool operator==(const Entry&) const = default;
  };

  // Starts over for another client.
  void Reset(absl::string_view client_id) {
    client_id_ = std::string(client_id);
    entries_.clear();
  }
  // Adds the client under `sort_key` (made with libs/base/bytes.h, so that no key of the list is
  // another's prefix) in the list `index`. Stored key: KeyString(index) sort_key client_id
  // Big32(size of client_id).
  void Add(absl::string_view index, absl::string_view sort_key, absl::string_view value = "") {
    Entry& entry = entries_.emplace_back();
    AppendKeyString(&entry.key, index);
    entry.key.append(sort_key.data(), sort_key.size());
    entry.key += client_id_;
    AppendBig32(&entry.key, static_cast<uint32_t>(client_id_.size()));
    entry.value.assign(value.data(), value.size());
  }
  std::vector<Entry>& entries() { return entries_; }
  const std::string& client_id() const { return client_id_; }

 private:
  std::string client_id_;
  std::vector<Entry> entries_;
};

// Apply: `touchpoint` has passed ValidateTouchpoint and is not a duplicate. Changes `state` and
// `output`. InvalidArgument or DataLoss: it cannot be folded (impossible values) and becomes a dead
// letter; the state must then be unchanged.
// Wake: the timer `output.wake` set earlier is due at `due` <= context.now.
// Index: the list entries of this state.
template <class P>
concept Projection = requires(const FoldContext& context,
                              const touchpoint::v1::Touchpoint& touchpoint,
                              const typename P::Settings& settings, typename P::State& state,
                              const typename P::State& const_state, FoldOutput& output,
                              IndexWriter& index, absl::Time due) {
  { P::kName } -> std::convertible_to<absl::string_view>;
  // Raised when the meaning of the state changes: then the projection is rebuilt beside the old.
  { P::kVersion } -> std::convertible_to<int>;
  { P::Wants(touchpoint) } -> std::same_as<bool>;
  { P::Apply(context, touchpoint, settings, state, output) } -> std::same_as<absl::Status>;
  { P::Wake(context, due, settings, state, output) } -> std::same_as<void>;
  { P::Index(const_state, settings, index) } -> std::same_as<void>;
  // Names the settings that shape the state, so that a changed setting is seen as a new version.
  { P::Fingerprint(settings) } -> std::same_as<std::string>;
};

// The optional part of a projection that judges by the clock. The clock had been ahead of the true
// time and is put back to `context.now`: what the state holds of later moments, it holds no more.
// Effects tell readers what that changes. Called for every client at a ClockCorrected;
// `output.wake` as for Apply.
template <class P>
concept RewindsClock = Projection<P> &&
    requires(const FoldContext& context, const typename P::Settings& settings,
             typename P::State& state, FoldOutput& output) {
  { P::Rewind(context, settings, state, output) } -> std::same_as<void>;
};

// The optional part of a projection whose states add up to sums over all clients. The projector
// adds the difference of what a state contributes before and after it changes, so that a late
// touchpoint, a correction, a merge or a split take back what no longer holds; while a history is
// told anew nothing is taken back before its end. Differences are taken at the latest when the
// log's clock comes to another day, so that the day on which something became known follows from
// the log alone.
// Tally: what a state contributes, into an empty list. TallyDay: the day of a moment.
// PostDifference: calls `add` with each stored sum, by its key, that is another with `after` than
// with `before`, and by how much, when that became known on `known_day`; a sum may come several
// times.
template <class P>
concept Tallies = Projection<P> &&
    requires(const typename P::Settings& settings, const typename P::State& state,
             typename P::Tallied& list, const typename P::Tallied& before,
             const typename P::Tallied& after, absl::Time at, int32_t known_day,
             absl::FunctionRef<void(absl::string_view, int64_t)> add) {
  { P::Tally(state, settings, list) } -> std::same_as<void>;
  { P::TallyDay(at, settings) } -> std::same_as<int32_t>;
  { P::PostDifference(before, after, known_day, settings, add) } -> std::same_as<void>;
  list.Clear();
};

// Of a projection that has no sums.
struct NothingTallied {};
template <class P>
struct TalliedOf {
  using Type = NothingTallied;
};
template <Tallies P>
struct TalliedOf<P> {
  using Type = typename P::Tallied;
};

// The optional part of a projection whose effects are the steps of alerts: what readers must have
// been told when the state is as it is. When another generation takes over, readers have been told
// by one of another model, version or settings; the projector tells the difference. Tell emits into
// `output.effects` the raising of the alert that is open in the state, with its severity and score
// as they were told last; nothing when none is.
template <class P>
concept TellsAlerts = Projection<P> &&
    requires(const FoldContext& context, const typename P::Settings& settings,
             const typename P::State& state, FoldOutput& output) {
  { P::Tell(context, settings, state, output) } -> std::same_as<void>;
};

// The optional part of a projection whose state does not follow from the touchpoints alone, such as
// the life of an alert. When a client's history is told anew from nothing, what is beyond the
// touchpoints is carried from `kept` over into the new `state`, to which the touchpoints are added
// next. `before` is what is forgotten; `kept` is the state whose life goes on: `before` itself,
// that from before the merge which is taken back, or null when the client goes on under another.
// Effects tell readers what that changes. At HistoryClosed the projector puts the wake back as it
// was, and calls Apply only if the state is not the one of `kept` again.
template <class P>
concept CarriesOver = Projection<P> &&
    requires(const FoldContext& context, const typename P::Settings& settings,
             const typename P::State& before, const typename P::State* kept,
             typename P::State& state, FoldOutput& output) {
  { P::CarryOver(context, settings, before, kept, state, output) } -> std::same_as<void>;
};

}  // namespace rapport
