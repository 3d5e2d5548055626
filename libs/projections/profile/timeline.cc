#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr size_t kMostSummaryBytes = 200;
constexpr absl::string_view kEllipsis = "...";

// "DEAL_STAGE_MEETING_SET" without "DEAL_STAGE_": "meeting set"; empty for the zero value.
std::string Words(absl::string_view name, absl::string_view prefix) {
  if (name.size() <= prefix.size()) return "";
  name.remove_prefix(prefix.size());
  if (name == "UNSPECIFIED") return "";
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
}

std::string Stage(touchpoint::v1::DealStage stage) {
  return Words(touchpoint::v1::DealStage_Name(stage), "DEAL_STAGE_");
}

std::string Amount(const touchpoint::v1::Money& amount) {
  return FormatMoney(amount.minor_units(), amount.currency_code());
}

// " for 12.00 EUR", or nothing.
std::string For(bool has_amount, const touchpoint::v1::Money& amount) {
  return has_amount ? absl::StrCat(" for ", Amount(amount)) : "";
}

std::string Day(const google::protobuf::Timestamp& at) {
  return absl::FormatTime("%Y-%m-%d", FromProto(at), absl::UTCTimeZone());
}

std::string Until(bool has_time, const google::protobuf::Timestamp& at) {
  return has_time ? absl::StrCat(" until ", Day(at)) : "";
}

// ": text", or nothing.
std::string Colon(absl::string_view text) { return text.empty() ? "" : absl::StrCat(": ", text); }

// " text", or nothing.
std::string Space(absl::string_view text) { return text.empty() ? "" : absl::StrCat(" ", text); }

// "client wrote", "we wrote" by direction.
std::string Who(const Touchpoint& touchpoint, absl::string_view did) {
  return absl::StrCat(
      touchpoint.direction() == touchpoint::v1::DIRECTION_OUTBOUND ? "we " : "client ", did);
}

std::string Call(const Touchpoint& touchpoint) {
  const auto& call = touchpoint.call_completed();
  const std::string outcome =
      Words(touchpoint::v1::CallOutcome_Name(call.outcome()), "CALL_OUTCOME_");
  return absl::StrCat(Who(touchpoint, "called"), outcome.empty() ? "" : absl::StrCat(", ", outcome),
                      call.talk_seconds() > 0
                          ? absl::StrCat(", talked ", (call.talk_seconds() + 59) / 60, " min")
                          : "",
                      Colon(call.purpose()));
}

std::string Mail(const Touchpoint& touchpoint) {
  const auto& mail = touchpoint.email_exchanged();
  if (mail.bounce()) return absl::StrCat("our mail came back", Colon(mail.subject()));
  if (mail.auto_reply()) return absl::StrCat("automatic answer", Colon(mail.subject()));
  if (mail.copied()) return absl::StrCat("client got a copy of a mail", Colon(mail.subject()));
  return absl::StrCat(Who(touchpoint, "wrote a mail"), Colon(mail.subject()));
}

std::string Satisfaction(const touchpoint::v1::SatisfactionScored& scored) {
  const std::string& scale = touchpoint::v1::SatisfactionScale_Name(scored.scale());
  return absl::StrCat("scored ", scored.score(), Space(Words(scale, "SATISFACTION_SCALE_")),
                      Colon(scored.comment()));
}

std::string Order(const touchpoint::v1::OrderPlaced& placed) {
  return absl::StrCat(
      "ordered", For(placed.has_amount(), placed.amount()),
      placed.line_count() > 0
          ? absl::StrCat(" (", placed.line_count(), placed.line_count() == 1 ? " line)" : " lines)")
          : "");
}

std::string Complaint(const touchpoint::v1::ComplaintOpened& opened) {
  return absl::StrCat(
      "complained",
      opened.category() == touchpoint::v1::COMPLAINT_CATEGORY_UNSPECIFIED
          ? ""
          : absl::StrCat(" about ", Words(touchpoint::v1::ComplaintCategory_Name(opened.category()),
                                          "COMPLAINT_CATEGORY_")),
      Colon(opened.statement()));
}

std::string Owner(const touchpoint::v1::OwnerAssigned& assigned) {
  return assigned.to_owner_id().empty()
             ? "left without an owner"
             : absl::StrCat(assigned.to_owner_id(), " is the owner",
                            assigned.from_owner_id().empty()
                                ? ""
                                : absl::StrCat(", after ", assigned.from_owner_id()));
}

