#include "services/pipeline/pipeline.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/time.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "services/pipeline/board.h"
#include "services/profiles/profiles.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

class PipelineTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    for (const StartService& start : {StartService(StartPipeline), StartService(StartProfiles)}) {
      auto service = start(env());
      ASSERT_OK(service);
      services_.push_back(*std::move(service));
    }
    Serve({services_[0].get(), services_[1].get()});
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  static Touchpoint Opened(const std::string& client, const std::string& deal, int64_t minor_units,
                           const std::string& owner, const std::string& currency = "EUR") {
    Touchpoint touchpoint =
        testing::MakeTouchpoint(Touchpoint::kDealOpened, client, "open-" + deal, testing::Day(1));
    touchpoint.set_owner_id(owner);
    auto& opened = *touchpoint.mutable_deal_opened();
    opened.Clear();
    opened.set_deal_id(deal);
    opened.set_title("about " + deal);
    opened.set_deal_owner_id(owner);
    opened.set_stage(touchpoint::v1::DEAL_STAGE_LEAD);
    opened.mutable_amount()->set_minor_units(minor_units);
    opened.mutable_amount()->set_currency_code(currency);
    return touchpoint;
  }
  static Touchpoint Moved(const std::string& client, const std::string& deal,
                          touchpoint::v1::DealStage stage, int day) {
    Touchpoint touchpoint = testing::MakeTouchpoint(
        Touchpoint::kDealStageChanged, client, absl::StrCat(deal, "-", day), testing::Day(day));
    auto& changed = *touchpoint.mutable_deal_stage_changed();
    changed.Clear();
    changed.set_deal_id(deal);
    changed.set_to_stage(stage);
    return touchpoint;
  }

  std::vector<std::unique_ptr<Service>> services_;
};

