#include "libs/history/history_teller.h"

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/history/test_world.h"
#include "libs/history/touchpoint_path.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using testing::Day;
using testing::Digests;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeTouchpoint;
using testing::Order;
using testing::Touchpoints;
using testing::World;
using touchpoint::v1::Touchpoint;

Touchpoints HistoryOf(uint64_t seed, int clients) {
  Touchpoints history = testing::RandomHistory({.seed = seed,
                                                .client_count = clients,
                                                .touchpoint_count = 60 * clients,
                                                .silence = absl::Hours(24 * 20)});
  std::erase_if(history, [](const Touchpoint& one) {
    return one.has_clients_merged() || one.has_clients_split();
  });
  return history;
}

absl::Time EndOf(const Touchpoints& history) {
  absl::Time end = absl::InfinitePast();
  for (const Touchpoint& one : history) {
    end = std::max(
        end, FromProto(one.has_clock_advanced() ? one.clock_advanced().now() : one.occurred_at()));
  }
  return end;
}

std::vector<std::string> ClientsOf(const Touchpoints& history) {
  std::set<std::string> clients;
  for (const Touchpoint& one : history) clients.insert(one.client_id());
  clients.erase("");
  return {clients.begin(), clients.end()};
}

TEST(HistoryTellerTest, AMergeAndItsSplitLeaveWhatWas) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    World world;
    const Touchpoints history = HistoryOf(seed, 2);
    const std::vector<std::string> clients = ClientsOf(history);
    world.Append(history);
    world.set_now(EndOf(history));
    const Digests before = world.digests();
    world.Merge("m", clients[0], clients[1]);
    world.Tell();
    EXPECT_EQ(world.StateOf("m"), state::v1::MERGE_STATE_DONE);
    EXPECT_NE(world.digests(), before);
    EXPECT_THAT(world.RowsOf(clients[0]), IsEmpty());
    world.Split("m", clients[0], clients[1]);
    world.Tell();
    EXPECT_EQ(world.StateOf("m"), state::v1::MERGE_STATE_SPLIT);
    EXPECT_EQ(world.digests(), before);
  }
}

TEST(HistoryTellerTest, WhatComesUnderAnAbsorbedClientGoesToTheSurvivor) {
  World world;
  world.Append({Order("a", "a1", 1), Order("b", "b1", 1)});
  world.Merge("m", "a", "b");
  // Before anybody has told of the merge, and after.
  world.Append({Order("a", "a2", 2)});
  world.Tell();
  world.Append({Order("a", "a3", 3), Order("b", "b2", 3)});
  world.Tell();
  const Touchpoints rows = world.RowsOf("b");
  ASSERT_EQ(rows.size(), 5u);
  for (const Touchpoint& row : rows) {
    const bool from_a = row.source_event_id()[0] == 'a';
    EXPECT_EQ(row.former_client_ids_size(), from_a ? 1 : 0);
  }
  world.Split("m", "a", "b");
  world.Append({Order("a", "a4", 4), Order("b", "b3", 4)});
  world.Tell();
  World plain;
  plain.Append({Order("a", "a1", 1), Order("b", "b1", 1), Order("a", "a2", 2), Order("a", "a3", 3),
                Order("b", "b2", 3), Order("a", "a4", 4), Order("b", "b3", 4)});
  EXPECT_EQ(world.DigestOf<Profile>(), plain.DigestOf<Profile>());
}

TEST(HistoryTellerTest, TheNewestCorrectionHolds) {
  World world;
  world.Append({Order("a", "1", 1), Order("a", "2", 2)});
  Touchpoint second = Order("a", "1", 1);
  second.mutable_order_placed()->set_order_id("second");
  Touchpoint third = second;
  third.mutable_order_placed()->set_order_id("third");
  world.Correct(third, 3);
  world.Correct(second, 2);
  world.Tell();
  const Touchpoints rows = world.RowsOf("a");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].order_placed().order_id(), "third");
  // One mark before, two touchpoints, one behind; the older one asked for nothing.
  EXPECT_EQ(world.Records(), 8);
  world.Correct(third, 4);  // as it is
  world.Tell();
  EXPECT_EQ(world.Records(), 9);
  world.Correct(Order("a", "new", 3), 1);  // not there
  world.Tell();
  EXPECT_EQ(world.RowsOf("a").size(), 3u);
}

