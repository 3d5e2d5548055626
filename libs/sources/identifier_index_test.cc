#include "libs/sources/identifier_index.h"

#include "libs/base/mutex.h"
#include "libs/event_log/partitioner.h"
#include "libs/sources/observed_log.h"
#include "libs/sources/test_identities.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kPatience;
using testing::Mail;
using testing::Phone;

constexpr char kPhone[] = "+49301234567";

class IdentifierIndexTest : public testing::IdentityFixture {
 protected:
  static std::vector<std::string> Ids(const Identification& found) {
    std::vector<std::string> ids;
    for (const KnownClient& client : found.clients) ids.push_back(client.client_id);
    return ids;
  }
  // Waits for the log and asks.
  Identification Find(IdentifierIndex& index, const Identifier& identifier) {
    EXPECT_OK(index.CatchUp(kPatience));
    return index.Find(identifier);
  }
};

TEST_F(IdentifierIndexTest, FollowsTheLog) {
  AddPerson("bakery", "anna", kPhone);
  const auto index = StartIndex();
  EXPECT_OK(index->Ready());
  EXPECT_EQ(index->Find(Phone(kPhone)).standing, Standing::kOne);
  EXPECT_THAT(Ids(index->Find(Phone(kPhone))), ElementsAre("bakery"));
  EXPECT_EQ(index->Find(Mail("anna@example.com")).standing, Standing::kUnknown);
  Link("bakery", Mail("anna@example.com"));
  AddPerson("bakery", "anna", "+49307654321");
  EXPECT_THAT(Ids(Find(*index, Mail("anna@example.com"))), ElementsAre("bakery"));
  EXPECT_EQ(index->Find(Phone(kPhone)).standing, Standing::kUnknown);
  EXPECT_THAT(Ids(index->Find(Phone("+49307654321"))), ElementsAre("bakery"));
  EXPECT_EQ(index->identifier_count(), 2u);
}

TEST_F(IdentifierIndexTest, IsTheSameWhenItIsStartedAgain) {
  for (int i = 0; i < 200; ++i) {
    AddPerson(absl::StrCat("client-", i), "anna", absl::StrCat("+4930", 1'000'000 + i));
  }
  ASSERT_THAT(Ids(StartIndex()->Find(Phone("+49301000007"))), ElementsAre("client-7"));
  Link("client-8", Phone("+49301000007"));
  Merge("client-9", "client-10");
  const auto index = StartIndex();
  EXPECT_THAT(Ids(index->Find(Phone("+49301000007"))), ElementsAre("client-8", "client-7"));
  EXPECT_THAT(Ids(index->Find(Phone("+49301000009"))), ElementsAre("client-10"));
  EXPECT_EQ(index->identifier_count(), 200u);
}

TEST_F(IdentifierIndexTest, EndsWhileItsThreadStillCommits) {
  // Each record is committed as soon as it is folded, and the index is told of it.
  commit_interval_ = absl::ZeroDuration();
  for (int round = 0; round < 20; ++round) {
    Mutex mutex;
    CondVar polled;
    bool folds = false;
    ObservedLog log(log_.get(), "touchpoints", [&](Partition, absl::Span<const RecordView>) {
      MutexLock lock(&mutex);
      folds = true;
      polled.SignalAll();
    });
    auto index = StartIndex("one", &log);
    {
      MutexLock lock(&mutex);
      folds = false;
    }
    AddPerson(absl::StrCat("client-", round), "anna", absl::StrCat("+4930", 1'000'000 + round));
    {
      MutexLock lock(&mutex);
      while (!folds) polled.Wait(&mutex);
    }
    index.reset();
  }
  EXPECT_EQ(StartIndex()->identifier_count(), 20u);
}

TEST_F(IdentifierIndexTest, OtherRulesFoldItAnew) {
  AddPerson("bakery", "anna", "030 1234567");
  EXPECT_THAT(Ids(StartIndex()->Find(Phone(kPhone))), ElementsAre("bakery"));
  rules_.forms.phone.default_region = "GB";
  const auto index = StartIndex();
  EXPECT_EQ(index->Find(Phone(kPhone)).standing, Standing::kUnknown);
  EXPECT_THAT(Ids(index->Find(Phone("+44301234567"))), ElementsAre("bakery"));
}

