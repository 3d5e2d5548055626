#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/history/history_routes.h"
#include "libs/history/history_writer.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/projection_view.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/merge.pb.h"

namespace rapport {
namespace {

using testing::Day;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeTouchpoint;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

// The writer and the routes over a log in memory, called over HTTP.
class HistoryTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(writer_,
                         HistoryWriter::Start(log_.get(), {.member = "1", .now = absl::Now}));
    routes_ = std::make_unique<HistoryRoutes>(log_.get(), HistoryRoutes::Options{.now = absl::Now});
    routes_->AddTo(http_.get());
    ASSERT_OK(http_->Start());
  }
  void TearDown() override {
    http_->Drain(absl::Seconds(1));
    writer_.reset();
  }

  HttpAnswer Call(const std::string& method, const std::string& path,
                  const std::string& body = "") {
    auto answer = client_.Fetch({.method = method, .url = http_->address() + path, .body = body});
    EXPECT_OK(answer);
    return answer.value_or(HttpAnswer());
  }
  template <class Message>
  Message Read(const HttpAnswer& answer, int status) {
    Message message;
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok())
        << answer.body;
    return message;
  }
  // When the merge has come to an end.
  query::v1::Merge Await(const std::string& merge_id, query::v1::MergeState state) {
    const absl::Time patience = absl::Now() + absl::Seconds(60);
    for (;;) {
      const auto merge = Read<query::v1::Merge>(Call("GET", "/v1/merges/" + merge_id), 200);
      if (merge.state() == state || absl::Now() > patience) return merge;
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  void AppendOrders(const std::string& client, int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      records.push_back(MakeRecord(
          MakeTouchpoint(Touchpoint::kOrderPlaced, client, absl::StrCat(client, i), Day(i % 300))));
    }
    ASSERT_OK(log_->Append("touchpoints", records));
  }

  std::unique_ptr<HistoryWriter> writer_;
  std::unique_ptr<HistoryRoutes> routes_;
};

TEST_F(HistoryTest, AMergeIsDecidedPreviewedCarriedOutAndTakenBack) {
  AppendOrders("a", 3);
  AppendOrders("b", 2);
  std::vector<Record> more;
  more.push_back(MakeRecord(MakeTouchpoint(Touchpoint::kDealOpened, "a", "deal", Day(1))));
  ASSERT_OK(log_->Append("touchpoints", more));
  const auto preview = Read<query::v1::MergePreview>(
      Call("POST", "/v1/clients/a/merge?dry_run=true", R"({"into": "b"})"), 200);
  EXPECT_EQ(preview.touchpoints(), 4);
  ASSERT_THAT(preview.kinds(), SizeIs(2));
  EXPECT_EQ(preview.kinds(0).kind(), "order_placed");
  EXPECT_EQ(preview.kinds(0).touchpoints(), 3);
  EXPECT_EQ(preview.deals(), 1);
  EXPECT_EQ(preview.alerts(), 0);
  EXPECT_THAT(Read<query::v1::MergeList>(Call("GET", "/v1/merges"), 200).merges(), IsEmpty());

  const auto accepted = Read<query::v1::MergeAccepted>(
      Call("POST", "/v1/clients/a/merge", R"({"into": "b", "reason": "one firm"})"), 202);
  const query::v1::Merge done = Await(accepted.merge_id(), query::v1::MERGE_STATE_DONE);
  EXPECT_EQ(done.state(), query::v1::MERGE_STATE_DONE);
  EXPECT_EQ(done.touchpoints(), 4);
  EXPECT_EQ(done.reason(), "one firm");
  EXPECT_THAT(Read<query::v1::MergeList>(Call("GET", "/v1/merges"), 200).merges(), SizeIs(1));
  EXPECT_THAT(Call("POST", "/v1/clients/a/merge", R"({"into": "c"})").body,
              HasSubstr("client 'a' goes on under 'b' already"));

  Read<query::v1::MergeAccepted>(Call("POST", "/v1/merges/" + accepted.merge_id() + "/split"), 202);
  EXPECT_EQ(Await(accepted.merge_id(), query::v1::MERGE_STATE_SPLIT).state(),
            query::v1::MERGE_STATE_SPLIT);
  EXPECT_THAT(Call("POST", "/v1/merges/" + accepted.merge_id() + "/split").body,
              HasSubstr("was taken back already"));
}

