#include "libs/projections/retention/retention.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/projections/testing/plain_fold.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

constexpr char kClient[] = "bakery-17";
constexpr absl::Duration kDay = absl::Hours(24);

static_assert(Projection<Retention>);

absl::Time Start() { return absl::FromCivil(absl::CivilDay(2025, 1, 6), absl::UTCTimeZone()); }

class RetentionTest : public ::testing::Test {
 protected:
  Touchpoint At(absl::Time time) {
    Touchpoint touchpoint;
    touchpoint.set_client_id(kClient);
    AppendBig64(touchpoint.mutable_event_id(), 1);
    AppendBig64(touchpoint.mutable_event_id(), ++ids_);
    ToProto(time, touchpoint.mutable_occurred_at());
    return touchpoint;
  }
  Touchpoint Order(absl::Time time) {
    Touchpoint order = At(time);
    order.mutable_order_placed();
    return order;
  }
  // An order every `gap` from Start() on, with the clock going along each hour.
  void OrdersAsTheyHappen(int count, absl::Duration gap) {
    for (int i = 0; i < count; ++i) {
      for (absl::Time tick = last_tick_; tick <= Start() + i * gap; tick += absl::Hours(1)) {
        fold_.AdvanceTo(tick);
        last_tick_ = tick;
      }
      fold_.Fold(Order(Start() + i * gap));
    }
  }
  void TickUntil(absl::Time until, absl::Duration step) {
    for (absl::Time tick = fold_.now() + step; tick <= until; tick += step) fold_.AdvanceTo(tick);
  }
  const alert::v1::AlertEvent& Effect(size_t i) const { return fold_.effects().at(i); }

  uint64_t ids_ = 0;
  absl::Time last_tick_ = Start();
  testing::PlainFold<Retention> fold_;
};

TEST_F(RetentionTest, SilenceRaisesOneAlertAtTheSolvedMomentHoweverCoarseTheClock) {
  OrdersAsTheyHappen(12, 9 * kDay);
  EXPECT_THAT(fold_.effects(), IsEmpty());
  testing::PlainFold<Retention> coarse = fold_;
  TickUntil(fold_.now() + 90 * kDay, absl::Minutes(7));
  coarse.AdvanceTo(coarse.now() + 90 * kDay);
  ASSERT_FALSE(fold_.effects().empty());
  ASSERT_EQ(fold_.effects().size(), coarse.effects().size());
  for (size_t i = 0; i < fold_.effects().size(); ++i) {
    EXPECT_EQ(Effect(i).at().seconds(), coarse.effects()[i].at().seconds());
    EXPECT_EQ(Effect(i).score(), coarse.effects()[i].score());
  }
  EXPECT_TRUE(Effect(0).has_raised());
  EXPECT_EQ(Effect(0).score(), 580);
  EXPECT_EQ(Effect(0).severity(), alert::v1::SEVERITY_MEDIUM);
  EXPECT_EQ(Effect(0).at().seconds() % 60, 0);
  EXPECT_THAT(Effect(0).reasons(0).text(), HasSubstr("; usually every 9 days"));
}

// Whoever reads an alert long after it was raised reads what the client's page says.
TEST_F(RetentionTest, WhatAnAlertToldStaysTrue) {
  OrdersAsTheyHappen(12, 9 * kDay);
  TickUntil(fold_.now() + 70 * kDay, absl::Hours(1));
  ASSERT_FALSE(fold_.effects().empty());
  TickUntil(fold_.now() + 30 * kDay, absl::Hours(1));
  const RetentionExplanation now =
      ExplainRetention(fold_.StateOf(kClient), RetentionSettings(), fold_.now());
  EXPECT_EQ(Effect(0).reasons(0).text(), now.reasons[0].text());
  EXPECT_EQ(Effect(0).reasons(0).facts().DebugString(), now.reasons[0].facts().DebugString());
}

TEST_F(RetentionTest, AnOrderClearsTheAlert) {
  OrdersAsTheyHappen(12, 9 * kDay);
  TickUntil(fold_.now() + 80 * kDay, absl::Hours(1));
  fold_.Fold(Order(fold_.now() + absl::Seconds(5)));
  ASSERT_GE(fold_.effects().size(), 2u);
  EXPECT_EQ(fold_.effects().back().cleared().reason(), alert::v1::CLEAR_REASON_BELOW_THRESHOLD);
  EXPECT_EQ(fold_.effects().back().alert_id(), Effect(0).alert_id());
  EXPECT_THAT(fold_.IndexEntries(), IsEmpty());
}