TEST_F(IdentifierIndexTest, ARegisteredClientGoesBeforeAProvisionalOne) {
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  Append(CallOf(caller, kPhone));
  const auto index = StartIndex();
  Identification found = index->Find(Phone(kPhone));
  EXPECT_EQ(found.standing, Standing::kOne);
  EXPECT_THAT(found.clients, ElementsAre(KnownClient{.client_id = caller, .provisional = true}));
  AddPerson("bakery", "anna", kPhone);
  found = Find(*index, Phone(kPhone));
  EXPECT_EQ(found.standing, Standing::kOne);
  EXPECT_THAT(Ids(found), ElementsAre("bakery", caller));
}

TEST_F(IdentifierIndexTest, AMergedClientLeadsToItsSurvivor) {
  Link("bakery", Phone(kPhone));
  Merge("bakery", "mill");
  Merge("mill", "farm");
  const auto index = StartIndex();
  EXPECT_THAT(
      index->Find(Phone(kPhone)).clients,
      ElementsAre(KnownClient{.client_id = "farm", .former_client_ids = {"bakery", "mill"}}));
  EXPECT_EQ(index->Follow("mill"),
            (KnownClient{.client_id = "farm", .former_client_ids = {"mill"}}));
  EXPECT_EQ(index->Follow("nobody"), (KnownClient{.client_id = "nobody"}));
  // The two are one, and contradict no one.
  Link("farm", Phone(kPhone));
  EXPECT_THAT(Find(*index, Phone(kPhone)).clients, ElementsAre(KnownClient{.client_id = "farm"}));
}

TEST_F(IdentifierIndexTest, ClientsThatAbsorbedEachOtherGoOnAsTheyAre) {
  Link("bakery", Phone(kPhone));
  Merge("bakery", "mill");
  Merge("mill", "bakery");
  const auto index = StartIndex();
  EXPECT_THAT(index->Find(Phone(kPhone)).clients, ElementsAre(KnownClient{.client_id = "bakery"}));
  EXPECT_EQ(index->Follow("mill"), (KnownClient{.client_id = "mill"}));
  // The later one is refused, and so taken back.
  touchpoint::v1::Touchpoint refused = Make("mill");
  refused.mutable_clients_split()->set_separated_client_id("mill");
  refused.mutable_clients_split()->set_survivor_client_id("bakery");
  Append(refused);
  EXPECT_THAT(Find(*index, Phone(kPhone)).clients,
              ElementsAre(KnownClient{.client_id = "mill", .former_client_ids = {"bakery"}}));
}

TEST_F(IdentifierIndexTest, OnceItsHistoryIsToldItsIdentifiersAreTheSurvivors) {
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  touchpoint::v1::Touchpoint call = CallOf(caller, kPhone);
  Append(call);
  auto index = StartIndex();
  Merge(caller, "bakery");
  // Told as one of the survivor's own even before its history is.
  call.set_client_id("bakery");
  call.add_former_client_ids(caller);
  Append(call);
  Reopen(caller, "bakery");
  Close(caller);
  const KnownClient expected = {.client_id = "bakery", .former_client_ids = {caller}};
  EXPECT_THAT(Find(*index, Phone(kPhone)).clients, ElementsAre(expected));
  EXPECT_EQ(index->Follow(caller), expected);
  // And again when it is loaded from the store.
  index.reset();
  index = StartIndex();
  EXPECT_THAT(index->Find(Phone(kPhone)).clients, ElementsAre(expected));
  EXPECT_EQ(index->Follow(caller), expected);
  // Split: all is as it was before.
  Reopen("bakery", "");
  Close("bakery");
  Reopen(caller, "");
  call.set_client_id(caller);
  call.clear_former_client_ids();
  Append(call);
  Close(caller);
  EXPECT_THAT(Find(*index, Phone(kPhone)).clients,
              ElementsAre(KnownClient{.client_id = caller, .provisional = true}));
  EXPECT_EQ(index->Follow(caller), (KnownClient{.client_id = caller, .provisional = true}));
}