std::string NameOf(const touchpoint::v1::Stakeholder& stakeholder) {
  return stakeholder.name().empty() ? stakeholder.stakeholder_id() : stakeholder.name();
}

std::string Summary(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted:
      return Call(touchpoint);
    case Touchpoint::kEmailExchanged:
      return Mail(touchpoint);
    case Touchpoint::kOrderPlaced:
      return Order(touchpoint.order_placed());
    case Touchpoint::kClockAdvanced:
      return "time went on";
    case Touchpoint::kMeetingHeld:
      return absl::StrCat("met", Colon(touchpoint.meeting_held().agenda()));
    case Touchpoint::kMeetingCancelled:
      return absl::StrCat(touchpoint.meeting_cancelled().by_client() ? "client" : "we",
                          " cancelled a meeting", Colon(touchpoint.meeting_cancelled().reason()));
    case Touchpoint::kMeetingPlanned:
      return absl::StrCat("meeting planned for ", Day(touchpoint.meeting_planned().planned_at()),
                          Colon(touchpoint.meeting_planned().purpose()));
    case Touchpoint::kMeetingMoved:
      return absl::StrCat(touchpoint.meeting_moved().by_client() ? "client" : "we",
                          " moved a meeting to ", Day(touchpoint.meeting_moved().planned_at()),
                          Colon(touchpoint.meeting_moved().reason()));
    case Touchpoint::kNoteTaken:
      return absl::StrCat("note", Colon(touchpoint.note_taken().text()));
    case Touchpoint::kChatExchanged:
      return absl::StrCat("chatted", Colon(touchpoint.chat_exchanged().topic()));
    case Touchpoint::kLetterExchanged:
      return absl::StrCat(Who(touchpoint, "wrote a letter"),
                          Colon(touchpoint.letter_exchanged().topic()));
    case Touchpoint::kEmailDelivered:
      return absl::StrCat("mail found in ", touchpoint.email_delivered().mailbox());
    case Touchpoint::kPortalUsed:
      return absl::StrCat("used the portal", Colon(touchpoint.portal_used().action()),
                          Space(touchpoint.portal_used().feature()));
    case Touchpoint::kClientRegistered:
      return absl::StrCat("registered", Colon(touchpoint.client_registered().details().name()));
    case Touchpoint::kClientDetailsChanged:
      return "details changed";
    case Touchpoint::kStakeholderAdded:
      return absl::StrCat(NameOf(touchpoint.stakeholder_added().stakeholder()), " joined",
                          Colon(touchpoint.stakeholder_added().stakeholder().role()));
    case Touchpoint::kStakeholderChanged:
      return absl::StrCat("details of ", NameOf(touchpoint.stakeholder_changed().stakeholder()),
                          " changed");
    case Touchpoint::kStakeholderLeft:
      return absl::StrCat(touchpoint.stakeholder_left().stakeholder_id(), " left",
                          Colon(touchpoint.stakeholder_left().reason()));
    case Touchpoint::kIdentifierLinked:
      return absl::StrCat("known as ", touchpoint.identifier_linked().value());
    case Touchpoint::kIdentifierUnlinked:
      return absl::StrCat("no longer known as ", touchpoint.identifier_unlinked().value(),
                          Colon(touchpoint.identifier_unlinked().reason()));
    case Touchpoint::kClientsDistinguished:
      return absl::StrCat("is not ", touchpoint.clients_distinguished().other_client_id(),
                          Colon(touchpoint.clients_distinguished().reason()));
    case Touchpoint::kClientsMerged:
      return absl::StrCat(touchpoint.clients_merged().absorbed_client_id(), " goes on under ",
                          touchpoint.clients_merged().survivor_client_id());
    case Touchpoint::kClientsSplit:
      return absl::StrCat(touchpoint.clients_split().separated_client_id(), " was split off ",
                          touchpoint.clients_split().survivor_client_id());
    case Touchpoint::kOwnerAssigned:
      return Owner(touchpoint.owner_assigned());
    case Touchpoint::kConsentGiven:
      return absl::StrCat("consented to ", touchpoint.consent_given().purpose());
    case Touchpoint::kConsentWithdrawn:
      return absl::StrCat("withdrew the consent to ", touchpoint.consent_withdrawn().purpose());
    case Touchpoint::kErasureRequested:
      return "asked for its data to be erased";
    case Touchpoint::kNeedIdentified:
      return absl::StrCat("needs", Colon(touchpoint.need_identified().statement()));
    case Touchpoint::kObjectionRaised:
      return absl::StrCat("objected", Colon(touchpoint.objection_raised().statement()));
    case Touchpoint::kObjectionSettled:
      return absl::StrCat("objection settled", Colon(touchpoint.objection_settled().resolution()));
    case Touchpoint::kDealOpened:
      return absl::StrCat(
          "deal opened",
          For(touchpoint.deal_opened().has_amount(), touchpoint.deal_opened().amount()),
          Colon(touchpoint.deal_opened().title()));
    case Touchpoint::kDealStageChanged:
      return absl::StrCat("deal ", touchpoint.deal_stage_changed().deal_id(), " came to ",
                          Stage(touchpoint.deal_stage_changed().to_stage()));
    case Touchpoint::kDealAmountChanged:
      return absl::StrCat("deal ", touchpoint.deal_amount_changed().deal_id(), " is expected",
                          For(touchpoint.deal_amount_changed().has_amount(),
                              touchpoint.deal_amount_changed().amount()));
    case Touchpoint::kDealWon:
      return absl::StrCat("deal ", touchpoint.deal_won().deal_id(), " won",
                          For(touchpoint.deal_won().has_amount(), touchpoint.deal_won().amount()));
    case Touchpoint::kDealLost:
      return absl::StrCat(
          "deal ", touchpoint.deal_lost().deal_id(), " lost",
          Colon(Words(touchpoint::v1::DealLossReason_Name(touchpoint.deal_lost().reason()),
                      "DEAL_LOSS_REASON_")));
    case Touchpoint::kDealRemoved:
      return absl::StrCat(
          "deal ", touchpoint.deal_removed().deal_id(), " taken off the board",
          Colon(Words(touchpoint::v1::DealRemovalReason_Name(touchpoint.deal_removed().reason()),
                      "DEAL_REMOVAL_REASON_")));
    case Touchpoint::kDealNextStepSet:
      return absl::StrCat("next step of deal ", touchpoint.deal_next_step_set().deal_id(),
                          Colon(touchpoint.deal_next_step_set().next_step()));
    case Touchpoint::kCompetitorMentioned:
      return absl::StrCat("named the competitor ", touchpoint.competitor_mentioned().competitor());
    case Touchpoint::kTargetSet:
      return "a plan was set";
    case Touchpoint::kCommitmentMade:
      return absl::StrCat(
          "we promised",
          Until(touchpoint.commitment_made().has_due_at(), touchpoint.commitment_made().due_at()),
          Colon(touchpoint.commitment_made().statement()));
    case Touchpoint::kCommitmentKept:
      return absl::StrCat("we kept promise ", touchpoint.commitment_kept().commitment_id());
    case Touchpoint::kCommitmentBroken:
      return absl::StrCat("we broke promise ", touchpoint.commitment_broken().commitment_id(),
                          Colon(touchpoint.commitment_broken().reason()));
    case Touchpoint::kCommitmentMoved:
      return absl::StrCat("promise ", touchpoint.commitment_moved().commitment_id(), " was moved",
                          Until(touchpoint.commitment_moved().has_due_at(),
                                touchpoint.commitment_moved().due_at()));
    case Touchpoint::kComplaintOpened:
      return Complaint(touchpoint.complaint_opened());
    case Touchpoint::kComplaintSettled:
      return absl::StrCat("complaint ", touchpoint.complaint_settled().complaint_id(), " settled",
                          Colon(touchpoint.complaint_settled().resolution()));
    case Touchpoint::kComplaintRejected:
      return absl::StrCat("complaint ", touchpoint.complaint_rejected().complaint_id(), " rejected",
                          Colon(touchpoint.complaint_rejected().reason()));
    case Touchpoint::kSatisfactionScored:
      return Satisfaction(touchpoint.satisfaction_scored());
    case Touchpoint::kSentimentObserved:
      return absl::StrCat("mood ", touchpoint.sentiment_observed().sentiment_permille(),
                          " of 1000");
    case Touchpoint::kOrderShipped:
      return absl::StrCat("order ", touchpoint.order_shipped().order_id(), " shipped",
                          touchpoint.order_shipped().complete() ? "" : " in part");
    case Touchpoint::kOrderCancelled:
      return absl::StrCat(
          "order", Space(touchpoint.order_cancelled().order_id()), " cancelled",
          For(touchpoint.order_cancelled().has_amount(), touchpoint.order_cancelled().amount()),
          Colon(touchpoint.order_cancelled().reason()));
    case Touchpoint::kInvoiceIssued:
      return absl::StrCat("invoice ", touchpoint.invoice_issued().invoice_id(),
                          For(true, touchpoint.invoice_issued().amount()),
                          touchpoint.invoice_issued().has_due_at()
                              ? absl::StrCat(", due ", Day(touchpoint.invoice_issued().due_at()))
                              : "");
    case Touchpoint::kPaymentReceived:
      return absl::StrCat("paid ", Amount(touchpoint.payment_received().amount()));
    case Touchpoint::kContractSigned:
      return absl::StrCat("signed contract ", touchpoint.contract_signed().contract_id(),
                          Until(touchpoint.contract_signed().terms().has_ends_at(),
                                touchpoint.contract_signed().terms().ends_at()));
    case Touchpoint::kContractRenewed:
      return absl::StrCat("renewed contract ", touchpoint.contract_renewed().contract_id(),
                          Until(touchpoint.contract_renewed().terms().has_ends_at(),
                                touchpoint.contract_renewed().terms().ends_at()));
    case Touchpoint::kContractTerminated:
      return absl::StrCat("contract ", touchpoint.contract_terminated().contract_id(),
                          " terminated", Colon(touchpoint.contract_terminated().note()));
    case Touchpoint::kAlertAcknowledged:
      return "alert taken on";
    case Touchpoint::kAlertSnoozed:
      return absl::StrCat("alert snoozed", Until(touchpoint.alert_snoozed().has_snoozed_until(),
                                                 touchpoint.alert_snoozed().snoozed_until()));
    case Touchpoint::kAlertResolved:
      return absl::StrCat("alert resolved", Colon(touchpoint.alert_resolved().note()));
    case Touchpoint::kAlertDismissed:
      return absl::StrCat("alert dismissed", Colon(touchpoint.alert_dismissed().note()));
    case Touchpoint::kHistoryReopened:
      return "history is told anew";
    case Touchpoint::kHistoryClosed:
      return "history has been told";
    case Touchpoint::kTouchpointCorrected:
      return "a touchpoint was corrected";
    case Touchpoint::kDeadLetterRetried:
      return "a dead letter was retried";
    case Touchpoint::kDeadLetterSkipped:
      return "a dead letter was skipped";
    case Touchpoint::kClockCorrected:
      return "the clock was corrected";
    case Touchpoint::PAYLOAD_NOT_SET:
      return "something of an unknown kind";
  }
  return "";
}

}  // namespace

