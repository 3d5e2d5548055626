#include "libs/projections/retention/factors.h"

#include <algorithm>
#include <limits>

#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/projections/contact.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"
#include "xxhash.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;
using touchpoint::v1::Touchpoint;

constexpr int kMostComplaints = 64;
constexpr int kMostCommitments = 128;
constexpr int kMostScores = 5;
constexpr int kMostStakeholders = 64;
constexpr int kMostContracts = 32;
constexpr int kMostDeals = 64;
constexpr int kMostCurrencies = 8;
constexpr size_t kMostInboundMails = 6;
constexpr size_t kMostOutboundMails = 8;
constexpr size_t kOutboundMailBytes = 8;
constexpr size_t kThreadOffset = 4;

bool FromUs(const Touchpoint& touchpoint) {
  return touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND;
}

// The client answered, or called us.
bool ClientSpoke(const Touchpoint& touchpoint) {
  const auto outcome = touchpoint.call_completed().outcome();
  return !FromUs(touchpoint) || outcome == touchpoint::v1::CALL_OUTCOME_ANSWERED ||
         outcome == touchpoint::v1::CALL_OUTCOME_UNSPECIFIED;
}

uint32_t UnixSeconds(const Touchpoint& touchpoint) {
  return static_cast<uint32_t>(std::clamp<int64_t>(touchpoint.occurred_at().seconds(), 0,
                                                   std::numeric_limits<uint32_t>::max()));
}

uint32_t ThreadHash(const Touchpoint& touchpoint) {
  const auto& mail = touchpoint.email_exchanged();
  const std::string& thread = !mail.thread_id().empty()    ? mail.thread_id()
                              : !mail.message_id().empty() ? mail.message_id()
                                                           : touchpoint.event_id();
  return static_cast<uint32_t>(XXH3_64bits(thread.data(), thread.size()));
}

// Records of `size` bytes, sorted, of which at most `most` are kept: the greatest, and one for each
// thread.
void KeepMail(const std::string& record, size_t size, size_t most, std::string* mails) {
  const absl::string_view thread = absl::string_view(record).substr(kThreadOffset, 4);
  for (size_t at = 0; at < mails->size(); at += size) {
    const absl::string_view kept = absl::string_view(*mails).substr(at, size);
    if (kept.substr(kThreadOffset, 4) != thread) continue;
    if (kept >= record) return;
    mails->erase(at, size);
    break;
  }
  size_t place = mails->size();
  while (place > 0 && absl::string_view(*mails).substr(place - size, size) > record) place -= size;
  if (place == 0 && mails->size() >= most * size) return;
  mails->insert(place, record);
  if (mails->size() > most * size) mails->erase(0, size);
}

void FoldMail(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& mail = touchpoint.email_exchanged();
  if (!IsContact(mail)) return;
  std::string record;
  AppendBig32(&record, UnixSeconds(touchpoint));
  AppendBig32(&record, ThreadHash(touchpoint));
  if (FromUs(touchpoint)) {
    KeepMail(record, kOutboundMailBytes, kMostOutboundMails, factors->mutable_outbound_mails());
    return;
  }
  AddToRhythm(touchpoint, factors->mutable_e_mail());
  if (touchpoint.direction() != touchpoint::v1::DIRECTION_INBOUND) return;
  record += touchpoint.event_id();
  KeepMail(record, kInboundMailBytes, kMostInboundMails, factors->mutable_inbound_mails());
}

void FoldOrder(const Touchpoint& touchpoint, RiskFactors* factors) {
  AddToRhythm(touchpoint, factors->mutable_orders());
  const auto& placed = touchpoint.order_placed();
  auto* ordered = factors->mutable_ordered();
  ordered->set_lines(ordered->lines() + std::max(0, placed.line_count()));
  const std::string& currency = placed.amount().currency_code();
  if (currency.empty()) return;
  if (auto* amount = RAPPORT_FIND_OR_ADD(ordered->mutable_amounts(), currency_code, currency,
                                         kMostCurrencies)) {
    MoneySum sum(amount->minor_units(), amount->overflows());
    sum.Add(placed.amount().minor_units());
    amount->set_minor_units(sum.minor_units());
    amount->set_overflows(sum.overflows());
  }
}