TEST_F(IdentifierIndexTest, ANumberOfManyClientsNamesNobody) {
  const auto all = [](const Identification&) { return true; };
  rules_.shared_by_clients = 3;
  const auto index = StartIndex();
  AddPerson("bakery", "anna", kPhone);
  AddPerson("mill", "anna", kPhone);
  Identification found = Find(*index, Phone(kPhone));
  EXPECT_EQ(found.standing, Standing::kContradiction);
  // The latest claim first.
  EXPECT_THAT(Ids(found), ElementsAre("mill", "bakery"));
  ASSERT_OK_AND_ASSIGN(auto contradictions, index->Contradictions(10, all));
  EXPECT_THAT(contradictions, ElementsAre(Phone(kPhone)));
  AddPerson("farm", "anna", kPhone);
  found = Find(*index, Phone(kPhone));
  EXPECT_EQ(found.standing, Standing::kShared);
  EXPECT_EQ(found.client_count, 3u);
  EXPECT_THAT(Ids(found), ElementsAre("bakery", "farm", "mill"));
  ASSERT_OK_AND_ASSIGN(contradictions, index->Contradictions(10, all));
  EXPECT_THAT(contradictions, IsEmpty());
}

TEST_F(IdentifierIndexTest, TwoProcessesKnowTheSame) {
  const auto one = StartIndex("one");
  const auto two = StartIndex("two");
  AddPerson("bakery", "anna", kPhone);
  EXPECT_THAT(Ids(Find(*one, Phone(kPhone))), ElementsAre("bakery"));
  EXPECT_THAT(Ids(Find(*two, Phone(kPhone))), ElementsAre("bakery"));
}

TEST_F(IdentifierIndexTest, JoinsAProvisionalClientToTheOneWhoHasItsIdentifier) {
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  Append(CallOf(caller, kPhone));
  const auto index = StartIndex();
  EXPECT_THAT(*index->JoinsOf(caller), IsEmpty());
  AddPerson("bakery", "anna", kPhone);
  const absl::Time since = testing::Day(0) + absl::Hours(made_);
  ASSERT_OK(index->CatchUp(kPatience));
  EXPECT_THAT(index->AwaitMeetings(absl::ZeroDuration()), ElementsAre(caller));
  EXPECT_THAT(index->AwaitMeetings(absl::ZeroDuration()), IsEmpty());
  ASSERT_OK_AND_ASSIGN(auto joins, index->JoinsOf(caller));
  EXPECT_THAT(joins, ElementsAre(ClientJoin{caller, "bakery", Phone(kPhone), since}));
  EXPECT_THAT(*index->JoinsOf("bakery"), IsEmpty());
  // It is the same after a restart.
  const auto again = StartIndex("again");
  EXPECT_THAT(again->AwaitMeetings(absl::ZeroDuration()), ElementsAre(caller));
  // Another client with the same number: nobody can tell.
  AddPerson("mill", "anna", kPhone);
  ASSERT_OK(index->CatchUp(kPatience));
  EXPECT_THAT(*index->JoinsOf(caller), IsEmpty());
}

TEST_F(IdentifierIndexTest, JoinsNobodyWhoseIdentifiersLeadToSeveral) {
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  Append(CallOf(caller, kPhone));
  Link(caller, Mail("anna@example.com"));
  AddPerson("bakery", "anna", kPhone);
  Link("mill", Mail("anna@example.com"));
  const auto index = StartIndex();
  EXPECT_THAT(*index->JoinsOf(caller), IsEmpty());
}

TEST_F(IdentifierIndexTest, OfTwoProvisionalClientsTheSmallerIdStays) {
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  const std::string writer = ProvisionalClientId(Mail("anna@example.com"));
  Append(CallOf(caller, kPhone));
  touchpoint::v1::Touchpoint mail = Make(writer);
  mail.set_direction(touchpoint::v1::DIRECTION_INBOUND);
  mail.mutable_email_exchanged()->set_message_id("1@example.com");
  mail.mutable_email_exchanged()->set_client_e_mail("anna@example.com");
  Append(mail);
  Link(caller, Mail("anna@example.com"));
  const auto index = StartIndex();
  const auto [smaller, greater] = std::minmax(caller, writer);
  ASSERT_OK_AND_ASSIGN(const auto joins, index->JoinsOf(greater));
  ASSERT_EQ(joins.size(), 1u);
  EXPECT_EQ(joins[0].survivor_client_id, smaller);
  EXPECT_THAT(*index->JoinsOf(smaller), IsEmpty());
}

