#include "libs/projections/retention/factors.h"

#include <algorithm>

#include "libs/base/bytes.h"
#include "libs/projections/client_label.h"
#include "libs/projections/contact.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/retention/records.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;
using touchpoint::v1::Touchpoint;

constexpr int kMostComplaints = 64;
constexpr int kMostCommitments = 128;
constexpr int kMostScores = 5;
constexpr int kMostStakeholders = 64;
constexpr int kMostDeals = 64;
constexpr int kMostMoods = 5;
constexpr int kMostObjections = 32;
constexpr int kMostAssignments = 5;
constexpr int kMostConsents = 16;
constexpr int kMostCancelledMeetings = 4;
constexpr size_t kMostMeetingRecords = 6;
constexpr size_t kMeetingPlanBytes = 12;
constexpr size_t kMeetingEndBytes = 8;
constexpr size_t kMostMissedContacts = 6;
constexpr size_t kMostPortalFailures = 6;
constexpr size_t kMostInboundMails = 6;
constexpr size_t kMostOutboundMails = 8;
constexpr size_t kOutboundMailBytes = 8;
constexpr size_t kThreadOffset = 4;

bool FromUs(const Touchpoint& touchpoint) {
  return touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND;
}

uint32_t ThreadHash(const Touchpoint& touchpoint) {
  const auto& mail = touchpoint.email_exchanged();
  return RecordHash(!mail.thread_id().empty()    ? mail.thread_id()
                    : !mail.message_id().empty() ? mail.message_id()
                                                 : touchpoint.event_id());
}

// As KeepRecord, and one record for each thread: its greatest.
void KeepMail(const std::string& record, size_t most, std::string* mails) {
  const size_t size = record.size();
  const absl::string_view thread = absl::string_view(record).substr(kThreadOffset, 4);
  for (size_t at = 0; at < mails->size(); at += size) {
    const absl::string_view kept = absl::string_view(*mails).substr(at, size);
    if (kept.substr(kThreadOffset, 4) != thread) continue;
    if (kept >= record) return;
    mails->erase(at, size);
    break;
  }
  KeepRecord(record, most, mails);
}

void FoldMail(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& mail = touchpoint.email_exchanged();
  if (!IsContact(mail)) return;
  std::string record;
  AppendBig32(&record, RecordSeconds(touchpoint));
  AppendBig32(&record, ThreadHash(touchpoint));
  if (FromUs(touchpoint)) {
    KeepMail(record, kMostOutboundMails, factors->mutable_outbound_mails());
    return;
  }
  AddToRhythm(touchpoint, factors->mutable_e_mail());
  if (touchpoint.direction() != touchpoint::v1::DIRECTION_INBOUND) return;
  record += touchpoint.event_id();
  KeepMail(record, kMostInboundMails, factors->mutable_inbound_mails());
}

void KeepMissed(const Touchpoint& touchpoint, RiskFactors* factors) {
  KeepRecord(EventRecord(touchpoint), kMostMissedContacts, factors->mutable_missed_contacts());
}

void CountHour(const Touchpoint& touchpoint, std::string* hours) {
  constexpr int64_t kSecondsPerHour = 3600;
  const int64_t seconds = touchpoint.occurred_at().seconds() % kSecondsPerDay;
  if (seconds < 0) return;  // before 1970
  hours->resize(kHoursPerDay / 2);
  const auto hour = static_cast<size_t>(seconds / kSecondsPerHour);
  const int shift = hour % 2 == 0 ? 0 : 4;
  char& pair = (*hours)[hour / 2];
  if ((static_cast<uint8_t>(pair) >> shift & 0xf) == 0xf) return;
  pair = static_cast<char>(static_cast<uint8_t>(pair) + (1u << shift));
}

void FoldCall(const Touchpoint& touchpoint, RiskFactors* factors) {
  if (IsContact(touchpoint.call_completed())) {
    AddToRhythm(touchpoint, factors->mutable_phone());
    CountHour(touchpoint, factors->mutable_answered_call_hours());
  } else if (touchpoint.direction() == touchpoint::v1::DIRECTION_INBOUND) {
    KeepMissed(touchpoint, factors);
  }
}

void FoldChat(const Touchpoint& touchpoint, RiskFactors* factors) {
  if (IsContact(touchpoint.chat_exchanged())) {
    AddToRhythm(touchpoint, factors->mutable_chat());
  } else if (touchpoint.chat_exchanged().client_message_count() > 0) {
    KeepMissed(touchpoint, factors);
  }
}

