#include "services/gateway/gateway.h"

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/service/testing/test_certificates.h"
#include "libs/serving/page.h"
#include "libs/serving/testing/event_stream.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/projection.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kVerify[] = "/v1/projections/retention/verify";
constexpr char kClients[] = "/v1/clients";

// A process of the projections, as the gateway sees one: a member of their groups with an address,
// behind which a test answers.
class Owner : private PartitionListener {
 public:
  Owner(EventLog* log, const std::string& name, const HttpServer::Options& options = {})
      : log_(log), name_(name) {
    auto server = HttpServer::Create(options, &metrics_);
    EXPECT_OK(server);
    http_ = *std::move(server);
  }
  ~Owner() override {
    http_->Drain(absl::Seconds(1));
    for (const auto& subscription : subscriptions_) EXPECT_OK(subscription->Close());
  }

  void Handle(absl::string_view method, absl::string_view path,
              std::function<HttpResponse(const HttpRequest&, int call)> answer) {
    http_->Handle(method, path,
                  [this, answer = std::move(answer)](const HttpRequest& request, HttpReply reply) {
                    reply.Send(answer(request, ++calls_));
                  });
  }
  void Serve() { ASSERT_OK(http_->Start()); }
  void Join(const std::string& projection) {
    auto subscription = log_->Subscribe("touchpoints",
                                        {.group = absl::StrCat("rapport-", projection),
                                         .member = name_,
                                         .address = http_->address()},
                                        this);
    ASSERT_OK(subscription);
    subscriptions_.push_back(*std::move(subscription));
  }
  // Takes and gives up what the group wants.
  void Poll() {
    for (const auto& subscription : subscriptions_) {
      EXPECT_OK(subscription->Poll(1, absl::ZeroDuration()));
    }
  }
  std::string address() const { return http_->address(); }
  const std::set<int>& owned() const { return owned_; }
  int calls() const { return calls_; }

 private:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    owned_.insert(partition.value());
    return Offset(0);
  }
  void OnRevoked(Partition partition, bool) override { owned_.erase(partition.value()); }

  EventLog* const log_;
  const std::string name_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> http_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::set<int> owned_;
  std::atomic<int> calls_ = 0;
};

class GatewayTest : public testing::ServingFixture {
 protected:
  GatewayTest() : one_(log_.get(), "one"), two_(log_.get(), "two") {
    config_.mutable_gateway()->set_timeout_ms(2000);
  }
  ~GatewayTest() override {
    http_->Drain(absl::Seconds(1));
    gateway_.reset();
  }

  void Join(const std::string& projection) {
    one_.Serve();
    two_.Serve();
    one_.Join(projection);
    two_.Join(projection);
  }
  // Each gets one partition or two.
  void Share(const std::string& projection) {
    Join(projection);
    while (one_.owned().size() + two_.owned().size() < kPartitions || two_.owned().empty()) {
      one_.Poll();
      two_.Poll();
    }
  }
  void StartTheGateway() {
    auto gateway = StartGateway(env());
    ASSERT_OK(gateway);
    gateway_ = *std::move(gateway);
    Serve({gateway_.get()});
  }
  HttpServer::Options TlsOptions(const TestCa& ca) const {
    const TestCertificate certificate = ca.Issue("owner", "IP:127.0.0.1");
    HttpServer::Options options;
    options.tls_certificate_file = folder_.path() + "/certificate";
    options.tls_key_file = folder_.path() + "/key";
    std::ofstream(options.tls_certificate_file) << certificate.certificate;
    std::ofstream(options.tls_key_file) << certificate.key;
    return options;
  }
  static HttpResponse Begun(const HttpRequest& request, int64_t job_id) {
    query::v1::JobList list;
    list.add_jobs()->set_job_id(job_id);
    HttpResponse response = MessageResponse(request, list);
    response.status = 202;
    return response;
  }
  static HttpResponse Clients(const HttpRequest& request, const Owner& owner,
                              const std::string& id) {
    query::v1::ClientList list;
    query::v1::ClientSummary* const client = list.add_clients();
    client->set_client_id(id);
    client->set_cursor(EncodeCursor(id));
    for (const int partition : owner.owned()) {
      list.mutable_watermark()->add_partitions()->set_partition(partition);
    }
    return MessageResponse(request, list);
  }
  static HttpResponse Away() { return ErrorResponse(absl::UnavailableError("not mine")); }