TEST_F(HistoryTest, EveryProcessTellsOfAMergeUnderWay) {
  AppendOrders("a", 3);
  AppendOrders("b", 2);
  // Nobody works on it.
  writer_.reset();
  Metrics metrics;
  ASSERT_OK_AND_ASSIGN(const auto other_http, HttpServer::Create({}, &metrics));
  HistoryRoutes other(log_.get(), {.now = absl::Now});
  other.AddTo(other_http.get());
  ASSERT_OK(other_http->Start());
  const auto call_other = [&](const std::string& method, const std::string& path,
                              const std::string& body = "") {
    return *client_.Fetch({.method = method, .url = other_http->address() + path, .body = body});
  };
  const auto accepted = Read<query::v1::MergeAccepted>(
      Call("POST", "/v1/clients/a/merge", R"({"into": "b", "reason": "one firm"})"), 202);
  for (const HttpAnswer& answer : {Call("GET", "/v1/merges"), call_other("GET", "/v1/merges")}) {
    const auto list = Read<query::v1::MergeList>(answer, 200);
    ASSERT_THAT(list.merges(), SizeIs(1));
    EXPECT_EQ(list.merges(0).merge_id(), accepted.merge_id());
    EXPECT_EQ(list.merges(0).state(), query::v1::MERGE_STATE_UNDER_WAY);
    EXPECT_EQ(list.merges(0).absorbed_client_id(), "a");
    EXPECT_EQ(list.merges(0).survivor_client_id(), "b");
    EXPECT_EQ(list.merges(0).reason(), "one firm");
    EXPECT_TRUE(list.merges(0).has_decided_at());
    EXPECT_FALSE(list.merges(0).has_changed_at());
  }
  const std::string merge_path = "/v1/merges/" + accepted.merge_id();
  EXPECT_EQ(Read<query::v1::Merge>(call_other("GET", merge_path), 200).state(),
            query::v1::MERGE_STATE_UNDER_WAY);
  // So neither lets the other begin a circle, and it is taken back once.
  EXPECT_THAT(call_other("POST", "/v1/clients/b/merge", R"({"into": "a"})").body,
              HasSubstr("client 'a' goes on under 'b' already"));
  Read<query::v1::MergeAccepted>(call_other("POST", merge_path + "/split"), 202);
  EXPECT_THAT(Call("POST", merge_path + "/split").body, HasSubstr("is being taken back already"));
  ASSERT_OK_AND_ASSIGN(writer_,
                       HistoryWriter::Start(log_.get(), {.member = "1", .now = absl::Now}));
  EXPECT_EQ(Await(accepted.merge_id(), query::v1::MERGE_STATE_SPLIT).state(),
            query::v1::MERGE_STATE_SPLIT);
  const auto list = Read<query::v1::MergeList>(call_other("GET", "/v1/merges"), 200);
  ASSERT_THAT(list.merges(), SizeIs(1));
  EXPECT_EQ(list.merges(0).state(), query::v1::MERGE_STATE_SPLIT);
  EXPECT_EQ(list.merges(0).touchpoints(), 3);
  other_http->Drain(absl::Seconds(1));
}

