#include <algorithm>
#include <tuple>
#include <utility>

#include "libs/base/time.h"
#include "libs/telephony/call_parts.h"

namespace rapport::telephony_internal {
namespace {

using source::v1::QueueStep;

// Within this, the same step is one that two sources tell.
constexpr absl::Duration kSameStep = absl::Seconds(2);

// The order of steps within one second, when they do not tell.
int Rank(source::v1::QueueEvent event) {
  switch (event) {
    case source::v1::QUEUE_EVENT_ENTERED:
      return 0;
    case source::v1::QUEUE_EVENT_NOT_TAKEN:
      return 1;
    case source::v1::QUEUE_EVENT_CONNECTED:
      return 2;
    default:
      return 3;
  }
}

bool Before(const QueueStep* a, const QueueStep* b) {
  const auto key = [](const QueueStep* step) {
    return std::make_tuple(step->at().seconds(), step->at().nanos(), Rank(step->event()),
                           step->event(), step->sequence());
  };
  if (key(a) != key(b)) return key(a) < key(b);
  return std::make_tuple(a->queue(), a->agent(), a->caller(), a->wait_seconds(),
                         a->talk_seconds()) <
         std::make_tuple(b->queue(), b->agent(), b->caller(), b->wait_seconds(), b->talk_seconds());
}

bool SameStep(const QueueStep& a, const QueueStep& b) {
  return a.event() == b.event() && a.queue() == b.queue() && a.agent() == b.agent() &&
         FromProto(b.at()) - FromProto(a.at()) <= kSameStep;
}

std::vector<const QueueStep*> WithoutRepetition(std::vector<const QueueStep*> steps) {
  std::sort(steps.begin(), steps.end(), Before);
  std::vector<const QueueStep*> kept;
  for (const QueueStep* const step : steps) {
    const bool told = std::any_of(kept.rbegin(), kept.rend(), [&](const QueueStep* earlier) {
      return SameStep(*earlier, *step);
    });
    if (!told) kept.push_back(step);
  }
  return kept;
}

}  // namespace

QueueCourse FollowQueue(std::vector<const QueueStep*> all_steps) {
  const std::vector<const QueueStep*> steps = WithoutRepetition(std::move(all_steps));
  QueueCourse course;
  course.any = !steps.empty();
  int connected = 0;
  int completed = 0;
  int left = 0;
  int abandoned = 0;
  int gone = 0;
  int64_t waited_before_talk = 0;
  int64_t waited_before_connect = 0;
  for (const QueueStep* const step : steps) {
    if (!step->queue().empty()) course.queue = step->queue();
    switch (step->event()) {
      case source::v1::QUEUE_EVENT_ENTERED:
        ++course.entered;
        if (!step->caller().empty()) course.caller = step->caller();
        course.abandoned = false;
        break;
      case source::v1::QUEUE_EVENT_CONNECTED:
        ++connected;
        waited_before_connect += step->wait_seconds();
        course.agent = step->agent();
        course.abandoned = false;
        break;
      case source::v1::QUEUE_EVENT_TRANSFERRED:
      case source::v1::QUEUE_EVENT_COMPLETED:
        ++completed;
        if (step->event() == source::v1::QUEUE_EVENT_TRANSFERRED) ++course.transferred;
        waited_before_talk += step->wait_seconds();
        course.talk_seconds += step->talk_seconds();
        if (course.agent.empty()) course.agent = step->agent();
        break;
      case source::v1::QUEUE_EVENT_ABANDONED:
        ++abandoned;
        course.wait_seconds += step->wait_seconds();
        course.abandoned = true;
        break;
      case source::v1::QUEUE_EVENT_LEFT:
        ++left;
        course.wait_seconds += step->wait_seconds();
        break;
      case source::v1::QUEUE_EVENT_GONE:
        ++gone;
        break;
      default:
        break;
    }
  }
  course.taken = connected > 0 || completed > 0;
  course.talk_known = completed > 0;
  // A talk that ends tells the waiting before it as well.
  course.wait_seconds += connected > 0 ? waited_before_connect : waited_before_talk;
  // Leaving is told twice, by itself and by its reason.
  const int taken = std::max(connected, completed);
  const int ended = std::max(completed + left + abandoned, gone - (taken - completed));
  course.open = std::max(course.entered, taken + left + abandoned) > ended || completed < connected;
  return course;
}

}  // namespace rapport::telephony_internal
