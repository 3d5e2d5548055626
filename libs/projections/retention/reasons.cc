#include "libs/projections/retention/reasons.h"

namespace rapport {

absl::string_view ReasonName(ReasonCode code) {
  switch (code) {
    case ReasonCode::kNoOrder:
      return "no_order";
    case ReasonCode::kNoCall:
      return "no_call";
    case ReasonCode::kNoMail:
      return "no_mail";
    case ReasonCode::kNoMeeting:
      return "no_meeting";
    case ReasonCode::kNoChat:
      return "no_chat";
    case ReasonCode::kNoLetter:
      return "no_letter";
    case ReasonCode::kNoPortalUse:
      return "no_portal_use";
    case ReasonCode::kComplaintOpen:
      return "complaint_open";
    case ReasonCode::kCommitmentOverdue:
      return "commitment_overdue";
    case ReasonCode::kCommitmentBroken:
      return "commitment_broken";
    case ReasonCode::kMailUnanswered:
      return "mail_unanswered";
    case ReasonCode::kSatisfactionFalling:
      return "satisfaction_falling";
    case ReasonCode::kCompetitorNamed:
      return "competitor_named";
    case ReasonCode::kDecisionMakerLeft:
      return "decision_maker_left";
    case ReasonCode::kRenewalUnplanned:
      return "renewal_unplanned";
    case ReasonCode::kLittleOrdered:
      return "little_ordered";
    case ReasonCode::kSmallOrders:
      return "small_orders";
    case ReasonCode::kNoticeGiven:
      return "notice_given";
    case ReasonCode::kContactMissed:
      return "contact_missed";
    case ReasonCode::kPortalFailing:
      return "portal_failing";
    case ReasonCode::kOrderCancelled:
      return "order_cancelled";
    case ReasonCode::kOrdersShrinking:
      return "orders_shrinking";
    case ReasonCode::kOrdersRarer:
      return "orders_rarer";
    case ReasonCode::kPortalUseFalling:
      return "portal_use_falling";
    case ReasonCode::kInvoiceOverdue:
      return "invoice_overdue";
    case ReasonCode::kShipmentLate:
      return "shipment_late";
    case ReasonCode::kShipmentPartial:
      return "shipment_partial";
    case ReasonCode::kMoodHostile:
      return "mood_hostile";
    case ReasonCode::kMeetingCancelled:
      return "meeting_cancelled";
    case ReasonCode::kObjectionOpen:
      return "objection_open";
    case ReasonCode::kComplaintsLately:
      return "complaints_lately";
    case ReasonCode::kOwnerChanged:
      return "owner_changed";
    case ReasonCode::kConsentWithdrawn:
      return "consent_withdrawn";
    case ReasonCode::kSatisfactionLow:
      return "satisfaction_low";
    case ReasonCode::kCommitmentMoved:
      return "commitment_moved";
    case ReasonCode::kSingleContact:
      return "single_contact";
  }
  return "";
}

}  // namespace rapport