  Owner one_;
  Owner two_;
  std::unique_ptr<Service> gateway_;
};

TEST_F(GatewayTest, ChangesAreToldOfThoseWhoseTheirPartitionsOwnerSaysTheyAre) {
  const auto client = [](const HttpRequest& request, int) {
    EXPECT_TRUE(request.Query("wait_for").has_value());
    query::v1::Client answer;
    answer.set_client_id(request.PathValue("id"));
    answer.set_owner_id(request.PathValue("id").substr(0, 4));
    return MessageResponse(request, answer);
  };
  one_.Handle("GET", "/v1/clients/{id}", client);
  two_.Handle("GET", "/v1/clients/{id}", client);
  Share("profile");
  StartTheGateway();
  testing::EventStream ottos(&client_, http_->address() + "/v1/changes/stream?owner=otto");
  ottos.Await("id: ");
  for (const char* id : {"adam/1", "otto/1", "adam/2", "otto/2", "otto/3"}) {
    Append({testing::MakeTouchpoint(touchpoint::v1::Touchpoint::kCallCompleted, id, id,
                                    testing::Day(1))});
  }
  for (const char* id : {"otto/1", "otto/2", "otto/3"}) ottos.Await(id);
  EXPECT_THAT(ottos.Await("otto/3"), Not(HasSubstr("adam")));
}

TEST_F(GatewayTest, AnOrderIsGivenToEachOwnerOnce) {
  one_.Handle("POST", kVerify, [](const HttpRequest& request, int) { return Begun(request, 1); });
  two_.Handle("POST", kVerify, [](const HttpRequest& request, int) { return Begun(request, 2); });
  Share("retention");
  StartTheGateway();
  const auto list = Post<query::v1::JobList>(kVerify, "{}", 202);
  ASSERT_EQ(list.jobs_size(), 2);
  EXPECT_THAT((std::vector<int64_t>{list.jobs(0).job_id(), list.jobs(1).job_id()}),
              UnorderedElementsAre(1, 2));
  EXPECT_EQ(one_.calls(), 1);
  EXPECT_EQ(two_.calls(), 1);
}

TEST_F(GatewayTest, AnOrderThatIsAnsweredInPartIsNotGivenAgainAndNamesTheRest) {
  one_.Handle("POST", kVerify, [](const HttpRequest& request, int call) {
    return call == 1 ? Begun(request, 1)
                     : ErrorResponse(absl::FailedPreconditionError("a job runs already"));
  });
  two_.Handle("POST", kVerify, [](const HttpRequest&, int) { return Away(); });
  Share("retention");
  StartTheGateway();
  const HttpAnswer answer = ServingFixture::Call("POST", kVerify, "{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr(absl::StrCat("not answered for partition ",
                                                  absl::StrJoin(two_.owned(), ", "), " of")));
  EXPECT_THAT(answer.body, HasSubstr("see /v1/projections/retention/jobs"));
  EXPECT_EQ(one_.calls(), 1);
  EXPECT_EQ(two_.calls(), 1);
}

