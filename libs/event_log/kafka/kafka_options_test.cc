#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/kafka/kafka_log.h"

namespace rapport {
namespace {

using testing::HasSubstr;

absl::Status Try(const std::function<void(KafkaLogOptions&)>& change) {
  KafkaLogOptions options;
  options.bootstrap_servers = "127.0.0.1:1";
  change(options);
  return NewKafkaEventLog(options).status();
}

auto IsInvalid(const std::string& text) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
}

TEST(KafkaOptionsTest, TheDefaultsWorkWithoutABroker) {
  EXPECT_OK(Try([](KafkaLogOptions&) {}));
}

TEST(KafkaOptionsTest, SettingsPassThrough) {
  EXPECT_OK(Try([](KafkaLogOptions& options) {
    options.settings = {{"security.protocol", "SASL_SSL"},
                        {"sasl.mechanisms", "SCRAM-SHA-512"},
                        {"sasl.username", "rapport"},
                        {"sasl.password", "secret"}};
    options.producer_settings = {{"compression.type", "zstd"}, {"linger.ms", "20"}};
    options.consumer_settings = {{"fetch.wait.max.ms", "500"}};
  }));
}

TEST(KafkaOptionsTest, AWrongSettingIsNamed) {
  EXPECT_THAT(Try([](auto& options) { options.settings["securty.protocol"] = "ssl"; }),
              IsInvalid("securty.protocol"));
  EXPECT_THAT(Try([](auto& options) { options.producer_settings["linger.ms"] = "soon"; }),
              IsInvalid("linger.ms"));
  EXPECT_THAT(Try([](auto& options) { options.consumer_settings["fetch.wait.max.ms"] = "-5"; }),
              IsInvalid("fetch.wait.max.ms"));
}

TEST(KafkaOptionsTest, WhatTheContractStandsOnIsNotForSettings) {
  EXPECT_THAT(Try([](auto& options) { options.producer_settings["acks"] = "1"; }),
              IsInvalid("acks is fixed"));
  EXPECT_THAT(Try([](auto& options) { options.settings["enable.idempotence"] = "false"; }),
              IsInvalid("enable.idempotence is fixed"));
  EXPECT_THAT(Try([](auto& options) { options.consumer_settings["auto.offset.reset"] = "latest"; }),
              IsInvalid("auto.offset.reset is fixed"));
}

TEST(KafkaOptionsTest, ValuesHaveLimits) {
  EXPECT_THAT(Try([](auto& options) { options.bootstrap_servers = ""; }),
              IsInvalid("bootstrap_servers"));
  EXPECT_THAT(Try([](auto& options) { options.replication_factor = 0; }),
              IsInvalid("replication_factor 0"));
  EXPECT_THAT(Try([](auto& options) { options.min_insync_replicas = 2; }),
              IsInvalid("min_insync_replicas 2"));
  EXPECT_THAT(Try([](auto& options) { options.max_record_bytes = 999; }), IsInvalid("999"));
  EXPECT_THAT(Try([](auto& options) { options.append_timeout = absl::Milliseconds(1); }),
              IsInvalid("append_timeout is 1ms; choose 1s to 15m"));
  EXPECT_THAT(Try([](auto& options) { options.request_timeout = absl::Hours(1); }),
              IsInvalid("request_timeout is 1h"));
  EXPECT_THAT(Try([](auto& options) { options.session_timeout = absl::ZeroDuration(); }),
              IsInvalid("session_timeout is 0"));
}

}  // namespace
}  // namespace rapport
