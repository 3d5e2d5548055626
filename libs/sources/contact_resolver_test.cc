#include "libs/sources/contact_resolver.h"

#include "libs/sources/test_identities.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kPatience;
using testing::Mail;
using testing::Phone;

constexpr char kPhone[] = "+49301234567";
constexpr char kMail[] = "anna@example.com";

class ContactResolverTest : public testing::IdentityFixture {
 protected:
  static ContactDraft Resolved(ContactResolver& resolver, std::vector<Identifier> identifiers) {
    ContactDraft draft;
    draft.touchpoint.set_source("pbx");
    draft.touchpoint.set_source_event_id("call/1");
    ToProto(testing::Day(3), draft.touchpoint.mutable_occurred_at());
    draft.identifiers = std::move(identifiers);
    EXPECT_OK(resolver.Resolve(&draft));
    return draft;
  }
};

TEST_F(ContactResolverTest, FindsTheClient) {
  AddPerson("bakery", "anna", kPhone);
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  const ContactDraft draft = Resolved(resolver, {Phone(kPhone)});
  EXPECT_EQ(draft.resolution, Resolution::kClient);
  EXPECT_EQ(draft.touchpoint.client_id(), "bakery");
  EXPECT_THAT(draft.touchpoint.former_client_ids(), IsEmpty());
  // A weaker identifier does where the stronger one is unknown.
  EXPECT_EQ(Resolved(resolver, {Mail(kMail), Phone(kPhone)}).touchpoint.client_id(), "bakery");
}

TEST_F(ContactResolverTest, AnUnknownIdentifierMakesTheSameProvisionalClientInAllProcesses) {
  const auto one = StartIndex("one");
  const auto two = StartIndex("two");
  ContactResolver first(one.get());
  ContactResolver second(two.get());
  const ContactDraft draft = Resolved(first, {Phone(kPhone), Mail(kMail)});
  EXPECT_EQ(draft.resolution, Resolution::kProvisional);
  EXPECT_EQ(draft.touchpoint.client_id(), ProvisionalClientId(Phone(kPhone)));
  EXPECT_EQ(Resolved(second, {Phone(kPhone), Mail(kMail)}).touchpoint.client_id(),
            draft.touchpoint.client_id());
  // A client that was made before is not made again by another identifier.
  Append(CallOf(ProvisionalClientId(Phone(kPhone)), kPhone));
  ASSERT_OK(one->CatchUp(kPatience));
  EXPECT_EQ(Resolved(first, {Mail(kMail), Phone(kPhone)}).touchpoint.client_id(),
            ProvisionalClientId(Phone(kPhone)));
}

TEST_F(ContactResolverTest, NothingKnownIsNobody) {
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  ContactDraft draft;
  draft.resolution = Resolution::kClient;
  EXPECT_THAT(resolver.Resolve(&draft),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "nothing is known of whom it was with: no number, address or id"));
  EXPECT_EQ(draft.resolution, Resolution::kNobody);
}

TEST_F(ContactResolverTest, AContactAheadOfTheClockIsRefused) {
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  ContactDraft draft = Resolved(resolver, {Phone(kPhone)});
  draft.touchpoint.set_channel(touchpoint::v1::CHANNEL_PHONE);
  draft.touchpoint.set_direction(touchpoint::v1::DIRECTION_INBOUND);
  draft.touchpoint.mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  const absl::Time now = testing::Day(3) - absl::Minutes(5);
  EXPECT_OK(ResolvedTouchpoint(draft, now, &resolver).status());
  EXPECT_THAT(ResolvedTouchpoint(draft, now - absl::Seconds(1), &resolver).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("occurred_at: ",
                                    absl::FormatTime(absl::RFC3339_sec, testing::Day(3),
                                                     absl::UTCTimeZone()),
                                    " lies ahead of the clock here (is the time_zone of the "
                                    "source right?)")));
}

TEST_F(ContactResolverTest, ASwitchboardNamesNobody) {
  rules_.shared_by_clients = 3;
  for (const char* const client : {"bakery", "mill", "farm"}) AddPerson(client, "anna", kPhone);
  Link("mill", Mail(kMail));
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  ContactDraft draft = Resolved(resolver, {Phone(kPhone)});
  EXPECT_EQ(draft.resolution, Resolution::kProvisional);
  EXPECT_EQ(draft.touchpoint.client_id(), ProvisionalClientId(Phone(kPhone)));
  draft = Resolved(resolver, {Phone(kPhone), Mail(kMail)});
  EXPECT_EQ(draft.resolution, Resolution::kClient);
  EXPECT_EQ(draft.touchpoint.client_id(), "mill");
  // What is unknown goes before what is shared.
  draft = Resolved(resolver, {Phone(kPhone), Mail("ben@example.com")});
  EXPECT_EQ(draft.touchpoint.client_id(), ProvisionalClientId(Mail("ben@example.com")));
  // The calls of the switchboard have a client now, which is joined with none of the three.
  Append(CallOf(ProvisionalClientId(Phone(kPhone)), kPhone));
  ASSERT_OK(index->CatchUp(kPatience));
  EXPECT_THAT(*index->JoinsOf(ProvisionalClientId(Phone(kPhone))), IsEmpty());
}

