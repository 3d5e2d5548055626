#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/state/v1/retention.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Folds what the touchpoint tells into the risk factors of its client. The result is the same, bit
// for bit, for every order in which the same touchpoints come.
void FoldRiskFactors(const touchpoint::v1::Touchpoint& touchpoint, state::v1::RiskFactors* factors);

// Whether the client has asked to be erased.
bool IsGone(const state::v1::RiskFactors& factors);

// The folded mails, as stored in RiskFactors.inbound_mails.
struct InboundMail {
  uint32_t unix_seconds = 0;
  uint32_t thread = 0;
  absl::string_view event_id;
};
inline constexpr size_t kInboundMailBytes = 24;

InboundMail ReadInboundMail(const state::v1::RiskFactors& factors, size_t index);

// Whether we wrote in the thread of that mail at its time or later. Also true for a mail so old
// that our answer may have fallen out of what is kept.
bool IsAnswered(const state::v1::RiskFactors& factors, const InboundMail& mail);

// As if we wrote in the thread of that mail at `at`.
void AnswerMail(const InboundMail& mail, absl::Time at, state::v1::RiskFactors* factors);

// How many calls were answered in an hour of the day (UTC), 0 to 23; 15 for as many and more.
inline constexpr size_t kHoursPerDay = 24;
int AnsweredCallsAt(const state::v1::RiskFactors& factors, size_t hour);

// When the next meeting begins that is planned for after `at`, and neither held nor called off
// since; nullopt when there is none.
std::optional<absl::Time> NextPlannedMeeting(const state::v1::RiskFactors& factors, absl::Time at);

}  // namespace rapport
