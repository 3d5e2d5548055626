#include "libs/projections/profile/profile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "libs/base/bytes.h"
#include "libs/base/folded_words.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/projections/contact.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/profile/agenda.h"
#include "libs/projections/profile/commitments.h"
#include "libs/projections/profile/details.h"
#include "libs/projections/profile/matters.h"
#include "libs/projections/profile/search.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"
#include "libs/projections/step_order.h"

namespace rapport {
namespace {

using state::v1::ProfileState;
using touchpoint::v1::Channel;
using touchpoint::v1::Touchpoint;

constexpr int kMostStakeholders = 500;
constexpr int kMostIdentifiers = 500;
constexpr int kMostOwnerPeriods = 64;
constexpr int kMostCommitments = 256;
constexpr int kMostComplaints = 128;
constexpr int kMostOrders = 32;
constexpr int kMostInvoices = 128;
constexpr int kMostCurrencies = 16;
constexpr int kMostConsents = 128;

// Adds to a sum of `message`, which stands in its fields `units` and `beyond` (MoneySum).
#define RAPPORT_ADD_TO_SUM(message, units, beyond, more)           \
  do {                                                             \
    MoneySum rapport_sum((message)->units(), (message)->beyond()); \
    rapport_sum.Add(more);                                         \
    (message)->set_##units(rapport_sum.minor_units());             \
    (message)->set_##beyond(rapport_sum.overflows());              \
  } while (false)

void FoldHeader(const Touchpoint& touchpoint, ProfileState* state) {
  state->set_touchpoint_count(state->touchpoint_count() + 1);
  const auto& at = touchpoint.occurred_at();
  if (!state->has_first_touchpoint_at() || CompareTimes(at, state->first_touchpoint_at()) < 0)
    *state->mutable_first_touchpoint_at() = at;
  if (!state->has_last_touchpoint_at() || CompareTimes(at, state->last_touchpoint_at()) > 0)
    *state->mutable_last_touchpoint_at() = at;
  if (!touchpoint.owner_id().empty())
    TellText(touchpoint, touchpoint.owner_id(), state->mutable_mentioned_owner());
}

state::v1::StakeholderProfile* StakeholderOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_stakeholders(), stakeholder_id, id, kMostStakeholders);
}

// Each attempt counts as one; days are of what came through.
void FoldContact(const Touchpoint& touchpoint, Channel usual, bool came_through,
                 ProfileState* state) {
  const Channel channel =
      touchpoint.channel() == touchpoint::v1::CHANNEL_UNSPECIFIED ? usual : touchpoint.channel();
  auto* contacts = state->mutable_contacts();
  int index = 0;
  while (index < contacts->size() && contacts->Get(index).channel() < channel) ++index;
  if (index == contacts->size() || contacts->Get(index).channel() != channel) {
    contacts->Add()->set_channel(channel);
    for (int i = contacts->size() - 1; i > index; --i) contacts->SwapElements(i, i - 1);
  }
  state::v1::ChannelContact& contact = *contacts->Mutable(index);
  if (touchpoint.direction() == touchpoint::v1::DIRECTION_INBOUND)
    contact.set_inbound_count(contact.inbound_count() + 1);
  if (touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND)
    contact.set_outbound_count(contact.outbound_count() + 1);
  if (!came_through) return FoldMissedContact(touchpoint, channel, state);
  AddToRhythm(touchpoint, contact.mutable_rhythm());
  for (const std::string& id : touchpoint.stakeholder_ids()) {
    if (auto* stakeholder = StakeholderOf(id, state))
      TakeLatestTime(touchpoint.occurred_at(), stakeholder->has_last_contact_at(),
                     stakeholder->mutable_last_contact_at());
  }
}

void FoldStakeholderLeft(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& left = touchpoint.stakeholder_left();
  auto* stakeholder = StakeholderOf(left.stakeholder_id(), state);
  if (stakeholder == nullptr || !TakeIfLater(touchpoint, stakeholder->mutable_left())) return;
  stakeholder->set_left_reason(left.reason());
  stakeholder->set_successor_stakeholder_id(left.successor_stakeholder_id());
}

