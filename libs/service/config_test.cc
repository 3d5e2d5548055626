#include "libs/service/config.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "rapport/config/v1/setting.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(Config, FillsInDefaultsOfAllSections) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Config config, ParseConfig("", "x"));
  EXPECT_EQ(config.data_folder(), "/var/lib/rapport");
  EXPECT_EQ(config.memory_mib(), 1024);
  EXPECT_EQ(config.ingest().queue_bytes(), 67108864);
  EXPECT_EQ(config.kafka().bootstrap_servers(), "127.0.0.1:9092");
  EXPECT_EQ(config.retention().listen(), "127.0.0.1:0");
  EXPECT_TRUE(config.http().has_token_file());
}

TEST(Config, FillsInDefaultsOfRepeatedSections) {
  ASSERT_OK_AND_ASSIGN(
      const config::v1::Config config,
      ParseConfig(R"(alerts { web_hooks { name: "a" url: "http://x" secret_file: "/s" } })", "x"));
  ASSERT_EQ(config.alerts().web_hooks_size(), 1);
  EXPECT_EQ(config.alerts().web_hooks(0).timeout_ms(), 15000);
  EXPECT_FALSE(config.alerts().web_hooks(0).allow_private_address());
}

TEST(Config, ReadsWhatTheFileSays) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Config config, ParseConfig(R"(
memory_mib: 512
http { allowed_origins: "https://a" allowed_origins: "https://b" }
ingest { listen: "127.0.0.1:9" })",
                                                                    "x"));
  EXPECT_EQ(config.memory_mib(), 512);
  EXPECT_EQ(config.ingest().listen(), "127.0.0.1:9");
  EXPECT_EQ(config.ingest().max_batch_events(), 10000);
  EXPECT_THAT(config.http().allowed_origins(), ElementsAre("https://a", "https://b"));
}

TEST(Config, ChecksHowHttpIsServed) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Config config,
                       ParseConfig(R"(http { tls_certificate_file: "/c" tls_key_file: "/k"
                                             trusted_proxies: ["10.0.0.0/8", "::1/128"] })",
                                   "x"));
  EXPECT_THAT(config.http().trusted_proxies(), ElementsAre("10.0.0.0/8", "::1/128"));
  EXPECT_THAT(
      ParseConfig(R"(http { tls_certificate_file: "/c" })", "f"),
      StatusIs(kInvalid,
               "f: http.tls_certificate_file is '/c', and tls_key_file is not set; TLS needs "
               "both, plain HTTP neither"));
  EXPECT_THAT(ParseConfig(R"(http { tls_key_file: "/k" })", "f"),
              StatusIs(kInvalid, HasSubstr("http.tls_key_file is '/k'")));
  EXPECT_THAT(ParseConfig(R"(http { trusted_proxies: "10.0.0.0" })", "f"),
              StatusIs(kInvalid, HasSubstr("http.trusted_proxies has '10.0.0.0'")));
}

TEST(Config, NamesTheLineOfAnUnknownField) {
  EXPECT_THAT(ParseConfig("memory_mib: 512\n\ningest {\n  lisen: \"x\"\n}\n", "rapport.textproto"),
              StatusIs(kInvalid, StartsWith("rapport.textproto:4: ")));
  EXPECT_THAT(ParseConfig("ingest {\n  lisen: \"x\"\n}\n", "f"),
              StatusIs(kInvalid, HasSubstr("\"lisen\"")));
}

TEST(Config, NamesTheLineOfAWrongType) {
  EXPECT_THAT(ParseConfig("\nmemory_mib: \"much\"\n", "f"),
              StatusIs(kInvalid, StartsWith("f:2: ")));
}

TEST(Config, NamesTheLineOfAFieldGivenTwice) {
  EXPECT_THAT(ParseConfig("memory_mib: 512\nmemory_mib: 513\n", "f"),
              StatusIs(kInvalid, StartsWith("f:2: ")));
}

TEST(Config, NamesTheLineOfANumberBeyondItsLimits) {
  EXPECT_THAT(ParseConfig("ingest {\n  queue_bytes: 5\n}\n", "rapport.textproto"),
              StatusIs(kInvalid,
                       "rapport.textproto:2: ingest.queue_bytes is 5; allowed are 65536 "
                       "to 4294967296 bytes"));
  EXPECT_THAT(ParseConfig("topics { partitions: 0 }", "f"),
              StatusIs(kInvalid, "f:1: topics.partitions is 0; allowed are 1 to 10000"));
}

