#include "libs/organisation/organisation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace rapport {
namespace {

using organisation::v1::Change;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Changes = google::protobuf::RepeatedPtrField<Change>;

absl::Time Day(int day) {
  return absl::FromCivil(absl::CivilDay(2026, 1, day), absl::UTCTimeZone());
}

// Seconds of a day in January 2026, for text format.
std::string At(int day) { return absl::StrCat("{ seconds: ", absl::ToUnixSeconds(Day(day)), " }"); }

Changes Parse(const std::string& text) {
  organisation::v1::OrganisationRecord record;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record)) << text;
  return record.changes();
}

// A branch with two teams; anna and ben in the one, carl in the other, dora leads the branch.
constexpr char kFirm[] = R"(
    changes { unit_set { unit_id: "west" name: "West" kind: UNIT_KIND_BRANCH } }
    changes { unit_set { unit_id: "red" parent_unit_id: "west" kind: UNIT_KIND_TEAM } }
    changes { unit_set { unit_id: "blue" parent_unit_id: "west" kind: UNIT_KIND_TEAM } }
    changes { person_set { person_id: "anna" e_mail: "Anna@firm.example" extensions: "201" } }
    changes { person_set { person_id: "ben" e_mail: "ben@firm.example" } }
    changes { person_set { person_id: "carl" } }
    changes { person_set { person_id: "dora" roles: ROLE_LEAD } }
    changes { person_placed { person_id: "anna" unit_id: "red" } }
    changes { person_placed { person_id: "ben" unit_id: "red" } }
    changes { person_placed { person_id: "carl" unit_id: "blue" } }
    changes { lead_set { unit_id: "red" person_id: "anna" } }
    changes { lead_set { unit_id: "west" person_id: "dora" } })";

class OrganisationTest : public ::testing::Test {
 protected:
  OrganisationTest() { EXPECT_THAT(firm_.Apply(Parse(kFirm)), IsEmpty()); }

  void Say(const std::string& text) {
    for (const ChangeProblem& problem : firm_.Apply(Parse(text))) ADD_FAILURE() << problem.what;
  }
  // What is wrong with it; the table is as it was.
  std::string Refused(const std::string& text) {
    const std::string before = firm_.Digest();
    const std::vector<ChangeProblem> problems = firm_.Apply(Parse(text));
    EXPECT_EQ(firm_.Digest(), before) << text;
    if (problems.empty()) return "nothing is wrong";
    return absl::StrCat(problems[0].change, ": ", problems[0].what);
  }

  Organisation firm_;
};

TEST_F(OrganisationTest, WhoIsWhereIsKnownOfAnyDate) {
  Say("changes { person_placed { person_id: 'ben' unit_id: 'blue' from_at " + At(10) + " } }");
  EXPECT_EQ(firm_.UnitOf("ben", Day(9)), "red");
  EXPECT_EQ(firm_.UnitOf("ben", Day(10)), "blue");
  EXPECT_THAT(firm_.PeopleIn("red", Day(9)), ElementsAre("anna", "ben"));
  EXPECT_THAT(firm_.PeopleIn("red", Day(10)), ElementsAre("anna"));
  EXPECT_THAT(firm_.PeopleIn("west", Day(10)), ElementsAre("anna", "ben", "carl"));
  // Said later of an earlier day, it stands between.
  Say("changes { person_placed { person_id: 'ben' from_at " + At(5) + " } }");
  EXPECT_EQ(firm_.UnitOf("ben", Day(4)), "red");
  EXPECT_EQ(firm_.UnitOf("ben", Day(7)), "");
  EXPECT_EQ(firm_.UnitOf("ben", Day(12)), "blue");
  EXPECT_EQ(firm_.UnitOf("nobody", Day(1)), "");
}

TEST_F(OrganisationTest, UnitsMoveToo) {
  Say("changes { unit_set { unit_id: 'east' } }"
      "changes { unit_set { unit_id: 'blue' parent_unit_id: 'east' from_at " +
      At(10) + " } }");
  EXPECT_THAT(firm_.UnitsAbove("blue", Day(9)), ElementsAre("west"));
  EXPECT_THAT(firm_.UnitsAbove("blue", Day(10)), ElementsAre("east"));
  EXPECT_THAT(firm_.PeopleIn("west", Day(9)), ElementsAre("anna", "ben", "carl"));
  EXPECT_THAT(firm_.PeopleIn("west", Day(10)), ElementsAre("anna", "ben"));
}