TEST_F(ContactResolverTest, ContradictingIdentifiersStandInTheContact) {
  AddPerson("bakery", "anna", kPhone);
  Link("mill", Mail(kMail));
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  ContactDraft draft = Resolved(resolver, {Mail(kMail), Phone(kPhone)});
  EXPECT_EQ(draft.resolution, Resolution::kContradiction);
  EXPECT_EQ(draft.touchpoint.client_id(), "mill");
  ASSERT_EQ(draft.touchpoint.contradictions_size(), 1);
  const auto& contradiction = draft.touchpoint.contradictions(0);
  EXPECT_EQ(contradiction.other_client_id(), "bakery");
  ASSERT_EQ(contradiction.identifiers_size(), 2);
  EXPECT_EQ(contradiction.identifiers(0).value(), kMail);
  EXPECT_EQ(contradiction.identifiers(1).value(), kPhone);
  EXPECT_EQ(contradiction.identifiers(1).kind(), touchpoint::v1::IDENTIFIER_KIND_PHONE);
  // When it is offered once more, it is the same.
  const std::string before = draft.touchpoint.SerializeAsString();
  draft.touchpoint.clear_client_id();
  ASSERT_OK(resolver.Resolve(&draft));
  EXPECT_EQ(draft.touchpoint.SerializeAsString(), before);
  EXPECT_EQ(Resolved(resolver, {Phone(kPhone), Mail(kMail)}).touchpoint.client_id(), "bakery");
  EXPECT_THAT(Resolved(resolver, {Phone(kPhone)}).touchpoint.contradictions(), IsEmpty());
  // A person has merged them: that settles it.
  Merge("bakery", "mill");
  ASSERT_OK(index->CatchUp(kPatience));
  draft = Resolved(resolver, {Phone(kPhone), Mail(kMail)});
  EXPECT_EQ(draft.resolution, Resolution::kClient);
  EXPECT_THAT(draft.touchpoint.contradictions(), IsEmpty());
}

TEST_F(ContactResolverTest, EachOtherClientIsNamedOnce) {
  for (const char* const client : {"bakery", "mill", "farm"}) {
    Link(client, {touchpoint::v1::IDENTIFIER_KIND_CRM_ID, client, "crm"});
    Link(client, {touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN, client, "shop"});
  }
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  const Identifier bakery{touchpoint::v1::IDENTIFIER_KIND_CRM_ID, "bakery", "crm"};
  const Identifier mill{touchpoint::v1::IDENTIFIER_KIND_CRM_ID, "mill", "crm"};
  const Identifier mill_too{touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN, "mill", "shop"};
  const Identifier farm{touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN, "farm", "shop"};
  const ContactDraft draft = Resolved(resolver, {bakery, mill, mill_too, farm});
  EXPECT_EQ(draft.touchpoint.client_id(), "bakery");
  ASSERT_EQ(draft.touchpoint.contradictions_size(), 2);
  EXPECT_EQ(draft.touchpoint.contradictions(0).other_client_id(), "mill");
  EXPECT_EQ(draft.touchpoint.contradictions(0).identifiers(1).issuer(), "crm");
  EXPECT_EQ(draft.touchpoint.contradictions(1).other_client_id(), "farm");
}

TEST_F(ContactResolverTest, AnIdentifierOfTwoIsDecidedByAnotherOrTheLatest) {
  AddPerson("bakery", "anna", kPhone);
  AddPerson("mill", "anna", kPhone);
  Link("bakery", Mail(kMail));
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  ContactDraft draft = Resolved(resolver, {Phone(kPhone), Mail(kMail)});
  EXPECT_EQ(draft.resolution, Resolution::kClient);
  EXPECT_EQ(draft.touchpoint.client_id(), "bakery");
  EXPECT_THAT(draft.touchpoint.contradictions(), IsEmpty());
  draft = Resolved(resolver, {Phone(kPhone)});
  EXPECT_EQ(draft.resolution, Resolution::kContradiction);
  EXPECT_EQ(draft.touchpoint.client_id(), "mill");
  ASSERT_EQ(draft.touchpoint.contradictions_size(), 1);
  EXPECT_EQ(draft.touchpoint.contradictions(0).other_client_id(), "bakery");
  EXPECT_EQ(draft.touchpoint.contradictions(0).identifiers_size(), 1);
}

TEST_F(ContactResolverTest, AMergedClientIsRememberedInTheContact) {
  Link("bakery", Phone(kPhone));
  Merge("bakery", "mill");
  const auto index = StartIndex();
  ContactResolver resolver(index.get());
  const ContactDraft draft = Resolved(resolver, {Phone(kPhone)});
  EXPECT_EQ(draft.touchpoint.client_id(), "mill");
  EXPECT_THAT(draft.touchpoint.former_client_ids(), ElementsAre("bakery"));
  // A client that the source names, too.
  ContactDraft named;
  named.touchpoint.set_client_id("bakery");
  ASSERT_OK(resolver.Resolve(&named));
  EXPECT_EQ(named.touchpoint.client_id(), "mill");
  EXPECT_THAT(named.touchpoint.former_client_ids(), ElementsAre("bakery"));
  EXPECT_EQ(named.resolution, Resolution::kClient);
}

}  // namespace
}  // namespace rapport