TEST(HistoryTellerTest, ACorrectionFindsItsClientThroughAMergeAndASplit) {
  World world;
  world.Append({Order("a", "a1", 1), Order("b", "b1", 1)});
  world.Merge("m", "a", "b");
  world.Tell();
  Touchpoint corrected = Order("a", "a1", 1);
  corrected.mutable_order_placed()->set_order_id("corrected");
  world.Correct(corrected, 1);
  world.Tell();
  ASSERT_EQ(world.RowsOf("b").size(), 2u);
  world.Split("m", "a", "b");
  world.Tell();
  World plain;
  plain.Append({corrected, Order("b", "b1", 1)});
  EXPECT_EQ(world.DigestOf<Profile>(), plain.DigestOf<Profile>());
}

// What an order is corrected to, by a correction that stands under `client`.
Touchpoint Corrected(const std::string& client, const Touchpoint& what, const std::string& as) {
  Touchpoint corrected = what;
  corrected.set_client_id(client);
  corrected.mutable_order_placed()->set_order_id(as);
  return corrected;
}

TEST(HistoryTellerTest, ACorrectionUnderOneWhoIsAbsorbedReachesWhatTheSurvivorHas) {
  for (const bool told_before : {false, true}) {
    SCOPED_TRACE(told_before);
    World world;
    const Touchpoint order = Order("b", "b1", 1);
    world.Append({order, Order("a", "a1", 2)});
    // Its client was not known just then.
    world.Correct(Corrected("a", order, "corrected"), 1);
    if (told_before) world.Tell();
    world.Merge("m", "a", "b");
    world.Tell();
    World plain;
    plain.Append({Corrected("b", order, "corrected"), Order("a", "a1", 2)});
    plain.Merge("m", "a", "b");
    plain.Tell();
    EXPECT_EQ(world.DigestOf<Profile>(), plain.DigestOf<Profile>());
    world.Split("m", "a", "b");
    world.Tell();
    EXPECT_THAT(world.OrdersOf("b"), ElementsAre("corrected"));
  }
}

TEST(HistoryTellerTest, TheNewestCorrectionHoldsUnderWhomeverItStands) {
  const std::vector<std::string> clients = {"a", "s", "b"};
  for (const std::string& older : clients) {
    for (const std::string& newer : clients) {
      SCOPED_TRACE(absl::StrCat("the older one under ", older, ", the newer one under ", newer));
      World world;
      const Touchpoint order = Order("b", "1", 1);
      world.Append({order});
      world.Correct(Corrected(older, order, "older"), 1);
      world.Correct(Corrected(newer, order, "newer"), 2);
      world.Tell();
      world.Merge("one", "a", "s");
      world.Tell();
      world.Merge("two", "s", "b");
      world.Tell();
      EXPECT_THAT(world.OrdersOf("b"), ElementsAre("newer"));
      // One that comes late changes nothing.
      world.Correct(Corrected(older, order, "older"), 1);
      world.Tell();
      EXPECT_THAT(world.OrdersOf("b"), ElementsAre("newer"));
    }
  }
}