TEST_F(OrganisationTest, StaysTellWhoWasInAUnitAndWhen) {
  const auto stays = [this](const std::string& unit, bool below) {
    std::vector<std::string> told;
    for (const UnitStay& stay : firm_.StaysIn(unit, below)) {
      const auto day = [](absl::Time at) {
        if (at == absl::InfinitePast() || at == absl::InfiniteFuture()) return std::string("-");
        return absl::FormatTime("%d", at, absl::UTCTimeZone());
      };
      told.push_back(absl::StrCat(stay.person_id, " ", day(stay.from), " ", day(stay.to)));
    }
    return told;
  };
  Say("changes { person_placed { person_id: 'ben' unit_id: 'blue' from_at " + At(10) + " } }");
  EXPECT_THAT(stays("red", true), ElementsAre("anna - -", "ben - 10"));
  EXPECT_THAT(stays("blue", true), ElementsAre("ben 10 -", "carl - -"));
  EXPECT_THAT(stays("west", true), ElementsAre("anna - -", "ben - -", "carl - -"));
  EXPECT_THAT(stays("west", false), IsEmpty());
  Say("changes { unit_set { unit_id: 'east' } }"
      "changes { unit_set { unit_id: 'blue' parent_unit_id: 'east' from_at " +
      At(20) + " } }");
  EXPECT_THAT(stays("west", true), ElementsAre("anna - -", "ben - 20", "carl - 20"));
  EXPECT_THAT(stays("east", true), ElementsAre("ben 20 -", "carl 20 -"));
}

TEST_F(OrganisationTest, PortfoliosAreOnesOwnOnesUnitsAndThoseStoodInFor) {
  EXPECT_THAT(firm_.PortfoliosOf("ben", Day(1)), UnorderedElementsAre("ben"));
  EXPECT_THAT(firm_.PortfoliosOf("anna", Day(1)), UnorderedElementsAre("anna", "ben"));
  EXPECT_THAT(firm_.PortfoliosOf("dora", Day(1)),
              UnorderedElementsAre("anna", "ben", "carl", "dora"));
  EXPECT_THAT(firm_.PortfoliosOf("nobody", Day(1)), IsEmpty());
  Say("changes { absence_set { absence_id: 'ski' person_id: 'carl' deputy_id: 'ben' from_at " +
      At(5) + " to_at " + At(8) + " } }");
  EXPECT_THAT(firm_.PortfoliosOf("ben", Day(4)), UnorderedElementsAre("ben"));
  EXPECT_THAT(firm_.PortfoliosOf("ben", Day(5)), UnorderedElementsAre("ben", "carl"));
  EXPECT_THAT(firm_.PortfoliosOf("ben", Day(8)), UnorderedElementsAre("ben"));
  Say("changes { absence_set { absence_id: 'ski' person_id: 'carl' cancelled: true } }");
  EXPECT_THAT(firm_.PortfoliosOf("ben", Day(5)), UnorderedElementsAre("ben"));
}

TEST_F(OrganisationTest, WhoActsForAnOwnerAndToWhomItGoesFurther) {
  EXPECT_EQ(firm_.ActingFor("ben", Day(1)), "ben");
  EXPECT_EQ(firm_.EscalatesTo("ben", Day(1)), "anna");
  EXPECT_EQ(firm_.EscalatesTo("anna", Day(1)), "dora") << "nobody is their own lead";
  EXPECT_EQ(firm_.EscalatesTo("dora", Day(1)), "") << "there is nobody above";
  EXPECT_EQ(firm_.ActingFor("", Day(1)), "dora") << "nobody's are the branch's";
  EXPECT_EQ(firm_.ActingFor("a stranger", Day(1)), "a stranger");
  Say("changes { absence_set { absence_id: 'ski' person_id: 'anna' deputy_id: 'carl' from_at " +
      At(5) + " to_at " + At(8) + " } }");
  EXPECT_EQ(firm_.EscalatesTo("ben", Day(5)), "carl");
  // The deputy of a lead sees what the lead sees.
  EXPECT_THAT(firm_.PortfoliosOf("carl", Day(5)), UnorderedElementsAre("anna", "ben", "carl"));
  // Two who stand in for each other: nobody is there.
  Say("changes { absence_set { absence_id: 'ski' person_id: 'carl' deputy_id: 'anna' from_at " +
      At(5) + " to_at " + At(8) + " } }");
  EXPECT_EQ(firm_.EscalatesTo("ben", Day(5)), "dora");
  EXPECT_EQ(firm_.ActingFor("anna", Day(5)), "anna") << "who is asked when nobody is there";
  Say("changes { person_set { person_id: 'ben' left_at " + At(10) + " } }");
  EXPECT_EQ(firm_.ActingFor("ben", Day(10)), "anna");
  Say("changes { person_set { person_id: 'anna' left_at " + At(20) + " } }");
  EXPECT_EQ(firm_.ActingFor("ben", Day(20)), "dora");
}

TEST_F(OrganisationTest, WhoLeftSeesNothingAndTheirClientsStillStandWhereTheyWere) {
  Say("changes { person_set { person_id: 'anna' left_at " + At(10) + " } }");
  EXPECT_EQ(firm_.LeadOf("red", Day(9)), "anna");
  EXPECT_EQ(firm_.LeadOf("red", Day(10)), "");
  EXPECT_THAT(firm_.PortfoliosOf("anna", Day(10)), IsEmpty());
  EXPECT_THAT(firm_.PortfoliosOf("dora", Day(10)),
              UnorderedElementsAre("anna", "ben", "carl", "dora"));
  // The extension and the address are free for somebody else.
  EXPECT_EQ(firm_.FindByEmail("anna@firm.example"), nullptr);
  Say("changes { person_set { person_id: 'emil' e_mail: 'anna@firm.example' extensions: '201' } }");
  EXPECT_EQ(firm_.FindByEmail("ANNA@firm.example")->person_id, "emil");
}

