#include "libs/projections/identity/identity.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::PlainFold;
using testing::Random;
using touchpoint::v1::IDENTIFIER_KIND_CRM_ID;
using touchpoint::v1::IDENTIFIER_KIND_E_MAIL;
using touchpoint::v1::IDENTIFIER_KIND_PHONE;
using touchpoint::v1::Touchpoint;

static_assert(Projection<IdentityProjection>);

constexpr char kClient[] = "bakery-17";
constexpr char kPhone[] = "+49301234567";
constexpr char kPhoneKey[] = "phone::+49301234567";
constexpr char kMail[] = "anna@example.com";
constexpr char kMailKey[] = "e_mail::anna@example.com";

// Touchpoints of one client, in which the hour tells when it happened and names it.
class Story {
 public:
  explicit Story(std::string client = kClient) : client_(std::move(client)) {}

  Touchpoint At(int hour) const {
    Touchpoint touchpoint;
    touchpoint.set_client_id(client_);
    touchpoint.set_event_id(testing::EventIdOf(static_cast<uint64_t>(hour)));
    ToProto(absl::FromUnixSeconds(1'700'000'000) + absl::Hours(hour),
            touchpoint.mutable_occurred_at());
    return touchpoint;
  }
  Touchpoint Added(int hour, const std::string& id, const std::string& phone,
                   const std::string& e_mail) const {
    Touchpoint touchpoint = At(hour);
    auto* stakeholder = touchpoint.mutable_stakeholder_added()->mutable_stakeholder();
    stakeholder->set_stakeholder_id(id);
    stakeholder->set_phone(phone);
    stakeholder->set_e_mail(e_mail);
    return touchpoint;
  }
  Touchpoint PhoneChanged(int hour, const std::string& id, const std::string& phone) const {
    Touchpoint touchpoint = At(hour);
    auto* stakeholder = touchpoint.mutable_stakeholder_changed()->mutable_stakeholder();
    stakeholder->set_stakeholder_id(id);
    stakeholder->set_phone(phone);
    return touchpoint;
  }
  Touchpoint Left(int hour, const std::string& id) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_stakeholder_left()->set_stakeholder_id(id);
    return touchpoint;
  }
  Touchpoint Linked(int hour, IdentifierKind kind, const std::string& value,
                    const std::string& issuer = "", const std::string& stakeholder = "") const {
    Touchpoint touchpoint = At(hour);
    auto* linked = touchpoint.mutable_identifier_linked();
    linked->set_kind(kind);
    linked->set_value(value);
    linked->set_issuer(issuer);
    linked->set_stakeholder_id(stakeholder);
    return touchpoint;
  }
  Touchpoint Called(int hour, const std::string& phone) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_call_completed()->set_client_phone(phone);
    return touchpoint;
  }
  Touchpoint Mailed(int hour, const std::string& e_mail) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_email_exchanged()->set_client_e_mail(e_mail);
    return touchpoint;
  }
  Touchpoint CalledNaming(int hour, const std::string& other,
                          const std::vector<Identifier>& identifiers) const {
    Touchpoint touchpoint = Called(hour, kPhone);
    touchpoint.set_source("pbx");
    touchpoint.set_source_event_id(absl::StrCat("call/", hour));
    auto* contradiction = touchpoint.add_contradictions();
    contradiction->set_other_client_id(other);
    for (const Identifier& identifier : identifiers) {
      auto* said = contradiction->add_identifiers();
      said->set_kind(identifier.kind);
      said->set_value(identifier.value);
      said->set_issuer(identifier.issuer);
    }
    return touchpoint;
  }
  Touchpoint Unlinked(int hour, IdentifierKind kind, const std::string& value) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_identifier_unlinked()->set_kind(kind);
    touchpoint.mutable_identifier_unlinked()->set_value(value);
    return touchpoint;
  }
  Touchpoint Distinguished(int hour, const std::string& other) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_clients_distinguished()->set_other_client_id(other);
    return touchpoint;
  }
  Touchpoint Merged(int hour, const std::string& survivor) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_clients_merged()->set_survivor_client_id(survivor);
    touchpoint.mutable_clients_merged()->set_absorbed_client_id(client_);
    return touchpoint;
  }
  Touchpoint Split(int hour, const std::string& survivor) const {
    Touchpoint touchpoint = At(hour);
    touchpoint.mutable_clients_split()->set_survivor_client_id(survivor);
    touchpoint.mutable_clients_split()->set_separated_client_id(client_);
    return touchpoint;
  }

 private:
  std::string client_;
};

