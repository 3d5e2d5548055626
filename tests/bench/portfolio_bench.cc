// How long the call list and the ledger of promises of an owner take, over many clients in the
// portfolios of a thousand owners. Each client has a contract, an order, some calls and, every
// second one, a promise. One request after another, of another owner each time. Arguments: clients,
// requests of each kind.

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
#include "services/profiles/profiles.h"
#include "services/retention/retention.h"

namespace rapport::bench {
namespace {

using testing::Random;
using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int64_t kOwners = 1'000;
constexpr int64_t kCalls = 3;
constexpr size_t kBatch = 10'000;
constexpr char kTouchpoints[] = "touchpoints";
constexpr absl::Duration kDay = absl::Hours(24);

class Writer {
 public:
  explicit Writer(EventLog* log) : log_(*log) {}

  void Add(const Touchpoint& touchpoint) {
    records_.push_back(MakeRecord(touchpoint));
    if (records_.size() >= kBatch) Flush();
  }
  void Tick(absl::Time now) {
    for (int i = 0; i < kPartitions; ++i) records_.push_back(MakeClockRecord(now, Partition(i)));
    Flush();
  }
  void Flush() {
    const auto appended = log_.Append(kTouchpoints, records_);
    RAPPORT_CHECK(appended.ok(), appended.status().ToString());
    records_.clear();
  }

 private:
  EventLog& log_;
  std::vector<Record> records_;
};

void AppendClients(int64_t clients, EventLog* log) {
  Random random(1);
  Writer writer(log);
  const absl::Time start = absl::FromUnixSeconds(1735689600);
  for (int64_t i = 0; i < clients; ++i) {
    const std::string client = absl::StrCat("c-", i);
    int number = 0;
    const auto make = [&](Touchpoint::PayloadCase kind, absl::Duration after) {
      Touchpoint touchpoint = testing::MakeTouchpoint(kind, client, absl::StrCat(i, "/", ++number),
                                                      start + after + absl::Seconds(i % 3600));
      touchpoint.set_owner_id(absl::StrCat("owner", i % kOwners));
      return touchpoint;
    };
    Touchpoint contract = make(Touchpoint::kContractSigned, absl::ZeroDuration());
    contract.mutable_contract_signed()->set_contract_id("K");
    auto& terms = *contract.mutable_contract_signed()->mutable_terms();
    terms.Clear();
    // Few bring much: a tail as of real portfolios.
    terms.mutable_value()->set_minor_units(10'000'000 / (1 + random.Below(1'000)));
    terms.mutable_value()->set_currency_code("GBP");
    writer.Add(contract);
    for (int64_t call = 0; call < kCalls; ++call) {
      Touchpoint called = make(Touchpoint::kCallCompleted, (1 + random.Below(60)) * kDay);
      called.mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
      writer.Add(called);
    }
    writer.Add(make(Touchpoint::kOrderPlaced, random.Below(80) * kDay));
    if (i % 2 == 0) {
      Touchpoint promise = make(Touchpoint::kCommitmentMade, random.Below(80) * kDay);
      auto& made = *promise.mutable_commitment_made();
      made.set_commitment_id(absl::StrCat("P-", i));
      made.set_promised_by_agent_id(absl::StrCat("owner", random.Below(kOwners)));
      ToProto(start + random.Below(180) * kDay, made.mutable_due_at());
      writer.Add(promise);
    }
  }
  writer.Tick(start + 90 * kDay);
}

void Measure(const char* what, int64_t requests, HttpClient& client, const HttpServer& server,
             const std::string& before_owner, const std::string& after_owner) {
  Random random(7);
  std::vector<double> times;
  size_t bytes = 0;
  for (int64_t i = 0; i < requests; ++i) {
    const std::string url =
        absl::StrCat(server.address(), before_owner, "owner", random.Below(kOwners), after_owner);
    const absl::Time before = absl::Now();
    const auto answer = client.Fetch({.url = url, .timeout = absl::Seconds(100)});
    times.push_back(absl::ToDoubleMilliseconds(absl::Now() - before));
    RAPPORT_CHECK(answer.ok() && answer->status == 200, url);
    bytes += answer->body.size();
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
  };
  fmt::print("{:<36} p50 {:7.2f} ms, p99 {:7.2f} ms, longest {:7.2f} ms; {} bytes\n", what, at(0.5),
             at(0.99), at(1), bytes / static_cast<size_t>(requests));
}

void Run(int64_t clients, int64_t requests) {
  const testing::TempFolder folder;
  StoreResources resources({.memory_bytes = size_t{256} << 20});
  CacheBudget budget(size_t{512} << 20);
  auto log = OpenEmbeddedLog({.folder = folder / "log"});
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  for (const char* topic : {kTouchpoints, "alerts", "rejected"}) {
    RAPPORT_CHECK((*log)->CreateTopic(topic, kPartitions).ok(), topic);
  }
  AppendClients(clients, log->get());
  auto config = ParseConfig("", "bench", {.overrides = {"data_folder=" + folder.path()}});
  RAPPORT_CHECK(config.ok(), config.status().ToString());
  Metrics metrics;
  auto server = HttpServer::Create({}, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  HttpClient client;
  const ServiceEnv env = {.config = &*config,
                          .instance = "1",
                          .all_in_one = true,
                          .log = log->get(),
                          .metrics = &metrics,
                          .http = server->get(),
                          .http_client = &client,
                          .resources = &resources,
                          .budget = &budget};
  const absl::Time loading = absl::Now();
  std::vector<std::unique_ptr<Service>> services;
  for (const auto& start : {StartProfiles, StartRetention}) {
    auto service = start(env);
    RAPPORT_CHECK(service.ok(), service.status().ToString());
    services.push_back(*std::move(service));
  }
  RAPPORT_CHECK((*server)->Start().ok(), "the server does not start");
  for (const auto& service : services) {
    while (!service->Ready().ok()) absl::SleepFor(absl::Milliseconds(100));
  }
  fmt::print("{} clients of {} owners loaded in {:.1f} s\n", clients, kOwners,
             absl::ToDoubleSeconds(absl::Now() - loading));
  Measure("call list of an owner", requests, client, **server, "/v1/owners/",
          "/call-list?limit=20");
  Measure("promises of an owner", requests, client, **server, "/v1/commitments?owner=", "");
  Measure("promises of an owner, overdue", requests, client, **server,
          "/v1/commitments?owner=", "&state=overdue");
  Measure("promises that a person made", requests, client, **server,
          "/v1/commitments?promiser=", "&by=promiser");
  (*server)->Drain(absl::Seconds(5));
  services.clear();
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  const int64_t clients = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const int64_t requests = argc > 2 ? std::atoll(argv[2]) : 500;
  rapport::bench::Run(clients, requests);
}
