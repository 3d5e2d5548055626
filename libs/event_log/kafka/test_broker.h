#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "tests/support/kafka_cluster.h"

// What the tests of this folder share.

namespace rapport {

// The brokers of one test binary: testing::AddGlobalTestEnvironment(new TestBrokers(1)).
class TestBrokers : public testing::Environment {
 public:
  explicit TestBrokers(int count) : count_(count) {}
  void SetUp() override {
    auto started = KafkaCluster::Start(count_);
    ASSERT_OK(started);
    cluster_ = *std::move(started);
  }
  void TearDown() override { cluster_.reset(); }

  static KafkaCluster& cluster() { return *cluster_; }

 private:
  const int count_;
  inline static std::unique_ptr<KafkaCluster> cluster_;
};

inline KafkaLogOptions TestOptions(const std::string& servers) {
  KafkaLogOptions options;
  options.bootstrap_servers = servers;
  options.topic_prefix = "test.";
  options.session_timeout = absl::Seconds(6);
  return options;
}

inline std::unique_ptr<EventLog> Connect(const KafkaLogOptions& options) {
  auto log = NewKafkaEventLog(options);
  EXPECT_OK(log);
  return log.ok() ? *std::move(log) : nullptr;
}

// Not used before on these brokers.
inline std::string UniqueName(absl::string_view what) {
  static std::atomic<int> count = 0;
  return absl::StrCat(what, "-", getpid(), "-", absl::ToUnixMicros(absl::Now()), "-", ++count);
}

inline Record TestRecord(absl::string_view key, absl::string_view value) {
  Record record;
  record.key = std::string(key);
  record.value = std::string(value);
  record.timestamp = absl::FromUnixMillis(1700000000123);
  return record;
}

// The values that `reader` gives until there are `count`.
inline std::vector<std::string> ReadValues(LogReader& reader, size_t count) {
  std::vector<std::string> values;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (values.size() < count && absl::Now() < deadline) {
    const auto batch = reader.Read(count - values.size(), absl::Milliseconds(200));
    EXPECT_OK(batch);
    if (!batch.ok()) break;
    for (const RecordView& view : *batch) values.emplace_back(view.value.data(), view.value.size());
  }
  return values;
}

// The error that reading ends with; ok when it does not end.
inline absl::Status ReadError(LogReader& reader) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (absl::Now() < deadline) {
    const auto batch = reader.Read(1000, absl::Milliseconds(200));
    if (!batch.ok()) return batch.status();
  }
  return absl::OkStatus();
}

}  // namespace rapport
