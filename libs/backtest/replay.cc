#include "libs/backtest/replay.h"

#include <iterator>
#include <utility>

#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"

namespace rapport::backtest {
namespace {

using touchpoint::v1::Touchpoint;

class Player {
 public:
  Player(const std::string& client_id, const RetentionSettings& settings)
      : settings_(settings), context_{client_id} {}

  void Fold(const Touchpoint& touchpoint) {
    AdvanceTo(FromProto(touchpoint.occurred_at()));
    if (!Retention::Wants(touchpoint)) return;
    output_.Clear();
    output_.wake = wake_;
    // What cannot be folded changes nothing, and waits as a dead letter in the log's own
    // projection.
    if (!Retention::Apply(context_, touchpoint, settings_, replay_.state, output_).ok()) return;
    Take();
  }

  // One coarse step does what many fine ones do: each timer is judged at its due time.
  void AdvanceTo(absl::Time now) {
    if (now <= context_.now) return;
    context_.now = now;
    while (wake_ <= now) {
      const absl::Time due = std::exchange(wake_, absl::InfiniteFuture());
      output_.Clear();
      Retention::Wake(context_, due, settings_, replay_.state, output_);
      Take();
    }
  }

  Replay Finish() { return std::move(replay_); }

 private:
  void Take() {
    wake_ = output_.wake <= context_.now ? WakeAfter(context_.now) : output_.wake;
    replay_.steps.insert(replay_.steps.end(), std::make_move_iterator(output_.effects.begin()),
                         std::make_move_iterator(output_.effects.end()));
  }

  const RetentionSettings& settings_;
  FoldContext context_;
  FoldOutput output_;
  absl::Time wake_ = absl::InfiniteFuture();
  Replay replay_;
};

}  // namespace

absl::StatusOr<Replay> ReplayClient(const History& history, const std::string& client_id,
                                    const RetentionSettings& settings, absl::Time until) {
  Player player(client_id, settings);
  RAPPORT_RETURN_IF_ERROR(history.Visit(client_id, [&](const Touchpoint& touchpoint) {
    if (FromProto(touchpoint.occurred_at()) <= until) player.Fold(touchpoint);
  }));
  player.AdvanceTo(until);
  return player.Finish();
}

Replay ReplayTouchpoints(const std::string& client_id, const std::vector<Touchpoint>& touchpoints,
                         const RetentionSettings& settings, absl::Time until) {
  Player player(client_id, settings);
  for (const Touchpoint& touchpoint : touchpoints)
    if (FromProto(touchpoint.occurred_at()) <= until) player.Fold(touchpoint);
  player.AdvanceTo(until);
  return player.Finish();
}

}  // namespace rapport::backtest
