// How long GET /v1/search and the lists of clients take over many clients, each with a name of
// three words, a person with a phone and a mail address, and one of a thousand owners. One request
// after another, of each kind with other words each time. Arguments: clients, requests of each
// kind.

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

namespace rapport::bench {
namespace {

using testing::Random;
using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int64_t kOwners = 1'000;
constexpr size_t kBatch = 10'000;
constexpr char kTouchpoints[] = "touchpoints";
constexpr const char* kForms[] = {"Ltd", "GmbH", "SA", "Sp. z o.o.", "ΑΕ", "ООО"};

// A name-like word; the lower the number, the more clients have it.
std::string Word(int64_t number) {
  constexpr const char* kSyllables[] = {"ba",  "ko", "mi", "ra", "ślu", "to", "ven", "ży",
                                        "ler", "no", "pa", "si", "du",  "fe", "gro", "hal"};
  std::string word;
  for (int64_t left = number + 16; left > 0; left /= 16) word += kSyllables[left % 16];
  return word;
}

// Few words of many clients, and many of few.
int64_t AnyWord(Random* random) { return random->Below(1 + random->Below(60'000)); }

std::string Phone(int64_t client) { return absl::StrFormat("+4930%08d", client); }

void AppendClients(int64_t clients, EventLog* log) {
  Random random(1);
  std::vector<Record> records;
  const auto append = [&] {
    const auto appended = log->Append(kTouchpoints, records);
    RAPPORT_CHECK(appended.ok(), appended.status().ToString());
    records.clear();
  };
  const absl::Time start = absl::FromUnixSeconds(1735689600);
  for (int64_t i = 0; i < clients; ++i) {
    const std::string client = absl::StrCat("c-", i);
    Touchpoint registered = testing::MakeTouchpoint(Touchpoint::kClientRegistered, client,
                                                    absl::StrCat("r", i), start + absl::Seconds(i));
    registered.set_owner_id(absl::StrCat("owner", i % kOwners));
    registered.mutable_client_registered()->mutable_details()->set_name(absl::StrCat(
        Word(AnyWord(&random)), " ", Word(AnyWord(&random)), " ", kForms[random.Below(6)]));
    records.push_back(MakeRecord(registered));
    Touchpoint person = testing::MakeTouchpoint(Touchpoint::kStakeholderAdded, client,
                                                absl::StrCat("p", i), start + absl::Seconds(i));
    auto& stakeholder = *person.mutable_stakeholder_added()->mutable_stakeholder();
    const std::string surname = Word(AnyWord(&random));
    stakeholder.set_stakeholder_id("p1");
    stakeholder.set_name(absl::StrCat(Word(random.Below(200)), " ", surname));
    stakeholder.set_phone(Phone(i));
    stakeholder.set_e_mail(absl::StrCat("mail", i, "@firm", i % 5'000, ".example"));
    records.push_back(MakeRecord(person));
    if (records.size() >= kBatch) append();
  }
  append();
}

void Measure(const char* what, int64_t requests, HttpClient& client, const HttpServer& server,
             const std::function<std::string(Random*)>& path) {
  Random random(7);
  std::vector<absl::Duration> times;
  size_t bytes = 0;
  for (int64_t i = 0; i < requests; ++i) {
    const std::string url = absl::StrCat(server.address(), path(&random));
    const absl::Time before = absl::Now();
    const auto answer = client.Fetch({.url = url, .timeout = absl::Seconds(100)});
    times.push_back(absl::Now() - before);
    RAPPORT_CHECK(answer.ok() && answer->status == 200, url);
    bytes += answer->body.size();
  }
  std::sort(times.begin(), times.end());
  const auto at = [&times](double share) {
    const auto index = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
    return absl::ToDoubleMilliseconds(times[index]);
  };
  fmt::print("{:<48} p50 {:7.2f} ms  p99 {:7.2f} ms  longest {:7.2f} ms  {:6} bytes\n", what,
             at(0.5), at(0.99), at(1), bytes / static_cast<size_t>(requests));
}

std::string Encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) absl::StrAppend(&encoded, absl::StrFormat("%%%02X", c & 0xFF));
  return encoded;
}

void MeasureAll(int64_t clients, int64_t requests, HttpClient& client, const HttpServer& server) {
  const auto search = [](const std::string& text, const std::string& more = "") {
    return absl::StrCat("/v1/search?limit=20&q=", Encoded(text), more);
  };
  const auto owner = [](Random* random) {
    return absl::StrCat("&owner=owner", random->Below(kOwners));
  };
  Measure("search: two letters", requests, client, server,
          [&](Random* random) { return search(Word(random->Below(16)).substr(0, 2)); });
  Measure("search: four letters", requests, client, server,
          [&](Random* random) { return search(Word(random->Below(200)).substr(0, 4)); });
  Measure("search: a word", requests, client, server,
          [&](Random* random) { return search(Word(AnyWord(random))); });
  Measure("search: a word and its form (\"ооо ...\")", requests, client, server,
          [&](Random* random) {
            return search(absl::StrCat(kForms[random->Below(6)], " ", Word(AnyWord(random))));
          });
  Measure("search: two words, any", requests, client, server, [&](Random* random) {
    return search(absl::StrCat(Word(AnyWord(random)), " ", Word(AnyWord(random))));
  });
  Measure("search: two words that many have", requests, client, server, [&](Random* random) {
    return search(absl::StrCat(Word(random->Below(20)), " ", Word(random->Below(20))));
  });
  Measure("search: a phone number, national", requests, client, server,
          [&](Random* random) { return search("0" + Phone(random->Below(clients)).substr(3)); });
  Measure("search: a mail address", requests, client, server, [&](Random* random) {
    const int64_t i = random->Below(clients);
    return search(absl::StrCat("mail", i, "@firm", i % 5'000, ".example"));
  });
  Measure("search: a word, of one owner", requests, client, server,
          [&](Random* random) { return search(Word(random->Below(200)), owner(random)); });
  Measure("clients: by a word", requests, client, server, [&](Random* random) {
    return absl::StrCat("/v1/clients?q=", Encoded(Word(AnyWord(random))));
  });
  Measure("clients: by two letters", requests, client, server, [&](Random* random) {
    return absl::StrCat("/v1/clients?q=", Encoded(Word(random->Below(16)).substr(0, 2)));
  });
  Measure("clients: of an owner by last contact, counted", requests, client, server,
          [&](Random* random) {
            return absl::StrCat("/v1/clients?sort=last_contact&count=true", owner(random));
          });
  Measure("clients: all by last contact", 5, client, server,
          [&](Random*) { return std::string("/v1/clients?sort=last_contact"); });
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
  const absl::Time loading = absl::Now();
  auto service = StartProfiles({.config = &*config,
                                .instance = "1",
                                .all_in_one = true,
                                .log = log->get(),
                                .metrics = &metrics,
                                .http = server->get(),
                                .http_client = &client,
                                .resources = &resources,
                                .budget = &budget});
  RAPPORT_CHECK(service.ok(), service.status().ToString());
  RAPPORT_CHECK((*server)->Start().ok(), "the server does not start");
  while (!(*service)->Ready().ok()) absl::SleepFor(absl::Milliseconds(100));
  fmt::print("{} clients loaded in {:.1f} s\n", clients,
             absl::ToDoubleSeconds(absl::Now() - loading));
  MeasureAll(clients, requests, client, **server);
  (*server)->Drain(absl::Seconds(5));
  service->reset();
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  const int64_t clients = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const int64_t requests = argc > 2 ? std::atoll(argv[2]) : 500;
  rapport::bench::Run(clients, requests);
}
