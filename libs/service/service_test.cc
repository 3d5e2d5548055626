#include "libs/service/service.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "tests/support/service_process.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kService[] = RAPPORT_TEST_SERVICE;

struct Ended {
  int exit_code = -1;
  std::string output;  // both streams
};

// What it wrote arrives a little later than it was written.
void AwaitOutput(const ServiceProcess& process, const std::string& text) {
  while (process.Output().find(text) == std::string::npos) std::this_thread::yield();
}

// Runs to its end.
Ended RunToEnd(const std::string& arguments) {
  Ended ended;
  FILE* const pipe = ::popen(absl::StrCat("exec ", kService, " ", arguments, " 2>&1").c_str(), "r");
  char bytes[4096];
  while (const size_t size = std::fread(bytes, 1, sizeof bytes, pipe)) {
    ended.output.append(bytes, size);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

TEST(RunServiceMain, EndsWithTwoWhenTheCommandLineIsWrong) {
  const Ended unknown = RunToEnd("alone --no-such-option");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("--no-such-option"));
  const Ended instance = RunToEnd("alone --instance a/b");
  EXPECT_EQ(instance.exit_code, 2);
  EXPECT_EQ(instance.output,
            "rapport-ingest: --instance is 'a/b'; write letters, digits, '-', '_' and '.', up to "
            "100\n");
}

TEST(RunServiceMain, EndsWithTwoWhenTheConfigurationIsWrong) {
  const Ended limit = RunToEnd("alone --set ingest.queue_bytes=5");
  EXPECT_EQ(limit.exit_code, 2);
  EXPECT_THAT(limit.output, StartsWith("rapport-ingest: 'ingest.queue_bytes=5': "));
  EXPECT_EQ(RunToEnd("alone --config /no/such/file").exit_code, 2);
  const Ended listen = RunToEnd("alone --check-config --listen 8081");
  EXPECT_EQ(listen.exit_code, 2);
  EXPECT_THAT(listen.output, HasSubstr("ingest.listen is '8081'; write host:port"));
}

TEST(RunServiceMain, PrintsAndChecksTheConfiguration) {
  const Ended help = RunToEnd("alone --help-config");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("queue_bytes: 67108864"));
  const Ended check = RunToEnd("alone --check-config");
  EXPECT_EQ(check.exit_code, 0);
  EXPECT_EQ(check.output, "the configuration is right\n");
}

TEST(RunServiceMain, EndsWithThreeWhenItMayNotListen) {
  const Ended ended = RunToEnd("alone --listen 0.0.0.0:0");
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.output,
              HasSubstr("needs somebody to be asked who they are: set http.token_file"));
}

TEST(RunServiceMain, CanBeEndedWhileTheLogIsAway) {
  // Ends with `kill` as soon as it says that it waits.
  FILE* const pipe = ::popen(absl::StrCat("exec ", kService,
                                          " alone --listen 127.0.0.1:0 --set "
                                          "kafka.bootstrap_servers=127.0.0.1:1 2>&1 & "
                                          "echo $!; wait $!; echo ended with $?")
                                 .c_str(),
                             "r");
  char bytes[4096];
  ASSERT_NE(std::fgets(bytes, sizeof bytes, pipe), nullptr);
  const pid_t pid = std::stoi(bytes);
  std::string output;
  while (std::fgets(bytes, sizeof bytes, pipe) != nullptr) {
    output += bytes;
    if (absl::StrContains(bytes, "waiting for the log: ")) ::kill(pid, SIGTERM);
  }
  ::pclose(pipe);
  EXPECT_THAT(output, ::testing::EndsWith("ingest ended\nended with 0\n"));
}