std::vector<std::string> KeysAfter(const std::vector<Touchpoint>& touchpoints) {
  PlainFold<IdentityProjection> fold;
  for (const Touchpoint& touchpoint : touchpoints) fold.Fold(touchpoint);
  EXPECT_THAT(fold.dead_letters(), IsEmpty());
  std::vector<std::string> keys;
  for (const auto& [key, row] : ClaimsOf(fold.StateOf(touchpoints.front().client_id())))
    keys.push_back(key);
  return keys;
}

TEST(Identity, PeopleAreKnownByTheirNumbersAndAddresses) {
  const Story story;
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, kMail)}), ElementsAre(kMailKey, kPhoneKey));
  // As somebody wrote them.
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", "030 1234567", "Anna <Anna@example.com>")}),
              ElementsAre(kMailKey, kPhoneKey));
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", "on request", "-")}), IsEmpty());
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, ""),
                         story.PhoneChanged(2, "anna", "+49307654321")}),
              ElementsAre("phone::+49307654321"));
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, ""), story.PhoneChanged(2, "anna", "")}),
              IsEmpty());
}

TEST(Identity, WhoLeftStandsForTheClientNoMore) {
  const Story story;
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, kMail), story.Left(2, "anna")}), IsEmpty());
  EXPECT_THAT(KeysAfter({story.Left(2, "anna"), story.Added(1, "anna", kPhone, kMail)}), IsEmpty());
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, kMail), story.Left(2, "anna"),
                         story.Added(3, "anna", kPhone, "")}),
              ElementsAre(kPhoneKey));
  EXPECT_THAT(KeysAfter({story.Linked(1, IDENTIFIER_KIND_PHONE, kPhone, "", "anna"),
                         story.Left(2, "anna")}),
              IsEmpty());
  // The firm's own number stays.
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, ""),
                         story.Linked(3, IDENTIFIER_KIND_PHONE, kPhone), story.Left(2, "anna")}),
              ElementsAre(kPhoneKey));
}

