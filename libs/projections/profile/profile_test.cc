#include "libs/projections/profile/profile.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/profile/search.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using touchpoint::v1::Touchpoint;

static_assert(Projection<Profile>);

// A touchpoint with the payload `field` set, whatever it holds.
Touchpoint OfKind(const google::protobuf::FieldDescriptor* field) {
  Touchpoint touchpoint;
  touchpoint.set_client_id("bakery-17");
  touchpoint.set_event_id(testing::EventIdOf(static_cast<uint64_t>(field->number())));
  touchpoint.GetReflection()->MutableMessage(&touchpoint, field);
  return touchpoint;
}

TEST(Timeline, EveryKindHasANameAndItsOwnSummary) {
  const auto* payload = Touchpoint::descriptor()->FindOneofByName("payload");
  std::set<std::string> summaries;
  for (int i = 0; i < payload->field_count(); ++i) {
    const Touchpoint touchpoint = OfKind(payload->field(i));
    EXPECT_EQ(TimelineEntryOf(touchpoint).kind(), payload->field(i)->name());
    EXPECT_THAT(SummaryLine(touchpoint), Not(IsEmpty())) << payload->field(i)->name();
    summaries.insert(SummaryLine(touchpoint));
  }
  EXPECT_EQ(summaries.size(), static_cast<size_t>(payload->field_count()));
}

TEST(Timeline, EveryKindOfAClientIsFoldedAndHasARow) {
  const auto* payload = Touchpoint::descriptor()->FindOneofByName("payload");
  testing::PlainFold<Profile> fold;
  size_t wanted = 0;
  for (int i = 0; i < payload->field_count(); ++i) {
    const Touchpoint touchpoint = OfKind(payload->field(i));
    if (!Profile::Wants(touchpoint)) continue;
    ++wanted;
    fold.Fold(touchpoint);
  }
  EXPECT_THAT(fold.dead_letters(), IsEmpty());
  EXPECT_EQ(fold.rows().size(), wanted);
  // Two of the clock, two of the operators and a target belong to no client; five are about its
  // history.
  EXPECT_EQ(wanted, static_cast<size_t>(payload->field_count()) - 10);
}

TEST(Timeline, ASummaryIsOneShortLineOfWholeCharacters) {
  Touchpoint touchpoint;
  auto* complaint = touchpoint.mutable_complaint_opened();
  complaint->set_statement("first\nsecond\x1b[31m");
  EXPECT_EQ(SummaryLine(touchpoint), "complained: first second [31m");
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xc3\xbc";
  complaint->set_statement(umlauts);
  const std::string line = SummaryLine(touchpoint);
  EXPECT_LE(line.size(), 200u);
  EXPECT_THAT(line, HasSubstr("\xbc..."));
  complaint->set_statement("x" + umlauts);
  EXPECT_THAT(SummaryLine(touchpoint), HasSubstr("\xbc..."));
}

TEST(Timeline, RowsSortByMomentAndThenById) {
  Touchpoint early;
  early.mutable_occurred_at()->set_seconds(-5);
  early.set_event_id(std::string(16, 'b'));
  Touchpoint late = early;
  late.mutable_occurred_at()->set_nanos(1);
  Touchpoint same = early;
  same.set_event_id(std::string(16, 'a'));
  EXPECT_LT(TimelineSortKey(early), TimelineSortKey(late));
  EXPECT_LT(TimelineSortKey(same), TimelineSortKey(early));
}