// The mark that was linked or unlinked, when the touchpoint is the latest of it; else null.
template <class Said>
state::v1::IdentifierProfile* IdentifierOf(const Touchpoint& touchpoint, const Said& said,
                                           ProfileState* state) {
  std::string key;
  AppendBig32(&key, static_cast<uint32_t>(said.kind()));
  AppendKeyString(&key, said.issuer());
  AppendKeyString(&key, said.value());
  auto* identifier =
      RAPPORT_FIND_OR_ADD(state->mutable_identifiers(), identifier_key, key, kMostIdentifiers);
  if (identifier == nullptr || !TakeIfLater(touchpoint, identifier->mutable_stamp())) {
    return nullptr;
  }
  identifier->set_kind(said.kind());
  identifier->set_value(said.value());
  identifier->set_issuer(said.issuer());
  return identifier;
}

void FoldIdentifier(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& linked = touchpoint.identifier_linked();
  if (auto* identifier = IdentifierOf(touchpoint, linked, state)) {
    identifier->set_stakeholder_id(linked.stakeholder_id());
    identifier->set_unlinked(false);
  }
}

void FoldUnlinked(const Touchpoint& touchpoint, ProfileState* state) {
  if (auto* identifier = IdentifierOf(touchpoint, touchpoint.identifier_unlinked(), state)) {
    identifier->clear_stakeholder_id();
    identifier->set_unlinked(true);
  }
}

void FoldOwner(const Touchpoint& touchpoint, ProfileState* state) {
  state::v1::OwnerPeriod period;
  SetStamp(touchpoint, period.mutable_stamp());
  period.set_owner_id(touchpoint.owner_assigned().to_owner_id());
  period.set_reason(touchpoint.owner_assigned().reason());
  period.set_note(touchpoint.owner_assigned().note());
  AddToLatest(state->mutable_owner_periods(), std::move(period), kMostOwnerPeriods,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

state::v1::CommitmentProfile* CommitmentOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_commitments(), commitment_id, id, kMostCommitments);
}

void TellDue(const Touchpoint& touchpoint, bool has_due, const google::protobuf::Timestamp& due_at,
             state::v1::CommitmentProfile* commitment) {
  if (!TakeIfLater(touchpoint, commitment->mutable_promised())) return;
  commitment->clear_due_at();
  if (has_due) *commitment->mutable_due_at() = due_at;
}

void FoldCommitmentMade(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& made = touchpoint.commitment_made();
  auto* commitment = CommitmentOf(made.commitment_id(), state);
  if (commitment == nullptr) return;
  TellDue(touchpoint, made.has_due_at(), made.due_at(), commitment);
  if (!TakeIfLater(touchpoint, commitment->mutable_made())) return;
  commitment->set_statement(made.statement());
  commitment->set_promised_by_agent_id(made.promised_by_agent_id());
  commitment->set_deal_id(made.deal_id());
  commitment->set_complaint_id(made.complaint_id());
  commitment->set_meeting_id(made.meeting_id());
}

void FoldCommitmentMoved(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& moved = touchpoint.commitment_moved();
  auto* commitment = CommitmentOf(moved.commitment_id(), state);
  if (commitment == nullptr) return;
  TellDue(touchpoint, moved.has_due_at(), moved.due_at(), commitment);
  if (TakeIfLater(touchpoint, commitment->mutable_moved()))
    commitment->set_moved_with_consent(moved.agreed_by_client());
}

void FoldCommitmentEnded(const Touchpoint& touchpoint, absl::string_view id,
                         state::v1::CommitmentEnd end, ProfileState* state) {
  auto* commitment = CommitmentOf(id, state);
  if (commitment == nullptr || !TakeIfLater(touchpoint, commitment->mutable_ended())) return;
  commitment->set_end(end);
}

state::v1::ComplaintProfile* ComplaintOf(absl::string_view id, ProfileState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_complaints(), complaint_id, id, kMostComplaints);
}

void FoldComplaintOpened(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& opened = touchpoint.complaint_opened();
  auto* complaint = ComplaintOf(opened.complaint_id(), state);
  if (complaint == nullptr || !TakeIfLater(touchpoint, complaint->mutable_opened())) return;
  complaint->set_category(opened.category());
  complaint->set_severity(opened.severity());
  complaint->set_statement(opened.statement());
  complaint->set_about_agent_id(opened.about_agent_id());
  complaint->set_order_id(opened.order_id());
  complaint->clear_answer_due_at();
  if (opened.has_answer_due_at()) *complaint->mutable_answer_due_at() = opened.answer_due_at();
}