void FoldPortal(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& used = touchpoint.portal_used();
  if (IsContact(used)) {
    AddToRhythm(touchpoint, factors->mutable_portal());
  } else if (used.outcome() == touchpoint::v1::PORTAL_OUTCOME_FAILED) {
    KeepRecord(EventRecord(touchpoint), kMostPortalFailures, factors->mutable_portal_failures());
  }
}

// Only a meeting that has an id can be told to be over.
void FoldMeetingTime(const Touchpoint& touchpoint, const std::string& meeting_id,
                     const google::protobuf::Timestamp& planned_at, RiskFactors* factors) {
  if (meeting_id.empty()) return;
  std::string record;
  AppendBig32(&record, RecordSeconds(touchpoint));
  AppendBig32(&record, RecordHash(meeting_id));
  AppendBig32(&record, RecordSeconds(planned_at));
  KeepRecord(record, kMostMeetingRecords, factors->mutable_meeting_plans());
}

void FoldMeetingEnd(const Touchpoint& touchpoint, const std::string& meeting_id,
                    RiskFactors* factors) {
  if (meeting_id.empty()) return;
  std::string record;
  AppendBig32(&record, RecordSeconds(touchpoint));
  AppendBig32(&record, RecordHash(meeting_id));
  KeepRecord(record, kMostMeetingRecords, factors->mutable_meeting_ends());
}

void AddStamp(const Touchpoint& touchpoint, int most,
              google::protobuf::RepeatedPtrField<state::v1::Stamp>* stamps) {
  state::v1::Stamp stamp;
  SetStamp(touchpoint, &stamp);
  AddToLatest(stamps, std::move(stamp), most,
              [](const auto& a, const auto& b) { return Earlier(a, b); });
}

state::v1::ComplaintFactor* Complaint(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_complaints(), complaint_id, id, kMostComplaints);
}

void FoldComplaintOpened(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& opened = touchpoint.complaint_opened();
  auto* complaint = Complaint(opened.complaint_id(), factors);
  if (complaint == nullptr || !TakeIfLater(touchpoint, complaint->mutable_opened())) return;
  complaint->set_severity(opened.severity());
  if (opened.has_answer_due_at()) {
    *complaint->mutable_answer_due_at() = opened.answer_due_at();
  } else {
    complaint->clear_answer_due_at();
  }
}

