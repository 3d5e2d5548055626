#include "libs/serving/merge.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/serving/page.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/query/v1/search.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Parts = std::vector<std::unique_ptr<google::protobuf::Message>>;

std::unique_ptr<query::v1::ClientList> List(const std::vector<std::string>& places, bool more,
                                            int partition) {
  auto list = std::make_unique<query::v1::ClientList>();
  for (const std::string& place : places) {
    auto* client = list->add_clients();
    client->set_client_id(place);
    client->set_cursor(EncodeCursor(place));
  }
  if (more) list->set_next_cursor(EncodeCursor(places.back()));
  list->mutable_watermark()->add_partitions()->set_partition(partition);
  return list;
}

std::vector<std::string> Ids(const query::v1::ClientList& list) {
  std::vector<std::string> ids;
  for (const auto& client : list.clients()) ids.push_back(client.client_id());
  return ids;
}

TEST(Merge, RowsAreOrderedByTheBytesOfTheirCursors) {
  Parts parts;
  // As text, the cursors of these would be ordered otherwise.
  parts.push_back(List({std::string("\x01", 1), "b", "\xff"}, false, 2));
  parts.push_back(List({"a", "c"}, false, 0));
  query::v1::ClientList merged;
  ASSERT_OK(MergeAnswers(parts, 10, &merged));
  EXPECT_THAT(Ids(merged), ElementsAre("\x01", "a", "b", "c", "\xff"));
  EXPECT_EQ(merged.next_cursor(), "");
  ASSERT_EQ(merged.watermark().partitions_size(), 2);
  EXPECT_EQ(merged.watermark().partitions(0).partition(), 0);
  EXPECT_EQ(merged.watermark().partitions(1).partition(), 2);
}

TEST(Merge, APageIsCutAndTellsWhereTheNextBegins) {
  Parts parts;
  parts.push_back(List({"a", "d"}, true, 0));
  parts.push_back(List({"b", "c"}, false, 1));
  query::v1::ClientList merged;
  ASSERT_OK(MergeAnswers(parts, 3, &merged));
  EXPECT_THAT(Ids(merged), ElementsAre("a", "b", "c"));
  EXPECT_EQ(merged.next_cursor(), EncodeCursor("c"));
  // Cut by nothing but the part that has more.
  ASSERT_OK(MergeAnswers(parts, 4, &merged));
  EXPECT_EQ(merged.next_cursor(), EncodeCursor("d"));
}

TEST(Merge, ARowThatTwoProcessesToldStandsOnce) {
  Parts parts;
  parts.push_back(List({"a", "b"}, false, 0));
  parts.push_back(List({"b"}, false, 0));
  query::v1::ClientList merged;
  ASSERT_OK(MergeAnswers(parts, 10, &merged));
  EXPECT_THAT(Ids(merged), ElementsAre("a", "b"));
}

TEST(Merge, ColumnsOfABoardAreAddedUp) {
  const auto board = [](const std::string& place, touchpoint::v1::DealStage stage,
                        const std::string& currency, int64_t units) {
    auto one = std::make_unique<query::v1::Board>();
    auto* column = one->add_columns();
    column->set_stage(stage);
    column->set_deal_count(5);
    auto* sum = column->add_sums();
    sum->mutable_amount()->set_currency_code(currency);
    sum->mutable_amount()->set_minor_units(units);
    sum->mutable_weighted()->set_minor_units(units / 2);
    auto* deal = column->add_deals();
    deal->set_deal_id(place);
    deal->set_cursor(EncodeCursor(place));
    return one;
  };
  Parts parts;
  parts.push_back(board("b", touchpoint::v1::DEAL_STAGE_PRESENTED, "EUR", 100));
  parts.push_back(board("a", touchpoint::v1::DEAL_STAGE_PRESENTED, "EUR", 50));
  parts.push_back(board("c", touchpoint::v1::DEAL_STAGE_PRESENTED, "CHF", 8));
  parts.push_back(board("d", touchpoint::v1::DEAL_STAGE_LEAD, "EUR", 1));
  query::v1::Board merged;
  ASSERT_OK(MergeAnswers(parts, 2, &merged));
  ASSERT_EQ(merged.columns_size(), 2);
  EXPECT_EQ(merged.columns(0).stage(), touchpoint::v1::DEAL_STAGE_LEAD);
  const query::v1::BoardColumn& presented = merged.columns(1);
  EXPECT_EQ(presented.deal_count(), 15);
  ASSERT_EQ(presented.sums_size(), 2);
  EXPECT_EQ(presented.sums(0).amount().currency_code(), "CHF");
  EXPECT_EQ(presented.sums(1).amount().minor_units(), 150);
  EXPECT_EQ(presented.sums(1).weighted().minor_units(), 75);
  ASSERT_EQ(presented.deals_size(), 2);
  EXPECT_EQ(presented.deals(0).deal_id(), "a");
  EXPECT_EQ(presented.deals(1).deal_id(), "b");
}