void FoldComplaintClosed(const Touchpoint& touchpoint, absl::string_view id,
                         state::v1::ComplaintEnd end, const std::string& resolution,
                         ProfileState* state) {
  auto* complaint = ComplaintOf(id, state);
  if (complaint == nullptr || !TakeIfLater(touchpoint, complaint->mutable_closed())) return;
  complaint->set_end(end);
  complaint->set_resolution(resolution);
}

// Of an amount without a currency nothing is kept.
state::v1::AccountTotals* AccountOf(const touchpoint::v1::Money& amount, ProfileState* state) {
  if (amount.currency_code().empty()) return nullptr;
  return RAPPORT_FIND_OR_ADD(state->mutable_accounts(), currency_code, amount.currency_code(),
                             kMostCurrencies);
}

state::v1::OrderProfile* OrderOf(absl::string_view id, ProfileState* state) {
  if (id.empty()) return nullptr;
  return RAPPORT_FIND_OR_ADD(state->mutable_orders(), order_id, id, kMostOrders);
}

void FoldOrderPlaced(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& placed = touchpoint.order_placed();
  AddToRhythm(touchpoint, state->mutable_order_rhythm());
  if (auto* account = AccountOf(placed.amount(), state)) {
    account->set_order_count(account->order_count() + 1);
    RAPPORT_ADD_TO_SUM(account, ordered_minor_units, ordered_overflows,
                       placed.amount().minor_units());
  }
  FoldOrderedParts(touchpoint, state);
  auto* order = OrderOf(placed.order_id(), state);
  if (order == nullptr || !TakeIfLater(touchpoint, order->mutable_placed())) return;
  *order->mutable_amount() = placed.amount();
  order->clear_promised_at();
  if (placed.has_promised_at()) *order->mutable_promised_at() = placed.promised_at();
  order->set_line_count(placed.line_count());
}

void FoldOrderShipped(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& shipped = touchpoint.order_shipped();
  auto* order = OrderOf(shipped.order_id(), state);
  if (order == nullptr) return;
  TakeIfLater(touchpoint, order->mutable_shipped());
  if (shipped.complete()) order->set_shipped_completely(true);
}

void FoldOrderCancelled(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& cancelled = touchpoint.order_cancelled();
  if (cancelled.has_amount()) {
    if (auto* account = AccountOf(cancelled.amount(), state))
      RAPPORT_ADD_TO_SUM(account, cancelled_minor_units, cancelled_overflows,
                         cancelled.amount().minor_units());
  } else if (auto* order = OrderOf(cancelled.order_id(), state)) {
    TakeIfLater(touchpoint, order->mutable_cancelled());
  }
}

state::v1::InvoiceProfile* InvoiceOf(absl::string_view id, ProfileState* state) {
  if (id.empty()) return nullptr;
  return RAPPORT_FIND_OR_ADD(state->mutable_invoices(), invoice_id, id, kMostInvoices);
}

void FoldInvoice(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& issued = touchpoint.invoice_issued();
  if (auto* account = AccountOf(issued.amount(), state))
    RAPPORT_ADD_TO_SUM(account, invoiced_minor_units, invoiced_overflows,
                       issued.amount().minor_units());
  auto* invoice = InvoiceOf(issued.invoice_id(), state);
  if (invoice == nullptr || !TakeIfLater(touchpoint, invoice->mutable_issued())) return;
  *invoice->mutable_amount() = issued.amount();
  invoice->clear_due_at();
  if (issued.has_due_at()) *invoice->mutable_due_at() = issued.due_at();
}

void FoldPayment(const Touchpoint& touchpoint, ProfileState* state) {
  const auto& payment = touchpoint.payment_received();
  if (auto* account = AccountOf(payment.amount(), state))
    RAPPORT_ADD_TO_SUM(account, paid_minor_units, paid_overflows, payment.amount().minor_units());
  if (auto* invoice = InvoiceOf(payment.invoice_id(), state))
    RAPPORT_ADD_TO_SUM(invoice, paid_minor_units, paid_overflows, payment.amount().minor_units());
}

