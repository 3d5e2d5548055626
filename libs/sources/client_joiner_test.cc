#include "libs/sources/client_joiner.h"

#include <functional>

#include "absl/time/clock.h"
#include "libs/sources/test_identities.h"
#include "libs/touchpoint/validate.h"
#include "tests/support/faulty_log.h"

namespace rapport {
namespace {

using ::testing::IsEmpty;
using testing::kPatience;
using testing::Mail;
using testing::Phone;
using ::testing::SizeIs;

constexpr char kPhone[] = "+49301234567";

class ClientJoinerTest : public testing::IdentityFixture {
 protected:
  static void Until(const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!done()) {
      ASSERT_LT(absl::Now(), deadline) << "it did not happen in time";
      absl::SleepFor(absl::Milliseconds(2));
    }
  }
  std::unique_ptr<ClientJoiner> Join(IdentifierIndex* index, EventLog* log = nullptr) {
    return std::make_unique<ClientJoiner>(log == nullptr ? log_.get() : log, LogTopics(), index,
                                          [] { return testing::Day(30); });
  }
  // As it happens to the history of the two when they are split.
  void Split(const std::string& separated, const std::string& survivor) {
    touchpoint::v1::Touchpoint touchpoint = Make(separated);
    touchpoint.mutable_clients_split()->set_separated_client_id(separated);
    touchpoint.mutable_clients_split()->set_survivor_client_id(survivor);
    Append(touchpoint);
  }

  const std::string caller_ = ProvisionalClientId(Phone(kPhone));
};

TEST_F(ClientJoinerTest, WritesAMergeThatIsTheSameEverywhere) {
  const ClientJoin join = {caller_, "bakery", Phone(kPhone), testing::Day(2)};
  const touchpoint::v1::Touchpoint touchpoint = MakeJoin(join, testing::Day(9));
  EXPECT_OK(ValidateTouchpoint(touchpoint));
  EXPECT_EQ(touchpoint.client_id(), caller_);
  EXPECT_EQ(touchpoint.clients_merged().survivor_client_id(), "bakery");
  EXPECT_EQ(touchpoint.clients_merged().absorbed_client_id(), caller_);
  EXPECT_EQ(touchpoint.clients_merged().reason(), "registered with the same phone +49301234567");
  EXPECT_EQ(FromProto(touchpoint.occurred_at()), testing::Day(2));
  const touchpoint::v1::Touchpoint other =
      MakeJoin({caller_, "bakery", Mail("anna@example.com"), testing::Day(3)}, testing::Day(10));
  EXPECT_EQ(other.event_id(), touchpoint.event_id());
  EXPECT_EQ(other.clients_merged().merge_id(), touchpoint.clients_merged().merge_id());
}

TEST_F(ClientJoinerTest, RegistrationJoinsTheProvisionalClient) {
  Append(CallOf(caller_, kPhone));
  const auto index = StartIndex();
  const auto joiner = Join(index.get());
  AddPerson("bakery", "anna", kPhone);
  Until([&] { return joiner->joined() == 1; });
  ASSERT_OK(index->CatchUp(kPatience));
  EXPECT_THAT(Merges(), SizeIs(1));
  EXPECT_EQ(index->Follow(caller_).client_id, "bakery");
  EXPECT_EQ(index->Find(Phone(kPhone)).clients.size(), 1u);
}

TEST_F(ClientJoinerTest, WhatMetBeforeTheStartIsJoinedByAnyProcessAndCountsOnce) {
  Append(CallOf(caller_, kPhone));
  AddPerson("bakery", "anna", kPhone);
  const auto one = StartIndex("one");
  const auto two = StartIndex("two");
  const auto first = Join(one.get());
  const auto second = Join(two.get());
  Until([&] { return first->joined() + second->joined() >= 1; });
  for (const touchpoint::v1::Touchpoint& merge : Merges())
    EXPECT_EQ(merge.event_id(), Merges().front().event_id());
  ASSERT_OK(one->CatchUp(kPatience));
  EXPECT_THAT(*one->JoinsOf(caller_), IsEmpty());
}

TEST_F(ClientJoinerTest, GoesOnWhenTheLogIsBack) {
  Append(CallOf(caller_, kPhone));
  AddPerson("bakery", "anna", kPhone);
  const auto index = StartIndex();
  testing::FaultyLog log(log_.get(), 1);
  log.set_faults({.append_before = 100});
  const auto joiner = Join(index.get(), &log);
  Until([&] { return log.faults_so_far() > 1; });
  EXPECT_EQ(joiner->joined(), 0);
  log.set_faults({});
  Until([&] { return joiner->joined() == 1; });
  EXPECT_THAT(Merges(), SizeIs(1));
}

TEST_F(ClientJoinerTest, WhomAPersonTookApartIsLeftAlone) {
  AddPerson("bakery", "anna", kPhone);
  Append(CallOf(caller_, kPhone));
  Merge(caller_, "bakery");
  Reopen(caller_, "bakery");
  Close(caller_);
  Split(caller_, "bakery");
  Reopen(caller_, "");
  Append(CallOf(caller_, kPhone));
  Close(caller_);
  // Another one who was retold, and never split.
  const std::string other = ProvisionalClientId(Phone("+49307654321"));
  Reopen(other, "");
  Append(CallOf(other, "+49307654321"));
  Close(other);
  AddPerson("mill", "ben", "+49307654321");
  const auto index = StartIndex();
  ASSERT_THAT(*index->JoinsOf(caller_), SizeIs(1));
  const auto joiner = Join(index.get());
  Until([&] { return joiner->joined() == 1; });
  ASSERT_OK(index->CatchUp(kPatience));
  EXPECT_EQ(index->Follow(other).client_id, "mill");
  EXPECT_EQ(index->Follow(caller_).client_id, caller_);
  EXPECT_THAT(Merges(), SizeIs(2));
}

}  // namespace
}  // namespace rapport
