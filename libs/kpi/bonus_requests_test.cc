#include "libs/kpi/bonus_requests.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using testing::HasSubstr;

TEST(BonusSchemesOfTest, TheExampleIsSound) {
  config::v1::Kpis section;
  EXPECT_TRUE(BonusSchemesOf(section)->all().empty());
  section.set_bonus_schemes_file(RAPPORT_DEPLOY_FOLDER "/examples/bonus.textproto");
  ASSERT_OK_AND_ASSIGN(const BonusSchemes schemes, BonusSchemesOf(section));
  ASSERT_EQ(schemes.all().size(), 2u);
  // Of the threshold alone.
  const query::v1::BonusSchemeList list = SchemesFor(schemes);
  ASSERT_EQ(list.schemes(0).warnings_size(), 1);
  EXPECT_EQ(list.schemes(0).warnings(0).kind(), query::v1::BONUS_WARNING_KIND_CLIFF);
  EXPECT_EQ(list.schemes(1).warnings_size(), 0);
  section.set_bonus_schemes_file("/nowhere/bonus.textproto");
  EXPECT_THAT(BonusSchemesOf(section),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/bonus.textproto")));
}

// EBIT is nobody's figure here; a service level is a unit's.
TEST(FindBonusKpiTest, KnowsWhoMovesWhat) {
  EXPECT_THAT(FindBonusKpi("EBIT"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("EBIT")));
  EXPECT_TRUE(FindBonusKpi("complaints_settled")->person_moves);
  EXPECT_FALSE(FindBonusKpi("service_level")->person_moves);
}

}  // namespace
}  // namespace rapport