std::string SummaryLine(const Touchpoint& touchpoint) {
  std::string line = Summary(touchpoint);
  for (char& c : line)
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  if (line.size() <= kMostSummaryBytes) return line;
  size_t end = kMostSummaryBytes - kEllipsis.size();
  // Not within a character: its bytes after the first are 10xxxxxx.
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(absl::string_view(line).substr(0, end), kEllipsis);
}

std::string TimelineSortKey(const Touchpoint& touchpoint) {
  return TimelineSortKeyAt(FromProto(touchpoint.occurred_at())) + touchpoint.event_id();
}

std::string TimelineSortKeyAt(absl::Time at) {
  std::string key;
  AppendOrdered64(&key, absl::ToUnixNanos(at));
  return key;
}

query::v1::TimelineEntry TimelineEntryOf(const Touchpoint& touchpoint) {
  query::v1::TimelineEntry entry;
  entry.set_touchpoint_id(absl::BytesToHexString(touchpoint.event_id()));
  *entry.mutable_occurred_at() = touchpoint.occurred_at();
  if (touchpoint.has_recorded_at()) *entry.mutable_recorded_at() = touchpoint.recorded_at();
  entry.set_channel(touchpoint.channel());
  entry.set_direction(touchpoint.direction());
  const absl::string_view kind = KindFieldName(touchpoint.payload_case());
  entry.set_kind(kind.data(), kind.size());
  entry.set_summary(SummaryLine(touchpoint));
  entry.set_agent_id(touchpoint.agent_id());
  entry.set_source(touchpoint.source());
  entry.set_correlation_id(touchpoint.correlation_id());
  return entry;
}

}  // namespace rapport