TEST(Config, NamesTheLineOfASectionThatMissesSomething) {
  EXPECT_THAT(ParseConfig("\n\nalerts {\n  web_hooks { name: \"a\" }\n}\n", "f"),
              StatusIs(kInvalid, "f:4: alerts.web_hooks[0].url is missing"));
  EXPECT_THAT(
      ParseConfig("kafka {\n  settings { name: \"a\" }\n  settings { value: \"b\" }\n}", "f"),
      StatusIs(kInvalid, "f:3: kafka.settings[1].name is missing"));
  EXPECT_THAT(ParseConfig("kafka {\n  settings {\n    name: \"\"\n  }\n}", "f"),
              StatusIs(kInvalid, "f:3: kafka.settings[0].name is empty, and must not be"));
}

TEST(Config, RefusesWordsThatMeanNothing) {
  EXPECT_THAT(ParseConfig("logging { format: \"xml\" }", "f"),
              StatusIs(kInvalid, "f:1: logging.format is 'xml'; allowed are text and json"));
  EXPECT_THAT(
      ParseConfig("logging { level: \"debug\" }", "f"),
      StatusIs(kInvalid, "f:1: logging.level is 'debug'; allowed are info, warning and error"));
  EXPECT_THAT(
      ParseConfig("gateway { listen: \"8080\" }", "f"),
      StatusIs(kInvalid, "f:1: gateway.listen is '8080'; write host:port, such as 127.0.0.1:8080"));
  EXPECT_THAT(
      ParseConfig("kafka { settings { name: \"a\" value: \"b\" value_file: \"c\" } }", "f"),
      StatusIs(kInvalid, "f: kafka.settings: a has a value and a value_file; give one of them"));
}

TEST(Config, OverridesStandOverTheFile) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Config config,
                       ParseConfig("memory_mib: 512 ingest { listen: \"127.0.0.1:1\" }", "f",
                                   {.overrides = {"ingest.listen=127.0.0.1:0", "memory_mib=128",
                                                  "http.allowed_origins=https://a",
                                                  "kafka.bootstrap_servers=a=b"}}));
  EXPECT_EQ(config.ingest().listen(), "127.0.0.1:0");
  EXPECT_EQ(config.memory_mib(), 128);
  EXPECT_THAT(config.http().allowed_origins(), ElementsAre("https://a"));
  EXPECT_EQ(config.kafka().bootstrap_servers(), "a=b");
}

TEST(Config, DefaultsOfTheProgramStandBelowTheFile) {
  const ConfigArguments arguments = {.defaults = {"topics.partitions=4"}};
  ASSERT_OK_AND_ASSIGN(const config::v1::Config silent, ParseConfig("", "f", arguments));
  EXPECT_EQ(silent.topics().partitions(), 4);
  ASSERT_OK_AND_ASSIGN(const config::v1::Config given,
                       ParseConfig("topics { partitions: 7 }", "f", arguments));
  EXPECT_EQ(given.topics().partitions(), 7);
}

TEST(Config, OverridesAreChecked) {
  const auto with = [](const char* argument) {
    return ParseConfig("", "f", {.overrides = {argument}}).status();
  };
  EXPECT_THAT(with("ingest.queue_bytes=5"),
              StatusIs(kInvalid,
                       "'ingest.queue_bytes=5': ingest.queue_bytes is 5; allowed are "
                       "65536 to 4294967296 bytes"));
  EXPECT_THAT(with("ingest.lisen=x"),
              StatusIs(kInvalid, StartsWith("'ingest.lisen=x': there is no 'lisen' here; there "
                                            "are: listen, max_body_bytes, ")));
  EXPECT_THAT(with("ingest=x"), StatusIs(kInvalid, HasSubstr("ingest is a section")));
  EXPECT_THAT(with("memory_mib.x=1"), StatusIs(kInvalid, HasSubstr("memory_mib has no parts")));
  EXPECT_THAT(with("alerts.web_hooks.url=x"),
              StatusIs(kInvalid, HasSubstr("web_hooks has no parts")));
  EXPECT_THAT(with("memory_mib=much"),
              StatusIs(kInvalid, "'memory_mib=much': the value is no whole number"));
  EXPECT_THAT(with("memory_mib"), StatusIs(kInvalid, HasSubstr("write section.field=value")));
}

