#include "libs/projections/profile/profile.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/profile/agenda.h"
#include "libs/projections/profile/matters.h"
#include "libs/projections/profile/search.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
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

// One client's matters, told one after the other.
class Matters : public ::testing::Test {
 protected:
  Touchpoint& Next(const std::string& kind, absl::Time at) {
    next_ = OfKind(Touchpoint::descriptor()->FindFieldByName(kind));
    next_.set_event_id(testing::EventIdOf(++number_));
    next_.set_owner_id("rm-anna");
    ToProto(at, next_.mutable_occurred_at());
    return next_;
  }
  void Fold() { fold_.Fold(next_); }
  state::v1::ProfileState State() const { return fold_.StateOf("bakery-17"); }
  // Item ids of a kind on the agenda, what begins to ask earliest first.
  std::vector<std::string> Agenda(query::v1::AgendaKind kind) const {
    std::string prefix;
    AppendKeyString(&prefix, kAgendaByOwnerIndex);
    AppendKeyString(&prefix, "rm-anna");
    AppendBig32(&prefix, static_cast<uint32_t>(kind));
    std::vector<std::string> ids;
    for (const auto& [key, value] : fold_.IndexEntries()) {
      if (!absl::StartsWith(key, prefix)) continue;
      absl::string_view rest = absl::string_view(key).substr(prefix.size() + sizeof(int64_t));
      EXPECT_TRUE(ConsumeKeyString(&rest, &ids.emplace_back()));
    }
    return ids;
  }
  static absl::Time Day(int day) { return absl::UnixEpoch() + absl::Hours(24 * day); }

  testing::PlainFold<Profile> fold_;
  Touchpoint next_;
  uint64_t number_ = 100;
};

TEST_F(Matters, AMailWaitsUntilItsThreadIsAnswered) {
  const auto mail = [&](int day, const std::string& thread, touchpoint::v1::Direction direction) {
    Next("email_exchanged", Day(day)).set_direction(direction);
    next_.mutable_email_exchanged()->set_message_id(absl::StrCat("m", day));
    next_.mutable_email_exchanged()->set_thread_id(thread);
    next_.mutable_email_exchanged()->set_subject("about " + thread);
    Fold();
  };
  mail(1, "a", touchpoint::v1::DIRECTION_INBOUND);
  mail(2, "b", touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), SizeIs(2));
  mail(3, "a", touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), SizeIs(1));
  const auto waiting_state = State();
  const auto waiting = WaitingContacts(waiting_state);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].thread->subject(), "about b");
  mail(4, "a", touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), SizeIs(2));
}

TEST_F(Matters, AMissedCallWaitsUntilWeSpeakOrWrite) {
  const auto call = [&](int day, touchpoint::v1::CallOutcome outcome,
                        touchpoint::v1::Direction direction) {
    Next("call_completed", Day(day)).set_direction(direction);
    next_.mutable_call_completed()->set_outcome(outcome);
    Fold();
  };
  call(1, touchpoint::v1::CALL_OUTCOME_ABANDONED, touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), SizeIs(1));
  // Nobody took our call: that is no answer.
  call(2, touchpoint::v1::CALL_OUTCOME_NO_ANSWER, touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), SizeIs(1));
  call(3, touchpoint::v1::CALL_OUTCOME_ANSWERED, touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_UNANSWERED), IsEmpty());
}

TEST_F(Matters, AMeetingIsOnTheAgendaFromItsPlanToItsEnd) {
  const auto about = [&](const std::string& kind, int day) -> Touchpoint& {
    return Next(kind, Day(day));
  };
  about("meeting_planned", 1).mutable_meeting_planned()->set_meeting_id("m");
  ToProto(Day(9), next_.mutable_meeting_planned()->mutable_planned_at());
  next_.mutable_meeting_planned()->set_purpose("review");
  next_.add_stakeholder_ids("jo");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_MEETING), ElementsAre("m"));
  about("meeting_moved", 2).mutable_meeting_moved()->set_meeting_id("m");
  ToProto(Day(12), next_.mutable_meeting_moved()->mutable_planned_at());
  Fold();
  ASSERT_EQ(State().meetings_size(), 1);
  EXPECT_EQ(FromProto(State().meetings(0).planned_at()), Day(12));
  EXPECT_THAT(State().meetings(0).stakeholder_ids(), ElementsAre("jo"));
  about("meeting_cancelled", 3).mutable_meeting_cancelled()->set_meeting_id("m");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_MEETING), IsEmpty());
  // Moved after it was called off: it takes place after all.
  about("meeting_moved", 4).mutable_meeting_moved()->set_meeting_id("m");
  ToProto(Day(20), next_.mutable_meeting_moved()->mutable_planned_at());
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_MEETING), ElementsAre("m"));
  about("meeting_held", 20).mutable_meeting_held()->set_meeting_id("m");
  next_.mutable_meeting_held()->set_minutes("agreed on May");
  next_.add_stakeholder_ids("jo");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_MEETING), IsEmpty());
  EXPECT_EQ(State().meetings(0).outcome(), "agreed on May");
  ASSERT_EQ(State().stakeholders_size(), 1);
  EXPECT_EQ(FromProto(State().stakeholders(0).last_contact_at()), Day(20));
}

