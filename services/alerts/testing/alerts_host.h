#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"
#include "services/alerts/alerts.h"
#include "services/alerts/testing/events.h"

// rapport-alerts within a test, and those who talk to it.

namespace rapport::testing {

constexpr absl::Duration kPatience = absl::Seconds(60);

// Looks every few milliseconds until `done`; a failure after a minute.
inline void Until(const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!done()) {
    ASSERT_LT(absl::Now(), deadline) << "it did not happen in time";
    absl::SleepFor(absl::Milliseconds(2));
  }
}

// The service with a server of its own over a log of the test.
class AlertsHost {
 public:
  AlertsHost(EventLog* log, const std::string& config_text, const std::string& instance = "1")
      : AlertsHost(log, config_text, HttpServer::Options{}, instance) {}
  AlertsHost(EventLog* log, const std::string& config_text, const HttpServer::Options& options,
             const std::string& instance) {
    auto config = ParseConfig(config_text, "test");
    EXPECT_OK(config);
    config_ = *std::move(config);
    auto http = HttpServer::Create(options, &metrics_);
    EXPECT_OK(http);
    http_ = *std::move(http);
    ServiceEnv env;
    env.config = &config_;
    env.instance = instance;
    env.log = log;
    env.metrics = &metrics_;
    env.http = http_.get();
    env.http_client = &client_;
    auto service = StartAlerts(env);
    status_ = service.status();
    if (!service.ok()) return;
    service_ = *std::move(service);
    EXPECT_OK(http_->Start());
    Until([&] { return service_->Ready().ok(); });
  }
  ~AlertsHost() { http_->Drain(absl::Seconds(1)); }

  const absl::Status& status() const { return status_; }
  std::string Url(absl::string_view path) const { return absl::StrCat(http_->address(), path); }
  HttpAnswer Get(absl::string_view path) { return Fetch({.url = Url(path)}); }
  HttpAnswer Post(absl::string_view path, const std::string& body,
                  std::vector<Header> headers = {}) {
    headers.push_back({"content-type", "application/json"});
    return Fetch({.method = "POST", .url = Url(path), .headers = std::move(headers), .body = body});
  }
  std::string Metrics() { return metrics_.Text(); }

 private:
  HttpAnswer Fetch(const HttpCall& call) {
    auto answer = client_.Fetch(call);
    EXPECT_OK(answer) << call.url;
    return answer.ok() ? *std::move(answer) : HttpAnswer();
  }

  rapport::Metrics metrics_;
  config::v1::Config config_;
  HttpClient client_;
  std::unique_ptr<HttpServer> http_;
  absl::Status status_;
  std::unique_ptr<Service> service_;
};

// A subscriber of the stream, which keeps all that it was sent.
class StreamClient {
 public:
  struct Event {
    std::string id;
    std::string type;
    std::string data;
  };

  explicit StreamClient(const std::string& url, std::vector<Header> headers = {}) {
    HttpCall call{.url = url, .headers = std::move(headers), .timeout = absl::InfiniteDuration()};
    call.on_body = [this](absl::string_view piece) {
      Take(piece);
      return true;
    };
    client_.Send(std::move(call), [this](const absl::StatusOr<HttpAnswer>&) {
      MutexLock lock(&mutex_);
      ended_ = true;
      changed_.SignalAll();
    });
    WaitUntil([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !last_id_.empty() || ended_; });
  }

  // The events, once there are so many.
  std::vector<Event> Wait(size_t count) {
    WaitUntil([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return events_.size() >= count; });
    MutexLock lock(&mutex_);
    return events_;
  }
  // Where it stands: of the last event or heartbeat.
  std::string last_id() {
    MutexLock lock(&mutex_);
    return last_id_;
  }
  int heartbeats() {
    MutexLock lock(&mutex_);
    return heartbeats_;
  }
  bool ended() {
    MutexLock lock(&mutex_);
    return ended_;
  }

 private:
  void WaitUntil(const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    MutexLock lock(&mutex_);
    while (!done()) {
      ASSERT_LT(absl::Now(), deadline) << "after " << events_.size() << " events";
      changed_.WaitFor(&mutex_, absl::Milliseconds(100));
    }
  }