TEST(HistoryTellerTest, SeveralClientsBecomeOneAndEachComesBack) {
  for (const bool inner_first : {false, true}) {
    SCOPED_TRACE(inner_first);
    World world;
    const Touchpoints history = HistoryOf(7, 3);
    const std::vector<std::string> clients = ClientsOf(history);
    ASSERT_EQ(clients.size(), 3u);
    const auto& [a, s, r] = std::tie(clients[0], clients[1], clients[2]);
    world.Append(history);
    const Digests before = world.digests();
    world.Merge("one", a, s);
    world.Tell();
    world.Merge("two", s, r);
    world.Tell();
    EXPECT_THAT(world.RowsOf(a), IsEmpty());
    EXPECT_THAT(world.RowsOf(s), IsEmpty());
    EXPECT_EQ(world.ledger().PathOf(a), (std::vector<std::string>{a, s, r}));
    world.Split(inner_first ? "one" : "two", inner_first ? a : s, inner_first ? s : r);
    world.Tell();
    EXPECT_THAT(world.RowsOf(a).empty(), !inner_first);
    world.Split(inner_first ? "two" : "one", inner_first ? s : a, inner_first ? r : s);
    world.Tell();
    EXPECT_EQ(world.DigestOf<Profile>(), before.profile);
    EXPECT_EQ(world.DigestOf<DealPipeline>(), before.pipeline);
    EXPECT_EQ(world.DigestOf<IdentityProjection>(), before.identity);
  }
}

TEST(HistoryTellerTest, ACorrectionKeepsWhomTheContactNamed) {
  World world;
  Touchpoint call = MakeTouchpoint(Touchpoint::kCallCompleted, "a", "1", Day(1));
  Touchpoint corrected = call;
  corrected.mutable_call_completed()->set_talk_seconds(7);
  call.add_contradictions()->set_other_client_id("b");
  world.Append({call});
  world.Correct(corrected, 1);
  world.Tell();
  ASSERT_EQ(world.RowsOf("a").size(), 1u);
  EXPECT_EQ(world.RowsOf("a")[0].call_completed().talk_seconds(), 7);
  ASSERT_EQ(world.RowsOf("a")[0].contradictions_size(), 1);
  EXPECT_EQ(world.RowsOf("a")[0].contradictions(0).other_client_id(), "b");
  // What the correction itself knows is newer.
  corrected.mutable_call_completed()->set_talk_seconds(8);
  corrected.add_contradictions()->set_other_client_id("c");
  world.Correct(corrected, 2);
  world.Tell();
  ASSERT_EQ(world.RowsOf("a")[0].contradictions_size(), 1);
  EXPECT_EQ(world.RowsOf("a")[0].contradictions(0).other_client_id(), "c");
}

TEST(HistoryTellerTest, WhatMakesNoSenseIsRefused) {
  World world;
  world.Append({Order("a", "a1", 1), Order("b", "b1", 1), Order("c", "c1", 1)});
  world.Merge("m", "a", "b");
  world.Tell();
  world.Merge("again", "a", "c");
  world.Merge("circle", "b", "a");
  world.Split("unknown", "a", "b");
  world.Split("m", "c", "b");
  const int64_t records = world.Records();
  world.Tell();
  // The circle is taken back.
  EXPECT_EQ(world.Records(), records + 1);
  EXPECT_EQ(world.StateOf("again"), state::v1::MERGE_STATE_REFUSED);
  EXPECT_EQ(world.ledger().Find("again")->refusal(), "client 'a' goes on under 'b' already");
  EXPECT_EQ(world.ledger().Find("circle")->refusal(), "client 'a' goes on under 'b' itself");
  EXPECT_EQ(world.StateOf("m"), state::v1::MERGE_STATE_DONE);
}

