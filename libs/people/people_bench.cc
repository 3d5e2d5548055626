// What it costs to know who asks: requests a second for a processor core without access, and with a
// session whose person leads a team of thirty.
//   people_bench [seconds=3] [rounds=3]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/people/people.h"
#include "libs/service/config.h"
#include "libs/service/testing/http_load.h"
#include "libs/service/testing/raw_connection.h"

namespace rapport {
namespace {

constexpr int kConnections = 64;

// A server with one route, which answers as much as a page of clients would be.
double RequestsPerCore(Access* access, const std::string& header, absl::Duration duration) {
  Metrics metrics;
  auto server = HttpServer::Create({.threads = 1}, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  if (access != nullptr) (*server)->SetAccess(access);
  (*server)->Handle("GET", "/v1/clients", Answering([](const HttpRequest& request) {
                      HttpResponse response;
                      response.body.assign(CallerOf(request).sees_all ? 4096 : 4095, 'x');
                      return response;
                    }));
  RAPPORT_CHECK((*server)->Start().ok());
  const std::string request =
      absl::StrCat("GET /v1/clients HTTP/1.1\r\nHost: localhost\r\n", header, "\r\n");
  const double before = ProcessorSeconds();
  const int64_t answered = InAnotherProcess([&, port = (*server)->port()] {
    return Load<RawConnection>(port, kConnections, duration, request);
  });
  return static_cast<double>(answered) / (ProcessorSeconds() - before);
}

void Run(int seconds, int rounds) {
  std::string folder = std::filesystem::temp_directory_path() / "rapport-bench-XXXXXX";
  folder = ::mkdtemp(folder.data());
  const std::unique_ptr<EventLog> log = NewInMemoryEventLog();
  auto config = LoadConfig("", {.overrides = {absl::StrCat("data_folder=", folder)}});
  RAPPORT_CHECK(config.ok(), config.status().ToString());
  auto people = People::Open(
      {.config = &*config, .log = log.get(), .topics = {}, .all_in_one = true, .now = absl::Now});
  RAPPORT_CHECK(people.ok(), people.status().ToString());
  query::v1::StaffOrder order;
  order.add_units()->set_unit_id("red");
  for (int i = 0; i < 30; ++i) {
    query::v1::StaffPersonOrder& person = *order.add_people();
    person.set_person_id(absl::StrCat("person-", i));
    person.set_unit_id("red");
    person.set_leads(i == 0);
    person.add_roles("relationship_manager");
  }
  RAPPORT_CHECK((*people)->organisation()->Carry(order, "bench", false).ok());
  const auto session = (*people)->access()->BeginSession("person-0", "bench", {}, HttpRequest());
  RAPPORT_CHECK(session.ok(), session.status().ToString());
  const std::string cookie =
      absl::StrCat("Cookie: ", session->substr(0, session->find(';')), "\r\n");
  std::vector<double> open;
  std::vector<double> signed_in;
  // One after the other, since machines are noisy.
  for (int i = 0; i < rounds; ++i) {
    open.push_back(RequestsPerCore(nullptr, "", absl::Seconds(seconds)));
    signed_in.push_back(RequestsPerCore((*people)->access(), cookie, absl::Seconds(seconds)));
  }
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
  };
  std::printf("without access %.0f/s core, with a session and roles %.0f/s core: %.3f of it\n",
              median(open), median(signed_in), median(signed_in) / median(open));
  people->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  const auto argument = [&](int index, int fallback) {
    return argc > index ? std::atoi(argv[index]) : fallback;
  };
  rapport::Run(argument(1, 3), argument(2, 3));
  return 0;
}
