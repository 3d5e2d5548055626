#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/service/http_client.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/state/v1/web_hook.pb.h"
#include "services/alerts/alert_cursor.h"
#include "services/alerts/alert_feed.h"

namespace rapport {

// What one subscriber has got and what it is to get next: without a clock, a thread or a
// connection. Not thread-safe.
//
// Steps of one client go out one after the other; a step that fails is tried again by the schedule
// and holds up the later steps of its client, and nobody else's. After the last attempt it is given
// up, which the delivery log shows. Everything that happened is a fact (WebHookFact) in the log,
// and all but the steps that wait is made of facts, so that another process can go on from there.
class WebHookQueue {
 public:
  // The attempts: at once, and after each of these. Jitter adds up to a tenth.
  static constexpr int kAttempts = 10;

  WebHookQueue(std::string name, int partitions)
      : name_(std::move(name)),
        settled_before_{std::vector<int64_t>(static_cast<size_t>(partitions), 0)} {}

  // Facts in the order of the log.
  void Apply(const state::v1::WebHookFact& fact);

  // Whether a WebHookStarted was there: before it nothing is delivered.
  bool started() const { return started_; }
  bool disabled() const { return disabled_; }
  absl::Time paused_until() const { return paused_until_; }
  // All before it is settled, as the facts have it: that is where another process would begin. What
  // was under way when the latest fact was written is settled, too, but not by this.
  const AlertCursor& settled_before() const { return settled_before_; }
  // The same as far as it is known here.
  AlertCursor cursor() const { return read_ ? SettledWithout({-1, 0}) : settled_before_; }
  // The latest attempts, the oldest first.
  const std::deque<query::v1::WebHookDelivery>& deliveries() const { return deliveries_; }
  // Where the step with this id stands, if it is among the latest attempts.
  std::optional<RecordPosition> FindDelivery(absl::string_view effect_id_hex) const;

  // A step to be delivered; one that is settled is left out. In the order of each partition, from
  // settled_before() on.
  void Add(FedStepPtr step);
  // How far the alerts log was read for Add, steps for others included.
  void set_read(const AlertCursor& read) { read_ = read; }
  bool HasRoom() const { return waiting_.size() < kMaxWaiting; }
  // Forgets all that Add brought: another process delivers.
  void Clear();
  size_t waiting() const { return waiting_.size(); }
  std::optional<absl::Time> oldest_waiting() const;

  struct Job {
    FedStepPtr step;  // null: to be read from the log, for a resend
    RecordPosition position;
    std::string effect_id;  // 16 bytes
    int attempt = 1;        // 0: a resend
  };
  // What is to be sent now; it counts as under way until a fact tells what came of it.
  std::optional<Job> Next(absl::Time now);
  // When Next may give something; InfiniteFuture: not before something else happens.
  absl::Time NextDue() const;
  // What an answer to `job` means. `jitter` in [0, 1).
  state::v1::WebHookFact Judge(const Job& job, const absl::StatusOr<HttpAnswer>& answer,
                               absl::Duration took, absl::Time now, double jitter) const;

 private:
  static constexpr size_t kMaxWaiting = 10'000;
  static constexpr size_t kMaxDeliveries = 1000;
  static constexpr size_t kMaxUnderWay = 4;

  using Place = std::pair<int32_t, int64_t>;  // partition and offset
  struct Tried {
    int attempts = 0;
    absl::Time next_at = absl::InfinitePast();
    // The receiver was not there, so that a step that it takes changes things.
    bool away = false;
  };
  static Place PlaceOf(const RecordPosition& position) {
    return {position.partition.value(), position.offset.value()};
  }

  void ApplyAttempt(const state::v1::WebHookFact& fact);
  void NoteDelivery(const state::v1::WebHookFact& fact);
  void Settle(const Place& place);
  void MoveSettled(const state::v1::WebHookAttempted& attempted);
  // All that wait for a later attempt may go at once.
  void Hurry(bool only_away);
  void Offer(const std::string& client_id);
  void Withdraw(const Place& place);
  AlertCursor SettledWithout(const Place& place) const;

  std::string name_;
  // Made of facts.
  bool started_ = false;
  bool disabled_ = false;
  absl::Time paused_until_ = absl::InfinitePast();
  AlertCursor settled_before_;
  std::set<Place> settled_;  // not before settled_before_
  std::map<Place, Tried> tried_;
  std::deque<Job> resends_;
  std::deque<query::v1::WebHookDelivery> deliveries_;
  // Of the steps that wait.
  std::optional<AlertCursor> read_;
  std::map<Place, FedStepPtr> waiting_;
  absl::flat_hash_map<std::string, std::deque<Place>> by_client_;
  // The first step of each client that has none under way, by the time from which it may go.
  std::set<std::pair<absl::Time, Place>> offered_;
  std::map<Place, absl::Time> offered_at_;
  std::set<Place> under_way_;
};

}  // namespace rapport