TEST(Identity, WhatIsLinkedIsTheClients) {
  const Story story;
  EXPECT_THAT(KeysAfter({story.Linked(1, IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"),
                         story.Linked(2, IDENTIFIER_KIND_CRM_ID, "4711", "crm-paris"),
                         story.Linked(3, IDENTIFIER_KIND_E_MAIL, "Anna@Example.com"),
                         story.Linked(4, IDENTIFIER_KIND_PHONE, "none")}),
              ElementsAre("crm_id:crm-berlin:4711", "crm_id:crm-paris:4711", kMailKey));
}

TEST(Identity, WhatIsUnlinkedIsTheClientsNoMore) {
  const Story story;
  const Touchpoint linked = story.Linked(1, IDENTIFIER_KIND_PHONE, kPhone, "", "anna");
  const Touchpoint unlinked = story.Unlinked(2, IDENTIFIER_KIND_PHONE, "030 1234567");
  EXPECT_THAT(KeysAfter({linked, unlinked}), IsEmpty());
  EXPECT_THAT(KeysAfter({unlinked, linked}), IsEmpty());
  EXPECT_THAT(KeysAfter({linked, story.Linked(3, IDENTIFIER_KIND_PHONE, kPhone), unlinked}),
              ElementsAre(kPhoneKey));
  // A person's own number is the person's.
  EXPECT_THAT(KeysAfter({story.Added(1, "anna", kPhone, ""), unlinked}), ElementsAre(kPhoneKey));
}

TEST(Identity, AProvisionalClientHasTheIdentifierItWasMadeOf) {
  const Story caller(ProvisionalClientId({IDENTIFIER_KIND_PHONE, kPhone, ""}));
  EXPECT_THAT(KeysAfter({caller.Called(1, kPhone), caller.Called(2, kPhone)}),
              ElementsAre(kPhoneKey));
  // The agent wrote down another number to call back.
  EXPECT_THAT(KeysAfter({caller.Called(1, "+49307654321")}), IsEmpty());
  EXPECT_THAT(KeysAfter({caller.Called(1, "030 1234567")}), ElementsAre(kPhoneKey));
  const Story writer(ProvisionalClientId({IDENTIFIER_KIND_E_MAIL, kMail, ""}));
  EXPECT_THAT(KeysAfter({writer.Mailed(1, kMail)}), ElementsAre(kMailKey));
  // Whoever calls a client that somebody has registered is not thereby its own.
  EXPECT_THAT(KeysAfter({Story().Called(1, kPhone)}), IsEmpty());
}

TEST(Identity, FurtherContactsChangeNothing) {
  const Story caller(ProvisionalClientId({IDENTIFIER_KIND_PHONE, kPhone, ""}));
  PlainFold<IdentityProjection> fold;
  fold.Fold(caller.Called(5, kPhone));
  const auto before = fold.states();
  fold.Fold(caller.Called(6, kPhone));
  EXPECT_EQ(fold.states().begin()->second.SerializeAsString(),
            before.begin()->second.SerializeAsString());
  fold.Fold(caller.Called(4, kPhone));
  EXPECT_EQ(FromProto(ClaimsOf(fold.states().begin()->second)[kPhoneKey].claimed_at()),
            FromProto(caller.At(4).occurred_at()));
}

TEST(Identity, WhatIsToldUnderTheSurvivorRemembersWhoseItWas) {
  const std::string provisional = ProvisionalClientId({IDENTIFIER_KIND_PHONE, kPhone, ""});
  const Story story;
  Touchpoint call = story.Called(1, kPhone);
  call.add_former_client_ids(provisional);
  PlainFold<IdentityProjection> fold;
  fold.Fold(call);
  auto claims = ClaimsOf(fold.StateOf(kClient));
  ASSERT_THAT(claims, ElementsAre(Pair(kPhoneKey, ::testing::_)));
  EXPECT_EQ(claims[kPhoneKey].origin(), state::v1::CLAIM_ORIGIN_MET);
  EXPECT_THAT(claims[kPhoneKey].former_client_ids(), ElementsAre(provisional));
  // A claim of its own is stronger.
  fold.Fold(story.Added(2, "anna", kPhone, ""));
  claims = ClaimsOf(fold.StateOf(kClient));
  EXPECT_EQ(claims[kPhoneKey].origin(), state::v1::CLAIM_ORIGIN_STAKEHOLDER);
  EXPECT_EQ(claims[kPhoneKey].stakeholder_id(), "anna");
  EXPECT_THAT(claims[kPhoneKey].former_client_ids(), IsEmpty());
}

std::vector<IndexWriter::Entry> EntriesOf(const IdentityProjection::State& state) {
  IndexWriter index;
  index.Reset(kClient);
  IdentityProjection::Index(state, {}, index);
  return index.entries();
}

TEST(Identity, AMergedClientIsListedUnderItsSurvivorUntilItIsSplit) {
  const Story story;
  PlainFold<IdentityProjection> fold;
  fold.Fold(story.Linked(1, IDENTIFIER_KIND_PHONE, kPhone));
  fold.Fold(story.Merged(2, "survivor"));
  EXPECT_EQ(fold.StateOf(kClient).absorbed().survivor_client_id(), "survivor");
  IndexWriter expected;
  expected.Reset(kClient);
  std::string sort_key;
  AppendKeyString(&sort_key, "survivor");
  expected.Add(kAbsorbedIndex, sort_key);
  ASSERT_EQ(EntriesOf(fold.StateOf(kClient)).size(), 2u);
  EXPECT_EQ(EntriesOf(fold.StateOf(kClient))[1], expected.entries()[0]);
  fold.Fold(story.Split(3, "survivor"));
  EXPECT_EQ(EntriesOf(fold.StateOf(kClient)).size(), 1u);
  // What the survivor's own record of it says does not concern it.
  Touchpoint elsewhere = story.Merged(4, "other");
  elsewhere.mutable_clients_merged()->set_absorbed_client_id("third");
  fold.Fold(elsewhere);
  EXPECT_EQ(EntriesOf(fold.StateOf(kClient)).size(), 1u);
}

TEST(Identity, ContactsThatNameTwoClientsAreCounted) {
  const Story story;
  const Identifier phone{IDENTIFIER_KIND_PHONE, kPhone, ""};
  const Identifier id{IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"};
  PlainFold<IdentityProjection> fold;
  fold.Fold(story.CalledNaming(3, "mill", {phone, id}));
  fold.Fold(story.CalledNaming(5, "mill", {phone, id}));
  fold.Fold(story.CalledNaming(2, "mill", {phone, id}));
  // Told once already.
  fold.Fold(story.CalledNaming(5, "mill", {phone, id}));
  // Of the same two by one identifier alone: another question.
  fold.Fold(story.CalledNaming(4, "mill", {phone}));
  const auto state = fold.StateOf(kClient);
  ASSERT_EQ(state.contradictions_size(), 2);
  const state::v1::MetContradiction& met = state.contradictions(1);
  const std::optional<ContradictionKey> key = DecodeContradictionKey(met.key());
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->other_client_id, "mill");
  EXPECT_THAT(key->identifier_keys, ElementsAre(kPhoneKey, "crm_id:crm-berlin:4711"));
  EXPECT_EQ(met.contacts(), 3);
  EXPECT_EQ(met.first_contact(), "pbx call/2");
  EXPECT_EQ(FromProto(met.first().occurred_at()), FromProto(story.At(2).occurred_at()));
  EXPECT_EQ(FromProto(met.last().occurred_at()), FromProto(story.At(5).occurred_at()));
  EXPECT_EQ(state.contradictions(0).contacts(), 1);
  IndexWriter expected;
  expected.Reset(kClient);
  expected.Add(kContradictionsIndex, met.key(), met.SerializeAsString());
  ASSERT_EQ(EntriesOf(state).size(), 2u);
  EXPECT_EQ(EntriesOf(state)[1], expected.entries()[0]);
}

TEST(Identity, AMailInAMailboxAndACorrectionAreNoContactsOfTheirOwn) {
  const Touchpoint call =
      Story().CalledNaming(1, "mill", {Identifier{IDENTIFIER_KIND_PHONE, kPhone, ""}});
  EXPECT_TRUE(IdentityProjection::Wants(call));
  Touchpoint other = call;
  other.mutable_email_delivered();
  EXPECT_FALSE(IdentityProjection::Wants(other));
  other.mutable_touchpoint_corrected();
  EXPECT_FALSE(IdentityProjection::Wants(other));
  other.mutable_meeting_held();
  EXPECT_TRUE(IdentityProjection::Wants(other));
}

TEST(Identity, RefusesKeysOfNoContradiction) {
  const std::string key = EncodeContradictionKey({"mill", {kPhoneKey}});
  EXPECT_TRUE(DecodeContradictionKey(key).has_value());
  EXPECT_FALSE(DecodeContradictionKey("").has_value());
  EXPECT_FALSE(DecodeContradictionKey(key.substr(0, key.size() - 1)).has_value());
  EXPECT_FALSE(DecodeContradictionKey(key + "x").has_value());
}

TEST(Identity, ARegisteredClientIsProvisionalNoMore) {
  const Story caller(ProvisionalClientId({IDENTIFIER_KIND_PHONE, kPhone, ""}));
  PlainFold<IdentityProjection> fold;
  fold.Fold(caller.Called(1, kPhone));
  EXPECT_FALSE(ClaimsOf(fold.states().begin()->second)[kPhoneKey].registered());
  Touchpoint registered = caller.At(2);
  registered.mutable_client_registered();
  fold.Fold(registered);
  EXPECT_TRUE(ClaimsOf(fold.states().begin()->second)[kPhoneKey].registered());
}

TEST(Identity, TheFingerprintTellsAllThatShapesTheState) {
  IdentitySettings settings;
  const std::string usual = IdentityProjection::Fingerprint(settings);
  EXPECT_EQ(usual, "region=DE extension_digits=5 plus= dotless=");
  settings.forms = {.phone = {.default_region = "GB", .extension_digits = 3},
                    .e_mail = {.plus_tag_domains = {"a", "b"}, .dotless_domains = {"c"}}};
  EXPECT_EQ(IdentityProjection::Fingerprint(settings),
            "region=GB extension_digits=3 plus=a,b dotless=c");
}

// A few people, numbers and addresses in all combinations, so that much of it meets.
Touchpoint RandomTouchpoint(int number, Random* random) {
  const std::string phone = absl::StrCat("+4930123456", random->Below(4));
  const std::string mail = absl::StrCat("anna", random->Below(3), "@example.com");
  const std::string provisional = ProvisionalClientId({IDENTIFIER_KIND_PHONE, phone, ""});
  const Story story(random->Chance(30) ? provisional : absl::StrCat("client-", random->Below(3)));
  const std::string who = absl::StrCat("person-", random->Below(3));
  // Many at the same moment, so that the event id decides.
  const int hour = static_cast<int>(random->Below(40));
  Touchpoint touchpoint;
  switch (random->Below(11)) {
    case 0:
      touchpoint = story.Added(hour, who, phone, mail);
      break;
    case 1:
      touchpoint = story.PhoneChanged(hour, who, random->Chance(20) ? "" : phone);
      break;
    case 2:
      touchpoint = story.Left(hour, who);
      break;
    case 3:
      touchpoint =
          story.Linked(hour, IDENTIFIER_KIND_PHONE, phone, "", random->Chance(50) ? who : "");
      break;
    case 4:
      touchpoint = story.Mailed(hour, mail);
      break;
    case 5:
      touchpoint = story.Merged(hour, "client-9");
      break;
    case 6:
      touchpoint = story.Split(hour, "client-9");
      break;
    case 7:
      touchpoint = story.At(hour);
      touchpoint.mutable_client_registered();
      break;
    case 8:
      touchpoint = story.Unlinked(hour, IDENTIFIER_KIND_PHONE, phone);
      break;
    case 9:
      touchpoint = story.Distinguished(hour, absl::StrCat("client-", random->Below(3)));
      break;
    default:
      touchpoint = story.Called(hour, phone);
  }
  if (random->Chance(20)) touchpoint.add_former_client_ids(provisional);
  if (random->Chance(20)) {
    touchpoint = Story(touchpoint.client_id())
                     .CalledNaming(hour, absl::StrCat("client-", random->Below(3)),
                                   {Identifier{IDENTIFIER_KIND_PHONE, phone, ""}});
  }
  touchpoint.set_event_id(testing::EventIdOf(static_cast<uint64_t>(number)));
  return touchpoint;
}

std::string FoldAll(const std::vector<Touchpoint>& history) {
  PlainFold<IdentityProjection> fold;
  for (const Touchpoint& touchpoint : history) fold.Fold(touchpoint);
  EXPECT_THAT(fold.dead_letters(), IsEmpty());
  std::string all;
  for (const auto& [client, state] : fold.states())
    absl::StrAppend(&all, client, "\n", state.SerializeAsString());
  for (const auto& [key, value] : fold.IndexEntries()) absl::StrAppend(&all, key, value);
  return all;
}

TEST(Identity, NeitherArrivalOrderNorDuplicatesMatter) {
  constexpr int kHistories = 30;
  constexpr int kTouchpoints = 200;
  for (int seed = 0; seed < kHistories; ++seed) {
    Random random(static_cast<uint64_t>(seed));
    std::vector<Touchpoint> history;
    for (int i = 0; i < kTouchpoints; ++i) history.push_back(RandomTouchpoint(i, &random));
    const std::string expected = FoldAll(history);
    for (int i = 0; i < kTouchpoints / 4; ++i)
      history.push_back(history[static_cast<size_t>(random.Below(kTouchpoints))]);
    for (int order = 0; order < 3; ++order) {
      testing::Shuffle(&history, &random);
      ASSERT_EQ(FoldAll(history), expected) << "seed " << seed << " order " << order;
    }
  }
}

TEST(Identity, RefusesWhatCannotBeOrdered) {
  Touchpoint touchpoint = Story().Left(1, "anna");
  touchpoint.set_event_id("short");
  IdentityProjection::State state;
  FoldOutput output;
  EXPECT_THAT(IdentityProjection::Apply({kClient}, touchpoint, {}, state, output),
              StatusIs(absl::StatusCode::kInvalidArgument, "event_id has 5 bytes instead of 16"));
}

}  // namespace
}  // namespace rapport