// Each order clears what silence had raised, and for three weeks, or one and a half of the client's
// own gaps, silence is not spoken of, whatever the score is.
TEST_F(RetentionTest, NobodyIsCalledSilentWhoHasJustOrdered) {
  Touchpoint small = Order(Start());
  small.mutable_order_placed()->set_line_count(1);
  fold_.AdvanceTo(Start());
  fold_.Fold(small);
  const RetentionSettings settings;
  const RetentionExplanation first = ExplainRetention(fold_.StateOf(kClient), settings, Start());
  EXPECT_GE(first.score, settings.raise_points);
  EXPECT_LT(first.alert_score, settings.clear_points);
  TickUntil(Start() + 21 * kDay - absl::Hours(1), absl::Hours(1));
  EXPECT_THAT(fold_.effects(), IsEmpty());
  TickUntil(Start() + 40 * kDay, absl::Hours(1));
  ASSERT_THAT(fold_.effects(), SizeIs(2));
  EXPECT_TRUE(Effect(0).has_raised());
  EXPECT_EQ(FromProto(Effect(0).at()), Start() + 21 * kDay);
  EXPECT_TRUE(Effect(1).has_escalated());
  small.set_event_id(At(Start()).event_id());
  ToProto(Start() + 40 * kDay, small.mutable_occurred_at());
  fold_.Fold(small);
  ASSERT_THAT(fold_.effects(), SizeIs(3));
  EXPECT_TRUE(Effect(2).has_cleared());
  TickUntil(Start() + 100 * kDay - absl::Hours(1), absl::Hours(1));
  EXPECT_THAT(fold_.effects(), SizeIs(3));
}

TEST_F(RetentionTest, WhoOrdersMoreIsSaferAndTheLongerTheSilenceTheGreaterTheRisk) {
  const RetentionSettings settings;
  int most_days = 1001;
  for (const int count : {1, 2, 3, 6, 12, 40}) {
    testing::PlainFold<Retention> fold;
    for (int i = 0; i < count; ++i) fold.Fold(Order(Start() + i * 10 * kDay));
    const absl::Time last = Start() + (count - 1) * 10 * kDay;
    const auto score = [&](int days) {
      return ExplainRetention(fold.StateOf(kClient), settings, last + days * kDay).score;
    };
    for (int days = 0; days < 400; days += 5) EXPECT_GE(score(days + 5), score(days)) << days;
    EXPECT_LT(score(5), most_days) << count << " orders";
    most_days = score(5);
  }
}

TEST_F(RetentionTest, AnImportWithoutClockRaisesWhatIsTrueAtTheFirstClock) {
  for (int i = 0; i < 12; ++i) fold_.Fold(Order(Start() + i * 9 * kDay));
  EXPECT_THAT(fold_.effects(), IsEmpty());
  const absl::Time now = Start() + 300 * kDay;
  fold_.AdvanceTo(now);
  ASSERT_THAT(fold_.effects(), SizeIs(1));
  EXPECT_EQ(FromProto(Effect(0).at()), now);
  EXPECT_THAT(fold_.IndexEntries(), SizeIs(4));
}

TEST_F(RetentionTest, WhatNobodyIsToldIsNotAdvisedOnAndChangesNoState) {
  for (int i = 0; i < 12; ++i) fold_.Fold(Order(Start() + i * 9 * kDay));
  const absl::Time now = Start() + 300 * kDay;
  const auto wake = [&](bool effects_leave, state::v1::RetentionState& state) {
    state = fold_.StateOf(kClient);
    FoldOutput output;
    FoldContext context = {.client_id = kClient, .now = now};
    context.effects_leave = effects_leave;
    Retention::Wake(context, now, RetentionSettings(), state, output);
    return output;
  };
  state::v1::RetentionState told;
  state::v1::RetentionState untold;
  const FoldOutput advised = wake(true, told);
  const FoldOutput unadvised = wake(false, untold);
  ASSERT_THAT(advised.effects, SizeIs(1));
  EXPECT_TRUE(advised.effects[0].has_next_step());
  ASSERT_THAT(unadvised.effects, SizeIs(1));
  EXPECT_FALSE(unadvised.effects[0].has_next_step());
  EXPECT_FALSE(unadvised.effects[0].has_would_clear());
  EXPECT_EQ(untold.SerializeAsString(), told.SerializeAsString());
  EXPECT_EQ(unadvised.wake, advised.wake);
}

TEST_F(RetentionTest, EventIdOfTheWrongSizeIsADeadLetter) {
  Touchpoint order = Order(Start());
  order.set_event_id("short");
  fold_.Fold(order);
  ASSERT_THAT(fold_.dead_letters(), SizeIs(1));
  EXPECT_THAT(fold_.dead_letters()[0].status,
              StatusIs(absl::StatusCode::kInvalidArgument, "event_id has 5 bytes instead of 16"));
  EXPECT_THAT(fold_.states(), IsEmpty());
}

TEST(RetentionSettingsTest, AChangedSettingChangesTheFingerprint) {
  const RetentionSettings defaults;
  RetentionSettings changed;
  changed.phone.parameters.b += 0.001;
  EXPECT_NE(Retention::Fingerprint(defaults), Retention::Fingerprint(changed));
  changed = defaults;
  changed.orders.least_gaps = 2;
  EXPECT_NE(Retention::Fingerprint(defaults), Retention::Fingerprint(changed));
  changed = defaults;
  changed.quiet_after_resolve += absl::Seconds(1);
  EXPECT_NE(Retention::Fingerprint(defaults), Retention::Fingerprint(changed));
  EXPECT_EQ(Retention::Fingerprint(defaults), Retention::Fingerprint(RetentionSettings()));
}

}  // namespace
}  // namespace rapport
