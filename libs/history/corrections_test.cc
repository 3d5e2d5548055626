// Many corrections that wait together.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/history/client_book.h"
#include "libs/history/history_teller.h"
#include "libs/history/test_world.h"

namespace rapport {
namespace {

using ::testing::_;
using testing::Day;
using ::testing::ElementsAre;
using testing::Order;
using testing::Touchpoints;
using testing::World;
using touchpoint::v1::Touchpoint;

// The order `number` of a client, as it is corrected by the correction with that revision.
Touchpoint Corrected(const std::string& client, int number, int64_t revision) {
  Touchpoint corrected = Order(client, absl::StrCat(client, number), number);
  corrected.mutable_order_placed()->set_order_id(absl::StrCat("corrected ", revision));
  return corrected;
}

TEST(CorrectionsTest, ThoseThatWaitAreToldAtOnce) {
  constexpr int kTouchpoints = 2000;
  constexpr int kCorrections = 500;
  World world;
  Touchpoints history;
  for (int i = 0; i < kTouchpoints; ++i) history.push_back(Order("a", absl::StrCat("a", i), i));
  world.Append(history);
  for (int i = 0; i < kCorrections; ++i) world.Correct(Corrected("a", i, 1), 1);
  const int64_t before = world.Records();
  const absl::Time start = absl::Now();
  world.Tell();
  std::cout << kCorrections << " corrections of a client with " << kTouchpoints
            << " touchpoints: " << absl::Now() - start << ", " << world.Records() - before
            << " records\n";
  // The two marks, and all once.
  EXPECT_EQ(world.Records() - before, kTouchpoints + 2);
  const std::vector<std::string> orders = world.OrdersOf("a");
  ASSERT_EQ(orders.size(), size_t{kTouchpoints});
  EXPECT_EQ(std::count(orders.begin(), orders.end(), "corrected 1"), kCorrections);
}

TEST(CorrectionsTest, WhatIsWithdrawnIsToldNoMore) {
  World world;
  world.Append({Order("a", "a0", 0), Order("a", "a1", 1), Order("a", "a2", 2)});
  world.Correct(Order("a", "a1", 1), 1, /*withdrawn=*/true);
  world.Tell();
  const std::vector<std::string> left = world.OrdersOf("a");
  EXPECT_EQ(left.size(), 2u);
  // One that never was under this client changes nothing.
  const int64_t before = world.Records();
  world.Correct(Order("a", "a9", 9), 1, /*withdrawn=*/true);
  world.Tell();
  EXPECT_EQ(world.Records() - before, 1);
  // A later word puts it back, and an earlier one does not.
  world.Correct(Corrected("a", 1, 2), 2);
  world.Correct(Order("a", "a1", 1), 1, /*withdrawn=*/true);
  world.Tell();
  EXPECT_THAT(world.OrdersOf("a"), ::testing::Contains("corrected 2"));
  EXPECT_EQ(world.OrdersOf("a").size(), 3u);
}

TEST(CorrectionsTest, OfAClientThatWasMergedThoseOfTheSurvivorAreToldAtOnce) {
  World world;
  Touchpoints history;
  for (int i = 0; i < 20; ++i) history.push_back(Order("b", absl::StrCat("b", i), i));
  world.Append(history);
  // As long as their client was not known.
  for (int i = 0; i < 10; ++i) {
    Touchpoint corrected = Corrected("b", i, 1);
    corrected.set_client_id("a");
    world.Correct(corrected, 1);
  }
  world.Tell();
  const int64_t before = world.Records();
  world.Merge("m", "a", "b");
  world.Tell();
  // The merge, its four marks and what it tells; and then what the survivor has, corrected.
  EXPECT_EQ(world.Records() - before, 1 + 4 + 10 + 20 + 2);
  const std::vector<std::string> orders = world.OrdersOf("b");
  EXPECT_EQ(std::count(orders.begin(), orders.end(), "corrected 1"), 10);
}

TEST(CorrectionsTest, EachKeepsItsPlaceBesideAMergeAndASplit) {
  World world;
  world.Append({Order("a", "a1", 1), Order("b", "b2", 2)});
  world.Correct(Corrected("a", 1, 1), 1);
  world.Merge("m", "a", "b");
  world.Correct(Corrected("a", 1, 2), 2);
  world.Append({Order("a", "a3", 3)});
  world.Correct(Corrected("a", 3, 3), 3);
  world.Split("m", "a", "b");
  world.Correct(Corrected("a", 1, 4), 4);
  world.Correct(Corrected("b", 2, 5), 5);
  world.Tell();
  EXPECT_THAT(world.OrdersOf("a"), ElementsAre("corrected 4", "corrected 3"));
  EXPECT_THAT(world.OrdersOf("b"), ElementsAre("corrected 5"));
}

// The one that follows takes back what the begun one was for: its history is as it was, and must
// not stay half told.
TEST(CorrectionsTest, AHistoryIsNotLeftHalfToldWhenNothingIsLeftToCorrect) {
  World world;
  world.Append({Order("a", "a0", 0), Order("a", "a1", 1)});
  world.Correct(Corrected("a", 0, 1), 1);
  {
    // Dies once it has written the mark.
    const int64_t before = world.Records();
    auto teller = HistoryTeller::TakeOver(
        &world.log(),
        {.leads = [&] { return world.Records() == before; }, .now = [] { return Day(400); }});
    ASSERT_OK(teller);
    EXPECT_THAT((*teller)->Step(), StatusIs(absl::StatusCode::kAborted, _));
    EXPECT_EQ(world.Records(), before + 1);
  }
  world.Correct(Order("a", "a0", 0), 2);
  world.Tell();
  world.Append({Order("a", "a2", 2)});
  EXPECT_THAT(world.OrdersOf("a"), ElementsAre("o-1", "o-1", "o-1"));
  const Digest told = world.DigestOf<Profile>();
  const int64_t records = world.Records();
  world.Die();
  world.Tell();
  EXPECT_EQ(world.Records(), records);
  EXPECT_EQ(world.DigestOf<Profile>(), told);
}

// Others come while some are told, and whoever takes over finds one begun that had fewer.
TEST(CorrectionsTest, DyingAmongManyLosesNone) {
  int deaths = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    std::unique_ptr<HistoryTeller> teller;
    for (int i = 0; i < 8; ++i) {
      for (const std::string client : {"a", "b", "c"}) {
        world.Append({Order(client, absl::StrCat(client, i), i)});
      }
    }
    world.log().set_faults({.append_before = 20,
                            .append_after = 20,
                            .append_in_part = 20,
                            .read_fails = 1,
                            .read_short = 20});
    for (int64_t revision = 1; revision <= 6; ++revision) {
      for (int i = 0; i < 8; ++i) {
        // Some touchpoints get several, some none, and some an older one behind a newer one.
        const int number = static_cast<int>(i * (revision + static_cast<int64_t>(seed)) % 7);
        for (const std::string client : {"a", "b", "c"}) {
          world.Correct(Corrected(client, number, revision), revision);
          if (i == 3) world.Correct(Corrected(client, number, revision - 1), revision - 1);
        }
      }
      if (revision == 2) world.Merge("m", "a", "b");
      if (revision == 5) world.Split("m", "a", "b");
      // Not to its end, so that more and more wait.
      for (int step = 0; step < 3; ++step) {
        if (teller == nullptr) {
          auto next = HistoryTeller::TakeOver(&world.log(), {.now = [] { return Day(400); }});
          if (next.ok()) teller = *std::move(next);
        }
        if (teller != nullptr && teller->Step().ok()) continue;
        teller.reset();
        ++deaths;
      }
    }
    teller.reset();
    world.log().set_faults({});
    world.Tell();
    for (const std::string client : {"a", "b", "c"}) {
      std::vector<std::string> right;
      for (int number = 0; number < 8; ++number) {
        int64_t newest = 0;
        for (int64_t revision = 1; revision <= 6; ++revision) {
          for (int i = 0; i < 8; ++i) {
            if (i * (revision + static_cast<int64_t>(seed)) % 7 == number) newest = revision;
          }
        }
        right.push_back(
            newest == 0
                ? Order(client, absl::StrCat(client, number), number).order_placed().order_id()
                : absl::StrCat("corrected ", newest));
      }
      EXPECT_EQ(world.OrdersOf(client), right) << client;
    }
  }
  EXPECT_GT(deaths, 50);
}

TEST(CorrectionRunTest, ItsIdTellsWhichTheyAre) {
  const CorrectionRun run = {"a/b-c", Offset(3), Offset(17)};
  const auto read = CorrectionRun::Of(run.RetellingId());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->client, run.client);
  EXPECT_EQ(read->first, run.first);
  EXPECT_EQ(read->last, run.last);
  EXPECT_FALSE(CorrectionRun::Of("correction/3-17/a").has_value());
  EXPECT_FALSE(CorrectionRun::Of("corrections/x").has_value());
}

}  // namespace
}  // namespace rapport
