#include "libs/projections/keyed_set.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapport/state/v1/retention.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;

state::v1::ComplaintFactor* Find(absl::string_view id, state::v1::RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_complaints(), complaint_id, id, 3);
}

std::vector<std::string> Ids(const state::v1::RiskFactors& factors) {
  std::vector<std::string> ids;
  for (const auto& complaint : factors.complaints()) ids.push_back(complaint.complaint_id());
  return ids;
}

TEST(KeyedSet, SortsByLengthAndThenBytes) {
  state::v1::RiskFactors factors;
  Find("1000", &factors);
  Find("999", &factors);
  Find("1001", &factors);
  EXPECT_THAT(Ids(factors), ElementsAre("999", "1000", "1001"));
}

TEST(KeyedSet, FindsWhatIsThere) {
  state::v1::RiskFactors factors;
  Find("b", &factors)->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_HIGH);
  Find("a", &factors);
  EXPECT_EQ(Find("b", &factors)->severity(), touchpoint::v1::COMPLAINT_SEVERITY_HIGH);
  EXPECT_EQ(factors.complaints_size(), 2);
}

TEST(KeyedSet, KeepsTheGreatestWhateverTheOrder) {
  state::v1::RiskFactors factors;
  for (const char* id : {"5", "1", "3"}) EXPECT_NE(Find(id, &factors), nullptr);
  EXPECT_EQ(Find("0", &factors), nullptr);
  EXPECT_NE(Find("4", &factors), nullptr);
  EXPECT_THAT(Ids(factors), ElementsAre("3", "4", "5"));
  // What fell out does not come back.
  EXPECT_EQ(Find("1", &factors), nullptr);
  EXPECT_NE(Find("3", &factors), nullptr);
}

TEST(KeyedSet, LatestKeepsItsOrder) {
  google::protobuf::RepeatedPtrField<state::v1::SatisfactionFactor> scores;
  for (const int permille : {50, 10, 40, 20, 30}) {
    state::v1::SatisfactionFactor score;
    score.set_permille(permille);
    AddToLatest(&scores, std::move(score), 3,
                [](const auto& a, const auto& b) { return a.permille() < b.permille(); });
  }
  ASSERT_EQ(scores.size(), 3);
  EXPECT_EQ(scores[0].permille(), 30);
  EXPECT_EQ(scores[1].permille(), 40);
  EXPECT_EQ(scores[2].permille(), 50);
}

}  // namespace
}  // namespace rapport