state::v1::ComplaintFactor* Complaint(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_complaints(), complaint_id, id, kMostComplaints);
}

void FoldComplaintOpened(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& opened = touchpoint.complaint_opened();
  auto* complaint = Complaint(opened.complaint_id(), factors);
  if (complaint == nullptr || !TakeIfLater(touchpoint, complaint->mutable_opened())) return;
  complaint->set_severity(opened.severity());
}

void FoldComplaintClosed(const Touchpoint& touchpoint, absl::string_view id, RiskFactors* factors) {
  if (auto* complaint = Complaint(id, factors))
    TakeIfLater(touchpoint, complaint->mutable_closed());
}

state::v1::CommitmentFactor* Commitment(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_commitments(), commitment_id, id, kMostCommitments);
}

void FoldPromise(const Touchpoint& touchpoint, absl::string_view id, bool has_due,
                 const google::protobuf::Timestamp& due_at, RiskFactors* factors) {
  auto* commitment = Commitment(id, factors);
  if (commitment == nullptr || !TakeIfLater(touchpoint, commitment->mutable_promised())) return;
  if (has_due) {
    *commitment->mutable_due_at() = due_at;
  } else {
    commitment->clear_due_at();
  }
}

void FoldPromiseEnded(const Touchpoint& touchpoint, absl::string_view id,
                      state::v1::CommitmentEnd end, RiskFactors* factors) {
  auto* commitment = Commitment(id, factors);
  if (commitment == nullptr || !TakeIfLater(touchpoint, commitment->mutable_ended())) return;
  commitment->set_end(end);
}

int SatisfactionPermille(const touchpoint::v1::SatisfactionScored& scored) {
  const int score = scored.score();
  switch (scored.scale()) {
    case touchpoint::v1::SATISFACTION_SCALE_CSAT:
      return std::clamp((score - 1) * 250, 0, 1000);
    case touchpoint::v1::SATISFACTION_SCALE_NPS:
      return std::clamp(score * 100, 0, 1000);
    case touchpoint::v1::SATISFACTION_SCALE_CES:
      return std::clamp((score - 1) * 1000 / 6, 0, 1000);
    default:
      return -1;
  }
}

void FoldSatisfaction(const Touchpoint& touchpoint, RiskFactors* factors) {
  const int permille = SatisfactionPermille(touchpoint.satisfaction_scored());
  if (permille < 0) return;
  state::v1::SatisfactionFactor score;
  SetStamp(touchpoint, score.mutable_stamp());
  score.set_permille(permille);
  AddToLatest(factors->mutable_satisfaction_scores(), std::move(score), kMostScores,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

void FoldCompetitor(const Touchpoint& touchpoint, absl::string_view name, RiskFactors* factors) {
  auto* competitor = factors->mutable_competitor();
  if (!TakeIfLater(touchpoint, competitor->mutable_stamp())) return;
  competitor->set_name(name.data(), name.size());
}

state::v1::StakeholderFactor* StakeholderOf(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_stakeholders(), stakeholder_id, id,
                             kMostStakeholders);
}

void FoldStakeholder(const Touchpoint& touchpoint, const touchpoint::v1::Stakeholder& said,
                     bool added, RiskFactors* factors) {
  if (!added && !said.has_influence()) return;
  auto* stakeholder = StakeholderOf(said.stakeholder_id(), factors);
  if (stakeholder == nullptr) return;
  if (added) TakeIfLater(touchpoint, stakeholder->mutable_added());
  if (said.has_influence() && TakeIfLater(touchpoint, stakeholder->mutable_judged()))
    stakeholder->set_influence(said.influence());
}

state::v1::ContractFactor* Contract(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_contracts(), contract_id, id, kMostContracts);
}

void FoldContract(const Touchpoint& touchpoint, absl::string_view id,
                  const touchpoint::v1::ContractTerms& terms, RiskFactors* factors) {
  auto* contract = Contract(id, factors);
  if (contract == nullptr || !TakeIfLater(touchpoint, contract->mutable_agreed())) return;
  if (terms.has_renewal_due_at()) {
    *contract->mutable_renewal_due_at() = terms.renewal_due_at();
  } else if (terms.has_ends_at()) {
    *contract->mutable_renewal_due_at() = terms.ends_at();
  } else {
    contract->clear_renewal_due_at();
  }
  contract->set_auto_renewal(terms.auto_renewal());
}