void TellConsent(const Touchpoint& touchpoint, const std::string& purpose, Channel channel,
                 ProfileState* state) {
  std::string key;
  AppendKeyString(&key, purpose);
  AppendBig32(&key, static_cast<uint32_t>(channel));
  auto* consent = RAPPORT_FIND_OR_ADD(state->mutable_consents(), consent_key, key, kMostConsents);
  if (consent == nullptr || !TakeIfLater(touchpoint, consent->mutable_stamp())) return;
  consent->set_purpose(purpose);
  consent->set_channel(channel);
  consent->set_given(touchpoint.has_consent_given());
  consent->clear_expires_at();
  if (touchpoint.consent_given().has_expires_at())
    *consent->mutable_expires_at() = touchpoint.consent_given().expires_at();
}

void FoldConsent(const Touchpoint& touchpoint, const std::string& purpose,
                 const google::protobuf::RepeatedField<int>& channels, ProfileState* state) {
  if (channels.empty())
    TellConsent(touchpoint, purpose, touchpoint::v1::CHANNEL_UNSPECIFIED, state);
  for (const int channel : channels)
    TellConsent(touchpoint, purpose, static_cast<Channel>(channel), state);
}

void FoldPayload(const Touchpoint& touchpoint, ProfileState* state) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted:
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_PHONE,
                         IsContact(touchpoint.call_completed()), state);
    case Touchpoint::kEmailExchanged:
      if (!IsContact(touchpoint.email_exchanged())) return;
      FoldThread(touchpoint, state);
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_E_MAIL, true, state);
    case Touchpoint::kMeetingHeld:
      FoldMeetingEnded(touchpoint, state);
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_MEETING, true, state);
    case Touchpoint::kChatExchanged:
      // Not every source counts messages.
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_CHAT,
                         touchpoint.chat_exchanged().client_message_count() == 0 ||
                             IsContact(touchpoint.chat_exchanged()),
                         state);
    case Touchpoint::kLetterExchanged:
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_LETTER, true, state);
    case Touchpoint::kPortalUsed:
      return FoldContact(touchpoint, touchpoint::v1::CHANNEL_PORTAL,
                         IsContact(touchpoint.portal_used()), state);
    case Touchpoint::kClientRegistered: {
      const auto& registered = touchpoint.client_registered();
      FoldDetails(touchpoint, registered.details(), state->mutable_details());
      if (!TakeIfLater(touchpoint, state->mutable_registration()->mutable_stamp())) return;
      state->mutable_registration()->set_origin(registered.origin());
      state->mutable_registration()->set_referrer_client_id(registered.referrer_client_id());
      return;
    }
    case Touchpoint::kClientDetailsChanged:
      return FoldDetails(touchpoint, touchpoint.client_details_changed().details(),
                         state->mutable_details());
    case Touchpoint::kStakeholderAdded: {
      const auto& said = touchpoint.stakeholder_added().stakeholder();
      auto* stakeholder = StakeholderOf(said.stakeholder_id(), state);
      if (stakeholder == nullptr) return;
      TakeIfLater(touchpoint, stakeholder->mutable_added());
      return FoldStakeholder(touchpoint, said, stakeholder);
    }
    case Touchpoint::kStakeholderChanged: {
      const auto& said = touchpoint.stakeholder_changed().stakeholder();
      if (auto* stakeholder = StakeholderOf(said.stakeholder_id(), state))
        FoldStakeholder(touchpoint, said, stakeholder);
      return;
    }
    case Touchpoint::kStakeholderLeft:
      return FoldStakeholderLeft(touchpoint, state);
    case Touchpoint::kIdentifierLinked:
      return FoldIdentifier(touchpoint, state);
    case Touchpoint::kIdentifierUnlinked:
      return FoldUnlinked(touchpoint, state);
    case Touchpoint::kOwnerAssigned:
      return FoldOwner(touchpoint, state);
    case Touchpoint::kCommitmentMade:
      return FoldCommitmentMade(touchpoint, state);
    case Touchpoint::kCommitmentMoved:
      return FoldCommitmentMoved(touchpoint, state);
    case Touchpoint::kCommitmentKept:
      return FoldCommitmentEnded(touchpoint, touchpoint.commitment_kept().commitment_id(),
                                 state::v1::COMMITMENT_END_KEPT, state);
    case Touchpoint::kCommitmentBroken:
      return FoldCommitmentEnded(touchpoint, touchpoint.commitment_broken().commitment_id(),
                                 state::v1::COMMITMENT_END_BROKEN, state);
    case Touchpoint::kComplaintOpened:
      return FoldComplaintOpened(touchpoint, state);
    case Touchpoint::kComplaintSettled:
      return FoldComplaintClosed(touchpoint, touchpoint.complaint_settled().complaint_id(),
                                 state::v1::COMPLAINT_END_SETTLED,
                                 touchpoint.complaint_settled().resolution(), state);
    case Touchpoint::kComplaintRejected:
      return FoldComplaintClosed(touchpoint, touchpoint.complaint_rejected().complaint_id(),
                                 state::v1::COMPLAINT_END_REJECTED,
                                 touchpoint.complaint_rejected().reason(), state);
    case Touchpoint::kOrderPlaced:
      return FoldOrderPlaced(touchpoint, state);
    case Touchpoint::kOrderShipped:
      return FoldOrderShipped(touchpoint, state);
    case Touchpoint::kOrderCancelled:
      return FoldOrderCancelled(touchpoint, state);
    case Touchpoint::kInvoiceIssued:
      return FoldInvoice(touchpoint, state);
    case Touchpoint::kPaymentReceived:
      return FoldPayment(touchpoint, state);
    case Touchpoint::kConsentGiven:
      return FoldConsent(touchpoint, touchpoint.consent_given().purpose(),
                         touchpoint.consent_given().channels(), state);
    case Touchpoint::kConsentWithdrawn:
      return FoldConsent(touchpoint, touchpoint.consent_withdrawn().purpose(),
                         touchpoint.consent_withdrawn().channels(), state);
    case Touchpoint::kErasureRequested:
      TakeIfLater(touchpoint, state->mutable_erasure_requested());
      return;
    case Touchpoint::kMeetingPlanned:
      return FoldMeetingPlanned(touchpoint, state);
    case Touchpoint::kMeetingMoved:
      return FoldMeetingMoved(touchpoint, state);
    case Touchpoint::kMeetingCancelled:
      return FoldMeetingEnded(touchpoint, state);
    case Touchpoint::kNeedIdentified:
      return FoldNeed(touchpoint, state);
    case Touchpoint::kObjectionRaised:
      return FoldObjectionRaised(touchpoint, state);
    case Touchpoint::kObjectionSettled:
      return FoldObjectionSettled(touchpoint, state);
    case Touchpoint::kCompetitorMentioned:
      return FoldCompetitor(touchpoint, state);
    case Touchpoint::kContractSigned:
    case Touchpoint::kContractRenewed:
      return FoldContractAgreed(touchpoint, state);
    case Touchpoint::kContractTerminated:
      return FoldContractTerminated(touchpoint, state);
    // By the deal_pipeline projection.
    case Touchpoint::kDealOpened:
    case Touchpoint::kDealStageChanged:
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kDealWon:
    case Touchpoint::kDealLost:
    case Touchpoint::kDealRemoved:
    case Touchpoint::kDealNextStepSet:
    // On the timeline alone.
    case Touchpoint::kNoteTaken:
    case Touchpoint::kTargetSet:
    case Touchpoint::kSatisfactionScored:
    case Touchpoint::kSentimentObserved:
    case Touchpoint::kAlertAcknowledged:
    case Touchpoint::kAlertSnoozed:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed:
    case Touchpoint::kEmailDelivered:
    case Touchpoint::kClientsDistinguished:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
    case Touchpoint::kClockAdvanced:
    case Touchpoint::kClockCorrected:
    case Touchpoint::PAYLOAD_NOT_SET:
      return;
  }
}

}  // namespace