TEST(Merge, SectionsOfAnAgendaAreJoined) {
  const auto agenda = [](query::v1::AgendaKind kind, const std::string& place, bool more) {
    auto one = std::make_unique<query::v1::Agenda>();
    auto* section = one->add_sections();
    section->set_kind(kind);
    section->set_count(7);
    section->set_more(more);
    section->add_items()->set_cursor(EncodeCursor(place));
    section->mutable_items(0)->set_item_id(place);
    return one;
  };
  Parts parts;
  parts.push_back(agenda(query::v1::AGENDA_KIND_PROMISE, "c", false));
  parts.push_back(agenda(query::v1::AGENDA_KIND_PROMISE, "a", true));
  parts.push_back(agenda(query::v1::AGENDA_KIND_PROMISE, "b", false));
  parts.push_back(agenda(query::v1::AGENDA_KIND_UNANSWERED, "z", false));
  query::v1::Agenda merged;
  ASSERT_OK(MergeAnswers(parts, 2, &merged));
  ASSERT_EQ(merged.sections_size(), 2);
  EXPECT_EQ(merged.sections(0).kind(), query::v1::AGENDA_KIND_UNANSWERED);
  const query::v1::AgendaSection& promises = merged.sections(1);
  EXPECT_EQ(promises.count(), 21);
  EXPECT_TRUE(promises.more());
  ASSERT_EQ(promises.items_size(), 2);
  EXPECT_EQ(promises.items(0).item_id(), "a");
  EXPECT_EQ(promises.items(1).item_id(), "b");
}

TEST(Merge, APartThatStoppedEarlyHoldsUpTheOthers) {
  Parts parts;
  auto stopped = List({"b"}, false, 0);
  stopped->set_next_cursor(EncodeCursor("d"));
  parts.push_back(std::move(stopped));
  parts.push_back(List({"a", "c", "e"}, false, 1));
  query::v1::ClientList merged;
  ASSERT_OK(MergeAnswers(parts, 5, &merged));
  EXPECT_EQ(merged.clients_size(), 3);
  EXPECT_EQ(merged.next_cursor(), EncodeCursor("d"));
  ASSERT_OK(MergeAnswers(parts, 2, &merged));
  EXPECT_EQ(merged.clients_size(), 2);
  EXPECT_EQ(merged.next_cursor(), EncodeCursor("b"));
}

TEST(Merge, ThereIsMoreWhereAPartSaysSoOrRowsWereCut) {
  const auto search = [](const std::string& place, bool more) {
    auto answer = std::make_unique<query::v1::SearchAnswer>();
    answer->add_hits()->set_cursor(EncodeCursor(place));
    answer->set_more(more);
    return answer;
  };
  Parts parts;
  parts.push_back(search("a", false));
  parts.push_back(search("b", false));
  query::v1::SearchAnswer merged;
  ASSERT_OK(MergeAnswers(parts, 2, &merged));
  EXPECT_FALSE(merged.more());
  ASSERT_OK(MergeAnswers(parts, 1, &merged));
  EXPECT_TRUE(merged.more());
  parts.push_back(search("c", true));
  ASSERT_OK(MergeAnswers(parts, 5, &merged));
  EXPECT_TRUE(merged.more());
}

TEST(Merge, WhatIsMissingIsSaidAndNothingIsCountedAsWhole) {
  query::v1::ClientList list;
  list.set_count(5);
  MarkMissing({}, &list);
  EXPECT_FALSE(list.count_is_least());
  MarkMissing({Partition(1), Partition(3)}, &list);
  EXPECT_TRUE(list.count_is_least());
  EXPECT_THAT(list.watermark().missing_partitions(), ElementsAre(1, 3));
  query::v1::ClientList uncounted;
  MarkMissing({Partition(1)}, &uncounted);
  EXPECT_FALSE(uncounted.count_is_least());
  query::v1::SearchAnswer search;
  MarkMissing({Partition(1)}, &search);
  EXPECT_TRUE(search.more());
  query::v1::Agenda agenda;
  agenda.add_sections()->set_count(7);
  MarkMissing({Partition(1)}, &agenda);
  EXPECT_TRUE(agenda.sections(0).more());
  EXPECT_THAT(agenda.watermark().missing_partitions(), ElementsAre(1));
}

TEST(Merge, PartitionsOfAProjectionAreJoined) {
  Parts parts;
  for (const int partition : {2, 0, 1}) {
    auto status = std::make_unique<query::v1::ProjectionStatus>();
    status->set_projection("profile");
    status->add_partitions()->set_partition(partition);
    parts.push_back(std::move(status));
  }
  query::v1::ProjectionStatus merged;
  ASSERT_OK(MergeAnswers(parts, 50, &merged));
  EXPECT_EQ(merged.projection(), "profile");
  ASSERT_EQ(merged.partitions_size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(merged.partitions(i).partition(), i);
}

TEST(Merge, WhatCannotBeMergedIsRefused) {
  query::v1::ClientList merged;
  EXPECT_THAT(MergeAnswers({}, 5, &merged),
              StatusIs(absl::StatusCode::kInvalidArgument, "there are no answers to merge"));
  Parts parts;
  parts.push_back(std::make_unique<query::v1::Board>());
  EXPECT_THAT(MergeAnswers(parts, 5, &merged),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "rapport.query.v1.Board cannot be merged into rapport.query.v1.ClientList"));
  parts.clear();
  auto list = List({"a"}, false, 0);
  list->mutable_clients(0)->set_cursor("!");
  parts.push_back(std::move(list));
  EXPECT_THAT(MergeAnswers(parts, 5, &merged),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cursor is '!'")));
}

}  // namespace
}  // namespace rapport
