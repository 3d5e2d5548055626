#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/service/http.h"
#include "libs/sources/source_writer.h"
#include "libs/web_hook_check/web_hook_request.h"
#include "services/sources/source_metrics.h"
#include "services/sources/web_hook.h"

namespace rapport {

// Requests to web hooks on their way to the log. Threads of its own take those that wait, write
// what they hold together (one fsync, or one round to the brokers, for many) and answer: 2xx only
// once it is on disk. Thread-safe.
class WebHookInbox {
 public:
  struct Options {
    // The address that the sources call, without a path; empty: what each request says.
    std::string public_url;
    // Of requests that wait or are being written.
    size_t max_bytes = size_t{128} << 20;
    int threads = 2;
  };
  // `writer` and `metrics` outlive it.
  WebHookInbox(WebHooks hooks, SourceWriter* writer, SourceMetrics* metrics, Options options);
  ~WebHookInbox() { Stop(); }

  // Whether the body of a request is to be read: NotFound when there is no such web hook, else as
  // its `admit`. Never blocks.
  absl::Status Admit(const HttpRequest& request) const;
  // Answers later; at once with 404 when there is no such web hook, and 503 when too much waits.
  void Submit(HttpRequest request, HttpReply reply);
  // Answers all that waits, and takes no more. A second time: nothing.
  void Stop();
  // Ok, or why the log could not be written when it was last tried.
  absl::Status trouble() const;

 private:
  struct Item {
    std::string source;
    const WebHook* hook = nullptr;
    WebHookRequest request;
    HttpReply reply;
    size_t bytes = 0;
  };
  struct Done {
    Item item;
    Inbound inbound;
    absl::Status status;
  };

  void Run();
  std::vector<Item> Take();
  static Done Read(Item item);
  // What all of them hold, and what cannot be used of it, which sets the status of its request.
  absl::Status Write(std::vector<Done>* done);
  void Answer(Done* done);
  // Of all but the body.
  WebHookRequest HeadOf(const HttpRequest& request) const;
  // NotFound: there is no such web hook.
  absl::StatusOr<const WebHook*> Find(const std::string& source) const;

  const WebHooks hooks_;
  SourceWriter* const writer_;
  SourceMetrics* const metrics_;
  const Options options_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Item> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace rapport
