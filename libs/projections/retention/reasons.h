#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {

// Why a client is at risk. The numbers are stored (bit n of RetentionAlert.told_reason_codes):
// never change or reuse one.
enum class ReasonCode : int {
  kNoOrder = 0,
  kNoCall = 1,
  kNoMail = 2,
  kNoMeeting = 3,
  kNoChat = 4,
  kNoLetter = 5,
  kNoPortalUse = 6,
  kComplaintOpen = 7,
  kCommitmentOverdue = 8,
  kCommitmentBroken = 9,
  kMailUnanswered = 10,
  kSatisfactionFalling = 11,
  kCompetitorNamed = 12,
  kDecisionMakerLeft = 13,
  kRenewalUnplanned = 14,
  kLittleOrdered = 15,
  kSmallOrders = 16,
  kNoticeGiven = 17,
  kContactMissed = 18,
  kPortalFailing = 19,
  kOrderCancelled = 20,
  kOrdersShrinking = 21,
  kOrdersRarer = 22,
  kPortalUseFalling = 23,
  kInvoiceOverdue = 24,
  kShipmentLate = 25,
  kShipmentPartial = 26,
  kMoodHostile = 27,
  kMeetingCancelled = 28,
  kObjectionOpen = 29,
  kComplaintsLately = 30,
  kOwnerChanged = 31,
  kConsentWithdrawn = 32,
  kSatisfactionLow = 33,
  kCommitmentMoved = 34,
  kSingleContact = 35,
};
inline constexpr int kReasonCodes = 36;

// Stable name for programs, such as "no_order".
absl::string_view ReasonName(ReasonCode code);

// One factor that counts at a moment.
struct Finding {
  ReasonCode code = ReasonCode::kNoOrder;
  double log_odds = 0;
  alert::v1::ReasonFacts facts;             // what its sentence tells (reason_text.h)
  std::vector<std::string> touchpoint_ids;  // 16 bytes each, newest first, at most 10
};

}  // namespace rapport