  void Take(absl::string_view piece) {
    MutexLock lock(&mutex_);
    absl::StrAppend(&rest_, piece);
    for (size_t end = rest_.find("\n\n"); end != std::string::npos; end = rest_.find("\n\n")) {
      Event event;
      for (absl::string_view line : absl::StrSplit(rest_.substr(0, end), '\n')) {
        if (line == ":") ++heartbeats_;
        if (absl::ConsumePrefix(&line, "id: ")) event.id = last_id_ = std::string(line);
        if (absl::ConsumePrefix(&line, "event: ")) event.type = std::string(line);
        if (absl::ConsumePrefix(&line, "data: ")) event.data = std::string(line);
      }
      rest_.erase(0, end + 2);
      if (!event.data.empty()) events_.push_back(event);
    }
    changed_.SignalAll();
  }

  Mutex mutex_;
  CondVar changed_;
  std::string rest_ ABSL_GUARDED_BY(mutex_);
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  std::string last_id_ ABSL_GUARDED_BY(mutex_);
  int heartbeats_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: what it is told must be there until it has gone.
  HttpClient client_;
};

// Somebody who receives web hooks.
class Receiver {
 public:
  struct Got {
    std::string id;
    std::string timestamp;
    std::string signature;
    std::string body;
  };

  Receiver() {
    auto http = HttpServer::Create({}, &metrics_);
    EXPECT_OK(http);
    http_ = *std::move(http);
    http_->Handle("POST", "/hook", [this](const HttpRequest& request, HttpReply reply) {
      MutexLock lock(&mutex_);
      got_.push_back({std::string(request.HeaderValue("webhook-id")),
                      std::string(request.HeaderValue("webhook-timestamp")),
                      std::string(request.HeaderValue("webhook-signature")), request.body});
      if (silent_) {
        held_.push_back(std::move(reply));
      } else {
        reply.Send({.status = status_, .headers = headers_});
      }
    });
    EXPECT_OK(http_->Start());
  }

  std::string url() const { return http_->address() + "/hook"; }
  void set_answer(int status, std::vector<Header> headers = {}) {
    MutexLock lock(&mutex_);
    status_ = status;
    headers_ = std::move(headers);
  }
  // Takes requests and never answers.
  void set_silent() {
    MutexLock lock(&mutex_);
    silent_ = true;
  }
  std::vector<Got> got() {
    MutexLock lock(&mutex_);
    return got_;
  }
  std::vector<Got> Wait(size_t count) {
    Until([&] { return got().size() >= count; });
    return got();
  }

 private:
  rapport::Metrics metrics_;
  Mutex mutex_;
  int status_ ABSL_GUARDED_BY(mutex_) = 204;
  std::vector<Header> headers_ ABSL_GUARDED_BY(mutex_);
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Got> got_ ABSL_GUARDED_BY(mutex_);
  std::vector<HttpReply> held_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> http_;
};

// A log with the topics and three partitions.
class AlertsFixture : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  AlertsFixture() : log_(NewInMemoryEventLog()) {
    for (const char* topic : {"touchpoints", "alerts", "rejected"}) {
      EXPECT_OK(log_->CreateTopic(topic, kPartitions));
    }
  }

  void Append(const alert::v1::AlertEvent& event, int partition = 0) {
    ASSERT_OK(log_->Append("alerts", {AlertRecord(event, Partition(partition))}));
  }
  // Raises an alert of each of `count` clients, over all partitions, the next cause each.
  void Raise(int count, const std::string& owner = "anna") {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i, ++raised_) {
      alert::v1::AlertEvent event = MakeRaised(absl::StrCat("client", raised_), raised_);
      event.mutable_cause()->set_partition(raised_ % kPartitions);
      event.set_owner_id(owner);
      records.push_back(AlertRecord(event, Partition(raised_ % kPartitions)));
    }
    ASSERT_OK(log_->Append("alerts", records));
  }

  std::unique_ptr<EventLog> log_;
  int raised_ = 0;
};

}  // namespace rapport::testing
