#include "libs/projections/retention/factors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;
using touchpoint::v1::Direction;
using touchpoint::v1::Touchpoint;

void Mail(int64_t second, absl::string_view thread, Direction direction, RiskFactors* factors) {
  static uint64_t number = 0;
  Touchpoint mail;
  mail.set_event_id(testing::EventIdOf(++number));
  mail.mutable_occurred_at()->set_seconds(second);
  mail.set_direction(direction);
  mail.mutable_email_exchanged()->set_thread_id(thread.data(), thread.size());
  FoldRiskFactors(mail, factors);
}

void In(int64_t second, absl::string_view thread, RiskFactors* factors) {
  Mail(second, thread, touchpoint::v1::DIRECTION_INBOUND, factors);
}
void Out(int64_t second, absl::string_view thread, RiskFactors* factors) {
  Mail(second, thread, touchpoint::v1::DIRECTION_OUTBOUND, factors);
}

size_t Unanswered(const RiskFactors& factors) {
  size_t count = 0;
  for (size_t i = 0; i < factors.inbound_mails().size() / kInboundMailBytes; ++i)
    if (!IsAnswered(factors, ReadInboundMail(factors, i))) ++count;
  return count;
}

TEST(Mails, AnAnswerIsInTheSameThreadAndLater) {
  RiskFactors factors;
  In(100, "a", &factors);
  Out(200, "b", &factors);
  EXPECT_EQ(Unanswered(factors), 1u);
  Out(50, "a", &factors);
  EXPECT_EQ(Unanswered(factors), 1u);
  Out(150, "a", &factors);
  EXPECT_EQ(Unanswered(factors), 0u);
  In(300, "a", &factors);
  EXPECT_EQ(Unanswered(factors), 1u);
}

TEST(Orders, AreAddedUpByCurrency) {
  RiskFactors factors;
  const auto order = [&](uint64_t number, int64_t units, const char* currency, int lines) {
    Touchpoint placed;
    placed.set_event_id(testing::EventIdOf(number));
    placed.mutable_order_placed()->set_line_count(lines);
    placed.mutable_order_placed()->mutable_amount()->set_minor_units(units);
    placed.mutable_order_placed()->mutable_amount()->set_currency_code(currency);
    FoldRiskFactors(placed, &factors);
  };
  order(1, 500, "GBP", 3);
  order(2, 700, "EUR", 0);
  order(3, 250, "GBP", 4);
  order(4, 100, "", 1);
  EXPECT_EQ(factors.ordered().lines(), 8);
  ASSERT_EQ(factors.ordered().amounts_size(), 2);
  EXPECT_EQ(factors.ordered().amounts(0).minor_units(), 700);
  EXPECT_EQ(factors.ordered().amounts(1).minor_units(), 750);
}

// What a client has given notice of is what stands to be lost; what took another's place is not.
TEST(Contracts, CountForTheYearlyValueUntilTheyAreNoLongerAtStake) {
  RiskFactors factors;
  Touchpoint agreed;
  agreed.set_event_id(testing::EventIdOf(1));
  agreed.mutable_contract_signed()->set_contract_id("K");
  auto* terms = agreed.mutable_contract_signed()->mutable_terms();
  terms->mutable_starts_at()->set_seconds(0);
  terms->mutable_ends_at()->set_seconds(2 * 31557600);
  terms->mutable_value()->set_minor_units(200000);
  terms->mutable_value()->set_currency_code("EUR");
  FoldRiskFactors(agreed, &factors);
  ASSERT_TRUE(YearlyValueOf(factors).has_value());
  EXPECT_EQ(*YearlyValueOf(factors), (Money{100000, "EUR"}));
  Touchpoint ended;
  ended.set_event_id(testing::EventIdOf(2));
  ended.mutable_occurred_at()->set_seconds(10);
  ended.mutable_contract_terminated()->set_contract_id("K");
  ended.mutable_contract_terminated()->set_reason(
      touchpoint::v1::TERMINATION_REASON_CLIENT_CANCELLED);
  FoldRiskFactors(ended, &factors);
  ASSERT_TRUE(YearlyValueOf(factors).has_value());
  EXPECT_EQ(*YearlyValueOf(factors), (Money{100000, "EUR"}));
  EXPECT_EQ(ExpectedLoss(*YearlyValueOf(factors), 950), (Money{95000, "EUR"}));
  ended.set_event_id(testing::EventIdOf(3));
  ended.mutable_occurred_at()->set_seconds(20);
  ended.mutable_contract_terminated()->set_reason(touchpoint::v1::TERMINATION_REASON_REPLACED);
  FoldRiskFactors(ended, &factors);
  EXPECT_FALSE(YearlyValueOf(factors).has_value());
}

