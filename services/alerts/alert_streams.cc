#include "services/alerts/alert_streams.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "services/alerts/alert_view.h"

namespace rapport {
namespace {

constexpr size_t kCatchUpSteps = 100;
constexpr absl::Duration kCatchUpPause = absl::Milliseconds(100);
// Heartbeats are spread over so many moments of each interval.
constexpr size_t kBeatSlots = 16;
constexpr char kRetryAfter[] = "retry: 1000\n";

std::string IdLine(const AlertCursor& cursor) {
  return absl::StrCat("id: ", cursor.ToText(), "\n");
}

std::string EventOf(const FedStep& step, const AlertCursor& cursor) {
  return absl::StrCat(IdLine(cursor), "event: alert\ndata: ", JsonLine(step.step), "\n\n");
}

}  // namespace

AlertStreams::AlertStreams(const AlertFeed* feed, const Options& options)
    : feed_(feed), options_(options), sent_(feed->book().cursor()) {
  thread_ = std::thread([this] { Run(); });
}

AlertStreams::~AlertStreams() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    woken_.SignalAll();
  }
  thread_.join();
  MutexLock lock(&mutex_);
  for (Subscriber& subscriber : subscribers_) subscriber.stream.Close();
  for (CatchUp& catch_up : catching_up_) catch_up.subscriber.stream.Close();
}

bool AlertStreams::IsMeant(const FedStep& step, Subscriber* subscriber) const {
  const std::string& then = step.step.owner_id();
  const std::string now = feed_->book().OwnerOf(step.step.alert_id()).value_or(then);
  Verdict verdict = subscriber->gate(then, now);
  // It is also theirs who stand in for the owner, or to whom it was escalated.
  const std::string& responsible = step.step.responsible_id();
  if (verdict == Verdict::kSkip && responsible != then) {
    verdict = subscriber->gate(responsible, responsible);
  }
  switch (verdict) {
    case Verdict::kSend:
      return true;
    case Verdict::kSkip:
      return false;
    case Verdict::kEnd:
      subscriber->stream.Close();
      return false;
  }
  return false;
}

