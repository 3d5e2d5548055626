// A service for service_test, with nothing to do but to answer.
//   service_test_service alone ARGUMENTS...   as a process of its own against Kafka
//   service_test_service together             beside another in one process

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/service/config.h"
#include "libs/service/service.h"

namespace rapport {
namespace {

class TestService : public Service {
 public:
  explicit TestService(std::string name) : name_(std::move(name)) {}
  ~TestService() override { Log(LogLevel::kInfo, "gone: " + name_); }
  absl::Status Ready() const override {
    return name_ == "alerts" ? absl::UnavailableError("still reading") : absl::OkStatus();
  }

 private:
  const std::string name_;
};

absl::StatusOr<std::unique_ptr<Service>> StartIngest(const ServiceEnv& env) {
  if (env.instance == "broken") return absl::FailedPreconditionError("this one never starts");
  // Answers once the process has been told to end.
  env.http->Handle("GET", "/slow", [](const HttpRequest&, HttpReply reply) {
    Log(LogLevel::kInfo, "asked");
    std::thread([kept = std::make_shared<HttpReply>(std::move(reply))] {
      ::usleep(300'000);
      HttpResponse response;
      response.body = "slow but sure";
      kept->Send(std::move(response));
    }).detach();
  });
  env.http->Handle("GET", "/folder", Answering([&env = *env.config](const HttpRequest&) {
                     HttpResponse response;
                     response.body = env.data_folder();
                     return response;
                   }));
  return std::make_unique<TestService>("ingest");
}

int RunTogether() {
  const auto config = ParseConfig("", "test");
  RAPPORT_CHECK(config.ok(), config.status().ToString());
  Metrics metrics;
  const auto options = HttpOptionsFrom(*config, "127.0.0.1:0");
  RAPPORT_CHECK(options.ok());
  const auto http = HttpServer::Create(*options, &metrics);
  RAPPORT_CHECK(http.ok());
  const auto log = NewInMemoryEventLog();
  RAPPORT_CHECK(CreateTopics(*log, LogTopics{}, 4).ok());
  const ServiceEnv env = {.config = &*config,
                          .instance = "1",
                          .all_in_one = true,
                          .log = log.get(),
                          .metrics = &metrics,
                          .http = http->get()};
  const absl::Status status = RunServices(
      env, {{"ingest", "", StartIngest},
            {"alerts", "", [](const ServiceEnv&) -> absl::StatusOr<std::unique_ptr<Service>> {
               return std::make_unique<TestService>("alerts");
             }}});
  return status.ok() ? 0 : 3;
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  if (argc > 1 && absl::string_view(argv[1]) == "together") return rapport::RunTogether();
  return rapport::RunServiceMain(argc - 1, argv + 1,
                                 {"ingest", "Answers what a test asks.", rapport::StartIngest});
}
