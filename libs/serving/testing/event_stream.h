#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/service/http_client.h"

namespace rapport::testing {

// Server-sent events as a reader gets them.
class EventStream {
 public:
  EventStream(HttpClient* client, std::string url, const std::string& last_event_id = "") {
    HttpCall call{.url = std::move(url), .timeout = absl::InfiniteDuration()};
    if (!last_event_id.empty()) call.headers.push_back({"last-event-id", last_event_id});
    call.on_body = [read = read_](absl::string_view piece) {
      const MutexLock lock(&read->mutex);
      absl::StrAppend(&read->text, piece);
      read->changed.SignalAll();
      return !read->gone;
    };
    client->Send(std::move(call), [read = read_](const absl::StatusOr<HttpAnswer>&) {
      const MutexLock lock(&read->mutex);
      read->ended = true;
      read->changed.SignalAll();
    });
  }
  ~EventStream() {
    const MutexLock lock(&read_->mutex);
    read_->gone = true;
  }
  // All of it, once it has `text`, or has ended.
  std::string Await(absl::string_view text) {
    const MutexLock lock(&read_->mutex);
    while (!absl::StrContains(read_->text, text) && !read_->ended) {
      read_->changed.Wait(&read_->mutex);
    }
    return read_->text;
  }
  std::string AwaitEnd() { return Await("\xff"); }

 private:
  struct Read {
    Mutex mutex;
    CondVar changed;
    std::string text ABSL_GUARDED_BY(mutex);
    bool ended ABSL_GUARDED_BY(mutex) = false;
    bool gone ABSL_GUARDED_BY(mutex) = false;
  };
  const std::shared_ptr<Read> read_ = std::make_shared<Read>();
};

}  // namespace rapport::testing