void AlertStreams::Subscribe(Gate gate, const std::optional<AlertCursor>& from, HttpReply reply) {
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.headers = {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  Subscriber subscriber{
      .stream = reply.Stream(std::move(head)), .gate = std::move(gate), .cursor = from};
  ++*open_;
  subscriber.stream.OnClose([closed = subscriber.closed, open = open_] {
    *closed = true;
    --*open;
  });
  MutexLock lock(&mutex_);
  const AlertCursor& begin = from ? *from : sent_;
  if (!subscriber.stream.Write(absl::StrCat(kRetryAfter, IdLine(begin), "\n"))) return;
  if (!from || *from == sent_) {
    subscriber.cursor.reset();
    subscribers_.push_back(std::move(subscriber));
    return;
  }
  catching_up_.push_back({std::make_unique<StepReader>(feed_, *from), std::move(subscriber)});
  woken_.SignalAll();
}

void AlertStreams::Send(const std::vector<FedStepPtr>& steps, const AlertCursor& after) {
  MutexLock lock(&mutex_);
  for (const FedStepPtr& step : steps) {
    sent_.MoveBehind(step->position);
    if (subscribers_.empty()) continue;
    const std::string event = EventOf(*step, sent_);
    for (Subscriber& subscriber : subscribers_) {
      if (!IsMeant(*step, &subscriber)) continue;
      if (!subscriber.cursor) {
        subscriber.stream.Write(event);
      } else if (subscriber.cursor->IsBefore(step->position)) {
        subscriber.cursor->MoveBehind(step->position);
        subscriber.stream.Write(EventOf(*step, *subscriber.cursor));
      }
    }
  }
  sent_ = after;
  for (Subscriber& subscriber : subscribers_) {
    if (!subscriber.cursor) continue;
    bool ahead = false;
    for (size_t i = 0; i < after.next.size(); ++i) {
      int64_t& next = subscriber.cursor->next[i];
      next = std::max(next, after.next[i]);
      ahead = ahead || next > after.next[i];
    }
    if (!ahead) subscriber.cursor.reset();
  }
}

void AlertStreams::Run() {
  const absl::Duration beat_pause = options_.heartbeat / kBeatSlots;
  absl::Time next_beat = absl::Now() + beat_pause;
  std::deque<CatchUp> mine;
  while (true) {
    {
      MutexLock lock(&mutex_);
      const absl::Time until =
          mine.empty() ? next_beat : std::min(next_beat, absl::Now() + kCatchUpPause);
      while (!stopping_ && catching_up_.empty() && absl::Now() < until) {
        woken_.WaitFor(&mutex_, until - absl::Now());
      }
      for (CatchUp& catch_up : catching_up_) mine.push_back(std::move(catch_up));
      catching_up_.clear();
      if (stopping_) {
        catching_up_ = std::move(mine);
        return;
      }
      if (absl::Now() >= next_beat) {
        Beat();
        next_beat += beat_pause;
      }
    }
    for (size_t i = mine.size(); i > 0; --i) {
      CatchUp catch_up = std::move(mine.front());
      mine.pop_front();
      if (Advance(&catch_up)) mine.push_back(std::move(catch_up));
    }
  }
}

void AlertStreams::Beat() {
  Drop();
  const std::string beat = absl::StrCat(":\n", IdLine(sent_), "\n");
  for (size_t i = beat_slot_; i < subscribers_.size(); i += kBeatSlots) {
    Subscriber& subscriber = subscribers_[i];
    // Whoever may read no more is not kept waiting for the next step.
    if (subscriber.gate("", "") == Verdict::kEnd) {
      subscriber.stream.Close();
      continue;
    }
    subscriber.stream.Write(
        subscriber.cursor ? absl::StrCat(":\n", IdLine(*subscriber.cursor), "\n") : beat);
  }
  beat_slot_ = (beat_slot_ + 1) % kBeatSlots;
}

bool AlertStreams::Advance(CatchUp* catch_up) {
  Subscriber& subscriber = catch_up->subscriber;
  size_t bytes = 0;
  bool at_end = false;
  while (!at_end && bytes < options_.catch_up_bytes) {
    AlertCursor cursor = catch_up->reader->cursor();
    const auto steps = catch_up->reader->Read(kCatchUpSteps, &at_end);
    if (!steps.ok()) {
      // It comes back by its id; a log that is away for long is told by /readyz.
      Log(LogLevel::kWarning, absl::StrCat("alerts stream: ", steps.status().message()));
      subscriber.stream.Close();
      return false;
    }
    for (const FedStepPtr& step : *steps) {
      cursor.MoveBehind(step->position);
      if (!IsMeant(*step, &subscriber)) continue;
      const std::string event = EventOf(*step, cursor);
      bytes += event.size();
      if (!subscriber.stream.Write(event)) return false;
    }
    if (*subscriber.closed) return false;
  }
  if (!at_end) return true;
  Join(std::move(subscriber), catch_up->reader.get());
  return false;
}

void AlertStreams::Join(Subscriber subscriber, StepReader* reader) {
  MutexLock lock(&mutex_);
  // What the feed took in meanwhile is sent by Send, unless it has been sent already.
  AlertCursor cursor = reader->cursor();
  bool at_end = false;
  while (!at_end) {
    const auto steps = reader->Read(kCatchUpSteps, &at_end);
    if (!steps.ok()) {
      subscriber.stream.Close();
      return;
    }
    for (const FedStepPtr& step : *steps) {
      cursor.MoveBehind(step->position);
      if (IsMeant(*step, &subscriber)) subscriber.stream.Write(EventOf(*step, cursor));
    }
  }
  subscriber.cursor = reader->cursor();
  subscribers_.push_back(std::move(subscriber));
}

void AlertStreams::Drop() {
  subscribers_.erase(
      std::remove_if(subscribers_.begin(), subscribers_.end(),
                     [](const Subscriber& subscriber) { return subscriber.closed->load(); }),
      subscribers_.end());
}

}  // namespace rapport