TEST(Mails, AThreadIsKeptOnce) {
  RiskFactors factors;
  for (int second = 0; second < 100; ++second) In(second, "a", &factors);
  ASSERT_EQ(factors.inbound_mails().size(), kInboundMailBytes);
  EXPECT_EQ(ReadInboundMail(factors, 0).unix_seconds, 99u);
}

TEST(Mails, TheSixThreadsWrittenInLastAreKept) {
  RiskFactors factors;
  for (int thread = 0; thread < 20; ++thread) In(thread, absl::StrCat(thread), &factors);
  ASSERT_EQ(factors.inbound_mails().size(), 6 * kInboundMailBytes);
  EXPECT_EQ(ReadInboundMail(factors, 0).unix_seconds, 14u);
  In(3, "old", &factors);
  EXPECT_EQ(ReadInboundMail(factors, 0).unix_seconds, 14u);
}

TEST(Mails, AMailOlderThanWhatWeKeepOfOurOwnCountsAsAnswered) {
  RiskFactors factors;
  In(10, "a", &factors);
  EXPECT_EQ(Unanswered(factors), 1u);
  Out(20, "a", &factors);
  for (int thread = 0; thread < 8; ++thread) Out(30 + thread, absl::StrCat(thread), &factors);
  EXPECT_EQ(Unanswered(factors), 0u);
}

TEST(Mails, MachinesNeitherAskNorAnswer) {
  RiskFactors factors;
  Touchpoint mail;
  mail.set_event_id(testing::EventIdOf(1));
  mail.set_direction(touchpoint::v1::DIRECTION_INBOUND);
  for (const char* const mark : {"auto_reply", "bounce", "mailing_list", "bulk"}) {
    auto* const exchanged = mail.mutable_email_exchanged();
    exchanged->Clear();
    exchanged->GetReflection()->SetBool(exchanged,
                                        exchanged->GetDescriptor()->FindFieldByName(mark), true);
    FoldRiskFactors(mail, &factors);
    factors.clear_last_touchpoint_at();
    EXPECT_EQ(factors.ByteSizeLong(), 0u) << mark;
  }
}

TEST(Owner, AnAssignmentAlwaysWinsOverAMention) {
  Touchpoint mention;
  mention.set_event_id(testing::EventIdOf(1));
  mention.mutable_occurred_at()->set_seconds(500);
  mention.set_owner_id("mentioned");
  mention.mutable_order_placed();
  Touchpoint assignment;
  assignment.set_event_id(testing::EventIdOf(2));
  assignment.mutable_occurred_at()->set_seconds(100);
  assignment.mutable_owner_assigned()->set_to_owner_id("assigned");
  RiskFactors factors;
  FoldRiskFactors(mention, &factors);
  EXPECT_EQ(factors.owner().owner_id(), "mentioned");
  FoldRiskFactors(assignment, &factors);
  EXPECT_EQ(factors.owner().owner_id(), "assigned");
  FoldRiskFactors(mention, &factors);
  EXPECT_EQ(factors.owner().owner_id(), "assigned");
}

}  // namespace
}  // namespace rapport