TEST_F(OrganisationTest, WhatCannotBeIsRefusedAsAWhole) {
  EXPECT_EQ(Refused("changes { unit_set { unit_id: 'west' parent_unit_id: 'red' } }"),
            "0: unit 'west' would stand under itself from the beginning on, by way of 'red'");
  EXPECT_THAT(Refused("changes { unit_set { unit_id: 'a' parent_unit_id: 'b' } }"
                      "changes { unit_set { unit_id: 'b' parent_unit_id: 'a' } }"),
              HasSubstr("would stand under itself"));
  EXPECT_EQ(Refused("changes { unit_set { unit_id: 'a' parent_unit_id: 'nowhere' } }"),
            "0: unit 'a' stands under 'nowhere', which is no unit");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'x' e_mail: 'ANNA@firm.example' } }"),
            "0: address 'anna@firm.example' is anna's, and cannot be x's too");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'x' mailboxes: 'info@firm.example' } }"
                    "changes { person_set { person_id: 'y' e_mail: 'info@firm.example' } }"),
            "1: address 'info@firm.example' is x's, and cannot be y's too");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'x' extensions: '201' } }"),
            "0: extension '201' is anna's, and cannot be x's too");
  EXPECT_EQ(Refused("changes { person_placed { person_id: 'x' unit_id: 'red' } }"),
            "0: there is no person 'x'");
  EXPECT_EQ(Refused("changes { person_placed { person_id: 'ben' unit_id: 'x' } }"),
            "0: there is no unit 'x' for 'ben' to belong to");
  EXPECT_EQ(Refused("changes { lead_set { unit_id: 'x' person_id: 'ben' } }"),
            "0: there is no unit 'x' to be led");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'ben' left_at " + At(3) +
                    " } } changes { lead_set { unit_id: 'red' person_id: 'ben' from_at " + At(4) +
                    " } }"),
            "1: 'ben' left on 2026-01-03 and cannot be lead from 2026-01-04 on");
  EXPECT_EQ(Refused("changes { absence_set { absence_id: 'a' person_id: 'ben' deputy_id: 'ben' "
                    "from_at " +
                    At(1) + " to_at " + At(2) + " } }"),
            "0: 'ben' cannot stand in for themselves");
  EXPECT_EQ(Refused("changes { absence_set { absence_id: 'a' person_id: 'ben' deputy_id: 'x' "
                    "from_at " +
                    At(1) + " to_at " + At(2) + " } }"),
            "0: there is no person 'x'");
  EXPECT_EQ(Refused("changes { absence_set { absence_id: 'a' person_id: 'ben' from_at " + At(2) +
                    " to_at " + At(2) + " } }"),
            "0: an absence ends on 2026-01-02, and begins on 2026-01-02");
  EXPECT_EQ(Refused("changes { person_set { } }"), "0: person_id is empty");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'token:crm' } }"),
            "0: person_id 'token:crm' would be taken for somebody who is no person");
  EXPECT_EQ(Refused("changes { }"), "0: it says nothing that this version knows");
  EXPECT_EQ(Refused("changes { person_set { person_id: 'x' roles: 99 } }"),
            "0: role 99 is none that this version knows");
  // The right one before it is taken back with it.
  EXPECT_EQ(Refused("changes { person_set { person_id: 'x' } }"
                    "changes { person_set { person_id: 'y' e_mail: 'here' } }"),
            "1: e_mail is 'here', which is no address");
  EXPECT_EQ(firm_.FindPerson("x"), nullptr);
}

TEST_F(OrganisationTest, WhatHoldsTogetherMayComeInAnyOrder) {
  Say("changes { person_placed { person_id: 'x' unit_id: 'green' } }"
      "changes { lead_set { unit_id: 'green' person_id: 'x' } }"
      "changes { person_set { person_id: 'x' e_mail: 'anna@firm.example' } }"
      "changes { person_set { person_id: 'anna' e_mail: 'other@firm.example' } }"
      "changes { unit_set { unit_id: 'green' parent_unit_id: 'south' } }"
      "changes { unit_set { unit_id: 'south' } }");
  EXPECT_EQ(firm_.LeadOf("green", Day(1)), "x");
  EXPECT_EQ(firm_.FindByEmail("anna@firm.example")->person_id, "x");
  EXPECT_EQ(firm_.FindByEmail("other@firm.example")->person_id, "anna");
}

TEST_F(OrganisationTest, DigestsAreOfWhatHoldsAndNotOfHowItCameToBe) {
  Organisation other;
  Changes changes = Parse(kFirm);
  // One record for each.
  for (const Change& change : changes) {
    Changes one;
    *one.Add() = change;
    EXPECT_THAT(other.Apply(one), IsEmpty());
  }
  EXPECT_EQ(other.Digest(), firm_.Digest());
  Say("changes { person_set { person_id: 'carl' name: 'Carl' } }");
  EXPECT_NE(other.Digest(), firm_.Digest());
}

}  // namespace
}  // namespace rapport
