#include "libs/people/access_table.h"

#include <string>

#include "gmock/gmock.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using access::v1::AccessRecord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone());

AccessRecord At(absl::Time now) {
  AccessRecord record;
  ToProto(now, record.mutable_recorded_at());
  record.set_recorded_by("eva");
  return record;
}

void BeginSession(const std::string& id, absl::Time now, AccessTable* table) {
  AccessRecord record = At(now);
  record.mutable_session_begun()->set_session_id(id);
  record.mutable_session_begun()->set_person_id("anna");
  ToProto(now + absl::Hours(1), record.mutable_session_begun()->mutable_ends_at());
  table->Take(record);
}

TEST(AccessTable, TokensAreFoundUntilTheyAreRevoked) {
  AccessTable table;
  EXPECT_TRUE(table.empty());
  AccessRecord made = At(kNow);
  made.mutable_token_made()->set_token_id("crm");
  made.mutable_token_made()->set_secret_hash("hash");
  made.mutable_token_made()->add_scopes("read");
  table.Take(made);
  EXPECT_FALSE(table.empty());
  ASSERT_NE(table.FindTokenBySecret("hash"), nullptr);
  EXPECT_EQ(table.FindTokenBySecret("hash")->made_by, "eva");
  EXPECT_EQ(table.FindTokenBySecret("other"), nullptr);
  // Made anew under the same name, the old secret is void.
  made.mutable_token_made()->set_secret_hash("newer");
  table.Take(made);
  EXPECT_EQ(table.FindTokenBySecret("hash"), nullptr);
  AccessRecord revoked = At(kNow);
  revoked.mutable_token_revoked()->set_token_id("crm");
  table.Take(revoked);
  EXPECT_EQ(table.FindTokenBySecret("newer"), nullptr);
  EXPECT_TRUE(table.empty());
}

TEST(AccessTable, AnEndedSessionIsKnownForVoidUntilItsTimeIsOver) {
  AccessTable table;
  BeginSession("s1", kNow, &table);
  BeginSession("s2", kNow, &table);
  EXPECT_THAT(table.SessionsOf("anna"), ElementsAre("s1", "s2"));
  AccessRecord ended = At(kNow);
  ended.mutable_session_ended()->set_session_id("s1");
  table.Take(ended);
  EXPECT_TRUE(table.FindSession("s1")->ended);
  EXPECT_THAT(table.SessionsOf("anna"), ElementsAre("s2"));
  // A beginning that comes again does not bring it back.
  BeginSession("s1", kNow, &table);
  EXPECT_TRUE(table.FindSession("s1")->ended);
  AccessRecord all = At(kNow);
  all.mutable_session_ended()->set_person_id("anna");
  table.Take(all);
  EXPECT_THAT(table.SessionsOf("anna"), IsEmpty());
  BeginSession("s3", kNow + absl::Hours(2), &table);
  EXPECT_EQ(table.FindSession("s1"), nullptr) << "it is forgotten";
}

TEST(AccessTable, AnInvitationIsGoodForOnePassword) {
  AccessTable table;
  AccessRecord made = At(kNow);
  made.mutable_invitation_made()->set_person_id("anna");
  made.mutable_invitation_made()->set_secret_hash("hash");
  table.Take(made);
  EXPECT_EQ(table.InvitedBy("hash"), "anna");
  EXPECT_EQ(table.InvitedBy("other"), std::nullopt);
  EXPECT_EQ(table.InvitedBy(""), std::nullopt);
  AccessRecord set = At(kNow);
  set.mutable_password_set()->set_person_id("anna");
  set.mutable_password_set()->set_password_hash("argon");
  table.Take(set);
  EXPECT_EQ(table.InvitedBy("hash"), std::nullopt);
  EXPECT_EQ(table.FindAccount("anna")->password_hash, "argon");
  set.mutable_password_set()->clear_password_hash();
  table.Take(set);
  EXPECT_EQ(table.FindAccount("anna"), nullptr);
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace rapport
