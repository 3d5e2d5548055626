#include "services/alerts/web_hook_queue.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using state::v1::WebHookAttempted;
using state::v1::WebHookFact;

// Before the second attempt, the third, and so on.
constexpr std::array<absl::Duration, WebHookQueue::kAttempts - 1> kPauses = {
    absl::Seconds(5), absl::Minutes(5), absl::Minutes(30), absl::Hours(2),  absl::Hours(5),
    absl::Hours(10),  absl::Hours(14),  absl::Hours(20),   absl::Hours(24),
};
constexpr double kJitter = 0.1;
// How long one busy answer may hold up steps of other clients, unless it says so itself.
constexpr absl::Duration kLongestThrottle = absl::Minutes(5);
constexpr absl::Duration kLongestRetryAfter = absl::Hours(24);
constexpr size_t kMaxErrorBytes = 300;

bool IsTaken(int status) { return status >= 200 && status < 300; }
bool IsAway(int status) { return status == 0 || (status >= 502 && status <= 504); }
bool IsThrottle(int status) { return status == 429 || (status >= 502 && status <= 504); }

std::optional<absl::Duration> RetryAfter(absl::string_view value, absl::Time now) {
  int64_t seconds = 0;
  absl::Time at;
  absl::Duration wait;
  if (absl::SimpleAtoi(value, &seconds)) {
    wait = absl::Seconds(seconds);
  } else if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", value, &at, nullptr)) {
    wait = at - now;
  } else {
    return std::nullopt;
  }
  return std::clamp(wait, absl::ZeroDuration(), kLongestRetryAfter);
}

}  // namespace

void WebHookQueue::Apply(const WebHookFact& fact) {
  switch (fact.fact_case()) {
    case WebHookFact::kStarted:
      // Two processes may have written one; the first holds.
      if (started_) return;
      started_ = true;
      for (size_t i = 0; i < settled_before_.next.size(); ++i) {
        const int at = static_cast<int>(i);
        if (at < fact.started().next_offsets_size()) {
          settled_before_.next[i] = fact.started().next_offsets(at);
        }
      }
      return;
    case WebHookFact::kAttempted:
      ApplyAttempt(fact);
      return;
    case WebHookFact::kEnabled:
      disabled_ = false;
      paused_until_ = absl::InfinitePast();
      Hurry(/*only_away=*/false);
      return;
    case WebHookFact::kResendAsked:
      resends_.push_back({.step = nullptr,
                          .position = {Partition(fact.resend_asked().partition()),
                                       Offset(fact.resend_asked().offset())},
                          .effect_id = fact.resend_asked().effect_id(),
                          .attempt = 0});
      return;
    case WebHookFact::FACT_NOT_SET:
      return;
  }
}

void WebHookQueue::ApplyAttempt(const WebHookFact& fact) {
  const WebHookAttempted& attempted = fact.attempted();
  const Place place{attempted.partition(), attempted.offset()};
  NoteDelivery(fact);
  under_way_.erase(place);
  if (attempted.disabled()) disabled_ = true;
  if (attempted.has_paused_until()) {
    paused_until_ = std::max(paused_until_, FromProto(attempted.paused_until()));
  }
  if (attempted.attempt() == 0) {
    const auto resend = std::find_if(resends_.begin(), resends_.end(), [&](const Job& job) {
      return job.effect_id == attempted.effect_id();
    });
    if (resend != resends_.end()) resends_.erase(resend);
  } else if (!attempted.settled()) {
    Tried& tried = tried_[place];
    tried.attempts = attempted.attempt();
    tried.next_at = FromProto(attempted.next_attempt_at());
    tried.away = IsAway(attempted.status());
  }
  if (attempted.settled()) Settle(place);
  MoveSettled(attempted);
  const auto waiting = waiting_.find(place);
  if (waiting != waiting_.end()) Offer(waiting->second->step.client_id());
  if (IsTaken(attempted.status())) Hurry(/*only_away=*/true);
}

