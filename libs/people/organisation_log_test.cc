#include "libs/people/organisation_log.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone());

query::v1::StaffOrder Order(const std::string& text) {
  query::v1::StaffOrder order;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &order)) << text;
  return order;
}

class OrganisationLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<OrganisationLog> Open() {
    auto opened = OrganisationLog::Open(log_.get(), "organisation", [] { return kNow; });
    EXPECT_OK(opened.status());
    return *std::move(opened);
  }

  const std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
};

TEST_F(OrganisationLogTest, WhatIsWrittenIsThereForEverybody) {
  const auto mine = Open();
  const auto other = Open();
  ASSERT_OK_AND_ASSIGN(
      const query::v1::StaffChanged changed,
      mine->Carry(Order("people { person_id: 'anna' e_mail: 'anna@firm.example' }"), "me", false));
  EXPECT_THAT(changed.steps(), SizeIs(1));
  EXPECT_EQ(mine->Get()->FindPerson("anna")->e_mail, "anna@firm.example");
  ASSERT_OK(other->Await(Offset(changed.position()), absl::Seconds(60)));
  EXPECT_NE(other->Get()->FindPerson("anna"), nullptr);
  EXPECT_NE(Open()->Get()->FindPerson("anna"), nullptr) << "after a restart";
  ASSERT_OK_AND_ASSIGN(const OrganisationLog::Verified verified, mine->Verify());
  EXPECT_EQ(verified.kept, verified.folded_anew);
  EXPECT_EQ(verified.records, 1);
}

TEST_F(OrganisationLogTest, ADryRunAndAWrongOrderWriteNothing) {
  const auto staff = Open();
  ASSERT_OK(staff->Carry(Order("people { person_id: 'anna' }"), "me", true).status());
  EXPECT_THAT(staff->Carry(Order("people { person_id: 'anna' } people { person_id: 'ben' unit_id: "
                                 "'nowhere' line: 3 }"),
                           "me", false),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 3: there is no unit 'nowhere'")));
  EXPECT_EQ(staff->position(), Offset(0));
  EXPECT_EQ(staff->Get()->FindPerson("anna"), nullptr);
}

TEST_F(OrganisationLogTest, WhatContradictsIsPassedOverByAll) {
  const auto staff = Open();
  ASSERT_OK(
      staff->Carry(Order("people { person_id: 'anna' e_mail: 'a@firm.example' }"), "me", false)
          .status());
  // As a process would write that had not heard of anna yet.
  organisation::v1::OrganisationRecord record;
  record.set_change_id("0123456789abcdef");
  auto& person = *record.add_changes()->mutable_person_set();
  person.set_person_id("ben");
  person.set_e_mail("A@firm.example");
  Record written;
  written.partition = Partition(0);
  written.value = record.SerializeAsString();
  Record damaged = written;
  damaged.value = "\xff\xff";
  // What comes twice counts once.
  ASSERT_OK(log_->Append("organisation", {written, damaged, written}).status());
  ASSERT_OK(staff->Await(Offset(4), absl::Seconds(60)));
  EXPECT_EQ(staff->Get()->FindPerson("ben"), nullptr);
  EXPECT_EQ(staff->passed_over(), 2);
  EXPECT_EQ(Open()->Get()->Digest(), staff->Get()->Digest());
}

TEST_F(OrganisationLogTest, WhatWasTakenStaysAsItWas) {
  const auto staff = Open();
  const std::shared_ptr<const Organisation> before = staff->Get();
  ASSERT_OK(staff->Carry(Order("people { person_id: 'anna' }"), "me", false).status());
  EXPECT_EQ(before->FindPerson("anna"), nullptr);
}

TEST_F(OrganisationLogTest, ATopicOfSeveralPartitionsIsRefused) {
  ASSERT_OK(log_->CreateTopic("organisation", 2));
  EXPECT_THAT(OrganisationLog::Open(log_.get(), "organisation", [] { return kNow; }),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("one partition")));
}

}  // namespace
}  // namespace rapport
