#include "services/alerts/alerts.h"

#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/projector.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/http_target.h"
#include "libs/touchpoint/record.h"
#include "nlohmann/json.hpp"
#include "services/alerts/testing/alerts_host.h"

namespace rapport {
namespace {

using nlohmann::json;
using testing::AlertsHost;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeCleared;
using testing::MakeRaised;
using testing::StreamClient;
using testing::Until;

constexpr char kFastBeats[] = "alerts { stream_heartbeat_ms: 100 }";

class AlertsTest : public testing::AlertsFixture {
 protected:
  static std::vector<std::string> Clients(const std::vector<StreamClient::Event>& events) {
    std::vector<std::string> clients;
    for (const auto& event : events) clients.push_back(json::parse(event.data)["client_id"]);
    return clients;
  }
  static std::set<std::string> Effects(const std::vector<StreamClient::Event>& events) {
    std::set<std::string> effects;
    for (const auto& event : events) effects.insert(json::parse(event.data)["effect_id"]);
    return effects;
  }
};

TEST_F(AlertsTest, ListsWhatTheLogHolds) {
  Raise(5);
  AlertsHost host(log_.get(), "");
  const json page = json::parse(host.Get("/v1/alerts?limit=2&owner=anna&severity=high").body);
  ASSERT_EQ(page["alerts"].size(), 2u);
  EXPECT_EQ(page["alerts"][0]["client_id"], "client4");
  EXPECT_EQ(page["alerts"][0]["state"], "ALERT_STATE_OPEN");
  EXPECT_THAT(page["watermarks"], ElementsAre("0:2", "1:2", "2:1"));
  const std::string cursor = page["next_cursor"];
  const json next = json::parse(host.Get("/v1/alerts?limit=3&cursor=" + cursor).body);
  EXPECT_EQ(next["alerts"].size(), 3u);
  EXPECT_EQ(next["next_cursor"], "");
  const json details = json::parse(host.Get("/v1/alerts/client3-alert").body);
  EXPECT_EQ(details["alert"]["client_id"], "client3");
  EXPECT_EQ(details["steps"][0]["change"], "ALERT_CHANGE_RAISED");
}

TEST_F(AlertsTest, WrongQuestionsAreToldWhatIsWrong) {
  AlertsHost host(log_.get(), "");
  for (const auto& [path, status, what] : std::vector<std::tuple<std::string, int, std::string>>{
           {"/v1/alerts?state=opened", 400, "state: 'opened' is not one of: open, closed, all"},
           {"/v1/alerts?severity=HIGH", 400, "severity: 'HIGH' is not one of"},
           {"/v1/alerts?limit=0", 400, "limit"},
           {"/v1/alerts?limit=501", 400, "limit"},
           {"/v1/alerts?ownr=anna", 400, "ownr"},
           {"/v1/alerts?cursor=x", 400, "cursor"},
           {"/v1/alerts/none", 404, "there is no alert 'none'"},
           {"/v1/alerts/stream?after=7", 400, "after: '7' is no part of a stream position"},
           {"/v1/alerts/stream?after=9-1", 400, "there is no partition 9"},
           {"/v1/alerts/stream?from=then", 400, "from: 'then' is not one of: now, beginning"},
           {"/v1/alerts/stream?from=now&after=0-1", 400, "give one"},
           {"/v1/web-hooks/none/deliveries", 404, "there is no web hook 'none'"}}) {
    const HttpAnswer answer = host.Get(path);
    EXPECT_EQ(answer.status, status) << path;
    EXPECT_THAT(answer.body, HasSubstr(what)) << path;
  }
}

TEST_F(AlertsTest, TheStreamTellsWhatHappensFromNowOn) {
  Raise(3);
  AlertsHost host(log_.get(), "");
  StreamClient all(host.Url("/v1/alerts/stream"));
  StreamClient otto(host.Url("/v1/alerts/stream?owner=otto"));
  Raise(1, "otto");
  Raise(1, "anna");
  Raise(1, "otto");
  const auto events = all.Wait(3);
  EXPECT_THAT(Clients(events), ::testing::UnorderedElementsAre("client3", "client4", "client5"));
  EXPECT_EQ(events[0].type, "alert");
  EXPECT_EQ(events.back().id, "0-2.1-2.2-2");
  EXPECT_THAT(Clients(otto.Wait(2)), ::testing::UnorderedElementsAre("client3", "client5"));
  Until([&] { return absl::StrContains(host.Metrics(), "rapport_alert_stream_subscribers 2"); });
}

TEST_F(AlertsTest, TheStreamIsResumedWithoutLossOverARestart) {
  auto host = std::make_unique<AlertsHost>(log_.get(), "");
  auto client = std::make_unique<StreamClient>(host->Url("/v1/alerts/stream"));
  Raise(30);
  std::vector<StreamClient::Event> events = client->Wait(30);
  // Whatever it saw last.
  const size_t seen = 17;
  events.resize(seen);
  const std::string id = events.back().id;
  host.reset();
  client.reset();
  Raise(30);
  host = std::make_unique<AlertsHost>(log_.get(), "");
  client = std::make_unique<StreamClient>(host->Url("/v1/alerts/stream"),
                                          std::vector<Header>{{"Last-Event-ID", id}});
  Raise(30);
  const auto rest = client->Wait(90 - seen);
  events.insert(events.end(), rest.begin(), rest.end());
  EXPECT_EQ(events.size(), 90u) << "none twice";
  EXPECT_EQ(Effects(events).size(), 90u);
}

TEST_F(AlertsTest, TheStreamGoesBackFurtherThanMemoryAndLeavesOutWhatWasDropped) {
  constexpr int kMany = 12'000;
  Raise(kMany);
  alert::v1::AlertEvent again = MakeRaised("client0", 0);
  Append(again);
  ASSERT_OK(log_->Append("alerts", {{.value = "\xff", .partition = Partition(1)}}));
  AlertsHost host(log_.get(), "");
  StreamClient client(host.Url("/v1/alerts/stream?from=beginning"));
  Raise(1);
  const auto events = client.Wait(kMany + 1);
  EXPECT_EQ(events.size(), static_cast<size_t>(kMany) + 1);
  EXPECT_EQ(Effects(events).size(), static_cast<size_t>(kMany) + 1);
}

TEST_F(AlertsTest, AListIsContinuedByTheStreamWithoutAGap) {
  Raise(4);
  AlertsHost host(log_.get(), "");
  const json page = json::parse(host.Get("/v1/alerts").body);
  Raise(2);
  StreamClient client(
      host.Url("/v1/alerts/stream?after=" + page["stream_cursor"].get<std::string>()));
  EXPECT_THAT(Clients(client.Wait(2)), ::testing::UnorderedElementsAre("client4", "client5"));
}

TEST_F(AlertsTest, ACursorFromAheadWaitsForTheLog) {
  AlertsHost host(log_.get(), "");
  StreamClient client(host.Url("/v1/alerts/stream?after=0-1.1-1.2-0"));
  Raise(3);
  const auto events = client.Wait(1);
  EXPECT_THAT(Clients(events), ElementsAre("client2"));
  EXPECT_EQ(events[0].id, "0-1.1-1.2-1");
}

TEST_F(AlertsTest, HeartbeatsTellWhereAQuietSubscriberStands) {
  AlertsHost host(log_.get(), kFastBeats);
  StreamClient client(host.Url("/v1/alerts/stream?owner=nobody"));
  EXPECT_EQ(client.last_id(), "0-0.1-0.2-0");
  Raise(3);
  Until([&] { return client.last_id() == "0-1.1-1.2-1"; });
  EXPECT_GT(client.heartbeats(), 0);
}

TEST_F(AlertsTest, ASubscriberThatDoesNotReadIsCutOffAndHoldsUpNobody) {
  HttpServer::Options options;
  options.max_stream_queue_bytes = size_t{1} << 20;
  AlertsHost host(log_.get(), "", options, "1");
  // The first event that comes stops the reader of this client for good.
  HttpClient stuck;
  Mutex mutex;
  CondVar changed;
  bool reading = false;
  bool go_on = false;
  HttpCall call{.url = host.Url("/v1/alerts/stream"), .timeout = absl::InfiniteDuration()};
  call.on_body = [&](absl::string_view) {
    MutexLock lock(&mutex);
    reading = true;
    changed.SignalAll();
    while (!go_on) changed.Wait(&mutex);
    return true;
  };
  stuck.Send(std::move(call), [](const absl::StatusOr<HttpAnswer>&) {});
  {
    MutexLock lock(&mutex);
    while (!reading) changed.Wait(&mutex);
  }
  StreamClient quick(host.Url("/v1/alerts/stream"));
  size_t sent = 0;
  // Until its socket and its queue are full.
  Until([&] {
    Raise(500);
    sent += 500;
    quick.Wait(sent);
    return absl::StrContains(host.Metrics(), "rapport_alert_stream_subscribers 1");
  });
  MutexLock lock(&mutex);
  go_on = true;
  changed.SignalAll();
}

// Raised by the retention projection, acted on over HTTP, and told on the stream.
class AlertActionsTest : public AlertsTest {
 protected:
  AlertActionsTest() : retention_(log_.get(), /*in_memory=*/true) {
    auto projector = Projector::Start(
        retention_.env(),
        {.folder = folder_ / "retention", .group = "retention", .member = "1", .fold = {}});
    EXPECT_OK(projector);
    projector_ = *std::move(projector);
    host_ = std::make_unique<AlertsHost>(log_.get(), "");
    stream_ = std::make_unique<StreamClient>(host_->Url("/v1/alerts/stream?from=beginning"));
    std::vector<Record> clocks;
    for (int i = 0; i < kPartitions; ++i) {
      clocks.push_back(MakeClockRecord(absl::Now(), Partition(i)));
    }
    EXPECT_OK(log_->Append("touchpoints", clocks));
    touchpoint::v1::Touchpoint complaint = testing::MakeTouchpoint(
        touchpoint::v1::Touchpoint::kComplaintOpened, "hotel 9/ä", "complaint", absl::Now());
    complaint.mutable_complaint_opened()->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
    EXPECT_OK(log_->Append("touchpoints", {MakeRecord(complaint)}));
    alert_id_ = json::parse(stream_->Wait(1)[0].data)["alert_id"];
    path_ = "/v1/alerts/" + PercentEncode(alert_id_);
  }

