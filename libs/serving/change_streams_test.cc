#include "libs/serving/change_streams.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "libs/projections/testing/random_history.h"
#include "libs/serving/testing/serving_fixture.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using touchpoint::v1::Touchpoint;

// What a reader has been sent so far.
class Stream {
 public:
  Stream(HttpClient* client, std::string url, const std::string& last_event_id = "") {
    HttpCall call{.url = std::move(url), .timeout = absl::InfiniteDuration()};
    if (!last_event_id.empty()) call.headers.push_back({"last-event-id", last_event_id});
    call.on_body = [read = read_](absl::string_view piece) {
      const MutexLock lock(&read->mutex);
      absl::StrAppend(&read->text, piece);
      read->changed.SignalAll();
      return !read->gone;
    };
    client->Send(std::move(call), [read = read_](const absl::StatusOr<HttpAnswer>&) {
      const MutexLock lock(&read->mutex);
      read->ended = true;
      read->changed.SignalAll();
    });
  }
  ~Stream() {
    const MutexLock lock(&read_->mutex);
    read_->gone = true;
  }
  // All of it, once it has `text`, or has ended.
  std::string Await(absl::string_view text) {
    const MutexLock lock(&read_->mutex);
    while (!absl::StrContains(read_->text, text) && !read_->ended) {
      read_->changed.Wait(&read_->mutex);
    }
    return read_->text;
  }
  std::string AwaitEnd() { return Await("\xff"); }

 private:
  struct Read {
    Mutex mutex;
    CondVar changed;
    std::string text ABSL_GUARDED_BY(mutex);
    bool ended ABSL_GUARDED_BY(mutex) = false;
    bool gone ABSL_GUARDED_BY(mutex) = false;
  };
  const std::shared_ptr<Read> read_ = std::make_shared<Read>();
};

std::string LastId(const std::string& text) {
  const size_t begin = text.rfind("id: ") + 4;
  return text.substr(begin, text.find('\n', begin) - begin);
}

class ChangeStreamsTest : public testing::ServingFixture {
 protected:
  void Start(absl::Duration heartbeat = absl::Seconds(15), size_t kept = 100) {
    changes_ =
        std::make_unique<ChangeStreams>(log_.get(),
                                        ChangeStreams::Options{.topic = "touchpoints",
                                                               .group = "changes",
                                                               .member = "1",
                                                               .heartbeat = heartbeat,
                                                               .kept = kept},
                                        [this](const std::map<std::string, RecordPosition>& clients)
                                            -> absl::StatusOr<std::map<std::string, std::string>> {
                                          ++asked_;
                                          if (away_)
                                            return absl::UnavailableError("nobody is there");
                                          std::map<std::string, std::string> owners;
                                          // "otto/1" is otto's.
                                          for (const auto& [client, position] : clients) {
                                            owners[client] = client.substr(0, client.find('/'));
                                          }
                                          return owners;
                                        });
    changes_->AddRoute(http_.get());
    ASSERT_OK(http_->Start());
  }
  void TearDown() override {
    http_->Drain(absl::Seconds(5));
    changes_.reset();
  }
  std::string Url(const std::string& query = "") const {
    return http_->address() + "/v1/changes/stream" + query;
  }
  void Write(Touchpoint::PayloadCase kind, const std::string& client) {
    ++number_;
    Append({testing::MakeTouchpoint(kind, client, absl::StrCat(client, number_),
                                    testing::Day(number_))});
  }

  std::unique_ptr<ChangeStreams> changes_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> away_ = false;
  int number_ = 0;
};

