#include "libs/sources/identity_reviews.h"

#include "libs/sources/contact_resolver.h"
#include "libs/sources/test_identities.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kPatience;
using testing::Mail;
using testing::Phone;
using touchpoint::v1::Touchpoint;

constexpr char kPhone[] = "+49301234567";
constexpr char kMail[] = "anna@example.com";

// The phone is the bakery's, the mail address the mill's.
class IdentityReviewsTest : public testing::IdentityFixture {
 protected:
  IdentityReviewsTest() {
    AddPerson("bakery", "anna", kPhone);
    Link("mill", Mail(kMail));
  }
  // A contact with these, given to its client and written. `hour`: when it was.
  Touchpoint Contact(const IdentifierIndex& index, std::vector<Identifier> identifiers,
                     int64_t hour) {
    ContactDraft draft;
    draft.touchpoint = CallOf("", "");
    draft.touchpoint.set_source("pbx");
    draft.touchpoint.set_source_event_id(absl::StrCat("call/", hour));
    ToProto(testing::Day(3) + absl::Hours(hour), draft.touchpoint.mutable_occurred_at());
    draft.identifiers = std::move(identifiers);
    ContactResolver resolver(&index);
    absl::StatusOr<Touchpoint> touchpoint =
        ResolvedTouchpoint(std::move(draft), testing::Day(9), &resolver);
    EXPECT_OK(touchpoint);
    Append(*touchpoint);
    return *std::move(touchpoint);
  }
  std::vector<IdentityReview> Reviews(IdentifierIndex& index, size_t limit = 10) {
    EXPECT_OK(index.CatchUp(kPatience));
    const auto reviews = ListReviews(index, limit);
    EXPECT_OK(reviews);
    return reviews.ok() ? *reviews : std::vector<IdentityReview>();
  }
};

TEST_F(IdentityReviewsTest, AreTheSameInEveryProcessAndAfterARestart) {
  auto one = StartIndex("one");
  const auto two = StartIndex("two");
  Contact(*one, {Mail(kMail), Phone(kPhone)}, 5);
  // Another process meets them the other way round, and earlier.
  const Touchpoint first = Contact(*two, {Phone(kPhone), Mail(kMail)}, 2);
  const Touchpoint last = Contact(*one, {Mail(kMail), Phone(kPhone)}, 7);
  // Written twice, as after a crash.
  Append(last);
  const auto check = [&](const std::vector<IdentityReview>& reviews) {
    ASSERT_EQ(reviews.size(), 1u);
    EXPECT_EQ(reviews[0].client_id, "bakery");
    EXPECT_EQ(reviews[0].other_client_id, "mill");
    EXPECT_THAT(reviews[0].identifiers, ElementsAre(Mail(kMail), Phone(kPhone)));
    EXPECT_EQ(reviews[0].touchpoint, "pbx call/2");
    EXPECT_EQ(reviews[0].first_at, FromProto(first.occurred_at()));
    EXPECT_EQ(reviews[0].last_at, FromProto(last.occurred_at()));
    EXPECT_EQ(reviews[0].contacts, 3);
  };
  check(Reviews(*one));
  check(Reviews(*two));
  one.reset();
  one = StartIndex("one");
  check(Reviews(*one));
  // One that knows nothing but the log.
  check(Reviews(*StartIndex("three")));
  EXPECT_THAT(Reviews(*one, 0), IsEmpty());
}

TEST_F(IdentityReviewsTest, MergedClientsAreSettledUntilTheyAreSplit) {
  const auto index = StartIndex();
  Touchpoint call = Contact(*index, {Mail(kMail), Phone(kPhone)}, 1);
  ASSERT_EQ(Reviews(*index).size(), 1u);
  Merge("mill", "bakery");
  EXPECT_THAT(Reviews(*index), IsEmpty());
  // Its history is told under the survivor.
  call.set_client_id("bakery");
  call.add_former_client_ids("mill");
  Append(call);
  Reopen("mill", "bakery");
  Close("mill");
  EXPECT_THAT(Reviews(*index), IsEmpty());
  // Taken apart again.
  Reopen("mill", "");
  Link("mill", Mail(kMail));
  call.set_client_id("mill");
  call.clear_former_client_ids();
  Append(call);
  Close("mill");
  Reopen("bakery", "");
  AddPerson("bakery", "anna", kPhone);
  Close("bakery");
  ASSERT_EQ(Reviews(*index).size(), 1u);
  EXPECT_EQ(Reviews(*index)[0].client_id, "mill");
  EXPECT_EQ(Reviews(*index)[0].contacts, 1);
}

TEST_F(IdentityReviewsTest, AClientThatGoesOnUnderAnotherIsReviewedThere) {
  const auto index = StartIndex();
  Contact(*index, {Mail(kMail), Phone(kPhone)}, 1);
  Merge("bakery", "farm");
  ASSERT_EQ(Reviews(*index).size(), 1u);
  EXPECT_EQ(Reviews(*index)[0].client_id, "mill");
  EXPECT_EQ(Reviews(*index)[0].other_client_id, "farm");
  // A contact that names the survivor counts with those that named the absorbed one.
  Contact(*index, {Mail(kMail), Phone(kPhone)}, 2);
  ASSERT_EQ(Reviews(*index).size(), 1u);
  EXPECT_EQ(Reviews(*index)[0].contacts, 2);
}

TEST_F(IdentityReviewsTest, AMendedIdentifierSettlesIt) {
  const auto index = StartIndex();
  Contact(*index, {Mail(kMail), Phone(kPhone)}, 1);
  ASSERT_EQ(Reviews(*index).size(), 1u);
  // Anna of the bakery has another number.
  AddPerson("bakery", "anna", "+49307654321");
  EXPECT_THAT(Reviews(*index), IsEmpty());
  // And now it is the mill's as the mail address is.
  AddPerson("mill", "anna", kPhone);
  EXPECT_THAT(Reviews(*index), IsEmpty());
}

TEST_F(IdentityReviewsTest, AnIdentifierThatNamesNobodyAnyMoreSettlesIt) {
  rules_.shared_by_clients = 3;
  const auto index = StartIndex();
  Contact(*index, {Mail(kMail), Phone(kPhone)}, 1);
  ASSERT_EQ(Reviews(*index).size(), 1u);
  // The number is a switchboard's.
  for (const char* const client : {"farm", "forge"}) AddPerson(client, "ben", kPhone);
  EXPECT_THAT(Reviews(*index), IsEmpty());
}

TEST_F(IdentityReviewsTest, TellsOfAnIdentifierOfTwoWithoutAnyContact) {
  AddPerson("mill", "anna", kPhone);
  const auto index = StartIndex();
  std::vector<IdentityReview> reviews = Reviews(*index);
  ASSERT_EQ(reviews.size(), 1u);
  EXPECT_EQ(reviews[0].client_id, "mill");
  EXPECT_EQ(reviews[0].other_client_id, "bakery");
  EXPECT_THAT(reviews[0].identifiers, ElementsAre(Phone(kPhone)));
  EXPECT_EQ(reviews[0].contacts, 0);
  // With contacts it is the same review.
  Contact(*index, {Phone(kPhone)}, 1);
  reviews = Reviews(*index);
  ASSERT_EQ(reviews.size(), 1u);
  EXPECT_EQ(reviews[0].contacts, 1);
  EXPECT_EQ(reviews[0].touchpoint, "pbx call/1");
}

}  // namespace
}  // namespace rapport