void WebHookQueue::NoteDelivery(const WebHookFact& fact) {
  const WebHookAttempted& attempted = fact.attempted();
  query::v1::WebHookDelivery& delivery = deliveries_.emplace_back();
  delivery.set_id(absl::BytesToHexString(attempted.effect_id()));
  delivery.set_position(
      PositionText({Partition(attempted.partition()), Offset(attempted.offset())}));
  *delivery.mutable_at() = fact.at();
  delivery.set_attempt(attempted.attempt());
  delivery.set_status(attempted.status());
  delivery.set_error(attempted.error());
  delivery.set_duration_ms(attempted.duration_ms());
  delivery.set_settled(attempted.settled());
  if (attempted.has_next_attempt_at()) {
    *delivery.mutable_next_attempt_at() = attempted.next_attempt_at();
  }
  if (deliveries_.size() > kMaxDeliveries) deliveries_.pop_front();
}

void WebHookQueue::Settle(const Place& place) {
  tried_.erase(place);
  if (settled_before_.IsBefore({Partition(place.first), Offset(place.second)})) {
    settled_.insert(place);
  }
  const auto waiting = waiting_.find(place);
  if (waiting == waiting_.end()) return;
  const std::string client_id = waiting->second->step.client_id();
  waiting_.erase(waiting);
  const auto queue = by_client_.find(client_id);
  std::erase(queue->second, place);
  Withdraw(place);
  if (queue->second.empty()) {
    by_client_.erase(queue);
  } else {
    Offer(client_id);
  }
}

void WebHookQueue::MoveSettled(const WebHookAttempted& attempted) {
  for (int i = 0; i < attempted.settled_before_offsets_size(); ++i) {
    const size_t at = static_cast<size_t>(i);
    if (at >= settled_before_.next.size()) return;
    int64_t& next = settled_before_.next[at];
    if (attempted.settled_before_offsets(i) <= next) continue;
    next = attempted.settled_before_offsets(i);
    settled_.erase(settled_.lower_bound({i, 0}), settled_.lower_bound({i, next}));
    tried_.erase(tried_.lower_bound({i, 0}), tried_.lower_bound({i, next}));
  }
}

void WebHookQueue::Hurry(bool only_away) {
  for (auto& [place, tried] : tried_) {
    if (only_away && !tried.away) continue;
    if (tried.next_at == absl::InfinitePast()) continue;
    tried.next_at = absl::InfinitePast();
    const auto waiting = waiting_.find(place);
    if (waiting != waiting_.end()) Offer(waiting->second->step.client_id());
  }
}

// Puts the first step of a client where it belongs now.
void WebHookQueue::Offer(const std::string& client_id) {
  const Place place = by_client_.find(client_id)->second.front();
  Withdraw(place);
  if (under_way_.contains(place)) return;
  const auto tried = tried_.find(place);
  const absl::Time at = tried == tried_.end() ? absl::InfinitePast() : tried->second.next_at;
  offered_.emplace(at, place);
  offered_at_[place] = at;
}

void WebHookQueue::Withdraw(const Place& place) {
  const auto offered = offered_at_.find(place);
  if (offered == offered_at_.end()) return;
  offered_.erase({offered->second, place});
  offered_at_.erase(offered);
}

void WebHookQueue::Add(FedStepPtr step) {
  const Place place = PlaceOf(step->position);
  if (!settled_before_.IsBefore(step->position) || settled_.contains(place)) return;
  const std::string client_id = step->step.client_id();
  if (!waiting_.emplace(place, std::move(step)).second) return;
  std::deque<Place>& queue = by_client_[client_id];
  queue.push_back(place);
  if (queue.size() == 1) Offer(client_id);
}

void WebHookQueue::Clear() {
  read_.reset();
  waiting_.clear();
  by_client_.clear();
  offered_.clear();
  offered_at_.clear();
  under_way_.clear();
}

std::optional<absl::Time> WebHookQueue::oldest_waiting() const {
  std::optional<absl::Time> oldest;
  // The first of each partition: they were written in their order.
  for (auto at = waiting_.begin(); at != waiting_.end();
       at = waiting_.lower_bound({at->first.first + 1, 0})) {
    oldest = std::min(oldest.value_or(absl::InfiniteFuture()), at->second->written_at);
  }
  return oldest;
}

std::optional<RecordPosition> WebHookQueue::FindDelivery(absl::string_view effect_id_hex) const {
  const auto found =
      std::find_if(deliveries_.rbegin(), deliveries_.rend(),
                   [&](const auto& delivery) { return delivery.id() == effect_id_hex; });
  if (found == deliveries_.rend()) return std::nullopt;
  int32_t partition = 0;
  int64_t offset = 0;
  const absl::string_view text = found->position();
  const size_t colon = text.find(':');
  RAPPORT_CHECK(absl::SimpleAtoi(text.substr(0, colon), &partition) &&
                absl::SimpleAtoi(text.substr(colon + 1), &offset));
  return RecordPosition{Partition(partition), Offset(offset)};
}

