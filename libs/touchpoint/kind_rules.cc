#include "libs/touchpoint/kind_rules.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/time.h"

namespace rapport::touchpoint_internal {
namespace {

using google::protobuf::Timestamp;
using touchpoint::v1::ClientsMerged;
using touchpoint::v1::ClientsSplit;
using touchpoint::v1::ContractTerms;
using touchpoint::v1::Money;
using touchpoint::v1::SatisfactionScored;
using touchpoint::v1::TargetSet;
using touchpoint::v1::Touchpoint;

// Rules one after the other; only the first that fails is kept, and nothing is built before.
class Rules {
 public:
  explicit Rules(Failure* failure) : failure_(failure) {}

  bool all_hold() const { return good_; }

  Rules& Need(bool there, absl::string_view path) { return Hold(there, path, "is required"); }
  Rules& Id(const std::string& id, absl::string_view path) { return Need(!id.empty(), path); }
  Rules& NotNegative(const Money& money, absl::string_view path) {
    if (money.minor_units() >= 0) return *this;
    return Fail(path, absl::StrCat(money.minor_units(), " is negative"));
  }
  Rules& Range(int64_t value, int64_t low, int64_t high, absl::string_view path) {
    if (value >= low && value <= high) return *this;
    return Fail(path, absl::StrCat(value, " is not within ", low, " and ", high));
  }
  Rules& Ordered(const Timestamp& first, const Timestamp& second, absl::string_view path,
                 absl::string_view reason) {
    return Hold(FromProto(first) <= FromProto(second), path, reason);
  }
  Rules& Hold(bool condition, absl::string_view path, absl::string_view reason) {
    if (condition) [[likely]]
      return *this;
    return Fail(path, std::string(reason));
  }

 private:
  Rules& Fail(absl::string_view path, std::string reason) {
    if (!good_) return *this;
    good_ = false;
    failure_->path = std::string(path);
    failure_->reason = std::move(reason);
    return *this;
  }

