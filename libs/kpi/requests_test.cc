#include "libs/kpi/requests.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Time Day(int month, int day) {
  return absl::FromCivil(absl::CivilDay(2026, month, day), absl::UTCTimeZone());
}

// A branch with two teams: anna in the one, ben in the other until he moved to anna's on 10 May.
class Firm final : public Access {
 public:
  Admission Admit(const HttpRequest&, absl::string_view) override { return {}; }
  std::vector<Header> Vouch(const HttpRequest&) const override { return {}; }
  absl::StatusOr<std::vector<std::string>> OwnersIn(absl::string_view unit_id) const override {
    if (unit_id == "blue") return std::vector<std::string>();
    return std::vector<std::string>{"anna", "ben"};
  }
  absl::StatusOr<std::vector<Stay>> StaysIn(absl::string_view unit_id, bool below) const override {
    const absl::Time always = absl::InfinitePast();
    const absl::Time never = absl::InfiniteFuture();
    if (unit_id == "red")
      return std::vector<Stay>{{"anna", always, never}, {"ben", Day(5, 10), never}};
    if (unit_id == "blue") return std::vector<Stay>{{"ben", always, Day(5, 10)}};
    if (!below) return std::vector<Stay>();
    return std::vector<Stay>{{"anna", always, never}, {"ben", always, never}};
  }
  std::vector<Unit> Units() const override {
    return {{"blue", "Blue", "team"}, {"red", "Red", "team"}, {"west", "West", "branch"}};
  }
  std::string NameOf(absl::string_view person_id) const override {
    return person_id == "anna" || person_id == "ben" ? absl::StrCat("The ", person_id) : "";
  }
  std::vector<OwnPerson> WhoWorksHere() const override { return {}; }
  std::string ActingFor(absl::string_view, absl::Time) const override { return ""; }
  std::string EscalatesTo(absl::string_view, absl::Time) const override { return ""; }
  int64_t StaffVersion() const override { return 0; }
  absl::Status CheckWorksHere(absl::string_view person_id) const override {
    if (!NameOf(person_id).empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("nobody here is called '", person_id, "'"));
  }
};

class RequestsTest : public ::testing::Test {
 protected:
  RequestsTest() { env_.clock = Day(6, 10); }