TEST_F(Matters, AContractAsksUntilItIsRenewedOrHasEnded) {
  Next("contract_signed", Day(1)).mutable_contract_signed()->set_contract_id("c");
  auto& terms = *next_.mutable_contract_signed()->mutable_terms();
  ToProto(Day(365), terms.mutable_ends_at());
  ToProto(Day(330), terms.mutable_renewal_due_at());
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_CONTRACT), ElementsAre("c"));
  Next("contract_terminated", Day(40)).mutable_contract_terminated()->set_contract_id("c");
  ToProto(Day(90), next_.mutable_contract_terminated()->mutable_ends_at());
  Fold();
  EXPECT_TRUE(IsTerminated(State().contracts(0)));
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_CONTRACT), ElementsAre("c"));
  Next("contract_renewed", Day(50)).mutable_contract_renewed()->set_contract_id("c");
  next_.mutable_contract_renewed()->mutable_terms();
  Fold();
  EXPECT_FALSE(IsTerminated(State().contracts(0)));
  // Open-ended: nothing is to be done about it.
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_CONTRACT), IsEmpty());
}

TEST_F(Matters, APromiseAndAComplaintLeaveTheAgendaWhenTheyEnd) {
  for (const auto& [id, due] : {std::pair("late", 9), std::pair("soon", 5)}) {
    Next("commitment_made", Day(1)).mutable_commitment_made()->set_commitment_id(id);
    ToProto(Day(due), next_.mutable_commitment_made()->mutable_due_at());
    Fold();
  }
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_PROMISE), ElementsAre("soon", "late"));
  Next("commitment_kept", Day(2)).mutable_commitment_kept()->set_commitment_id("soon");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_PROMISE), ElementsAre("late"));
  Next("complaint_opened", Day(3)).mutable_complaint_opened()->set_complaint_id("x");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_COMPLAINT), ElementsAre("x"));
  Next("complaint_settled", Day(4)).mutable_complaint_settled()->set_complaint_id("x");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_COMPLAINT), IsEmpty());
}

TEST_F(Matters, AnInvoiceAndAShipmentAskUntilTheyAreDone) {
  Next("invoice_issued", Day(1)).mutable_invoice_issued()->set_invoice_id("i");
  next_.mutable_invoice_issued()->mutable_amount()->set_currency_code("EUR");
  next_.mutable_invoice_issued()->mutable_amount()->set_minor_units(500);
  ToProto(Day(9), next_.mutable_invoice_issued()->mutable_due_at());
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_INVOICE), ElementsAre("i"));
  Next("payment_received", Day(2)).mutable_payment_received()->set_invoice_id("i");
  next_.mutable_payment_received()->mutable_amount()->set_currency_code("EUR");
  next_.mutable_payment_received()->mutable_amount()->set_minor_units(500);
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_INVOICE), IsEmpty());
  Next("order_placed", Day(3)).mutable_order_placed()->set_order_id("o");
  ToProto(Day(6), next_.mutable_order_placed()->mutable_promised_at());
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_SHIPMENT), ElementsAre("o"));
  Next("order_shipped", Day(7)).mutable_order_shipped()->set_order_id("o");
  next_.mutable_order_shipped()->set_complete(true);
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_SHIPMENT), IsEmpty());
}

TEST_F(Matters, ADealAsksByItsCloseItsNextStepOrItsStay) {
  const auto open = [&](const std::string& id) -> touchpoint::v1::DealOpened& {
    auto& opened = *Next("deal_opened", Day(1)).mutable_deal_opened();
    opened.set_deal_id(id);
    return opened;
  };
  open("stays");
  Fold();
  ToProto(Day(20), open("closes").mutable_expected_close_at());
  Fold();
  open("steps");
  Fold();
  Next("deal_next_step_set", Day(2)).mutable_deal_next_step_set()->set_deal_id("steps");
  next_.mutable_deal_next_step_set()->set_next_step("call");
  ToProto(Day(4), next_.mutable_deal_next_step_set()->mutable_due_at());
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_DEAL), ElementsAre("steps", "closes", "stays"));
  Next("deal_won", Day(5)).mutable_deal_won()->set_deal_id("closes");
  Fold();
  EXPECT_THAT(Agenda(query::v1::AGENDA_KIND_DEAL), ElementsAre("steps", "stays"));
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
