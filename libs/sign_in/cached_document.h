#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"

namespace rapport {

// A document of a provider, kept for an hour, and read once for all who wait for it. After a
// failure it is read again after pauses that double from one second up to a minute; what was read
// at most a day ago serves until then. Thread-safe. What is given to Get and GetNewer is called
// once, on the thread that calls or on the one that reads, and without a lock.
template <class T>
class CachedDocument {
 public:
  using Document = std::shared_ptr<const T>;
  using Done = std::function<void(absl::StatusOr<Document>)>;
  // Reads the document and calls its argument once with it, now or later. This object must live
  // until then.
  using Read = std::function<void(std::function<void(absl::StatusOr<T>)>)>;

  CachedDocument(std::function<absl::Time()> now, Read read)
      : now_(std::move(now)), read_(std::move(read)) {}

  void Get(const Done& done) { Ask(/*newer=*/false, done); }
  // For whoever misses something in the document: reads it anew, but not within ten seconds of the
  // last time; then it is the one that is there.
  void GetNewer(const Done& done) { Ask(/*newer=*/true, done); }

 private:
  static constexpr absl::Duration kFreshFor = absl::Hours(1);
  static constexpr absl::Duration kServesFor = absl::Hours(24);
  static constexpr absl::Duration kBetweenReads = absl::Seconds(10);
  static constexpr absl::Duration kFirstPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Minutes(1);

  struct Waiting {
    bool newer;
    Done done;
  };

  void Ask(bool newer, const Done& done) {
    std::optional<absl::StatusOr<Document>> answer;
    bool read = false;
    {
      MutexLock lock(&mutex_);
      const absl::Time now = now_();
      if (!reading_) answer = AnswerNow(newer, now);
      if (!answer) {
        waiting_.push_back({newer, done});
        read = !std::exchange(reading_, true);
        if (read) begun_at_ = now;
      }
    }
    if (answer) done(*std::move(answer));
    if (read) read_([this](absl::StatusOr<T> result) { Finish(std::move(result)); });
  }

  // nullopt: it is time to read.
  std::optional<absl::StatusOr<Document>> AnswerNow(bool newer, absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!newer && document_ != nullptr && IsWithin(now, read_at_, kFreshFor)) return document_;
    const bool early = (!trouble_.ok() && IsWithin(now, failed_at_, pause_)) ||
                       (newer && IsWithin(now, begun_at_, kBetweenReads));
    if (!early) return std::nullopt;
    if (trouble_.ok() || (!newer && Serves(now))) return document_;
    return Annotate(trouble_, "the last attempt failed, and it is too early for the next one");
  }

  bool Serves(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return document_ != nullptr && IsWithin(now, read_at_, kServesFor);
  }

  // Also false when a clock was set back before `since`.
  static bool IsWithin(absl::Time now, absl::Time since, absl::Duration duration) {
    return now >= since && now - since < duration;
  }

  void Finish(absl::StatusOr<T> result) {
    std::vector<Waiting> waiting;
    absl::StatusOr<Document> answer;
    absl::StatusOr<Document> newer_answer;
    {
      MutexLock lock(&mutex_);
      const absl::Time now = now_();
      reading_ = false;
      waiting.swap(waiting_);
      trouble_ = result.status();
      if (result.ok()) {
        document_ = std::make_shared<const T>(*std::move(result));
        read_at_ = now;
        pause_ = absl::ZeroDuration();
        newer_answer = document_;
      } else {
        failed_at_ = now;
        pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
        newer_answer = trouble_;
      }
      answer = Serves(now) ? absl::StatusOr<Document>(document_) : newer_answer;
    }
    for (const Waiting& one : waiting) one.done(one.newer ? newer_answer : answer);
  }

  const std::function<absl::Time()> now_;
  const Read read_;
  Mutex mutex_;
  Document document_ ABSL_GUARDED_BY(mutex_);
  absl::Time read_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time begun_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  // Of the last attempt.
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  absl::Time failed_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace rapport
