#include "libs/organisation/staff_rows.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone());

query::v1::StaffOrder Order(const std::string& text) {
  query::v1::StaffOrder order;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &order)) << text;
  return order;
}

constexpr char kFirm[] = R"(
    units { unit_id: "red" parent_unit_id: "west" kind: "team" line: 2 }
    units { unit_id: "west" name: "West" kind: "branch" line: 3 }
    people { person_id: "anna" name: "Anna Berg" unit_id: "red" leads: true line: 4
             roles: "relationship_manager" extensions: "201" }
    people { person_id: "ben" unit_id: "red" line: 5
             absences { deputy_id: "anna" from_at { seconds: 1772400000 }
                        to_at { seconds: 1772800000 } } })";

class StaffRowsTest : public ::testing::Test {
 protected:
  StaffPlan Plan(const std::string& text) const { return PlanStaff(firm_, Order(text), kNow); }
  // Carries the order out, record by record.
  void Do(const std::string& text) {
    const StaffPlan plan = Plan(text);
    EXPECT_EQ(TextOf(plan.problems), "");
    for (const auto& record : ToRecords(plan.changes, "test", "", kNow, "seed")) {
      EXPECT_THAT(firm_.Apply(record.changes()), IsEmpty());
    }
  }
  std::vector<std::string> StepsOf(const std::string& text) const {
    std::vector<std::string> steps;
    for (const query::v1::StaffStep& step : Plan(text).steps) {
      steps.push_back(absl::StrCat(step.person_id().empty() ? step.unit_id() : step.person_id(),
                                   " ", step.what()));
    }
    return steps;
  }
  std::string Wrong(const std::string& text) const { return TextOf(Plan(text).problems); }

  Organisation firm_;
};

TEST_F(StaffRowsTest, AFileIsCarriedOutOnceAndChangesNothingTheSecondTime) {
  EXPECT_THAT(
      StepsOf(kFirm),
      ElementsAre("west is a new unit", "red is a new unit, under west",
                  "anna is new, is called Anna Berg, extensions 201, roles "
                  "relationship_manager",
                  "anna belongs to red", "ben is new", "ben belongs to red", "anna leads red",
                  "ben is away from 2026-03-01 to 2026-03-06; anna stands in"));
  Do(kFirm);
  EXPECT_THAT(StepsOf(kFirm), IsEmpty());
  EXPECT_EQ(firm_.LeadOf("red", kNow), "anna");
  const query::v1::StaffMember anna = ToMember(firm_, *firm_.FindPerson("anna"), kNow);
  EXPECT_THAT(anna.leads_unit_ids(), ElementsAre("red"));
  EXPECT_THAT(anna.stands_in_for_ids(), IsEmpty());
  EXPECT_THAT(
      ToMember(firm_, *firm_.FindPerson("anna"), kNow + absl::Hours(48)).stands_in_for_ids(),
      ElementsAre("ben"));
  const query::v1::StaffUnitView west = ToUnitView(firm_, *firm_.FindUnit("west"), kNow);
  EXPECT_EQ(west.members(), 0);
  EXPECT_EQ(west.members_below(), 2);
  EXPECT_EQ(west.kind(), "branch");
}

TEST_F(StaffRowsTest, WhatIsLeftOutStaysAndWhatIsClearedGoes) {
  Do(kFirm);
  EXPECT_THAT(StepsOf("people { person_id: 'anna' name: 'Anna Busch' }"),
              ElementsAre("anna is called Anna Busch"));
  Do("people { person_id: 'anna' name: 'Anna Busch' cleared_fields: 'extensions' }");
  EXPECT_THAT(firm_.FindPerson("anna")->extensions, IsEmpty());
  EXPECT_THAT(firm_.FindPerson("anna")->roles, SizeIs(1));
  // Somebody who is here already moves from now on, where nothing else is said.
  Do("units { unit_id: 'blue' } people { person_id: 'ben' unit_id: 'blue' }");
  EXPECT_EQ(firm_.UnitOf("ben", kNow - absl::Seconds(1)), "red");
  EXPECT_EQ(firm_.UnitOf("ben", kNow), "blue");
  // A name alone moves nobody.
  Do("units { unit_id: 'red' name: 'The reds' }");
  EXPECT_THAT(firm_.FindUnit("red")->parent.steps(), SizeIs(1));
  Do("people { person_id: 'anna' leads: false }");
  EXPECT_EQ(firm_.LeadOf("red", kNow), "");
}