TEST_F(HistoryTest, WrongRequestsSayWhatIsWrong) {
  const auto error = [&](const std::string& path, const std::string& body, int status) {
    const HttpAnswer answer = Call("POST", path, body);
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.body;
  };
  EXPECT_THAT(error("/v1/clients/a/merge", "", 400), HasSubstr("into: is missing"));
  EXPECT_THAT(error("/v1/clients/a/merge", R"({"into": "a"})", 400),
              HasSubstr("client 'a' cannot be merged into itself"));
  EXPECT_THAT(error("/v1/clients/a/merge", R"({"onto": "b"})", 400), HasSubstr("body: "));
  EXPECT_THAT(error("/v1/clients/a/merge?dry_run=maybe", R"({"into": "b"})", 400),
              HasSubstr("dry_run is 'maybe'; it is true or false"));
  EXPECT_THAT(error("/v1/clients/a/merge", R"({"into": "b"})", 404),
              HasSubstr("there is no client 'a'"));
  EXPECT_THAT(error("/v1/merges/none/split", "", 404), HasSubstr("there is no merge 'none'"));
  EXPECT_THAT(Call("GET", "/v1/merges/none").body, HasSubstr("there is no merge 'none'"));
}

// The figure that the project promises: a merge of two clients with 10,000 touchpoints.
TEST_F(HistoryTest, ALargeClientIsMerged) {
  AppendOrders("a", 10'000);
  AppendOrders("b", 10'000);
  const absl::Time start = absl::Now();
  const auto accepted =
      Read<query::v1::MergeAccepted>(Call("POST", "/v1/clients/a/merge", R"({"into": "b"})"), 202);
  const query::v1::Merge done = Await(accepted.merge_id(), query::v1::MERGE_STATE_DONE);
  EXPECT_EQ(done.touchpoints(), 10'000);
  const absl::Duration told = absl::Now() - start;
  testing::ProjectionFixture<Profile> profile(log_.get(), /*in_memory=*/true);
  std::vector<std::shared_ptr<StateStore>> stores;
  for (int i = 0; i < kPartitions; ++i) {
    FoldOptions options;
    options.partition = Partition(i);
    ASSERT_OK_AND_ASSIGN(const auto worker,
                         PartitionWorker::Open(profile.env(), absl::StrCat("/p", i), options,
                                               PartitionWorker::Effects::kHold));
    ASSERT_OK(worker->FoldUpTo(log_->GetWatermarks("touchpoints", Partition(i))->end));
    ASSERT_OK(worker->Flush());
    stores.push_back(worker->store());
  }
  size_t rows = 0;
  ASSERT_OK(ProjectionView(stores).Rows("b", "", "", [&](absl::string_view, absl::string_view) {
    ++rows;
    return true;
  }));
  EXPECT_EQ(rows, 20'000u);
  std::cout << "a merge of 10,000 touchpoints into 10,000: " << told << "\n";
}

TEST_F(HistoryTest, AnotherProcessGoesOnWhereOneEnds) {
  AppendOrders("a", 3);
  AppendOrders("b", 3);
  ASSERT_OK_AND_ASSIGN(auto other,
                       HistoryWriter::Start(log_.get(), {.member = "2", .now = absl::Now}));
  const auto first =
      Read<query::v1::MergeAccepted>(Call("POST", "/v1/clients/a/merge", R"({"into": "b"})"), 202);
  EXPECT_EQ(Await(first.merge_id(), query::v1::MERGE_STATE_DONE).state(),
            query::v1::MERGE_STATE_DONE);
  std::unique_ptr<HistoryWriter>& leader = writer_->leads() ? writer_ : other;
  leader.reset();
  Call("POST", "/v1/merges/" + first.merge_id() + "/split");
  EXPECT_EQ(Await(first.merge_id(), query::v1::MERGE_STATE_SPLIT).state(),
            query::v1::MERGE_STATE_SPLIT);
  EXPECT_OK((writer_ != nullptr ? writer_ : other)->trouble());
}

TEST(HistoryWriterTest, TheTopicOfTheNotesHasOnePartition) {
  const std::unique_ptr<EventLog> log = NewInMemoryEventLog();
  ASSERT_OK(log->CreateTopic("history", 2));
  EXPECT_THAT(HistoryWriter::Start(log.get(), {.member = "1", .now = absl::Now}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("topic history must have one partition")));
}

}  // namespace
}  // namespace rapport
