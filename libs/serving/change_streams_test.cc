#include "libs/serving/change_streams.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "libs/projections/testing/random_history.h"
#include "libs/serving/testing/event_stream.h"
#include "libs/serving/testing/serving_fixture.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using touchpoint::v1::Touchpoint;

std::string LastId(const std::string& text) {
  const size_t begin = text.rfind("id: ") + 4;
  return text.substr(begin, text.find('\n', begin) - begin);
}

class ChangeStreamsTest : public testing::ServingFixture {
 protected:
  void Start(absl::Duration heartbeat = absl::Seconds(15), size_t kept = 100,
             absl::Duration kept_unread = absl::Minutes(1)) {
    changes_ =
        std::make_unique<ChangeStreams>(log_.get(),
                                        ChangeStreams::Options{.topic = "touchpoints",
                                                               .group = "changes",
                                                               .member = "1",
                                                               .heartbeat = heartbeat,
                                                               .kept = kept,
                                                               .kept_unread = kept_unread},
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
  testing::EventStream all(&client_, Url());
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
  testing::EventStream ottos(&client_, Url("?owner=otto&projections=profile,deal_pipeline"));
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
    testing::EventStream first(&client_, Url("?owner=otto"));
    first.Await("id: ");
    Write(Touchpoint::kCallCompleted, "otto/1");
    id = LastId(first.Await(R"("retention","client_id":"otto/1")"));
  }
  Write(Touchpoint::kCallCompleted, "otto/2");
  Write(Touchpoint::kCallCompleted, "eva/2");
  testing::EventStream other(&client_, Url());
  testing::EventStream second(&client_, Url("?owner=otto"), id);
  const std::string text = second.Await(R"("retention","client_id":"otto/2")");
  EXPECT_THAT(text, Not(HasSubstr("reset")));
  EXPECT_THAT(text, Not(HasSubstr("otto/1")));
  EXPECT_THAT(text, Not(HasSubstr("eva/2")));
}

TEST_F(ChangeStreamsTest, WhoComesBackTooLateReadsAllAnew) {
  Start(absl::Seconds(15), /*kept=*/5);
  testing::EventStream all(&client_, Url());
  const std::string id = LastId(all.Await("id: "));
  for (int i = 0; i < 7; ++i) {
    Write(Touchpoint::kCallCompleted, absl::StrCat("otto/", i));
    all.Await(absl::StrCat("otto/", i));
  }
  testing::EventStream late(&client_, Url(), id);
  EXPECT_THAT(late.Await("reset"), HasSubstr("event: reset\ndata: {}\n\n"));
  testing::EventStream strange(&client_, Url(), "4711-1");
  EXPECT_THAT(strange.Await("reset"), HasSubstr("event: reset"));
  Write(Touchpoint::kCallCompleted, "otto/last");
  late.Await("otto/last");
}

TEST_F(ChangeStreamsTest, WhatNobodyWatchesIsPassedOverAndWhoComesBackReadsAllAnew) {
  Start(absl::Milliseconds(20), 100, absl::ZeroDuration());
  std::string id;
  {
    testing::EventStream first(&client_, Url());
    id = LastId(first.Await("id: "));
  }
  // Until a record came while nobody was there.
  std::string text;
  do {
    while (changes_->subscribers() > 0) absl::SleepFor(absl::Milliseconds(1));
    Write(Touchpoint::kCallCompleted, "otto/1");
    testing::EventStream back(&client_, Url(), id);
    text = back.Await("id: ");
    Write(Touchpoint::kCallCompleted, "otto/told");
    text = back.Await("otto/told");
  } while (!absl::StrContains(text, "event: reset"));
}

TEST_F(ChangeStreamsTest, WhereOwnersCannotBeAskedReadersComeBack) {
  Start();
  testing::EventStream all(&client_, Url());
  testing::EventStream ottos(&client_, Url("?owner=otto"));
  all.Await("id: ");
  const std::string id = LastId(ottos.Await("id: "));
  away_ = true;
  Write(Touchpoint::kCallCompleted, "otto/1");
  EXPECT_THAT(ottos.AwaitEnd(), Not(HasSubstr("otto/1")));
  all.Await("otto/1");
  away_ = false;
  testing::EventStream again(&client_, Url("?owner=otto"), id);
  again.Await("otto/1");
}

TEST_F(ChangeStreamsTest, AQuietStreamShowsThatItIsThere) {
  Start(absl::Milliseconds(20));
  testing::EventStream all(&client_, Url());
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