TEST_F(StaffRowsTest, TheLanguageOfAPersonIsOneThatMailsAreWrittenIn) {
  Do(kFirm);
  constexpr char kPolish[] = R"(people { person_id: "anna" language: "pl" line: 2 })";
  EXPECT_THAT(StepsOf(kPolish), ElementsAre("anna language pl"));
  Do(kPolish);
  EXPECT_THAT(StepsOf(kPolish), IsEmpty());
  EXPECT_EQ(ToMember(firm_, *firm_.FindPerson("anna"), kNow).language(), "pl");
  EXPECT_EQ(Wrong(R"(people { person_id: "anna" language: "Polish" line: 2 })"),
            "line 2: language is 'Polish'; there are: en, pl, el, sk, ru");
  EXPECT_THAT(StepsOf(R"(people { person_id: "anna" cleared_fields: "language" })"),
              ElementsAre("anna no language of their own"));
}

TEST_F(StaffRowsTest, AllThatIsWrongIsToldWithItsLine) {
  Do(kFirm);
  EXPECT_EQ(Wrong("people { person_id: 'x' roles: 'boss' line: 2 }"
                  "people { person_id: 'x' line: 3 }"
                  "people { person_id: 'y' extensions: '201' line: 4 }"
                  "people { line: 5 }"
                  "units { unit_id: 'red' kind: 'gang' line: 6 }"
                  "people { person_id: 'z' leads: true line: 7 }"
                  "people { person_id: 'w' unit_id: 'green' line: 8 }"
                  "people { person_id: 'ben' cleared_fields: 'shoes' line: 9 }"),
            "line 2: 'boss' is no role; there are: relationship_manager, lead, director, analyst, "
            "integrator, operator, auditor, administrator; line 3: 'x' stands here twice; line 4: "
            "extension '201' is anna's, and cannot be y's too; line 5: person_id is empty; line "
            "6: kind is 'gang'; there are: team, branch, department; line 7: 'z' is to lead, and "
            "belongs to no unit; line 8: there is no unit 'green' for 'w' to belong to; line 9: "
            "cleared_fields names 'shoes'; there are: e_mail, extensions, language, left_at, "
            "mailboxes, name, "
            "roles");
  EXPECT_EQ(Wrong("people { person_id: 'x' unit_id: 'red' leads: true line: 2 }"
                  "people { person_id: 'y' unit_id: 'red' leads: true line: 3 }"),
            "line 3: 'y' and 'x' are both to lead 'red'");
  EXPECT_EQ(Wrong("people { person_id: 'x' left_at { seconds: 1 } unit_id: 'red' leads: true "
                  "line: 2 }"),
            "line 2: 'x' left on 1970-01-01 and cannot be lead from the beginning on");
}

TEST_F(StaffRowsTest, LargeFilesComeInRecordsThatEachHold) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&text, "people { person_id: 'p", i, "' unit_id: 'u", i % 700, "' }");
  }
  // Each under the next one, which comes later.
  for (int i = 0; i < 700; ++i) {
    absl::StrAppend(&text, "units { unit_id: 'u", i, "' parent_unit_id: '",
                    i == 699 ? "" : absl::StrCat("u", i + 1), "' }");
  }
  Do(text);
  EXPECT_THAT(firm_.PeopleIn("u699", kNow), SizeIs(2000));
}

}  // namespace
}  // namespace rapport