TEST_F(ChangeStreamsTest, ToldIsWhoseStatesChangeAndWhere) {
  Write(Touchpoint::kCallCompleted, "otto/before");
  Start();
  Stream all(&client_, Url());
  all.Await("id: ");
  Write(Touchpoint::kCallCompleted, "otto/1");
  Write(Touchpoint::kIdentifierLinked, "otto/2");
  Touchpoint won = testing::MakeTouchpoint(Touchpoint::kDealWon, "otto/3", "won", testing::Day(1));
  won.mutable_deal_won()->set_deal_id("D-1");
  Append({won});
  const std::string text = all.Await(R"("deal_id":"D-1")");
  EXPECT_THAT(
      all.Await(R"({"projection":"retention","client_id":"otto/1")"),
      HasSubstr(R"({"projection":"profile","client_id":"otto/1","deal_id":"","position":")"));
  EXPECT_THAT(all.Await(R"({"projection":"profile","client_id":"otto/2")"),
              Not(HasSubstr(R"({"projection":"retention","client_id":"otto/2")")));
  EXPECT_THAT(text,
              HasSubstr(R"({"projection":"deal_pipeline","client_id":"otto/3","deal_id":"D-1")"));
  EXPECT_THAT(text, Not(HasSubstr("otto/before")));
  EXPECT_EQ(asked_, 0) << "who sees all needs no owners";
}

TEST_F(ChangeStreamsTest, OnlyOfTheOwnersAndProjectionsThatAreAskedFor) {
  Start();
  Stream ottos(&client_, Url("?owner=otto&projections=profile,deal_pipeline"));
  ottos.Await("id: ");
  Write(Touchpoint::kCallCompleted, "eva/1");
  Write(Touchpoint::kCallCompleted, "otto/1");
  Write(Touchpoint::kCallCompleted, "otto/last");
  const std::string text = ottos.Await("otto/last");
  EXPECT_THAT(text, Not(HasSubstr("eva/1")));
  EXPECT_THAT(text, Not(HasSubstr("retention")));
}

TEST_F(ChangeStreamsTest, WhoComesBackGetsWhatCameMeanwhile) {
  Start();
  std::string id;
  {
    Stream first(&client_, Url("?owner=otto"));
    first.Await("id: ");
    Write(Touchpoint::kCallCompleted, "otto/1");
    id = LastId(first.Await(R"("retention","client_id":"otto/1")"));
  }
  Write(Touchpoint::kCallCompleted, "otto/2");
  Write(Touchpoint::kCallCompleted, "eva/2");
  Stream other(&client_, Url());
  Stream second(&client_, Url("?owner=otto"), id);
  const std::string text = second.Await(R"("retention","client_id":"otto/2")");
  EXPECT_THAT(text, Not(HasSubstr("reset")));
  EXPECT_THAT(text, Not(HasSubstr("otto/1")));
  EXPECT_THAT(text, Not(HasSubstr("eva/2")));
}

TEST_F(ChangeStreamsTest, WhoComesBackTooLateReadsAllAnew) {
  Start(absl::Seconds(15), /*kept=*/5);
  Stream all(&client_, Url());
  const std::string id = LastId(all.Await("id: "));
  for (int i = 0; i < 7; ++i) {
    Write(Touchpoint::kCallCompleted, absl::StrCat("otto/", i));
    all.Await(absl::StrCat("otto/", i));
  }
  Stream late(&client_, Url(), id);
  EXPECT_THAT(late.Await("reset"), HasSubstr("event: reset\ndata: {}\n\n"));
  Stream strange(&client_, Url(), "4711-1");
  EXPECT_THAT(strange.Await("reset"), HasSubstr("event: reset"));
  Write(Touchpoint::kCallCompleted, "otto/last");
  late.Await("otto/last");
}

TEST_F(ChangeStreamsTest, WhereOwnersCannotBeAskedReadersComeBack) {
  Start();
  Stream all(&client_, Url());
  Stream ottos(&client_, Url("?owner=otto"));
  all.Await("id: ");
  const std::string id = LastId(ottos.Await("id: "));
  away_ = true;
  Write(Touchpoint::kCallCompleted, "otto/1");
  EXPECT_THAT(ottos.AwaitEnd(), Not(HasSubstr("otto/1")));
  all.Await("otto/1");
  away_ = false;
  Stream again(&client_, Url("?owner=otto"), id);
  again.Await("otto/1");
}

TEST_F(ChangeStreamsTest, AQuietStreamShowsThatItIsThere) {
  Start(absl::Milliseconds(20));
  Stream all(&client_, Url());
  all.Await(":\nid: ");
}

TEST_F(ChangeStreamsTest, WrongRequestsSayWhatIsWrong) {
  Start();
  EXPECT_THAT(Error("/v1/changes/stream?projections=kpi", 400),
              HasSubstr("projections has 'kpi'; there are: profile, retention, deal_pipeline"));
  EXPECT_THAT(Error("/v1/changes/stream?client=a", 400), HasSubstr("there is no query parameter"));
}

}  // namespace
}  // namespace rapport