bool Profile::Wants(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    // About the history rather than part of it.
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kClockAdvanced:
    case Touchpoint::kClockCorrected:
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
    case Touchpoint::PAYLOAD_NOT_SET:
    // The firm's, whatever client a writer has put beside it.
    case Touchpoint::kTargetSet:
      return false;
    default:
      return !touchpoint.client_id().empty();
  }
}

absl::Status Profile::Apply(const FoldContext& context, const Touchpoint& touchpoint,
                            const Settings&, State& state, FoldOutput& output) {
  RAPPORT_RETURN_IF_ERROR(CheckEventId(touchpoint));
  FoldHeader(touchpoint, &state);
  FoldPayload(touchpoint, &state);
  if (DealPipeline::Wants(touchpoint)) {
    RAPPORT_RETURN_IF_ERROR(
        DealPipeline::Apply(context, touchpoint, {}, *state.mutable_pipeline(), output));
  }
  output.rows.push_back({TimelineSortKey(touchpoint), touchpoint.SerializeAsString()});
  return absl::OkStatus();
}

void Profile::Index(const State& state, const Settings&, IndexWriter& index) {
  const state::v1::ClientRow row = RowOf(state);
  state::v1::ClientRow by_name = row;
  by_name.clear_last_touchpoint_at();
  const std::string name_key = NameSortKey(row.name());
  std::string owner_key;
  AppendKeyString(&owner_key, row.owner_id());
  index.Add(kClientsByNameIndex, name_key, by_name.SerializeAsString());
  index.Add(kClientsByOwnerIndex, owner_key + name_key, row.SerializeAsString());
  state::v1::WordRow word_row;
  word_row.set_owner_id(row.owner_id());
  const std::string value = word_row.SerializeAsString();
  for (const std::string& word : SearchWordsOf(index.client_id(), state)) {
    std::string word_key;
    AppendKeyString(&word_key, word);
    index.Add(kClientsByWordIndex, word_key, value);
    index.Add(kClientsByOwnerAndWordIndex, owner_key + word_key);
  }
  IndexAgenda(state, index);
  IndexCommitments(state, index);
}