TEST_F(GatewayTest, AnOrderIsGivenToNobodyWhileAPartitionIsNobodys) {
  one_.Handle("POST", kVerify, [](const HttpRequest& request, int) { return Begun(request, 1); });
  two_.Handle("POST", kVerify, [](const HttpRequest& request, int) { return Begun(request, 2); });
  Join("retention");
  // What is for `two` it has not taken yet.
  one_.Poll();
  StartTheGateway();
  const HttpAnswer answer = ServingFixture::Call("POST", kVerify, "{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("nobody owns partition"));
  EXPECT_EQ(one_.calls(), 0);

  two_.Poll();
  EXPECT_EQ(Post<query::v1::JobList>(kVerify, "{}", 202).jobs_size(), 2);
  EXPECT_EQ(one_.calls(), 1);
  EXPECT_EQ(two_.calls(), 1);
}

TEST_F(GatewayTest, AReadIsTriedAgain) {
  one_.Handle("GET", kClients,
              [&](const HttpRequest& request, int) { return Clients(request, one_, "anna"); });
  two_.Handle("GET", kClients, [&](const HttpRequest& request, int call) {
    return call < 3 ? Away() : Clients(request, two_, "berta");
  });
  Share("profile");
  StartTheGateway();
  const auto list = Read<query::v1::ClientList>(kClients);
  EXPECT_EQ(list.clients_size(), 2);
  EXPECT_THAT(list.watermark().missing_partitions(), ElementsAre());
  EXPECT_EQ(two_.calls(), 3);
}

TEST_F(GatewayTest, APositionGoesToItsOwnerAndOneThatIsNoneToAll) {
  for (Owner* const owner : {&one_, &two_}) {
    // The gateway drops doubles: each owner has a client of its own.
    const char* const name = owner == &one_ ? "/1" : "/2";
    owner->Handle("GET", kClients, [owner, name](const HttpRequest& request, int) {
      return Clients(request, *owner, request.Query("wait_for").value_or("nothing") + name);
    });
  }
  Share("profile");
  StartTheGateway();
  const auto told = [this](const std::string& position) {
    const auto list = Read<query::v1::ClientList>(absl::StrCat(kClients, "?wait_for=", position));
    std::vector<std::string> ids;
    for (const auto& client : list.clients()) {
      ids.push_back(client.client_id().substr(0, client.client_id().find('/')));
    }
    return ids;
  };
  for (const char* position : {"0:7", "1:7", "2:7"}) {
    EXPECT_THAT(told(position), UnorderedElementsAre(position, "nothing"));
  }
  for (const char* position : {"3:7", "-1:7", "2", "x:7"}) {
    EXPECT_THAT(told(position), UnorderedElementsAre(position, position));
  }
}

TEST_F(GatewayTest, OwnersOverTlsAreBelievedByTheirCa) {
  const TestCa ca;
  config_.mutable_http()->set_ca_file(folder_.path() + "/ca");
  std::ofstream(config_.http().ca_file()) << ca.certificate();
  Owner owner(log_.get(), "owner", TlsOptions(ca));
  owner.Handle("GET", kClients, [&owner](const HttpRequest& request, int) {
    return Clients(request, owner, request.secure ? "secure" : "plain");
  });
  owner.Handle("GET", "/v1/alerts", [](const HttpRequest&, int) { return HttpResponse(); });
  owner.Serve();
  owner.Join("profile");
  while (owner.owned().size() < kPartitions) owner.Poll();
  config_.mutable_gateway()->set_alerts_url(owner.address());
  StartTheGateway();
  const auto list = Read<query::v1::ClientList>(kClients);
  ASSERT_EQ(list.clients_size(), 1);
  EXPECT_EQ(list.clients(0).client_id(), "secure");
  EXPECT_EQ(ServingFixture::Call("GET", "/v1/alerts").status, 200);
}

TEST_F(GatewayTest, ACertificateThatIsNotBelievedIsAServiceThatIsAway) {
  Owner owner(log_.get(), "owner", TlsOptions(TestCa()));
  owner.Serve();
  config_.mutable_gateway()->set_alerts_url(owner.address());
  StartTheGateway();
  EXPECT_THAT(Error("/v1/alerts", 503), HasSubstr("certificate"));
}

}  // namespace
}  // namespace rapport