class IdentifierVerificationTest : public IdentifierIndexTest {
 protected:
  // Identifiers of many, some of them merged, split, and told anew.
  void AppendHistory() {
    for (int i = 0; i < 60; ++i) {
      const std::string client = absl::StrCat("client-", i);
      AddPerson(client, "anna", absl::StrCat("+4930", 1'000'000 + i / 2));
      Link(client, Mail(absl::StrCat("anna", i, "@example.com")));
    }
    const std::string caller = ProvisionalClientId(Phone(kPhone));
    Append(CallOf(caller, kPhone));
    Merge(caller, "client-1");
    Merge("client-3", "client-4");
    touchpoint::v1::Touchpoint call = CallOf("client-1", kPhone);
    call.add_former_client_ids(caller);
    Append(call);
    Reopen(caller, "client-1");
    Close(caller);
    Reopen("client-7", "");
    Close("client-7");
    AddPerson("client-8", "anna", "");
  }
  VerifyResult Verify(IdentifierIndex& index) {
    EXPECT_OK(index.CatchUp(kPatience));
    const auto result = index.Verify(folder_ / "scratch", {});
    EXPECT_OK(result);
    return result.ok() ? *result : VerifyResult();
  }
  // As if the client's claim to the identifier were stored, or were not.
  void Tamper(IdentifierIndex& index, const std::string& client, const Identifier& identifier,
              bool claimed) {
    IndexWriter entries;
    entries.Reset(client);
    std::string sort_key;
    AppendKeyString(&sort_key, KeyOf(identifier));
    entries.Add(kClientsByIdentifierIndex, sort_key, state::v1::ClaimRow().SerializeAsString());
    const auto store = index.projector().StoreOf(PartitionOf(client, kPartitions));
    auto commit = store->NewCommit();
    if (claimed) {
      commit->Put(Family::kIndex, entries.entries()[0].key, entries.entries()[0].value);
    } else {
      commit->Delete(Family::kIndex, entries.entries()[0].key);
    }
    ASSERT_OK(store->Write(std::move(commit)));
  }
};

TEST_F(IdentifierVerificationTest, ProvesWhatIsStoredAndWhatAnswers) {
  auto index = StartIndex();
  AppendHistory();
  VerifyResult result = Verify(*index);
  EXPECT_TRUE(result.equal());
  EXPECT_EQ(result.partitions.size(), size_t{kPartitions});
  EXPECT_EQ(result.records, made_);
  // Loaded from the store, and going on from there.
  index.reset();
  index = StartIndex();
  Link("client-9", Mail("ben@example.com"));
  result = Verify(*index);
  EXPECT_TRUE(result.equal());
  EXPECT_EQ(result.records, made_);
  EXPECT_THAT(Ids(index->Find(Mail("ben@example.com"))), ElementsAre("client-9"));
}

TEST_F(IdentifierVerificationTest, NamesWhatIsStoredWrong) {
  AppendHistory();
  const auto index = StartIndex();
  Tamper(*index, "client-5", Mail("anna5@example.com"), /*claimed=*/false);
  const VerifyResult result = Verify(*index);
  EXPECT_FALSE(result.equal());
  for (const VerifyResult::PartitionResult& partition : result.partitions) {
    EXPECT_EQ(partition.difference.has_value(),
              partition.partition == PartitionOf("client-5", kPartitions));
  }
}

TEST_F(IdentifierVerificationTest, NamesWhoIsWrongInMemoryAlone) {
  AppendHistory();
  auto index = StartIndex();
  // It is loaded by a process, and mended behind its back.
  Tamper(*index, "stranger", Mail("anna5@example.com"), /*claimed=*/true);
  index.reset();
  index = StartIndex();
  Tamper(*index, "stranger", Mail("anna5@example.com"), /*claimed=*/false);
  ASSERT_EQ(index->Find(Mail("anna5@example.com")).client_count, 2u);
  VerifyResult result = Verify(*index);
  EXPECT_FALSE(result.equal());
  for (const VerifyResult::PartitionResult& partition : result.partitions) {
    EXPECT_FALSE(partition.difference.has_value());
    EXPECT_EQ(partition.in_memory, partition.partition == PartitionOf("stranger", kPartitions)
                                       ? "what is known of client 'stranger' in memory"
                                       : "");
  }
  index.reset();
  index = StartIndex();
  result = Verify(*index);
  EXPECT_TRUE(result.equal());
}

}  // namespace
}  // namespace rapport