state::v1::RenewalFactor* Deal(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_deals(), deal_id, id, kMostDeals);
}

void FoldDealOpened(const Touchpoint& touchpoint, RiskFactors* factors) {
  auto* deal = Deal(touchpoint.deal_opened().deal_id(), factors);
  if (deal == nullptr || !TakeIfLater(touchpoint, deal->mutable_opened())) return;
  deal->set_kind(touchpoint.deal_opened().kind());
}

void FoldDealClosed(const Touchpoint& touchpoint, absl::string_view id, RiskFactors* factors) {
  if (auto* deal = Deal(id, factors)) TakeIfLater(touchpoint, deal->mutable_closed());
}

void FoldOwner(const Touchpoint& touchpoint, RiskFactors* factors) {
  const bool assigned = touchpoint.has_owner_assigned();
  if (!assigned && (touchpoint.owner_id().empty() || factors->owner().assigned())) return;
  auto* owner = factors->mutable_owner();
  if (assigned && !owner->assigned()) {
    SetStamp(touchpoint, owner->mutable_stamp());
  } else if (!TakeIfLater(touchpoint, owner->mutable_stamp())) {
    return;
  }
  owner->set_assigned(assigned);
  owner->set_owner_id(assigned ? touchpoint.owner_assigned().to_owner_id() : touchpoint.owner_id());
}

}  // namespace