TEST(RunServices, AnswersHealthReadinessAndMetrics) {
  ASSERT_OK_AND_ASSIGN(const auto process, ServiceProcess::Start(kService, {"together"}));
  HttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer alive,
                       client.Fetch({.url = process->address() + "/healthz"}));
  EXPECT_EQ(alive.status, 200);
  ASSERT_OK_AND_ASSIGN(const HttpAnswer ready,
                       client.Fetch({.url = process->address() + "/readyz"}));
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body,
            "{\"ready\":false,\"services\":[{\"name\":\"ingest\",\"ready\":true},"
            "{\"name\":\"alerts\",\"ready\":false,\"reason\":\"still reading\"}]}\n");
  ASSERT_OK_AND_ASSIGN(const HttpAnswer metrics,
                       client.Fetch({.url = process->address() + "/metrics"}));
  EXPECT_THAT(
      metrics.body,
      AllOf(HasSubstr("rapport_http_requests_total{code=\"503\",method=\"GET\","
                      "route=\"/readyz\"} 1\n"),
            HasSubstr("\nprocess_resident_memory_bytes "), HasSubstr("\nprocess_open_fds ")));
}

TEST(RunServices, DrainsWhenToldToEnd) {
  ASSERT_OK_AND_ASSIGN(const auto process, ServiceProcess::Start(kService, {"together"}));
  HttpClient client;
  absl::StatusOr<HttpAnswer> answer;
  std::thread asking([&] { answer = client.Fetch({.url = process->address() + "/slow"}); });
  AwaitOutput(*process, "asked");
  EXPECT_EQ(process->Terminate(), 0);
  asking.join();
  ASSERT_OK(answer);
  EXPECT_EQ(answer->body, "slow but sure");
  AwaitOutput(*process, "gone: ingest");
  const std::string output = process->Output();
  EXPECT_LT(output.find("stopping"), output.find("gone: alerts"));
  EXPECT_LT(output.find("gone: alerts"), output.find("gone: ingest"));
}

TEST(RunServiceMain, EndsWhenItCannotSpeakTls) {
  const Ended half = RunToEnd("alone --listen 127.0.0.1:0 --set http.tls_key_file=/no/key");
  EXPECT_EQ(half.exit_code, 2);
  EXPECT_THAT(half.output, HasSubstr("tls_certificate_file is not set"));
  const Ended none = RunToEnd(
      "alone --listen 127.0.0.1:0 --set http.tls_key_file=/no/key --set "
      "http.tls_certificate_file=/no/certificate");
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.output, HasSubstr("/no/certificate: No such file or directory"));
}

TEST(CreateTopics, KeepsThePartitionsThatAreThere) {
  const auto log = NewInMemoryEventLog();
  const LogTopics topics;
  ASSERT_OK(log->CreateTopic(topics.touchpoints, 3));
  ASSERT_OK(CreateTopics(*log, topics, 12));
  ASSERT_OK(CreateTopics(*log, topics, 12));
  for (const std::string& topic : {topics.touchpoints, topics.alerts, topics.rejected}) {
    EXPECT_THAT(log->PartitionCount(topic), IsOk());
    EXPECT_EQ(*log->PartitionCount(topic), 3) << topic;
  }
}

TEST(HttpOptions, ComeFromTheConfiguration) {
  config::v1::Config config;
  config.mutable_http()->set_tls_certificate_file("/certificate");
  config.mutable_http()->set_tls_key_file("/key");
  config.mutable_http()->add_trusted_proxies("10.0.0.0/8");
  ASSERT_OK_AND_ASSIGN(const HttpServer::Options options, HttpOptionsFrom(config, "127.0.0.1:0"));
  EXPECT_EQ(options.tls_certificate_file, "/certificate");
  EXPECT_EQ(options.tls_key_file, "/key");
  EXPECT_THAT(options.trusted_proxies, ::testing::ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(OwnCaFile(config.http()), "/certificate");
  config.mutable_http()->set_ca_file("/ca");
  EXPECT_EQ(OwnCaFile(config.http()), "/ca");
  EXPECT_THAT(HttpOptionsFrom(config, "127.0.0.1:0"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "http.ca_file is '/ca', which cannot be read: No such file or directory"));
  config.mutable_http()->clear_ca_file();
  config.mutable_http()->set_token_file("/no/such/file");
  EXPECT_THAT(HttpOptionsFrom(config, "127.0.0.1:0"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("/no/such/file")));
}

}  // namespace
}  // namespace rapport
