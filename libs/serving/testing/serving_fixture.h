#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "libs/base/check.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"
#include "libs/serving/projection_host.h"
#include "libs/touchpoint/record.h"

namespace rapport::testing {

// All that services need in one process: a log in memory, a real server on a free port, and a
// client that calls it.
class ServingFixture : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  ServingFixture()
      : log_(NewInMemoryEventLog()),
        resources_({.memory_bytes = size_t{32} << 20}),
        budget_(size_t{64} << 20) {
    for (const char* topic : {"touchpoints", "alerts", "rejected", "sources"}) {
      EXPECT_OK(log_->CreateTopic(topic, kPartitions));
    }
    auto config = ParseConfig("", "test",
                              {.overrides = {absl::StrCat("data_folder=", folder_.path()),
                                             "profiles.max_wait_ms=60000"}});
    RAPPORT_CHECK(config.ok(), config.status().ToString());
    config_ = *std::move(config);
    auto server = HttpServer::Create({}, &metrics_);
    RAPPORT_CHECK(server.ok(), server.status().ToString());
    http_ = *std::move(server);
  }

  ServiceEnv env() {
    return {.config = &config_,
            .instance = "1",
            .all_in_one = true,
            .log = log_.get(),
            .metrics = &metrics_,
            .http = http_.get(),
            .http_client = &client_,
            .resources = &resources_,
            .budget = &budget_};
  }

  // Begins to serve, and waits until all have their partitions.
  void Serve(const std::vector<const Service*>& services) {
    ASSERT_OK(http_->Start());
    for (const Service* service : services) {
      while (!service->Ready().ok()) absl::SleepFor(absl::Milliseconds(2));
    }
  }

  // Returns wait_for= for all of them.
  std::string Append(const std::vector<touchpoint::v1::Touchpoint>& touchpoints) {
    std::vector<Record> records;
    for (const touchpoint::v1::Touchpoint& touchpoint : touchpoints) {
      records.push_back(MakeRecord(touchpoint));
    }
    return AppendRecords(records);
  }
  // Time has come to `now` in all partitions.
  std::string Tick(absl::Time now) {
    std::vector<Record> records;
    for (int i = 0; i < kPartitions; ++i) records.push_back(MakeClockRecord(now, Partition(i)));
    return AppendRecords(records);
  }
  std::string AppendRecords(const std::vector<Record>& records) {
    const auto positions = log_->Append("touchpoints", records);
    RAPPORT_CHECK(positions.ok(), positions.status().ToString());
    std::map<Partition, RecordPosition> last;
    for (const RecordPosition& position : *positions) last[position.partition] = position;
    return absl::StrJoin(last, "&", [](std::string* out, const auto& entry) {
      absl::StrAppend(out, "wait_for=", FormatPosition(entry.second));
    });
  }

  HttpAnswer Call(absl::string_view method, const std::string& path, const std::string& body = "") {
    auto answer = client_.Fetch({.method = std::string(method),
                                 .url = http_->address() + path,
                                 .body = body,
                                 .timeout = absl::Seconds(100)});
    RAPPORT_CHECK(answer.ok(), answer.status().ToString());
    return *std::move(answer);
  }
  // The message of an answer in JSON, whose status has to be `status`; empty of an error.
  template <class Message>
  Message Read(const std::string& path, int status = 200) {
    return Parse<Message>(Call("GET", path), path, status);
  }
  template <class Message>
  Message Post(const std::string& path, const std::string& body, int status) {
    return Parse<Message>(Call("POST", path, body), path, status);
  }
  // The message of an error, which has to have this status.
  std::string Error(const std::string& path, int status) {
    const HttpAnswer answer = Call("GET", path);
    EXPECT_EQ(answer.status, status) << path << "\n" << answer.body;
    return answer.body;
  }

  const TempFolder folder_;
  std::unique_ptr<EventLog> log_;
  config::v1::Config config_;
  Metrics metrics_;
  StoreResources resources_;
  CacheBudget budget_;
  HttpClient client_;
  std::unique_ptr<HttpServer> http_;

 private:
  template <class Message>
  static Message Parse(const HttpAnswer& answer, const std::string& path, int status) {
    EXPECT_EQ(answer.status, status) << path << "\n" << answer.body;
    Message message;
    if (answer.status >= 300) return message;
    const auto parsed = google::protobuf::util::JsonStringToMessage(answer.body, &message);
    EXPECT_TRUE(parsed.ok()) << path << "\n" << answer.body;
    return message;
  }
};

}  // namespace rapport::testing