  json Alert() { return json::parse(host_->Get(path_).body)["alert"]; }

  const testing::TempFolder folder_;
  testing::ProjectionFixture<Retention> retention_;
  std::unique_ptr<Projector> projector_;
  std::unique_ptr<AlertsHost> host_;
  std::unique_ptr<StreamClient> stream_;
  std::string alert_id_;
  std::string path_;
};

TEST_F(AlertActionsTest, FromRaisedOverAcknowledgedAndSnoozedToDismissed) {
  HttpAnswer answer =
      host_->Post(path_ + "/acknowledge", R"({"agent_id":"berta","note":"I call today"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  const json first = json::parse(answer.body);
  EXPECT_THAT(first["position"].get<std::string>(), ::testing::MatchesRegex("[0-2]:[0-9]+"));
  Until([&] { return Alert().contains("acknowledged"); });
  EXPECT_EQ(Alert()["acknowledged"]["agent_id"], "berta");
  answer = host_->Post(path_ + "/acknowledge", R"({"agent_id":"berta","note":"twice"})");
  EXPECT_EQ(json::parse(answer.body)["event_id"], first["event_id"]) << "it counts once";
  answer = host_->Post(path_ + "/acknowledge", R"({"agent_id":"berta"})",
                       {{"Idempotency-Key", "another"}});
  EXPECT_NE(json::parse(answer.body)["event_id"], first["event_id"]);

  answer = host_->Post(path_ + "/snooze", R"({"agent_id":"berta","until":"2090-01-01T00:00:00Z"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  Until([&] { return Alert().contains("snoozed"); });
  EXPECT_EQ(Alert()["snoozed"]["until"], "2090-01-01T00:00:00Z");

  answer = host_->Post(path_ + "/dismiss",
                       R"({"agent_id":"berta","reason":"ALERT_DISMISSAL_REASON_ALREADY_KNOWN"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  const json cleared = json::parse(stream_->Wait(2)[1].data);
  EXPECT_EQ(cleared["alert_id"], alert_id_);
  EXPECT_EQ(cleared["change"], "ALERT_CHANGE_CLEARED");
  EXPECT_EQ(cleared["clear_reason"], "CLEAR_REASON_DISMISSED");
  EXPECT_EQ(Alert()["state"], "ALERT_STATE_CLOSED");
  EXPECT_FALSE(Alert().contains("acknowledged"));

  answer = host_->Post(path_ + "/acknowledge", R"({"agent_id":"berta"})");
  EXPECT_EQ(answer.status, 409);
  EXPECT_THAT(answer.body, HasSubstr("the alert was closed at"));
}

TEST_F(AlertActionsTest, ResolvedAsSaved) {
  const HttpAnswer answer =
      host_->Post(path_ + "/resolve", R"({"agent_id":"berta","outcome":"saved","note":"visited"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(json::parse(stream_->Wait(2)[1].data)["clear_reason"], "CLEAR_REASON_RESOLVED");
}

TEST_F(AlertActionsTest, MarksAreFoundAgainAfterARestart) {
  ASSERT_EQ(host_->Post(path_ + "/acknowledge", R"({"agent_id":"berta"})").status, 202);
  stream_.reset();
  host_.reset();
  host_ = std::make_unique<AlertsHost>(log_.get(), "");
  EXPECT_EQ(Alert()["acknowledged"]["agent_id"], "berta");
}

TEST_F(AlertActionsTest, WrongActionsAreToldWhatIsWrongAndWriteNothing) {
  std::vector<Watermarks> before;
  for (int i = 0; i < kPartitions; ++i) {
    before.push_back(*log_->GetWatermarks("touchpoints", Partition(i)));
  }
  const std::string long_note(70'000, 'x');
  for (const auto& [action, body, status, what] :
       std::vector<std::tuple<std::string, std::string, int, std::string>>{
           {"acknowledge", "", 400, "body"},
           {"acknowledge", "{", 400, "body"},
           {"acknowledge", "[]", 400, ""},
           {"acknowledge", "{}", 400, "agent_id: missing"},
           {"acknowledge", R"({"agent_id":"b","who":1})", 400, R"("field":"who")"},
           {"acknowledge", "{\"agent_id\":\"\xff\"}", 400, ""},
           {"acknowledge", R"({"agent_id":"b","until":"2090-01-01T00:00:00Z"})", 400,
            "until: acknowledge takes no such field"},
           {"snooze", R"({"agent_id":"b"})", 400, "until: missing"},
           {"snooze", R"({"agent_id":"b","until":"soon"})", 400, R"("field":"until")"},
           {"snooze", R"({"agent_id":"b","until":"2001-01-01T00:00:00Z"})", 400, "is over"},
           {"dismiss", R"({"agent_id":"b"})", 400, "reason: missing"},
           {"dismiss", R"({"agent_id":"b","reason":"NONE"})", 400, R"("field":"reason")"},
           {"dismiss", R"({"agent_id":"b","reason":"none"})", 400, "there are: false_alarm, "},
           {"resolve", R"({"agent_id":"b","outcome":"rescued"})", 400, "there are: saved, "},
           {"dismiss", R"({"agent_id":"b","reason":99})", 400, "reason"},
           {"resolve", R"({"agent_id":"b"})", 400, "outcome: missing"},
           {"resolve", R"({"agent_id":"b","outcome":1,"reason":1})", 400,
            "reason: resolve takes no such field"},
           {"acknowledge", absl::StrCat(R"({"agent_id":"b","note":")", long_note, R"("})"), 413,
            ""},
           {"acknowledge",
            absl::StrCat(R"({"agent_id":"b","note":")", long_note.substr(60'000),
                         long_note.substr(20'000), R"("})"),
            400, "note: "}}) {
    const HttpAnswer answer = host_->Post(absl::StrCat(path_, "/", action), body);
    EXPECT_EQ(answer.status, status) << action << " " << body.substr(0, 100) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(what)) << action << " " << body.substr(0, 100);
  }
  EXPECT_EQ(host_->Post("/v1/alerts/none/acknowledge", R"({"agent_id":"b"})").status, 404);
  EXPECT_EQ(host_->Get(path_ + "/acknowledge").status, 405);
  // An id has slashes in it; it may be written as it is.
  const std::string slashed = absl::StrReplaceAll(path_, {{"%2F", "/"}});
  ASSERT_NE(slashed, path_);
  EXPECT_EQ(host_->Get(slashed).status, 200);
  EXPECT_EQ(host_->Get(slashed + "/acknowledge").status, 405);
  EXPECT_EQ(host_->Post(slashed + "/acknowledge", "{}").status, 400);
  for (int i = 0; i < kPartitions; ++i) {
    EXPECT_EQ(*log_->GetWatermarks("touchpoints", Partition(i)), before[static_cast<size_t>(i)]);
  }
}

}  // namespace
}  // namespace rapport