// Dies at any append, with what it wanted to write there in part, in whole or not at all, and in
// between after all of it was noted.
TEST(HistoryTellerTest, DyingChangesNothing) {
  int deaths = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    World plain;
    const Touchpoints history = HistoryOf(seed, 3);
    const std::vector<std::string> clients = ClientsOf(history);
    ASSERT_EQ(clients.size(), 3u);
    Touchpoint corrected = history.front();
    Touchpoint of_survivor = history.front();
    for (const Touchpoint& one : history) {
      if (one.client_id() == clients[0]) corrected = one;
      if (one.client_id() == clients[1]) of_survivor = one;
    }
    corrected.set_correlation_id("corrected");
    of_survivor.set_correlation_id("corrected, too");
    Touchpoint under_absorbed = of_survivor;
    under_absorbed.set_client_id(clients[0]);
    for (World* one : {&world, &plain}) {
      one->Append(history);
      one->set_now(EndOf(history));
      const auto tell = [&] {
        deaths += one->Tell();
        if (seed % 2 == 0) one->Die();
      };
      one->log().set_faults(one == &plain ? testing::LogFaults()
                                          : testing::LogFaults{.append_before = 15,
                                                               .append_after = 15,
                                                               .append_in_part = 15,
                                                               .read_fails = 2,
                                                               .read_short = 20});
      one->Correct(under_absorbed, 1);
      one->Merge("one", clients[0], clients[1]);
      tell();
      one->Append({Order(clients[0], "straggler", 900)});
      one->Correct(corrected, 1);
      one->Merge("two", clients[1], clients[2]);
      tell();
      one->Split("one", clients[0], clients[1]);
      tell();
      one->Split("two", clients[1], clients[2]);
      one->Correct(Order(clients[2], "added", 901), 1);
      tell();
      one->log().set_faults({});
      one->Tell();
    }
    // But for alerts, whose life follows the order of the log.
    const Digest profile = world.DigestOf<Profile>();
    EXPECT_EQ(profile, plain.DigestOf<Profile>());
    EXPECT_EQ(world.DigestOf<DealPipeline>(), plain.DigestOf<DealPipeline>());
    EXPECT_EQ(world.StateOf("two"), state::v1::MERGE_STATE_SPLIT);
    // As if it had all been told right at once.
    World right;
    Touchpoints as_it_is = history;
    for (Touchpoint& one : as_it_is) {
      if (one.event_id() == corrected.event_id()) one = corrected;
      if (one.event_id() == of_survivor.event_id()) one = of_survivor;
    }
    right.Append(as_it_is);
    right.Append({Order(clients[0], "straggler", 900), Order(clients[2], "added", 901)});
    EXPECT_EQ(profile, right.DigestOf<Profile>());
  }
  EXPECT_GT(deaths, 50);
}

TEST(HistoryTellerTest, AnotherProcessThatLeadsStopsIt) {
  World world;
  world.Append({Order("a", "a1", 1)});
  world.Merge("m", "a", "b");
  const int64_t records = world.Records();
  ASSERT_OK_AND_ASSIGN(const auto teller,
                       HistoryTeller::TakeOver(&world.log(), {.leads = [] { return false; },
                                                              .now = [] { return Day(5); }}));
  absl::StatusOr<int64_t> stepped = 0;
  for (int i = 0; i < 3 && stepped.ok(); ++i) stepped = teller->Step();
  EXPECT_THAT(stepped,
              StatusIs(absl::StatusCode::kAborted,
                       ::testing::HasSubstr("another process tells the histories of clients now")));
  EXPECT_EQ(world.Records(), records);
}

TEST(TouchpointPathTest, GoesUpAndDown) {
  Touchpoint touchpoint;
  touchpoint.set_client_id("a");
  MoveUp({"s", "r"}, &touchpoint);
  EXPECT_EQ(touchpoint.client_id(), "r");
  EXPECT_THAT(touchpoint.former_client_ids(), ElementsAre("a", "s"));
  EXPECT_FALSE(MoveDown("a", "r", &touchpoint));
  Touchpoint other = touchpoint;
  EXPECT_TRUE(MoveDown("s", "r", &other));
  EXPECT_EQ(other.client_id(), "s");
  EXPECT_THAT(other.former_client_ids(), ElementsAre("a"));
  EXPECT_TRUE(MoveDown("a", "s", &touchpoint));
  EXPECT_EQ(touchpoint.client_id(), "a");
  EXPECT_THAT(touchpoint.former_client_ids(), IsEmpty());
}

}  // namespace
}  // namespace rapport