TEST(Profile, ListsByOwnerByNameInLowerCaseAndByEachWord) {
  testing::PlainFold<Profile> fold;
  Touchpoint registered = OfKind(Touchpoint::descriptor()->FindFieldByName("client_registered"));
  registered.mutable_client_registered()->mutable_details()->set_name("Miller");
  registered.set_owner_id("rm-anna");
  fold.Fold(registered);
  std::string name_key;
  AppendKeyString(&name_key, "miller");
  std::string owner_key;
  AppendKeyString(&owner_key, "rm-anna");
  IndexWriter wanted;
  wanted.Reset("bakery-17");
  wanted.Add(kClientsByNameIndex, name_key);
  wanted.Add(kClientsByOwnerIndex, owner_key + name_key);
  // Of the name, and of the client's id.
  for (const char* word : {"17", "bakery", "miller"}) {
    std::string word_key;
    AppendKeyString(&word_key, word);
    wanted.Add(kClientsByWordIndex, word_key);
    wanted.Add(kClientsByOwnerAndWordIndex, owner_key + word_key);
  }
  const auto entries = fold.IndexEntries();
  ASSERT_EQ(entries.size(), wanted.entries().size());
  for (const IndexWriter::Entry& entry : wanted.entries()) EXPECT_EQ(entries.count(entry.key), 1u);
  state::v1::ClientRow row;
  ASSERT_TRUE(row.ParseFromString(entries.at(wanted.entries()[0].key)));
  EXPECT_FALSE(row.has_last_touchpoint_at());
  ASSERT_TRUE(row.ParseFromString(entries.at(wanted.entries()[1].key)));
  EXPECT_EQ(row.name(), "Miller");
  EXPECT_TRUE(row.has_last_touchpoint_at());
  state::v1::WordRow word_row;
  ASSERT_TRUE(word_row.ParseFromString(entries.at(wanted.entries()[2].key)));
  EXPECT_EQ(word_row.owner_id(), "rm-anna");
}

TEST(Search, AWordOrANumberMeansWhatItCanBe) {
  using Words = std::vector<std::string>;
  EXPECT_THAT(MeaningsOf("Anna BERG"), ElementsAre(Words{"anna", "berg"}));
  EXPECT_THAT(MeaningsOf("030 1234"),
              ElementsAre(Words{"030", "1234"}, Words{"<432103"}, Words{"301234"}));
  EXPECT_THAT(MeaningsOf("17723"), ElementsAre(Words{"17723"}, Words{"<32771"}));
  EXPECT_THAT(MeaningsOf("+49 (0)30 12"),
              ElementsAre(Words{"49", "0", "30", "12"}, Words{"<210394"}, Words{"493012"}));
  EXPECT_THAT(MeaningsOf("123"), ElementsAre(Words{"123"})) << "too little of a number";
  EXPECT_THAT(MeaningsOf("\"!\""), IsEmpty());
  EXPECT_THAT(MeaningsOf(std::string(100, 'a')), ElementsAre(Words{std::string(64, 'a')}));
}

TEST(Profile, AMailOfAMachineIsNoContact) {
  testing::PlainFold<Profile> fold;
  Touchpoint mail = OfKind(Touchpoint::descriptor()->FindFieldByName("email_exchanged"));
  mail.mutable_email_exchanged()->set_bulk(true);
  fold.Fold(mail);
  EXPECT_THAT(fold.StateOf("bakery-17").contacts(), IsEmpty());
  mail.mutable_email_exchanged()->set_bulk(false);
  mail.mutable_email_exchanged()->set_copied(true);
  mail.set_event_id(testing::EventIdOf(1));
  fold.Fold(mail);
  EXPECT_THAT(fold.StateOf("bakery-17").contacts(), IsEmpty());
  mail.mutable_email_exchanged()->set_copied(false);
  mail.set_event_id(testing::EventIdOf(2));
  fold.Fold(mail);
  EXPECT_EQ(fold.StateOf("bakery-17").contacts_size(), 1);
  EXPECT_EQ(fold.StateOf("bakery-17").touchpoint_count(), 3);
}

TEST(Profile, EventIdOfTheWrongSizeIsADeadLetter) {
  testing::PlainFold<Profile> fold;
  Touchpoint order = OfKind(Touchpoint::descriptor()->FindFieldByName("order_placed"));
  order.set_event_id("");
  fold.Fold(order);
  ASSERT_EQ(fold.dead_letters().size(), 1u);
  EXPECT_THAT(fold.dead_letters()[0].status,
              StatusIs(absl::StatusCode::kInvalidArgument, "event_id has 0 bytes instead of 16"));
  EXPECT_THAT(fold.rows(), IsEmpty());
}

}  // namespace
}  // namespace rapport
