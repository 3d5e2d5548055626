#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/service/http.h"
#include "services/alerts/alert_feed.h"

namespace rapport {

// Steps of alerts as server-sent events, to any number of subscribers. Thread-safe.
//
// Each event's id is the cursor behind it over all partitions, so that whoever comes back with it
// gets all that happened since. A subscriber begins with an id of where it stands and gets one with
// every heartbeat, so that it can come back even if nothing was sent to it. One that reads so
// slowly that its queue is full is cut off, and comes back by its id.
class AlertStreams {
 public:
  struct Options {
    absl::Duration heartbeat = absl::Seconds(15);
    // What those who come back from afar are sent at most in a tenth of a second, each: the queue
    // of a connection takes no more than the network does.
    size_t catch_up_bytes = size_t{256} << 10;
  };
  AlertStreams(const AlertFeed* feed, const Options& options);
  ~AlertStreams();

  // What becomes of a step: it is sent, or kept back, or the stream ends.
  enum class Verdict { kSend, kSkip, kEnd };
  // Asked for each step, with the owner whom the step names and the owner of its client now; on any
  // of several threads.
  using Gate = std::function<Verdict(absl::string_view then, absl::string_view now)>;

  // From now on, or from a cursor. May answer later. A cursor further than the log: the stream
  // begins where the log gets there.
  void Subscribe(Gate gate, const std::optional<AlertCursor>& from, HttpReply reply);
  // All steps of the feed, on its thread.
  void Send(const std::vector<FedStepPtr>& steps, const AlertCursor& after);

  int64_t subscribers() const { return *open_; }

 private:
  struct Subscriber {
    HttpStream stream;
    Gate gate;
    // Where it stands, while that is not where all stand.
    std::optional<AlertCursor> cursor;
    std::shared_ptr<std::atomic<bool>> closed = std::make_shared<std::atomic<bool>>(false);
  };
  // One that reads the log until it has reached the others.
  struct CatchUp {
    std::unique_ptr<StepReader> reader;
    Subscriber subscriber;
  };

  // Whether it is sent to the subscriber, whose stream may end by it.
  bool IsMeant(const FedStep& step, Subscriber* subscriber) const;
  void Run();
  void Beat() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A stretch of one subscriber's way; false when it is done, for good or ill.
  bool Advance(CatchUp* catch_up) ABSL_LOCKS_EXCLUDED(mutex_);
  void Join(Subscriber subscriber, StepReader* reader) ABSL_LOCKS_EXCLUDED(mutex_);
  void Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AlertFeed* const feed_;
  const Options options_;
  const std::shared_ptr<std::atomic<int64_t>> open_ = std::make_shared<std::atomic<int64_t>>(0);
  mutable Mutex mutex_;
  CondVar woken_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Behind what all but those with a cursor of their own were sent.
  AlertCursor sent_ ABSL_GUARDED_BY(mutex_);
  std::vector<Subscriber> subscribers_ ABSL_GUARDED_BY(mutex_);
  std::deque<CatchUp> catching_up_ ABSL_GUARDED_BY(mutex_);
  size_t beat_slot_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace rapport