void FoldComplaintClosed(const Touchpoint& touchpoint, absl::string_view id, RiskFactors* factors) {
  auto* complaint = Complaint(id, factors);
  if (complaint == nullptr || !TakeIfLater(touchpoint, complaint->mutable_closed())) return;
  complaint->set_rejected(touchpoint.has_complaint_rejected());
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

void FoldCommitmentMoved(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& moved = touchpoint.commitment_moved();
  FoldPromise(touchpoint, moved.commitment_id(), moved.has_due_at(), moved.due_at(), factors);
  if (moved.agreed_by_client()) return;
  if (auto* commitment = Commitment(moved.commitment_id(), factors))
    TakeIfLater(touchpoint, commitment->mutable_moved_alone());
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
  const auto& scored = touchpoint.satisfaction_scored();
  const int permille = SatisfactionPermille(scored);
  if (permille < 0) return;
  auto* series = factors->mutable_satisfaction_series();
  auto place = std::find_if(series->begin(), series->end(),
                            [&](const auto& each) { return each.scale() >= scored.scale(); });
  if (place == series->end() || place->scale() != scored.scale()) {
    const auto index = static_cast<int>(place - series->begin());
    series->Add()->set_scale(scored.scale());
    for (int i = series->size() - 1; i > index; --i) series->SwapElements(i, i - 1);
    place = series->begin() + index;
  }
  state::v1::SatisfactionFactor score;
  SetStamp(touchpoint, score.mutable_stamp());
  score.set_permille(permille);
  AddToLatest(place->mutable_scores(), std::move(score), kMostScores,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

void FoldMood(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& observed = touchpoint.sentiment_observed();
  const int sure = observed.has_confidence_permille()
                       ? std::clamp(observed.confidence_permille(), 0, 1000)
                       : 1000;
  state::v1::MoodFactor mood;
  SetStamp(touchpoint, mood.mutable_stamp());
  mood.set_permille(std::clamp(observed.sentiment_permille(), -1000, 1000) * sure / 1000);
  AddToLatest(factors->mutable_moods(), std::move(mood), kMostMoods,
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
  if (!added && !said.has_influence() && !said.has_name() && !said.has_phone()) return;
  auto* stakeholder = StakeholderOf(said.stakeholder_id(), factors);
  if (stakeholder == nullptr) return;
  if (added) TakeIfLater(touchpoint, stakeholder->mutable_added());
  if (said.has_influence() && TakeIfLater(touchpoint, stakeholder->mutable_judged()))
    stakeholder->set_influence(said.influence());
  if (said.has_name() && TakeIfLater(touchpoint, stakeholder->mutable_named()))
    stakeholder->set_name(said.name());
  if (said.has_phone() && TakeIfLater(touchpoint, stakeholder->mutable_phone_told()))
    stakeholder->set_phone(said.phone());
}

state::v1::ObjectionFactor* Objection(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_objections(), objection_id, id, kMostObjections);
}

void FoldObjectionRaised(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& raised = touchpoint.objection_raised();
  auto* objection = Objection(raised.objection_id(), factors);
  if (objection == nullptr || !TakeIfLater(touchpoint, objection->mutable_raised())) return;
  objection->set_deal_id(raised.deal_id());
}

void FoldAssignment(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& assigned = touchpoint.owner_assigned();
  state::v1::AssignmentFactor assignment;
  SetStamp(touchpoint, assignment.mutable_stamp());
  assignment.set_handover(!assigned.from_owner_id().empty() &&
                          assigned.from_owner_id() != assigned.to_owner_id());
  AddToLatest(factors->mutable_assignments(), std::move(assignment), kMostAssignments,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

state::v1::ConsentFactor* Consent(absl::string_view purpose, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_consents(), purpose, purpose, kMostConsents);
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

void FoldLastTouchpoint(const Touchpoint& touchpoint, RiskFactors* factors) {
  if (touchpoint.has_history_closed()) return;
  const auto& at = touchpoint.occurred_at();
  if (factors->has_last_touchpoint_at() && CompareTimes(at, factors->last_touchpoint_at()) <= 0) {
    return;
  }
  *factors->mutable_last_touchpoint_at() = at;
}

void FoldDetails(const Touchpoint& touchpoint, const touchpoint::v1::ClientDetails& details,
                 RiskFactors* factors) {
  if (TellsLabel(touchpoint)) FoldClientLabel(touchpoint, factors->mutable_label());
  if (details.has_contact_preference()) {
    auto* preference = factors->mutable_contact_preference();
    if (TakeIfLater(touchpoint, preference->mutable_stamp()))
      *preference->mutable_preference() = details.contact_preference();
  }
  if (!details.has_key_account()) return;
  auto* key_account = factors->mutable_key_account();
  if (TakeIfLater(touchpoint, key_account->mutable_stamp()))
    key_account->set_flag(details.key_account());
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
  FoldLastTouchpoint(touchpoint, factors);
  switch (touchpoint.payload_case()) {
    case Touchpoint::kOrderPlaced:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kOrderShipped:
    case Touchpoint::kInvoiceIssued:
    case Touchpoint::kPaymentReceived:
    case Touchpoint::kContractSigned:
    case Touchpoint::kContractRenewed:
    case Touchpoint::kContractTerminated:
      FoldBackOffice(touchpoint, factors);
      return;
    case Touchpoint::kCallCompleted:
      FoldCall(touchpoint, factors);
      return;
    case Touchpoint::kEmailExchanged:
      FoldMail(touchpoint, factors);
      return;
    case Touchpoint::kMeetingHeld:
      AddToRhythm(touchpoint, factors->mutable_meetings());
      FoldMeetingEnd(touchpoint, touchpoint.meeting_held().meeting_id(), factors);
      return;
    case Touchpoint::kMeetingPlanned:
      FoldMeetingTime(touchpoint, touchpoint.meeting_planned().meeting_id(),
                      touchpoint.meeting_planned().planned_at(), factors);
      return;
    case Touchpoint::kMeetingMoved:
      FoldMeetingTime(touchpoint, touchpoint.meeting_moved().meeting_id(),
                      touchpoint.meeting_moved().planned_at(), factors);
      return;
    case Touchpoint::kMeetingCancelled:
      FoldMeetingEnd(touchpoint, touchpoint.meeting_cancelled().meeting_id(), factors);
      if (touchpoint.meeting_cancelled().by_client())
        AddStamp(touchpoint, kMostCancelledMeetings, factors->mutable_cancelled_meetings());
      return;
    case Touchpoint::kChatExchanged:
      FoldChat(touchpoint, factors);
      return;
    case Touchpoint::kLetterExchanged:
      if (!FromUs(touchpoint)) AddToRhythm(touchpoint, factors->mutable_letters());
      return;
    case Touchpoint::kPortalUsed:
      FoldPortal(touchpoint, factors);
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
    case Touchpoint::kCommitmentMoved:
      FoldCommitmentMoved(touchpoint, factors);
      return;
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
    case Touchpoint::kSentimentObserved:
      FoldMood(touchpoint, factors);
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
    case Touchpoint::kClientRegistered:
      FoldDetails(touchpoint, touchpoint.client_registered().details(), factors);
      return;
    case Touchpoint::kClientDetailsChanged:
      FoldDetails(touchpoint, touchpoint.client_details_changed().details(), factors);
      return;
    case Touchpoint::kObjectionRaised:
      FoldObjectionRaised(touchpoint, factors);
      return;
    case Touchpoint::kObjectionSettled:
      if (auto* objection = Objection(touchpoint.objection_settled().objection_id(), factors))
        TakeIfLater(touchpoint, objection->mutable_settled());
      return;
    case Touchpoint::kOwnerAssigned:
      FoldAssignment(touchpoint, factors);
      return;
    case Touchpoint::kConsentGiven:
      if (auto* consent = Consent(touchpoint.consent_given().purpose(), factors))
        TakeIfLater(touchpoint, consent->mutable_given());
      return;
    case Touchpoint::kConsentWithdrawn:
      if (auto* consent = Consent(touchpoint.consent_withdrawn().purpose(), factors))
        TakeIfLater(touchpoint, consent->mutable_withdrawn());
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
    case Touchpoint::kNoteTaken:
    case Touchpoint::kDealNextStepSet:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kIdentifierUnlinked:
    case Touchpoint::kClientsDistinguished:
    case Touchpoint::kNeedIdentified:
    case Touchpoint::kDealStageChanged:
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kTargetSet:
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

int AnsweredCallsAt(const RiskFactors& factors, size_t hour) {
  const std::string& hours = factors.answered_call_hours();
  if (hours.empty()) return 0;
  return static_cast<uint8_t>(hours[hour / 2]) >> (hour % 2 == 0 ? 0 : 4) & 0xf;
}

void AnswerMail(const InboundMail& mail, absl::Time at, RiskFactors* factors) {
  std::string record;
  AppendBig32(&record, static_cast<uint32_t>(absl::ToUnixSeconds(at)));
  AppendBig32(&record, mail.thread);
  KeepMail(record, kMostOutboundMails, factors->mutable_outbound_mails());
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

std::optional<absl::Time> NextPlannedMeeting(const RiskFactors& factors, absl::Time at) {
  const absl::string_view plans = factors.meeting_plans();
  const absl::string_view ends = factors.meeting_ends();
  std::optional<absl::Time> next;
  const size_t count = CountRecords(plans, kMeetingPlanBytes);
  for (size_t i = 0; i < count; ++i) {
    const absl::string_view plan = RecordAt(plans, kMeetingPlanBytes, i);
    const uint32_t told = ReadBig32(plan.data());
    const uint32_t meeting = ReadBig32(plan.data() + 4);
    const absl::Time begins = absl::FromUnixSeconds(ReadBig32(plan.data() + 8));
    bool holds = begins > at;
    for (size_t later = i + 1; holds && later < count; ++later) {
      holds = ReadBig32(RecordAt(plans, kMeetingPlanBytes, later).data() + 4) != meeting;
    }
    for (size_t end = 0; holds && end < CountRecords(ends, kMeetingEndBytes); ++end) {
      const absl::string_view ended = RecordAt(ends, kMeetingEndBytes, end);
      holds = ReadBig32(ended.data() + 4) != meeting || ReadBig32(ended.data()) < told;
    }
    if (holds && (!next || begins < *next)) next = begins;
  }
  return next;
}

}  // namespace rapport
