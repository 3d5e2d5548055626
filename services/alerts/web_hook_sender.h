#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/leadership.h"
#include "libs/service/http_client.h"
#include "rapport/config/v1/service.pb.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/state/v1/web_hook.pb.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/log_writer.h"
#include "services/alerts/web_hook_queue.h"
#include "services/alerts/web_hook_signature.h"

namespace rapport {

// Delivers the steps of alerts to web hooks. Thread-safe.
//
// Every process with web hooks follows the facts in the topic web-hooks and can tell how each
// stands; the one that leads delivers. A step counts as delivered when the fact of it is on disk,
// so that a crash between the answer and the fact sends it again under the same id: at least once.
// A new web hook begins with what happens after its first start.
class WebHookSender {
 public:
  struct Env {
    EventLog* log = nullptr;
    HttpClient* http_client = nullptr;
    LogWriter* writer = nullptr;
    const AlertFeed* feed = nullptr;
    std::string topic = "web-hooks";  // made when missing, with one partition
    std::string instance;
    std::function<absl::Time()> now;
    std::function<double()> jitter;  // in [0, 1)
  };
  // Told about every attempt that this process made.
  using Observer = std::function<void(const std::string& web_hook, int status, bool settled)>;

  // InvalidArgument names the web hook and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<WebHookSender>> Start(
      const Env& env, const google::protobuf::RepeatedPtrField<config::v1::WebHook>& web_hooks,
      Observer observer);
  // Takes no new step, waits a little for what is under way, and stops.
  ~WebHookSender();

  // There are new steps, or time has moved on.
  void Wake();

  query::v1::WebHooksPage List() const;
  // NotFound: no such web hook.
  absl::StatusOr<query::v1::WebHookDeliveriesPage> Deliveries(absl::string_view name) const;
  // `done` when the wish is on disk. NotFound: no such web hook, or `id` is not among its latest
  // attempts.
  void Resend(const std::string& name, const std::string& id,
              std::function<void(absl::Status)> done);
  void Enable(const std::string& name, std::function<void(absl::Status)> done);

 private:
  struct Hook {
    config::v1::WebHook config;
    WebHookSigner signer;
    WebHookQueue queue;
    // While this process delivers.
    std::unique_ptr<StepReader> reader;
    bool start_asked = false;
  };
  struct Answered {
    std::string web_hook;
    WebHookQueue::Job job;
    absl::StatusOr<HttpAnswer> answer;
    absl::Time sent_at;
  };
  // What answers come to, which may be later than the sender's end.
  struct Inbox {
    Mutex mutex;
    CondVar woken;
    bool wake ABSL_GUARDED_BY(mutex) = false;
    std::vector<Answered> answered ABSL_GUARDED_BY(mutex);
    // Facts that the log did not take.
    std::vector<state::v1::WebHookFact> refused ABSL_GUARDED_BY(mutex);
    int under_way ABSL_GUARDED_BY(mutex) = 0;
  };

  WebHookSender(Env env, Observer observer)
      : env_(std::move(env)), observer_(std::move(observer)), inbox_(std::make_shared<Inbox>()) {}

  absl::Status Add(const config::v1::WebHook& config);
  void FollowFacts();
  void Run();
  void Lead(bool leads) ABSL_LOCKS_EXCLUDED(mutex_);
  bool MayDeliver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Deliver(Hook* hook) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Fill(Hook* hook) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(const Hook& hook, const WebHookQueue::Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> BodyOf(const WebHookQueue::Job& job) const;
  void TakeAnswers() ABSL_LOCKS_EXCLUDED(mutex_);
  void Write(const state::v1::WebHookFact& fact, std::function<void(absl::Status)> done);
  void WriteUntilTaken(const state::v1::WebHookFact& fact);
  absl::Time NextDue() ABSL_LOCKS_EXCLUDED(mutex_);
  query::v1::WebHookStatus StatusOf(const Hook& hook) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Env env_;
  const Observer observer_;
  const std::shared_ptr<Inbox> inbox_;
  std::atomic<bool> stopping_ = false;

  mutable Mutex mutex_;
  std::map<std::string, Hook, std::less<>> hooks_ ABSL_GUARDED_BY(mutex_);
  bool leads_ ABSL_GUARDED_BY(mutex_) = false;
  // Facts before this place have to be known before the first step goes out.
  Offset facts_needed_ ABSL_GUARDED_BY(mutex_){0};
  Offset facts_read_ ABSL_GUARDED_BY(mutex_){0};

  std::unique_ptr<LogReader> facts_;
  std::thread follower_;
  std::thread sender_;
  std::unique_ptr<Leadership> leadership_;
};

}  // namespace rapport