TEST(Config, EveryNumberTextAndFlagHasASetting) {
  std::vector<const google::protobuf::Descriptor*> types = {config::v1::Config::descriptor()};
  while (!types.empty()) {
    const auto* const type = types.back();
    types.pop_back();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* const field = type->field(i);
      if (field->message_type() != nullptr) {
        types.push_back(field->message_type());
      } else if (!field->is_repeated()) {
        EXPECT_TRUE(field->has_presence()) << field->full_name();
        EXPECT_TRUE(field->options().HasExtension(config::v1::setting)) << field->full_name();
      }
    }
  }
}

TEST(Config, DescriptionIsAFileThatSaysTheDefaults) {
  const std::string description = DescribeSettings();
  EXPECT_THAT(description,
              HasSubstr("  # Bytes of touchpoints that may wait for the log; beyond, 503.\n"
                        "  # (bytes, 65536 to 4294967296)\n"
                        "  queue_bytes: 67108864\n"));
  ASSERT_OK_AND_ASSIGN(const config::v1::Config described, ParseConfig(description, "d"));
  ASSERT_OK_AND_ASSIGN(const config::v1::Config defaults, ParseConfig("", "d"));
  EXPECT_EQ(described.DebugString(), defaults.DebugString());
}

TEST(Config, WhatHoldsIsShownWithoutSecrets) {
  ASSERT_OK_AND_ASSIGN(
      const config::v1::Config config,
      ParseConfig(R"pb(
                    memory_mib: 99
                    kafka {
                      settings { name: "sasl.password" value: "hunter2" }
                      settings { name: "client.rack" value: "b" }
                    }
                    http { allowed_origins: "https://a.example" token_file: "/etc/token" }
                    alerts {
                      web_hooks {
                        name: "crm"
                        url: "https://me:hunter2@crm.example/@hook"
                        secret_file: "/etc/crm"
                      }
                    }
                  )pb",
                  "d"));
  std::map<std::string, query::v1::ConfigSetting> shown;
  const query::v1::ConfigAnswer answer = ShowSettings(config);
  for (const query::v1::ConfigSetting& setting : answer.settings()) {
    EXPECT_TRUE(shown.emplace(setting.path(), setting).second) << setting.path();
    EXPECT_THAT(setting.ShortDebugString(), Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(shown["memory_mib"].values(), ElementsAre("99"));
  EXPECT_TRUE(shown["memory_mib"].changed());
  EXPECT_EQ(shown["memory_mib"].unit(), "MiB");
  EXPECT_THAT(shown["kafka.settings[0].value"].values(), ElementsAre("********"));
  EXPECT_THAT(shown["kafka.settings[1].value"].values(), ElementsAre("b"));
  EXPECT_THAT(shown["http.allowed_origins"].values(), ElementsAre("https://a.example"));
  EXPECT_THAT(shown["http.token_file"].values(), ElementsAre("/etc/token"));
  EXPECT_THAT(shown["alerts.web_hooks[0].url"].values(),
              ElementsAre("https://********@crm.example/@hook"));
  const query::v1::ConfigSetting& queue = shown["ingest.queue_bytes"];
  EXPECT_FALSE(queue.changed());
  EXPECT_EQ(queue.default_value(), "67108864");
  EXPECT_EQ(queue.description(), "Bytes of touchpoints that may wait for the log; beyond, 503.");
}

class ConfigFiles : public ::testing::Test {
 protected:
  ConfigFiles() {
    std::string pattern = ::testing::TempDir() + "config_testXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigFiles() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
};

TEST_F(ConfigFiles, AreReadByTheirPath) {
  ASSERT_OK_AND_ASSIGN(const config::v1::Config config,
                       LoadConfig(Write("rapport.textproto", "memory_mib: 99\n")));
  EXPECT_EQ(config.memory_mib(), 99);
  EXPECT_OK(LoadConfig(Write("empty.textproto", "")));
  EXPECT_THAT(
      LoadConfig(folder_ + "/missing"),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "reading the configuration " + folder_ + "/missing: No such file or directory"));
}

TEST_F(ConfigFiles, HoldSecrets) {
  ASSERT_OK_AND_ASSIGN(const std::string secret, ReadSecretFile(Write("token", "  abc\n\n")));
  EXPECT_EQ(secret, "abc");
  EXPECT_THAT(ReadSecretFile(Write("nothing", "\n")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the secret file " + folder_ + "/nothing is empty"));
  for (const std::string& none : {folder_, std::string("/dev/null")}) {
    EXPECT_THAT(ReadSecretFile(none),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         "reading the secret in " + none + ": it is no file"));
  }
  EXPECT_THAT(ReadSecretFile(folder_ + "/missing"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/missing: No such file or directory")));
}

}  // namespace
}  // namespace rapport