void FoldRiskFactors(const Touchpoint& touchpoint, RiskFactors* factors) {
  FoldOwner(touchpoint, factors);
  switch (touchpoint.payload_case()) {
    case Touchpoint::kOrderPlaced:
      FoldOrder(touchpoint, factors);
      return;
    case Touchpoint::kCallCompleted:
      if (ClientSpoke(touchpoint)) AddToRhythm(touchpoint, factors->mutable_phone());
      return;
    case Touchpoint::kEmailExchanged:
      FoldMail(touchpoint, factors);
      return;
    case Touchpoint::kMeetingHeld:
      AddToRhythm(touchpoint, factors->mutable_meetings());
      return;
    case Touchpoint::kChatExchanged:
      if (touchpoint.chat_exchanged().client_message_count() > 0)
        AddToRhythm(touchpoint, factors->mutable_chat());
      return;
    case Touchpoint::kLetterExchanged:
      if (!FromUs(touchpoint)) AddToRhythm(touchpoint, factors->mutable_letters());
      return;
    case Touchpoint::kPortalUsed:
      AddToRhythm(touchpoint, factors->mutable_portal());
      return;
    case Touchpoint::kComplaintOpened:
      FoldComplaintOpened(touchpoint, factors);
      return;
    case Touchpoint::kComplaintSettled:
      FoldComplaintClosed(touchpoint, touchpoint.complaint_settled().complaint_id(), factors);
      return;
    case Touchpoint::kComplaintRejected:
      FoldComplaintClosed(touchpoint, touchpoint.complaint_rejected().complaint_id(), factors);
      return;
    case Touchpoint::kCommitmentMade: {
      const auto& made = touchpoint.commitment_made();
      FoldPromise(touchpoint, made.commitment_id(), made.has_due_at(), made.due_at(), factors);
      return;
    }
    case Touchpoint::kCommitmentMoved: {
      const auto& moved = touchpoint.commitment_moved();
      FoldPromise(touchpoint, moved.commitment_id(), moved.has_due_at(), moved.due_at(), factors);
      return;
    }
    case Touchpoint::kCommitmentKept:
      FoldPromiseEnded(touchpoint, touchpoint.commitment_kept().commitment_id(),
                       state::v1::COMMITMENT_END_KEPT, factors);
      return;
    case Touchpoint::kCommitmentBroken:
      FoldPromiseEnded(touchpoint, touchpoint.commitment_broken().commitment_id(),
                       state::v1::COMMITMENT_END_BROKEN, factors);
      return;
    case Touchpoint::kSatisfactionScored:
      FoldSatisfaction(touchpoint, factors);
      return;
    case Touchpoint::kCompetitorMentioned:
      FoldCompetitor(touchpoint, touchpoint.competitor_mentioned().competitor(), factors);
      return;
    case Touchpoint::kStakeholderAdded:
      FoldStakeholder(touchpoint, touchpoint.stakeholder_added().stakeholder(), true, factors);
      return;
    case Touchpoint::kStakeholderChanged:
      FoldStakeholder(touchpoint, touchpoint.stakeholder_changed().stakeholder(), false, factors);
      return;
    case Touchpoint::kStakeholderLeft:
      if (auto* left = StakeholderOf(touchpoint.stakeholder_left().stakeholder_id(), factors))
        TakeIfLater(touchpoint, left->mutable_left());
      return;
    case Touchpoint::kContractSigned:
      FoldContract(touchpoint, touchpoint.contract_signed().contract_id(),
                   touchpoint.contract_signed().terms(), factors);
      return;
    case Touchpoint::kContractRenewed:
      FoldContract(touchpoint, touchpoint.contract_renewed().contract_id(),
                   touchpoint.contract_renewed().terms(), factors);
      return;
    case Touchpoint::kContractTerminated:
      if (auto* contract = Contract(touchpoint.contract_terminated().contract_id(), factors))
        TakeIfLater(touchpoint, contract->mutable_terminated());
      return;
    case Touchpoint::kDealOpened:
      FoldDealOpened(touchpoint, factors);
      return;
    case Touchpoint::kDealWon:
      FoldDealClosed(touchpoint, touchpoint.deal_won().deal_id(), factors);
      return;
    case Touchpoint::kDealLost:
      FoldDealClosed(touchpoint, touchpoint.deal_lost().deal_id(), factors);
      return;
    case Touchpoint::kDealRemoved:
      FoldDealClosed(touchpoint, touchpoint.deal_removed().deal_id(), factors);
      return;
    case Touchpoint::kErasureRequested:
      TakeIfLater(touchpoint, factors->mutable_erasure_requested());
      return;
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kEmailDelivered:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kMeetingCancelled:
    case Touchpoint::kClientRegistered:
    case Touchpoint::kClientDetailsChanged:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kOwnerAssigned:
    case Touchpoint::kConsentGiven:
    case Touchpoint::kConsentWithdrawn:
    case Touchpoint::kNeedIdentified:
    case Touchpoint::kObjectionRaised:
    case Touchpoint::kObjectionSettled:
    case Touchpoint::kDealStageChanged:
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kTargetSet:
    case Touchpoint::kSentimentObserved:
    case Touchpoint::kOrderShipped:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kInvoiceIssued:
    case Touchpoint::kPaymentReceived:
    case Touchpoint::kAlertAcknowledged:
    case Touchpoint::kAlertSnoozed:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed:
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
    case Touchpoint::kClockAdvanced:
    case Touchpoint::kClockCorrected:
    case Touchpoint::PAYLOAD_NOT_SET:
      return;
  }
}

bool IsGone(const RiskFactors& factors) { return factors.has_erasure_requested(); }

InboundMail ReadInboundMail(const RiskFactors& factors, size_t index) {
  const absl::string_view record = absl::string_view(factors.inbound_mails())
                                       .substr(index * kInboundMailBytes, kInboundMailBytes);
  return {ReadBig32(record.data()), ReadBig32(record.data() + kThreadOffset), record.substr(8)};
}

bool IsAnswered(const RiskFactors& factors, const InboundMail& mail) {
  const std::string& ours = factors.outbound_mails();
  if (ours.size() >= kMostOutboundMails * kOutboundMailBytes &&
      mail.unix_seconds <= ReadBig32(ours.data()))
    return true;
  for (size_t at = 0; at + kOutboundMailBytes <= ours.size(); at += kOutboundMailBytes) {
    if (ReadBig32(ours.data() + at + kThreadOffset) == mail.thread &&
        ReadBig32(ours.data() + at) >= mail.unix_seconds)
      return true;
  }
  return false;
}

}  // namespace rapport