std::optional<WebHookQueue::Job> WebHookQueue::Next(absl::Time now) {
  if (!started_ || disabled_ || under_way_.size() >= kMaxUnderWay) return std::nullopt;
  for (const Job& resend : resends_) {
    if (!under_way_.insert(PlaceOf(resend.position)).second) continue;
    Withdraw(PlaceOf(resend.position));
    return resend;
  }
  if (now < paused_until_ || offered_.empty() || offered_.begin()->first > now) return std::nullopt;
  const Place place = offered_.begin()->second;
  Withdraw(place);
  under_way_.insert(place);
  const FedStepPtr& step = waiting_.find(place)->second;
  const auto tried = tried_.find(place);
  return Job{.step = step,
             .position = step->position,
             .effect_id = absl::HexStringToBytes(step->step.effect_id()),
             .attempt = 1 + (tried == tried_.end() ? 0 : tried->second.attempts)};
}

absl::Time WebHookQueue::NextDue() const {
  if (!started_ || disabled_ || under_way_.size() >= kMaxUnderWay) return absl::InfiniteFuture();
  const bool resend = std::any_of(resends_.begin(), resends_.end(), [&](const Job& job) {
    return !under_way_.contains(PlaceOf(job.position));
  });
  if (resend) return absl::InfinitePast();
  if (offered_.empty()) return absl::InfiniteFuture();
  return std::max(offered_.begin()->first, paused_until_);
}

AlertCursor WebHookQueue::SettledWithout(const Place& place) const {
  AlertCursor settled = read_ ? *read_ : settled_before_;
  for (size_t i = 0; i < settled.next.size(); ++i) {
    auto at = waiting_.lower_bound({static_cast<int32_t>(i), 0});
    if (at != waiting_.end() && at->first == place) ++at;
    if (at != waiting_.end() && at->first.first == static_cast<int32_t>(i)) {
      settled.next[i] = std::min(settled.next[i], at->first.second);
    }
  }
  return settled;
}

WebHookFact WebHookQueue::Judge(const Job& job, const absl::StatusOr<HttpAnswer>& answer,
                                absl::Duration took, absl::Time now, double jitter) const {
  WebHookFact fact;
  fact.set_web_hook(name_);
  ToProto(now, fact.mutable_at());
  WebHookAttempted& attempted = *fact.mutable_attempted();
  attempted.set_effect_id(job.effect_id);
  attempted.set_partition(job.position.partition.value());
  attempted.set_offset(job.position.offset.value());
  attempted.set_attempt(job.attempt);
  attempted.set_status(answer.ok() ? answer->status : 0);
  attempted.set_duration_ms(absl::ToInt64Milliseconds(took));
  if (!answer.ok()) {
    attempted.set_error(
        absl::CHexEscape(absl::StrCat(absl::StatusCodeToString(answer.status().code()), ": ",
                                      answer.status().message().substr(0, kMaxErrorBytes))));
  }
  const int status = attempted.status();
  attempted.set_disabled(status == 410);
  if (IsTaken(status) || (job.attempt >= kAttempts && status != 410)) {
    attempted.set_settled(true);
  } else if (job.attempt > 0) {
    absl::Duration pause = kPauses[static_cast<size_t>(std::min(job.attempt, kAttempts - 1)) - 1];
    pause += pause * (jitter * kJitter);
    absl::Duration throttle = std::min(pause, kLongestThrottle);
    const std::optional<absl::Duration> asked =
        answer.ok() ? RetryAfter(answer->HeaderValue("retry-after"), now) : std::nullopt;
    if (asked) throttle = pause = std::max(*asked, absl::Seconds(1));
    if (status != 0 && (asked || IsThrottle(status))) {
      ToProto(now + throttle, attempted.mutable_paused_until());
    }
    if (status == 410) pause = absl::ZeroDuration();
    ToProto(now + pause, attempted.mutable_next_attempt_at());
  }
  const AlertCursor settled =
      attempted.settled() && read_ ? SettledWithout(PlaceOf(job.position)) : settled_before_;
  for (const int64_t offset : settled.next) attempted.add_settled_before_offsets(offset);
  return fact;
}

}  // namespace rapport