std::string Profile::Fingerprint(const Settings&) { return FoldingVersion(); }

state::v1::ClientRow RowOf(const ProfileState& state) {
  state::v1::ClientRow row;
  row.set_name(state.details().name().text());
  row.set_owner_id(OwnerOf(state));
  row.set_segment(state.details().segment().segment());
  row.set_key_account(state.details().key_account().flag());
  *row.mutable_last_touchpoint_at() = state.last_touchpoint_at();
  return row;
}

std::string NameSortKey(absl::string_view name) {
  std::string key;
  AppendKeyString(&key, absl::AsciiStrToLower(name));
  return key;
}

const std::string& OwnerOf(const ProfileState& state) {
  return state.owner_periods().empty()
             ? state.mentioned_owner().text()
             : state.owner_periods(state.owner_periods_size() - 1).owner_id();
}

bool IsOpen(const state::v1::CommitmentProfile& commitment) {
  if (!commitment.has_ended()) return true;
  return commitment.end() == state::v1::COMMITMENT_END_BROKEN &&
         Earlier(commitment.ended(), commitment.promised());
}

bool IsOpen(const state::v1::ComplaintProfile& complaint) {
  return complaint.has_opened() &&
         (!complaint.has_closed() || Earlier(complaint.closed(), complaint.opened()));
}

bool IsOpen(const state::v1::MeetingProfile& meeting) {
  return meeting.has_timed() && (!meeting.has_ended() || Earlier(meeting.ended(), meeting.timed()));
}

bool IsOpen(const state::v1::ObjectionProfile& objection) {
  return objection.has_raised() &&
         (!objection.has_settled() || Earlier(objection.settled(), objection.raised()));
}

bool IsTerminated(const state::v1::ContractProfile& contract) {
  return contract.has_terminated() && !Earlier(contract.terminated(), contract.agreed());
}

bool IsPresent(const state::v1::StakeholderProfile& stakeholder) {
  return !stakeholder.has_left() || Earlier(stakeholder.left(), stakeholder.added());
}

bool IsOpen(const state::v1::InvoiceProfile& invoice) {
  const MoneySum paid(invoice.paid_minor_units(), invoice.paid_overflows());
  return invoice.has_issued() && paid.Saturated() < invoice.amount().minor_units();
}

}  // namespace rapport