  static HttpRequest Request(const std::string& kpi,
                             std::vector<std::pair<std::string, std::string>> query) {
    HttpRequest request;
    request.path_values = {{"kpi", kpi}};
    request.query = std::move(query);
    request.query.emplace_back("from", "2026-05");
    return request;
  }
  // Who sees these owners alone.
  static std::shared_ptr<const Caller> Lead(std::vector<std::string> owners) {
    auto caller = std::make_shared<Caller>();
    caller->kind = Caller::Kind::kPerson;
    caller->permissions = ~0u;
    caller->owners =
        std::make_shared<const absl::flat_hash_set<std::string>>(owners.begin(), owners.end());
    return caller;
  }
  // Orders of anna and ben, of both before and after the move.
  static SumTable Orders(const SumQuestion& question) {
    SumTable table(question.slots());
    const auto add = [&](const std::string& who, absl::Time at, int64_t amount) {
      const int32_t day = Kpi::TallyDay(at, KpiSettings());
      const std::optional<size_t> slot = question.SlotOf(Measure::kOrdered, day);
      const bool firm = question.scope == TallyScope::kFirm;
      if (slot) {
        table.Add({Measure::kOrdered, firm ? "" : who, 0, "EUR"}, *slot,
                  {.all = amount, .reported = amount});
      }
    };
    add("anna", Day(5, 3), 1);
    add("anna", Day(5, 20), 10);
    add("ben", Day(5, 3), 100);
    add("ben", Day(5, 20), 1000);
    add("carl", Day(5, 20), 10'000);
    return table;
  }
  query::v1::KpiBreakdown Breakdown(const HttpRequest& request) {
    const auto planned = PlanBreakdown(request, &firm_, env_);
    EXPECT_OK(planned);
    const auto told = planned->tell(Orders(planned->plan->question()));
    EXPECT_OK(told);
    return static_cast<const query::v1::KpiBreakdown&>(**told);
  }
  static std::vector<std::string> Rows(const query::v1::KpiBreakdown& breakdown) {
    std::vector<std::string> rows;
    for (const auto& row : breakdown.rows()) {
      rows.push_back(absl::StrCat(row.id(), " ", row.figure().numerator()));
    }
    return rows;
  }
  int64_t Revenue(const HttpRequest& request) {
    const auto planned = PlanValues(request, &firm_, env_);
    EXPECT_OK(planned);
    const auto told = planned->tell(Orders(planned->plan->question()));
    EXPECT_OK(told);
    return static_cast<const query::v1::KpiValues&>(**told).series(0).total().numerator();
  }

  Firm firm_;
  FigureEnv env_;
};

TEST_F(RequestsTest, AUnitIsItsPeopleOnTheDaysOnWhichTheyWereInIt) {
  EXPECT_EQ(Revenue(Request("", {{"kpi", "revenue"}})), 11'111);
  EXPECT_EQ(Revenue(Request("", {{"kpi", "revenue"}, {"scope", "team:red"}})), 1'011);
  EXPECT_EQ(Revenue(Request("", {{"kpi", "revenue"}, {"scope", "team:blue"}})), 100);
  EXPECT_EQ(Revenue(Request("", {{"kpi", "revenue"}, {"scope", "branch:west"}})), 1'111);
}

TEST_F(RequestsTest, TeamsAndWhoIsInNoneAddUp) {
  const auto breakdown = Breakdown(Request("revenue", {{"by", "team"}}));
  EXPECT_EQ(breakdown.series().total().numerator(), 11'111);
  EXPECT_THAT(Rows(breakdown), ElementsAre(" 10000", "red 1011", "blue 100"));
  EXPECT_THAT(Rows(Breakdown(Request("revenue", {{"by", "team"}, {"scope", "branch:west"}}))),
              ElementsAre("red 1011", "blue 100"));
  const auto owners = Breakdown(Request("revenue", {{"by", "owner"}, {"limit", "2"}}));
  EXPECT_THAT(Rows(owners), ElementsAre("carl 10000", "ben 1100"));
  EXPECT_EQ(owners.row_count(), 3);
  EXPECT_EQ(owners.rows(1).name(), "The ben");
  EXPECT_THAT(Rows(Breakdown(Request(
                  "revenue", {{"by", "owner"}, {"limit", "2"}, {"cursor", owners.next_cursor()}}))),
              ElementsAre("anna 11"));
}

TEST_F(RequestsTest, NobodySeesMoreThanTheyMay) {
  HttpRequest request = Request("", {{"kpi", "revenue"}});
  request.caller = Lead({"anna"});
  EXPECT_EQ(Revenue(request), 11);
  for (const auto& [scope, code] : {std::pair("firm", absl::StatusCode::kPermissionDenied),
                                    std::pair("owner:ben", absl::StatusCode::kNotFound),
                                    std::pair("team:red", absl::StatusCode::kNotFound)}) {
    HttpRequest other = Request("", {{"kpi", "revenue"}, {"scope", scope}});
    other.caller = Lead({"anna"});
    EXPECT_EQ(PlanValues(other, &firm_, env_).status().code(), code) << scope;
    // Who leads the team reads it, with what others brought it before they left.
    other.caller = Lead({"anna", "ben"});
    if (std::string(scope) == "team:red") {
      EXPECT_EQ(Revenue(other), 1'011);
    }
  }
}

TEST_F(RequestsTest, WhatIsWrongIsToldWithWhatIsRight) {
  const auto refused = [this](std::vector<std::pair<std::string, std::string>> query) {
    return std::string(PlanValues(Request("", std::move(query)), &firm_, env_).status().message());
  };
  EXPECT_EQ(refused({{"scope", "team:west"}}),
            "scope is 'team:west', and 'west' is a branch; write branch:west");
  EXPECT_THAT(refused({{"scope", "team:green"}}), HasSubstr("there are: blue, red, west"));
  EXPECT_THAT(refused({{"scope", "owner:emil"}, {"by", "agent"}}),
              HasSubstr("nobody here is called 'emil'"));
  EXPECT_THAT(refused({{"currency", "EURO"}}), HasSubstr("ISO 4217"));
  EXPECT_THAT(refused({{"segment", "big"}}), HasSubstr("personal, business, corporate"));
  EXPECT_THAT(refused({{"as_reported_on", "2026"}}), HasSubstr("write a day"));
  EXPECT_THAT(refused({{"compare", "last"}}), HasSubstr("previous, year"));
}

}  // namespace
}  // namespace rapport
