// How long the digests of many people take, and an urgent mail from the touchpoint that raises its
// alert until the server has it. All services that take part run in this process over the embedded
// log; the server is a sink on loopback that counts. Each person has four clients, each with a
// promise that is due, a complaint and an alert. Arguments: people, urgent mails.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/people/organisation_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "services/alerts/alerts.h"
#include "services/profiles/profiles.h"
#include "services/retention/retention.h"
#include "tests/support/smtp_sink.h"

namespace rapport::bench {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int kClientsEach = 4;
constexpr size_t kBatch = 5'000;

void Check(const absl::Status& status) { RAPPORT_CHECK(status.ok(), status.ToString()); }

void WaitUntil(const std::function<bool()>& done) {
  while (!done()) absl::SleepFor(absl::Milliseconds(1));
}

class Bench {
 public:
  explicit Bench(int people)
      : people_(people),
        resources_({.memory_bytes = size_t{256} << 20}),
        budget_(size_t{256} << 20) {
    auto log = OpenEmbeddedLog({.folder = folder_ / "log"});
    Check(log.status());
    log_ = *std::move(log);
    for (const char* const topic : {"touchpoints", "alerts", "rejected"}) {
      Check(log_->CreateTopic(topic, kPartitions));
    }
  }

  void Fill() {
    auto organisation = OrganisationLog::Open(log_.get(), "organisation", absl::Now);
    Check(organisation.status());
    constexpr const char* kLanguages[] = {"en", "pl", "el", "sk", "ru"};
    query::v1::StaffOrder order;
    for (int i = 0; i < people_; ++i) {
      query::v1::StaffPersonOrder& person = *order.add_people();
      person.set_person_id(absl::StrCat("rm", i));
      person.set_e_mail(absl::StrCat("rm", i, "@firm.example"));
      person.set_language(kLanguages[i % 5]);
    }
    Check((*organisation)->Carry(order, "bench", /*dry_run=*/false).status());
    std::vector<Record> records;
    for (int i = 0; i < people_ * kClientsEach; ++i) {
      AddClient(absl::StrCat("c", i), absl::StrCat("rm", i / kClientsEach), &records);
      if (records.size() >= kBatch) Append("touchpoints", &records);
    }
    Append("touchpoints", &records);
    Tick();
    // Mail has been sent since yesterday, so that today's digests are due.
    Check(log_->CreateTopic("mail", 1));
    state::v1::MailFact fact;
    ToProto(absl::Now() - absl::Hours(24), fact.mutable_at());
    fact.mutable_started();
    Record record;
    record.value = fact.SerializeAsString();
    record.partition = Partition(0);
    record.timestamp = absl::Now();
    std::vector<Record> started = {record};
    Append("mail", &started);
  }

  void Start() {
    const int ahead = 12 - absl::ToCivilHour(absl::Now(), absl::UTCTimeZone()).hour();
    auto config = ParseConfig(
        "", "bench",
        {.overrides = {absl::StrCat("data_folder=", folder_.path()),
                       absl::StrCat("alerts.mail.server=", sink_.address()),
                       "alerts.mail.security=none", "alerts.mail.from=rapport@firm.example",
                       "alerts.mail.public_url=https://rapport.firm.example",
                       "alerts.mail.digest_at=10:00",
                       "alerts.mail.working_days=mon tue wed thu fri sat sun",
                       absl::StrCat("alerts.mail.time_zone=Etc/GMT", ahead > 0 ? "-" : "+",
                                    std::abs(ahead))}});
    Check(config.status());
    config_ = *std::move(config);
    for (std::unique_ptr<HttpServer>* const server : {&http_, &alerts_http_}) {
      auto http = HttpServer::Create({}, &metrics_);
      Check(http.status());
      *server = *std::move(http);
    }
    config_.mutable_alerts()->mutable_mail()->set_api_url(http_->address());
    ServiceEnv env = {.config = &config_,
                      .instance = "1",
                      .all_in_one = true,
                      .log = log_.get(),
                      .metrics = &metrics_,
                      .http = http_.get(),
                      .http_client = &client_,
                      .resources = &resources_,
                      .budget = &budget_};
    const auto begin = [&](const StartService& start) {
      auto service = start(env);
      Check(service.status());
      services_.push_back(*std::move(service));
    };
    begin(StartProfiles);
    begin(StartRetention);
    Check(http_->Start());
    for (const auto& service : services_) {
      WaitUntil([&] { return service->Ready().ok(); });
    }
    // Their own time stands apart from that of what they are made of.
    WaitUntil([&] { return AllFolded("profile") && AllFolded("retention"); });
    env.http = alerts_http_.get();
    begin(StartAlerts);
    Check(alerts_http_->Start());
  }

  // The digests of all, from the start of the service on.
  void Digests() {
    sink_.CountOnly();
    const absl::Time begun = absl::Now();
    WaitUntil([&] { return sink_.count() > 0; });
    const absl::Time first = absl::Now();
    WaitUntil([&] { return sink_.count() >= people_; });
    const absl::Duration took = absl::Now() - begun;
    fmt::print("{} digests in {:.1f} s ({:.0f}/s), the first after {:.1f} s\n", people_,
               absl::ToDoubleSeconds(took), people_ / absl::ToDoubleSeconds(took),
               absl::ToDoubleSeconds(first - begun));
    std::fflush(stdout);
  }