  Failure* const failure_;
  bool good_ = true;
};

// An amount that must be there, of either sign.
template <class Payload>
void NeedAmount(const Payload& payload, Rules* rules) {
  rules->Need(payload.has_amount(), "amount");
}

// An amount that may be absent.
template <class Payload>
void AmountNotNegative(const Payload& payload, Rules* rules) {
  if (payload.has_amount()) rules->NotNegative(payload.amount(), "amount.minor_units");
}

template <class Payload>
void CheckContract(const Payload& payload, Rules* rules) {
  rules->Id(payload.contract_id(), "contract_id").Need(payload.has_terms(), "terms");
  if (!payload.has_terms()) return;
  const ContractTerms& terms = payload.terms();
  rules->Need(terms.has_starts_at(), "terms.starts_at");
  if (terms.has_ends_at()) {
    rules->Ordered(terms.starts_at(), terms.ends_at(), "terms.ends_at", "is before starts_at");
  }
}

void CheckScore(const SatisfactionScored& scored, Rules* rules) {
  switch (scored.scale()) {
    case touchpoint::v1::SATISFACTION_SCALE_CSAT:
      rules->Range(scored.score(), 1, 5, "score");
      return;
    case touchpoint::v1::SATISFACTION_SCALE_NPS:
      rules->Range(scored.score(), 0, 10, "score");
      return;
    case touchpoint::v1::SATISFACTION_SCALE_CES:
      rules->Range(scored.score(), 1, 7, "score");
      return;
    default:  // unknown numbers never come here: CheckFields refused them
      rules->Need(false, "scale");
  }
}

void CheckTarget(const TargetSet& target, Rules* rules) {
  rules->Need(target.kpi() != touchpoint::v1::KPI_UNSPECIFIED, "kpi")
      .Need(target.scope() != touchpoint::v1::TARGET_SCOPE_UNSPECIFIED, "scope")
      .Need(target.scope() == touchpoint::v1::TARGET_SCOPE_FIRM || !target.scope_id().empty(),
            "scope_id")
      .Need(target.has_period_start_at(), "period_start_at")
      .Need(target.has_period_end_at(), "period_end_at")
      .Hold(FromProto(target.period_start_at()) < FromProto(target.period_end_at()),
            "period_end_at", "is not after period_start_at")
      .Need(target.value_case() != TargetSet::VALUE_NOT_SET, "amount");
}

void CheckMerge(const ClientsMerged& merged, const std::string& client_id, Rules* rules) {
  rules->Id(merged.survivor_client_id(), "survivor_client_id")
      .Id(merged.absorbed_client_id(), "absorbed_client_id")
      .Hold(merged.survivor_client_id() != merged.absorbed_client_id(), "absorbed_client_id",
            "is the survivor itself")
      .Hold(client_id == merged.survivor_client_id() || client_id == merged.absorbed_client_id(),
            "survivor_client_id", "is not the touchpoint's client_id, nor is absorbed_client_id");
}

void CheckSplit(const ClientsSplit& split, const std::string& client_id, Rules* rules) {
  rules->Id(split.survivor_client_id(), "survivor_client_id")
      .Id(split.separated_client_id(), "separated_client_id")
      .Hold(split.survivor_client_id() != split.separated_client_id(), "separated_client_id",
            "is the survivor itself")
      .Hold(client_id == split.survivor_client_id() || client_id == split.separated_client_id(),
            "survivor_client_id", "is not the touchpoint's client_id, nor is separated_client_id");
}

}  // namespace

bool CheckKind(const Touchpoint& touchpoint, Failure* failure) {
  Rules rules(failure);
  // No default: the compiler names a kind that is forgotten.
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted:
      rules.Need(touchpoint.call_completed().outcome() != touchpoint::v1::CALL_OUTCOME_UNSPECIFIED,
                 "outcome");
      break;
    case Touchpoint::kEmailExchanged:
      rules.Id(touchpoint.email_exchanged().message_id(), "message_id");
      break;
    case Touchpoint::kOrderPlaced:
      rules.Id(touchpoint.order_placed().order_id(), "order_id");
      NeedAmount(touchpoint.order_placed(), &rules);
      AmountNotNegative(touchpoint.order_placed(), &rules);
      break;
    case Touchpoint::kClockAdvanced:
      rules.Need(touchpoint.clock_advanced().has_now(), "now");
      break;
    case Touchpoint::kMeetingHeld:
    case Touchpoint::kMeetingCancelled:
    case Touchpoint::kChatExchanged:
    case Touchpoint::kLetterExchanged:
    case Touchpoint::kClientRegistered:
    case Touchpoint::kSentimentObserved:
      break;  // nothing beyond the rules for their fields
    case Touchpoint::kMeetingPlanned:
      rules.Id(touchpoint.meeting_planned().meeting_id(), "meeting_id")
          .Need(touchpoint.meeting_planned().has_planned_at(), "planned_at");
      break;
    case Touchpoint::kMeetingMoved:
      rules.Id(touchpoint.meeting_moved().meeting_id(), "meeting_id")
          .Need(touchpoint.meeting_moved().has_planned_at(), "planned_at");
      break;
    case Touchpoint::kNoteTaken:
      rules.Id(touchpoint.note_taken().text(), "text");
      break;
    case Touchpoint::kDealNextStepSet:
      rules.Id(touchpoint.deal_next_step_set().deal_id(), "deal_id");
      break;
    case Touchpoint::kEmailDelivered:
      rules.Id(touchpoint.email_delivered().message_id(), "message_id")
          .Id(touchpoint.email_delivered().mailbox(), "mailbox");
      break;
    case Touchpoint::kHistoryReopened:
      rules.Id(touchpoint.history_reopened().retelling_id(), "retelling_id");
      break;
    case Touchpoint::kHistoryClosed:
      rules.Id(touchpoint.history_closed().retelling_id(), "retelling_id");
      break;
    case Touchpoint::kTouchpointCorrected:
      rules.Id(touchpoint.touchpoint_corrected().correction(), "correction");
      break;
    case Touchpoint::kPortalUsed:
      rules.Id(touchpoint.portal_used().action(), "action");
      break;
    case Touchpoint::kClientDetailsChanged:
      rules.Need(touchpoint.client_details_changed().has_details(), "details");
      break;
    case Touchpoint::kStakeholderAdded:
      rules.Id(touchpoint.stakeholder_added().stakeholder().stakeholder_id(),
               "stakeholder.stakeholder_id");
      break;
    case Touchpoint::kStakeholderChanged:
      rules.Id(touchpoint.stakeholder_changed().stakeholder().stakeholder_id(),
               "stakeholder.stakeholder_id");
      break;
    case Touchpoint::kStakeholderLeft:
      rules.Id(touchpoint.stakeholder_left().stakeholder_id(), "stakeholder_id");
      break;
    case Touchpoint::kIdentifierLinked:
      rules
          .Need(
              touchpoint.identifier_linked().kind() != touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED,
              "kind")
          .Id(touchpoint.identifier_linked().value(), "value");
      break;
    case Touchpoint::kIdentifierUnlinked:
      rules
          .Need(touchpoint.identifier_unlinked().kind() !=
                    touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED,
                "kind")
          .Id(touchpoint.identifier_unlinked().value(), "value");
      break;
    case Touchpoint::kClientsDistinguished: {
      const std::string& other = touchpoint.clients_distinguished().other_client_id();
      rules.Id(other, "other_client_id")
          .Hold(other != touchpoint.client_id(), "other_client_id",
                "is the touchpoint's client_id itself");
      break;
    }
    case Touchpoint::kClientsMerged:
      CheckMerge(touchpoint.clients_merged(), touchpoint.client_id(), &rules);
      break;
    case Touchpoint::kClientsSplit:
      CheckSplit(touchpoint.clients_split(), touchpoint.client_id(), &rules);
      break;
    case Touchpoint::kOwnerAssigned:
      rules.Need(!touchpoint.owner_assigned().to_owner_id().empty() ||
                     !touchpoint.owner_assigned().from_owner_id().empty(),
                 "to_owner_id");
      break;
    case Touchpoint::kConsentGiven:
      rules.Id(touchpoint.consent_given().purpose(), "purpose");
      break;
    case Touchpoint::kConsentWithdrawn:
      rules.Id(touchpoint.consent_withdrawn().purpose(), "purpose");
      break;
    case Touchpoint::kErasureRequested:
      rules.Id(touchpoint.erasure_requested().request_id(), "request_id");
      break;
    case Touchpoint::kNeedIdentified:
      rules.Id(touchpoint.need_identified().need_id(), "need_id");
      break;
    case Touchpoint::kObjectionRaised:
      rules.Id(touchpoint.objection_raised().objection_id(), "objection_id");
      break;
    case Touchpoint::kObjectionSettled:
      rules.Id(touchpoint.objection_settled().objection_id(), "objection_id");
      break;
    case Touchpoint::kDealOpened:
      rules.Id(touchpoint.deal_opened().deal_id(), "deal_id");
      AmountNotNegative(touchpoint.deal_opened(), &rules);
      break;
    case Touchpoint::kDealStageChanged:
      rules.Id(touchpoint.deal_stage_changed().deal_id(), "deal_id")
          .Need(
              touchpoint.deal_stage_changed().to_stage() != touchpoint::v1::DEAL_STAGE_UNSPECIFIED,
              "to_stage");
      break;
    case Touchpoint::kDealAmountChanged:
      rules.Id(touchpoint.deal_amount_changed().deal_id(), "deal_id")
          .Need(touchpoint.deal_amount_changed().has_amount() ||
                    touchpoint.deal_amount_changed().has_expected_close_at(),
                "amount");
      AmountNotNegative(touchpoint.deal_amount_changed(), &rules);
      break;
    case Touchpoint::kDealWon:
      rules.Id(touchpoint.deal_won().deal_id(), "deal_id");
      AmountNotNegative(touchpoint.deal_won(), &rules);
      break;
    case Touchpoint::kDealLost:
      rules.Id(touchpoint.deal_lost().deal_id(), "deal_id");
      break;
    case Touchpoint::kDealRemoved:
      rules.Id(touchpoint.deal_removed().deal_id(), "deal_id");
      break;
    case Touchpoint::kCompetitorMentioned:
      rules.Id(touchpoint.competitor_mentioned().competitor(), "competitor");
      break;
    case Touchpoint::kTargetSet:
      CheckTarget(touchpoint.target_set(), &rules);
      break;
    case Touchpoint::kCommitmentMade:
      rules.Id(touchpoint.commitment_made().commitment_id(), "commitment_id")
          .Need(touchpoint.commitment_made().has_due_at(), "due_at");
      break;
    case Touchpoint::kCommitmentKept:
      rules.Id(touchpoint.commitment_kept().commitment_id(), "commitment_id");
      break;
    case Touchpoint::kCommitmentBroken:
      rules.Id(touchpoint.commitment_broken().commitment_id(), "commitment_id");
      break;
    case Touchpoint::kCommitmentMoved:
      rules.Id(touchpoint.commitment_moved().commitment_id(), "commitment_id")
          .Need(touchpoint.commitment_moved().has_due_at(), "due_at");
      break;
    case Touchpoint::kComplaintOpened:
      rules.Id(touchpoint.complaint_opened().complaint_id(), "complaint_id");
      break;
    case Touchpoint::kComplaintSettled:
      rules.Id(touchpoint.complaint_settled().complaint_id(), "complaint_id");
      break;
    case Touchpoint::kComplaintRejected:
      rules.Id(touchpoint.complaint_rejected().complaint_id(), "complaint_id");
      break;
    case Touchpoint::kSatisfactionScored:
      CheckScore(touchpoint.satisfaction_scored(), &rules);
      break;
    case Touchpoint::kOrderShipped:
      rules.Id(touchpoint.order_shipped().order_id(), "order_id");
      break;
    case Touchpoint::kOrderCancelled:
      rules.Need(!touchpoint.order_cancelled().order_id().empty() ||
                     !touchpoint.order_cancelled().cancellation_id().empty(),
                 "cancellation_id");
      AmountNotNegative(touchpoint.order_cancelled(), &rules);
      break;
    case Touchpoint::kInvoiceIssued:
      rules.Id(touchpoint.invoice_issued().invoice_id(), "invoice_id");
      NeedAmount(touchpoint.invoice_issued(), &rules);
      break;
    case Touchpoint::kPaymentReceived:
      rules.Id(touchpoint.payment_received().payment_id(), "payment_id");
      NeedAmount(touchpoint.payment_received(), &rules);
      break;
    case Touchpoint::kContractSigned:
      CheckContract(touchpoint.contract_signed(), &rules);
      break;
    case Touchpoint::kContractRenewed:
      CheckContract(touchpoint.contract_renewed(), &rules);
      break;
    case Touchpoint::kContractTerminated:
      rules.Id(touchpoint.contract_terminated().contract_id(), "contract_id");
      break;
    case Touchpoint::kAlertAcknowledged:
      rules.Id(touchpoint.alert_acknowledged().alert_id(), "alert_id");
      break;
    case Touchpoint::kAlertSnoozed:
      rules.Id(touchpoint.alert_snoozed().alert_id(), "alert_id")
          .Need(touchpoint.alert_snoozed().has_snoozed_until(), "snoozed_until");
      break;
    case Touchpoint::kAlertResolved:
      rules.Id(touchpoint.alert_resolved().alert_id(), "alert_id");
      break;
    case Touchpoint::kAlertDismissed:
      rules.Id(touchpoint.alert_dismissed().alert_id(), "alert_id");
      break;
    case Touchpoint::kDeadLetterRetried:
      rules.Id(touchpoint.dead_letter_retried().projection(), "projection");
      break;
    case Touchpoint::kDeadLetterSkipped:
      rules.Id(touchpoint.dead_letter_skipped().projection(), "projection");
      break;
    case Touchpoint::kClockCorrected:
      rules.Need(touchpoint.clock_corrected().has_now(), "now");
      break;
    case Touchpoint::PAYLOAD_NOT_SET:
      rules.Need(false, "");
  }
  return rules.all_hold();
}

}  // namespace rapport::touchpoint_internal
