#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "libs/serving/testing/serving_fixture.h"
#include "nlohmann/json.hpp"
#include "services/gateway/gateway.h"
#include "services/kpi/kpi.h"
#include "services/profiles/profiles.h"
#include "tests/api/kpi_world.h"

// Figures that the gateway reckons from the sums of several processes, beside those of one that has
// all of them.

namespace rapport {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr int kPartitions = 3;

// A process: a server, and what serves on it.
struct Process {
  testing::TempFolder folder;
  config::v1::Config config;
  Metrics metrics;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<Service> service;

  ~Process() {
    http->Drain(absl::Seconds(5));
    service.reset();
  }
};

// So many processes of kpi, one of profiles, and a gateway, over a log of their own.
class Deployment {
 public:
  explicit Deployment(int processes) {
    for (const char* topic : {"touchpoints", "alerts", "rejected", "sources"}) {
      RAPPORT_CHECK(log_->CreateTopic(topic, kPartitions).ok(), topic);
    }
    auto gateway = MakeProcess();
    gateway_address_ = gateway->http->address();
    gateway->service = Start(StartGateway, gateway.get(), "1");
    processes_.push_back(std::move(gateway));
    Add(StartProfiles, "1");
    for (int i = 0; i < processes; ++i) Add(StartKpi, absl::StrCat(i + 1));
    const auto positions = log_->Append("touchpoints", WorldAsItHappened(kPartitions));
    RAPPORT_CHECK(positions.ok(), positions.status().ToString());
    std::map<Partition, RecordPosition> last;
    for (const RecordPosition& position : *positions) last[position.partition] = position;
    wait_ = absl::StrJoin(last, "&", [](std::string* out, const auto& entry) {
      absl::StrAppend(out, "wait_for=", FormatPosition(entry.second));
    });
    for (const auto& process : processes_) {
      while (!process->service->Ready().ok()) absl::SleepFor(absl::Milliseconds(2));
    }
  }

  HttpAnswer Ask(const std::string& address, const std::string& path) {
    const char* const separator = absl::StrContains(path, "?") ? "&" : "?";
    auto answer = client_.Fetch(
        {.url = absl::StrCat(address, path, separator, wait_), .timeout = absl::Seconds(100)});
    RAPPORT_CHECK(answer.ok(), answer.status().ToString());
    return *std::move(answer);
  }
  HttpAnswer AskGateway(const std::string& path) { return Ask(gateway_address_, path); }
  HttpAnswer AskProcess(const std::string& path) {
    return Ask(processes_.back()->http->address(), path);
  }

 private:
  static std::unique_ptr<Process> MakeProcess() {
    auto process = std::make_unique<Process>();
    auto config = ParseConfig("", "test",
                              {.overrides = {absl::StrCat("data_folder=", process->folder.path()),
                                             "gateway.timeout_ms=60000"}});
    RAPPORT_CHECK(config.ok(), config.status().ToString());
    process->config = *std::move(config);
    auto server = HttpServer::Create({}, &process->metrics);
    RAPPORT_CHECK(server.ok(), server.status().ToString());
    process->http = *std::move(server);
    return process;
  }
  void Add(const StartService& start, const std::string& instance) {
    auto process = MakeProcess();
    process->config.mutable_gateway()->set_listen(
        std::string(absl::StripPrefix(gateway_address_, "http://")));
    process->service = Start(start, process.get(), instance);
    processes_.push_back(std::move(process));
  }
  std::unique_ptr<Service> Start(const StartService& start, Process* process,
                                 const std::string& instance) {
    auto service = start({.config = &process->config,
                          .instance = instance,
                          .log = log_.get(),
                          .metrics = &process->metrics,
                          .http = process->http.get(),
                          .http_client = &client_,
                          .resources = &resources_,
                          .budget = &budget_});
    RAPPORT_CHECK(service.ok(), service.status().ToString());
    RAPPORT_CHECK(process->http->Start().ok(), "cannot serve");
    return *std::move(service);
  }

  const std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
  StoreResources resources_{{.memory_bytes = size_t{32} << 20}};
  CacheBudget budget_{size_t{64} << 20};
  HttpClient client_;
  std::string gateway_address_;
  std::string wait_;
  std::vector<std::unique_ptr<Process>> processes_;
};

// An answer without where it was read from, and without places in lists.
Json Told(const HttpAnswer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  Json told = Json::parse(answer.body);
  told.erase("watermark");
  return told;
}

TEST(KpiGatewayTest, TellsOfThreeProcessesWhatOneTells) {
  Deployment one(1);
  Deployment three(3);
  const std::string period = "from=2026-04&to=2026-06";
  std::vector<std::string> paths = {
      "/v1/kpis",
      absl::StrCat("/v1/kpis/values?step=month&compare=previous&", period),
      absl::StrCat("/v1/kpis/values?scope=owner:anna&as_reported_on=2026-05-15&", period),
      absl::StrCat("/v1/kpis/values?by=agent&", period),
      absl::StrCat("/v1/kpis/waterfall?step=month&", period),
      absl::StrCat("/v1/kpis/revenue/changes?", period),
      absl::StrCat("/v1/kpis/revenue/touchpoints?client=V01&", period)};
  for (const char* kpi : {"revenue", "complaints_settled", "sales_per_manager"}) {
    paths.push_back(absl::StrCat("/v1/kpis/", kpi, "/breakdown?by=owner&", period));
  }
  for (const std::string sort : {"value", "name"}) {
    paths.push_back(
        absl::StrCat("/v1/kpis/revenue/breakdown?by=client&limit=4&sort=", sort, "&", period));
  }
  for (const std::string& path : paths) {
    const Json expected = Told(one.AskProcess(path));
    EXPECT_EQ(Told(three.AskGateway(path)), expected) << path;
  }
}

TEST(KpiGatewayTest, PagesOfSeveralProcessesAreOneList) {
  Deployment three(3);
  for (const std::string& rest :
       {std::string("breakdown?by=client&limit=3"), std::string("touchpoints?limit=5")}) {
    int64_t sum = 0;
    Json figure;
    std::string cursor;
    do {
      const Json page =
          Told(three.AskGateway(absl::StrCat("/v1/kpis/revenue/", rest, "&from=2026-04&to=2026-06",
                                             cursor.empty() ? "" : "&cursor=", cursor)));
      const bool rows = page.contains("rows");
      figure = rows ? page["series"]["total"] : page["figure"];
      for (const Json& row : rows ? page["rows"] : page["parts"]) {
        const Json& part = rows ? row["figure"] : row;
        sum += std::stoll(part.value("numerator", "0"));
      }
      cursor = page.value("next_cursor", "");
    } while (!cursor.empty());
    EXPECT_EQ(absl::StrCat(sum), figure["numerator"].get<std::string>()) << rest;
  }
}

TEST(KpiGatewayTest, WhatIsNotThereIsRefused) {
  Deployment three(3);
  const HttpAnswer owner = three.AskGateway("/v1/kpis/values?from=2026-05&scope=owner:nobody");
  EXPECT_EQ(owner.status, 404);
  EXPECT_THAT(owner.body, HasSubstr("nobody of that name works here"));
  EXPECT_EQ(three.AskGateway("/v1/kpis/values?kpi=revenu").status, 404);
  EXPECT_EQ(three.AskGateway("/v1/kpis/values?from=May").status, 400);
}

}  // namespace
}  // namespace rapport