  // Notices of contracts, one after the other, from the append to the mail at the server.
  void Urgent(int count) {
    if (count == 0) return;
    std::vector<absl::Duration> took;
    for (int i = 0; i < count; ++i) {
      const std::string client = absl::StrCat("u", i);
      const std::string owner = absl::StrCat("rm", i % people_);
      std::vector<Record> before;
      AddClient(client, owner, &before);
      Append("touchpoints", &before);
      const int64_t mails = sink_.count();
      Touchpoint notice = Make(Touchpoint::kContractTerminated, client, owner, absl::Now());
      notice.mutable_contract_terminated()->set_contract_id(client);
      std::vector<Record> records = {MakeRecord(notice)};
      const absl::Time begun = absl::Now();
      Append("touchpoints", &records);
      WaitUntil([&] { return sink_.count() > mails; });
      took.push_back(absl::Now() - begun);
    }
    std::sort(took.begin(), took.end());
    const auto at = [&took](double share) {
      return absl::ToDoubleMilliseconds(took[std::min(
          took.size() - 1, static_cast<size_t>(share * static_cast<double>(took.size())))]);
    };
    fmt::print("touchpoint to mail at the server, {} mails: p50 {:.1f} ms, p99 {:.1f} ms\n", count,
               at(0.5), at(0.99));
  }

  void Stop() {
    alerts_http_->Drain(absl::Seconds(5));
    services_.pop_back();
    http_->Drain(absl::Seconds(5));
    services_.clear();
  }

 private:
  Touchpoint Make(Touchpoint::PayloadCase kind, const std::string& client, const std::string& owner,
                  absl::Time at) {
    Touchpoint touchpoint = testing::MakeTouchpoint(kind, client, absl::StrCat("t", ++made_), at);
    touchpoint.set_owner_id(owner);
    return touchpoint;
  }
  void AddClient(const std::string& client, const std::string& owner,
                 std::vector<Record>* records) {
    const absl::Time then = absl::Now() - absl::Hours(48);
    Touchpoint registered = Make(Touchpoint::kClientRegistered, client, owner, then);
    registered.mutable_client_registered()->mutable_details()->set_name("Firm " + client);
    Touchpoint contract = Make(Touchpoint::kContractSigned, client, owner, then);
    contract.mutable_contract_signed()->set_contract_id(client);
    Touchpoint promise = Make(Touchpoint::kCommitmentMade, client, owner, then);
    promise.mutable_commitment_made()->set_commitment_id(client);
    promise.mutable_commitment_made()->set_statement("send the new offer, with the prices of 2027");
    ToProto(absl::Now() + absl::Hours(3), promise.mutable_commitment_made()->mutable_due_at());
    Touchpoint complaint = Make(Touchpoint::kComplaintOpened, client, owner, then);
    complaint.mutable_complaint_opened()->set_complaint_id(client);
    complaint.mutable_complaint_opened()->set_statement("broken again, and nobody answers");
    Touchpoint assigned = Make(Touchpoint::kOwnerAssigned, client, owner, then);
    assigned.mutable_owner_assigned()->clear_from_owner_id();
    assigned.mutable_owner_assigned()->set_to_owner_id(owner);
    for (const Touchpoint& one : {registered, assigned, contract, promise, complaint}) {
      records->push_back(MakeRecord(one));
    }
  }
  void Append(const std::string& topic, std::vector<Record>* records) {
    if (!records->empty()) Check(log_->Append(topic, *records).status());
    records->clear();
  }
  void Tick() {
    std::vector<Record> ticks;
    for (int i = 0; i < kPartitions; ++i) {
      ticks.push_back(MakeClockRecord(absl::Now(), Partition(i)));
    }
    Append("touchpoints", &ticks);
  }
  bool AllFolded(const std::string& projection) {
    const auto answer =
        client_.Fetch({.url = absl::StrCat(http_->address(), "/v1/projections/", projection),
                       .headers = {{"accept", "application/x-protobuf"}}});
    query::v1::ProjectionStatus status;
    if (!answer.ok() || !status.ParseFromString(answer->body)) return false;
    return std::all_of(
        status.partitions().begin(), status.partitions().end(),
        [](const auto& partition) { return partition.position() == partition.end(); });
  }

  const int people_;
  const testing::TempFolder folder_;
  SmtpSink sink_;
  StoreResources resources_;
  CacheBudget budget_;
  std::unique_ptr<EventLog> log_;
  config::v1::Config config_;
  Metrics metrics_;
  HttpClient client_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<HttpServer> alerts_http_;
  std::vector<std::unique_ptr<Service>> services_;
  int64_t made_ = 0;
};

void Run(int people, int urgent) {
  Bench bench(people);
  bench.Fill();
  bench.Start();
  bench.Digests();
  bench.Urgent(urgent);
  bench.Stop();
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::Run(argc > 1 ? std::atoi(argv[1]) : 10'000, argc > 2 ? std::atoi(argv[2]) : 200);
  return 0;
}
