// How long it takes from the 202 for a touchpoint until a page knows that its client has changed
// (GET /v1/changes/stream), and until it has read the client anew (GET /v1/clients/{id} with
// wait_for). One touchpoint after another, of clients of one owner, whom the stream is narrowed to.
// Arguments: clients, touchpoints.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"
#include "libs/serving/testing/event_stream.h"
#include "nlohmann/json.hpp"
#include "services/ingest/ingest.h"
#include "services/profiles/profiles.h"

namespace rapport::bench {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int64_t kOwners = 500;
constexpr size_t kBatch = 10'000;
constexpr char kTouchpoints[] = "touchpoints";

std::string ClientName(int64_t number) { return absl::StrCat("c-", number); }

void AppendClients(int64_t clients, EventLog* log) {
  const absl::Time start = absl::FromUnixSeconds(1735689600);
  std::vector<Record> records;
  for (int64_t i = 0; i < clients; ++i) {
    Touchpoint registered = testing::MakeTouchpoint(Touchpoint::kClientRegistered, ClientName(i),
                                                    absl::StrCat("r", i), start + absl::Seconds(i));
    registered.set_owner_id(absl::StrCat("owner", i % kOwners));
    records.push_back(MakeRecord(registered));
    if (records.size() < kBatch && i + 1 < clients) continue;
    const auto appended = log->Append(kTouchpoints, records);
    RAPPORT_CHECK(appended.ok(), appended.status().ToString());
    records.clear();
  }
}

void Print(const char* what, std::vector<absl::Duration> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    const auto index = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
    return absl::ToDoubleMilliseconds(times[index]);
  };
  fmt::print("{:<40} p50 {:7.2f} ms, p99 {:7.2f} ms, longest {:7.2f} ms\n", what, at(0.5), at(0.99),
             at(1));
}

// The position of what was written.
std::string Write(const std::string& client_id, int64_t number, HttpClient& client,
                  const HttpServer& server) {
  const auto answer = client.Fetch(
      {.method = "POST",
       .url = absl::StrCat(server.address(), "/v1/touchpoints"),
       .headers = {{"content-type", "application/cloudevents+json"}},
       .body = absl::StrCat(
           R"({"specversion":"1.0","source":"bench","type":"rapport.touchpoint.v1.NoteTaken",)",
           R"("id":")", number, R"(","subject":")", client_id, R"(","time":")",
           absl::FormatTime(absl::RFC3339_full, absl::Now(), absl::UTCTimeZone()),
           R"(","data":{"text":"Likes to be called before nine."}})")});
  RAPPORT_CHECK(answer.ok() && answer->status == 202, answer.ok() ? answer->body : "no answer");
  return nlohmann::json::parse(answer->body)["position"];
}

void Measure(int64_t clients, int64_t touchpoints, HttpClient& client, const HttpServer& server) {
  testing::EventStream stream(
      &client,
      absl::StrCat(server.address(), "/v1/changes/stream?projections=profile&owner=owner7"));
  stream.Await("id: ");
  testing::Random random(7);
  std::vector<absl::Duration> told;
  std::vector<absl::Duration> read;
  for (int64_t i = 0; i < touchpoints; ++i) {
    const std::string client_id = ClientName(random.Below(clients / kOwners) * kOwners + 7);
    const std::string position = Write(client_id, i, client, server);
    const absl::Time accepted = absl::Now();
    stream.Await(absl::StrCat("\"position\":\"", position, "\""));
    told.push_back(absl::Now() - accepted);
    const auto answer = client.Fetch(
        {.url = absl::StrCat(server.address(), "/v1/clients/", client_id, "?wait_for=", position)});
    RAPPORT_CHECK(answer.ok() && answer->status == 200, client_id);
    read.push_back(absl::Now() - accepted);
  }
  Print("202 to the event on the stream", std::move(told));
  Print("202 to the client, read for that event", std::move(read));
}

void Run(int64_t clients, int64_t touchpoints) {
  const testing::TempFolder folder;
  StoreResources resources({.memory_bytes = size_t{256} << 20});
  CacheBudget budget(size_t{512} << 20);
  auto log = OpenEmbeddedLog({.folder = folder / "log"});
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  for (const char* topic : {kTouchpoints, "alerts", "rejected"}) {
    RAPPORT_CHECK((*log)->CreateTopic(topic, kPartitions).ok(), topic);
  }
  RAPPORT_CHECK((*log)->CreateTopic("clock", 1).ok(), "clock");
  AppendClients(clients, log->get());
  auto config = ParseConfig("", "bench", {.overrides = {"data_folder=" + folder.path()}});
  RAPPORT_CHECK(config.ok(), config.status().ToString());
  Metrics metrics;
  auto server = HttpServer::Create({}, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  HttpClient client;
  const ServiceEnv env{.config = &*config,
                       .instance = "1",
                       .all_in_one = true,
                       .log = log->get(),
                       .metrics = &metrics,
                       .http = server->get(),
                       .http_client = &client,
                       .resources = &resources,
                       .budget = &budget};
  auto profiles = StartProfiles(env);
  RAPPORT_CHECK(profiles.ok(), profiles.status().ToString());
  auto ingest = StartIngest(env);
  RAPPORT_CHECK(ingest.ok(), ingest.status().ToString());
  RAPPORT_CHECK((*server)->Start().ok(), "the server does not start");
  while (!(*profiles)->Ready().ok() || !(*ingest)->Ready().ok()) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  Measure(clients, touchpoints, client, **server);
  (*server)->Drain(absl::Seconds(5));
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  const int64_t clients = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const int64_t touchpoints = argc > 2 ? std::atoll(argv[2]) : 1'000;
  rapport::bench::Run(clients, touchpoints);
}