TEST_F(PipelineTest, TheBoardHasAColumnPerStageWithItsSums) {
  const std::string wait =
      Append({Opened("c1", "d1", 10'000, "otto"), Opened("c2", "d2", 5'001, "otto"),
              Opened("c3", "d3", 700, "eva", "CHF"), Opened("c4", "d4", 9'000, "eva"),
              Moved("c4", "d4", touchpoint::v1::DEAL_STAGE_PRESENTED, 3)});
  const auto board = Read<query::v1::Board>("/v1/pipeline/board?" + wait);
  ASSERT_THAT(board.columns(), SizeIs(2));
  const query::v1::BoardColumn& leads = board.columns(0);
  EXPECT_EQ(leads.stage(), touchpoint::v1::DEAL_STAGE_LEAD);
  EXPECT_EQ(leads.deal_count(), 3);
  ASSERT_THAT(leads.sums(), SizeIs(2));
  EXPECT_EQ(leads.sums(0).amount().currency_code(), "CHF");
  EXPECT_EQ(leads.sums(0).amount().minor_units(), 700);
  EXPECT_EQ(leads.sums(1).amount().minor_units(), 15'001);
  // A lead counts 50 permille: 500, and 250.05.
  EXPECT_EQ(leads.sums(1).weighted().minor_units(), 750);
  ASSERT_THAT(leads.deals(), SizeIs(3));
  EXPECT_EQ(leads.deals(0).deal_id(), "d3");  // eva's come first
  EXPECT_EQ(leads.deals(1).client_id(), "c1");
  EXPECT_EQ(board.columns(1).stage(), touchpoint::v1::DEAL_STAGE_PRESENTED);
  EXPECT_EQ(board.watermark().partitions_size(), kPartitions);

  const auto of_otto = Read<query::v1::Board>("/v1/pipeline/board?owner=otto&owner=otto&limit=1");
  ASSERT_THAT(of_otto.columns(), SizeIs(1));
  EXPECT_EQ(of_otto.columns(0).deal_count(), 2);
  EXPECT_EQ(of_otto.columns(0).sums(0).amount().minor_units(), 15'001);
  ASSERT_THAT(of_otto.columns(0).deals(), SizeIs(1));
  EXPECT_EQ(of_otto.columns(0).deals(0).deal_id(), "d1");
  const auto sums = Read<query::v1::Board>("/v1/pipeline/board?owner=otto&limit=0");
  ASSERT_THAT(sums.columns(), SizeIs(1));
  EXPECT_EQ(sums.columns(0).deal_count(), 2);
  EXPECT_THAT(sums.columns(0).deals(), IsEmpty());
  EXPECT_EQ(Read<query::v1::Board>("/v1/pipeline/board?owner=otto&owner=eva").columns_size(), 2);
  EXPECT_EQ(Read<query::v1::Board>("/v1/pipeline/board?owner=nobody").columns_size(), 0);
}

TEST_F(PipelineTest, AllProjectionsAreToldAtOnceAndThoseThatAreAway) {
  const auto list = Read<query::v1::ProjectionList>("/v1/projections");
  ASSERT_THAT(list.projections(), SizeIs(2));
  EXPECT_EQ(list.projections(0).projection(), "profile");
  EXPECT_EQ(list.projections(1).projection(), "deal_pipeline");
  EXPECT_THAT(list.projections(1).partitions(), SizeIs(kPartitions));
  ASSERT_THAT(list.missing_projections(), SizeIs(2));
  EXPECT_EQ(list.missing_projections(0).projection(), "retention");
  EXPECT_EQ(list.missing_projections(1).projection(), "kpi");
  EXPECT_EQ(list.missing_projections(0).reason(), "HTTP status 404");
}

TEST_F(PipelineTest, DealsAreListedNarrowedAndSorted) {
  using touchpoint::v1::DEAL_STAGE_NEGOTIATION;
  using touchpoint::v1::DEAL_STAGE_WON;
  Touchpoint registered =
      testing::MakeTouchpoint(Touchpoint::kClientRegistered, "c2", "registered", testing::Day(0));
  registered.mutable_client_registered()->mutable_details()->set_name("Żabka");
  Touchpoint closing = Opened("c2", "d2", 900, "otto");
  ToProto(testing::Day(20), closing.mutable_deal_opened()->mutable_expected_close_at());
  closing.mutable_deal_opened()->set_kind(touchpoint::v1::DEAL_KIND_RENEWAL);
  closing.mutable_deal_opened()->set_source(touchpoint::v1::DEAL_SOURCE_CAMPAIGN);
  closing.mutable_deal_opened()->set_campaign("Spring Fair");
  closing.mutable_deal_opened()->add_product_areas("Glass");
  closing.mutable_deal_opened()->add_product_areas("Candles");
  Touchpoint lost =
      testing::MakeTouchpoint(Touchpoint::kDealLost, "c4", "lose-d4", testing::Day(10));
  lost.mutable_deal_lost()->set_deal_id("d4");
  lost.mutable_deal_lost()->set_competitor("Acme & Sons");
  // Leads are usual for 14 days, so that day 30 is more than twice that after day 1.
  Append({registered, Opened("c1", "d1", 100, "otto"), closing, Opened("c3", "d3", 500, "eva"),
          Opened("c4", "d4", 300, "otto", "CHF"), Moved("c3", "d3", DEAL_STAGE_NEGOTIATION, 25),
          Moved("c4", "d4", DEAL_STAGE_WON, 9)});
  const std::string wait = Tick(testing::Day(30));
  const std::string path = "/v1/pipeline/deals";
  Read<query::v1::DealList>(path + "?" + wait);
  const auto ids = [&](const std::string& parameters) {
    std::vector<std::string> found;
    std::string cursor;
    do {
      const auto page = Read<query::v1::DealList>(
          absl::StrCat(path, "?limit=1", parameters, cursor.empty() ? "" : "&cursor=", cursor));
      for (const auto& deal : page.deals()) found.push_back(deal.deal_id());
      cursor = page.next_cursor();
    } while (!cursor.empty());
    return found;
  };
  EXPECT_THAT(ids(""), ElementsAre("d1", "d2", "d4", "d3"));
  EXPECT_THAT(ids("&sort=closing"), ElementsAre("d2", "d1", "d3", "d4"));
  EXPECT_THAT(ids("&sort=amount"), ElementsAre("d4", "d2", "d3", "d1"));
  EXPECT_THAT(ids("&owner=otto&stage=lead"), ElementsAre("d1", "d2"));
  EXPECT_THAT(ids("&stage=won&stage=negotiation"), ElementsAre("d4", "d3"));
  EXPECT_THAT(ids("&kind=renewal"), ElementsAre("d2"));
  EXPECT_THAT(ids("&closing_before=" + Rfc3339(testing::Day(21))), ElementsAre("d2"));
  EXPECT_THAT(ids("&closing_before=" + Rfc3339(testing::Day(20))), IsEmpty());
  EXPECT_THAT(ids("&attention=true"), ElementsAre("d1", "d2"));
  EXPECT_THAT(ids("&q=zabka%20about"), ElementsAre("d2"));
  EXPECT_THAT(ids("&source=campaign"), ElementsAre("d2"));
  EXPECT_THAT(ids("&campaign=spring%20fair"), ElementsAre("d2"));
  EXPECT_THAT(ids("&campaign=spring"), IsEmpty());
  EXPECT_THAT(ids("&product_area=candles&product_area=other"), ElementsAre("d2"));
  EXPECT_THAT(ids("&days_past_close=10"), ElementsAre("d2"));
  EXPECT_THAT(ids("&days_past_close=11"), IsEmpty());
  EXPECT_THAT(ids("&competitor=acme"), IsEmpty());
  const auto list = Read<query::v1::DealList>(path + "?q=d2&limit=1");
  EXPECT_EQ(list.count(), 1);
  ASSERT_THAT(list.deals(), SizeIs(1));
  EXPECT_EQ(list.deals(0).client_name(), "Żabka");
  EXPECT_EQ(list.deals(0).kind(), touchpoint::v1::DEAL_KIND_RENEWAL);
  EXPECT_EQ(list.deals(0).usual_stage_days(), 14);
  EXPECT_TRUE(list.deals(0).long_in_stage());
  EXPECT_TRUE(list.deals(0).past_close());
  EXPECT_EQ(list.deals(0).days_past_close(), 10);
  EXPECT_EQ(list.deals(0).campaign(), "Spring Fair");
  EXPECT_EQ(Read<query::v1::DealList>(path + "?limit=2").count(), 4);
  const auto board = Read<query::v1::Board>("/v1/pipeline/board?owner=otto");
  EXPECT_EQ(board.columns(0).deals(1).client_name(), "Żabka");
  EXPECT_EQ(Read<query::v1::Deal>("/v1/deals/d2").summary().client_name(), "Żabka");
  EXPECT_THAT(Error(path + "?source=luck", 400), HasSubstr("source is 'luck'"));
  EXPECT_THAT(Error(path + "?days_past_close=0", 400), HasSubstr("days_past_close"));
  // While it is lost, who got it is told.
  Append({lost});
  Read<query::v1::DealList>(path + "?" + Tick(testing::Day(31)));
  EXPECT_THAT(ids("&competitor=acme%20sons"), ElementsAre("d4"));
  EXPECT_THAT(Error(path + "?sort=luck", 400),
              HasSubstr("sort is 'luck'; there are: stage_age, closing, amount"));
  EXPECT_THAT(Error(path + "?stage=lost_in_space", 400), HasSubstr("stage is 'lost_in_space'"));
  EXPECT_THAT(Error(path + "?closing_before=soon", 400), HasSubstr("closing_before is 'soon'"));
}

// A source moves a deal to another client without a word: of both has been told.
TEST_F(PipelineTest, ADealThatWasToldOfTwoClientsStandsOnceWithTheLatter) {
  const std::string wait =
      Append({Opened("cl-a", "M1", 7'000, "otto"), Opened("cl-c", "other", 1, "otto"),
              Moved("cl-b", "M1", touchpoint::v1::DEAL_STAGE_NEGOTIATION, 8)});
  const auto board = Read<query::v1::Board>("/v1/pipeline/board?" + wait);
  ASSERT_THAT(board.columns(), SizeIs(2));
  ASSERT_THAT(board.columns(0).deals(), SizeIs(1));
  EXPECT_EQ(board.columns(0).deals(0).deal_id(), "other");
  ASSERT_THAT(board.columns(1).deals(), SizeIs(1));
  EXPECT_EQ(board.columns(1).deals(0).client_id(), "cl-b");
  ASSERT_THAT(board.shared_deals(), SizeIs(1));
  EXPECT_EQ(board.shared_deals(0).deal_id(), "M1");
  EXPECT_EQ(board.shared_deals(0).client_id(), "cl-b");
  EXPECT_THAT(board.shared_deals(0).other_client_ids(), ElementsAre("cl-a"));
  EXPECT_EQ(Read<query::v1::Deal>("/v1/deals/M1").summary().client_id(), "cl-b");
  // Of its old owner's board it is gone.
  const auto of_otto = Read<query::v1::Board>("/v1/pipeline/board?owner=otto");
  ASSERT_THAT(of_otto.columns(), SizeIs(1));
  EXPECT_EQ(of_otto.columns(0).deal_count(), 1);
}

TEST_F(PipelineTest, ARemovedDealIsOffTheBoardAndTellsWhy) {
  Touchpoint removed =
      testing::MakeTouchpoint(Touchpoint::kDealRemoved, "c1", "remove-d1", testing::Day(4));
  removed.mutable_deal_removed()->set_deal_id("d1");
  const std::string wait =
      Append({Opened("c1", "d1", 10'000, "otto"), Opened("c1", "d2", 500, "otto"), removed});
  const auto board = Read<query::v1::Board>("/v1/pipeline/board?" + wait);
  ASSERT_THAT(board.columns(), SizeIs(1));
  EXPECT_EQ(board.columns(0).deal_count(), 1);
  EXPECT_EQ(board.columns(0).deals(0).deal_id(), "d2");
  const auto deal = Read<query::v1::Deal>("/v1/deals/d1");
  EXPECT_EQ(FromProto(deal.removed_at()), testing::Day(4));
  EXPECT_EQ(deal.removal_reason(), touchpoint::v1::DEAL_REMOVAL_REASON_DUPLICATE);
  EXPECT_FALSE(deal.has_won_at());
  EXPECT_FALSE(deal.has_lost_at());
}

TEST_F(PipelineTest, ADealThatWasOpenedAgainTellsNoLoss) {
  Touchpoint lost =
      testing::MakeTouchpoint(Touchpoint::kDealLost, "c1", "lose-d1", testing::Day(4));
  lost.mutable_deal_lost()->set_deal_id("d1");
  std::string wait = Append({Opened("c1", "d1", 10'000, "otto"), lost});
  auto deal = Read<query::v1::Deal>("/v1/deals/d1?" + wait);
  EXPECT_TRUE(deal.has_lost_at());
  EXPECT_EQ(deal.competitor(), "Lux Ltd");
  wait = Append({Moved("c1", "d1", touchpoint::v1::DEAL_STAGE_NEGOTIATION, 9)});
  deal = Read<query::v1::Deal>("/v1/deals/d1?" + wait);
  EXPECT_FALSE(deal.has_lost_at());
  EXPECT_EQ(deal.competitor(), "");
  EXPECT_EQ(deal.loss_reason(), touchpoint::v1::DEAL_LOSS_REASON_UNSPECIFIED);
}

TEST_F(PipelineTest, ASumBeyond64BitsIsToldAsSuch) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const std::string wait =
      Append({Opened("c1", "d1", kMost, "otto"), Opened("c2", "d2", kMost, "otto"),
              Opened("c3", "d3", 5, "eva", "CHF")});
  const auto board = Read<query::v1::Board>("/v1/pipeline/board?" + wait);
  ASSERT_THAT(board.columns(), SizeIs(1));
  ASSERT_THAT(board.columns(0).sums(), SizeIs(2));
  EXPECT_FALSE(board.columns(0).sums(0).out_of_range());
  EXPECT_TRUE(board.columns(0).sums(1).out_of_range());
  EXPECT_EQ(board.columns(0).sums(1).amount().minor_units(), kMost);
  EXPECT_GT(board.columns(0).sums(1).weighted().minor_units(), 0);
}

TEST_F(PipelineTest, ADealTellsTheStagesItWentThroughNowAndThen) {
  const std::string wait = Append({Opened("c1", "d1", 10'000, "otto"),
                                   Moved("c1", "d1", touchpoint::v1::DEAL_STAGE_CONTACTED, 5),
                                   Moved("c1", "d1", touchpoint::v1::DEAL_STAGE_PRESENTED, 9)});
  const auto deal = Read<query::v1::Deal>("/v1/deals/d1?" + wait);
  EXPECT_EQ(deal.summary().client_id(), "c1");
  EXPECT_EQ(deal.summary().title(), "about d1");
  EXPECT_EQ(deal.summary().stage(), touchpoint::v1::DEAL_STAGE_PRESENTED);
  EXPECT_EQ(FromProto(deal.summary().stage_at()), testing::Day(9));
  ASSERT_THAT(deal.steps(), SizeIs(3));
  EXPECT_EQ(FromProto(deal.steps(0).occurred_at()), testing::Day(1));
  EXPECT_EQ(deal.watermark().partitions_size(), 1);
  EXPECT_FALSE(deal.has_as_of());

  // The timeline is another service's, which may be behind: it waits too.
  const auto then = Read<query::v1::Deal>(
      absl::StrCat("/v1/deals/d1?as_of=", Rfc3339(testing::Day(7)), "&", wait));
  EXPECT_EQ(then.summary().stage(), touchpoint::v1::DEAL_STAGE_CONTACTED);
  EXPECT_THAT(then.steps(), SizeIs(2));
  EXPECT_EQ(FromProto(then.as_of()), testing::Day(7));
  EXPECT_THAT(Error(absl::StrCat("/v1/deals/d1?as_of=", Rfc3339(testing::Day(0))), 404),
              HasSubstr("there is no deal 'd1'"));
}

TEST_F(PipelineTest, WrongRequestsSayWhatIsWrong) {
  EXPECT_THAT(Error("/v1/pipeline/board?group=north", 400),
              HasSubstr("there is no query parameter 'group' here; there are: owner, team, branch, "
                        "limit"));
  EXPECT_THAT(Error("/v1/pipeline/board?team=north", 400),
              HasSubstr("team is 'north', and no units are known here"));
  EXPECT_THAT(Error("/v1/pipeline/board?limit=501", 400), HasSubstr("limit is '501'"));
  EXPECT_THAT(Error("/v1/deals/none", 404), HasSubstr("there is no deal 'none'"));
  EXPECT_THAT(Error("/v1/deals/none?as_of=x", 400), HasSubstr("as_of is 'x'"));
}

TEST(Board, WeightsAreRoundedPerDealAndDoNotOverflow) {
  const auto weighted = [](int64_t minor_units, int permille) {
    state::v1::DealRow row;
    row.mutable_amount()->set_minor_units(minor_units);
    row.set_probability_permille(permille);
    return WeightedMinorUnits(row);
  };
  EXPECT_EQ(weighted(1'000, 250), 250);
  EXPECT_EQ(weighted(1, 499), 0);
  EXPECT_EQ(weighted(1, 500), 1);
  EXPECT_EQ(weighted(-1, 500), -1);
  EXPECT_EQ(weighted(-1, 499), 0);
  EXPECT_EQ(weighted(9'000'000'000'000'000'000, 1000), 9'000'000'000'000'000'000);
}

TEST(Board, AColumnKeepsItsFirstDeals) {
  BoardBuilder builder(2, testing::Day(0));
  state::v1::DealRow row;
  row.set_stage(touchpoint::v1::DEAL_STAGE_LEAD);
  for (const char* place : {"d", "b", "c", "a"}) {
    row.set_deal_id(place);
    builder.Add(place, "client", row);
  }
  const query::v1::Board board = std::move(builder).Build();
  ASSERT_THAT(board.columns(), SizeIs(1));
  EXPECT_EQ(board.columns(0).deal_count(), 4);
  std::vector<std::string> deals;
  for (const auto& deal : board.columns(0).deals()) deals.push_back(deal.deal_id());
  EXPECT_THAT(deals, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace rapport
