#include "libs/projections/retention/reason_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "libs/base/money.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using alert::v1::ReasonFacts;

std::string Day(const google::protobuf::Timestamp& moment) {
  return absl::FormatTime("%Y-%m-%d", FromProto(moment), absl::UTCTimeZone());
}

std::string Days(int64_t days) { return days == 1 ? "day" : absl::StrCat(days, " days"); }

std::string MoneyText(const touchpoint::v1::Money& money) {
  return FormatMoney(money.minor_units(), money.currency_code());
}

// `one` with $0 the day; `several` with $0 the number and $1 the day.
std::string Counted(const ReasonFacts& facts, absl::string_view one, absl::string_view several) {
  const std::string day = Day(facts.since());
  return facts.count() == 1 ? absl::Substitute(one, day)
                            : absl::Substitute(several, facts.count(), day);
}

std::string Silence(absl::string_view what, const ReasonFacts& facts, bool against) {
  return absl::StrCat(against ? "last " : "no ", what, against ? " on " : " since ",
                      Day(facts.since()), "; usually every ", Days(facts.usual_value()));
}

std::string NoOrder(const ReasonFacts& facts, bool against) {
  const std::string day = Day(facts.since());
  if (facts.count() == 1) return absl::StrCat("ordered on one day only, ", day);
  if (facts.count() == 2)
    return absl::StrCat(against ? "last order on " : "no order since ", day,
                        "; ordered on 2 days only");
  return Silence("order", facts, against);
}

std::string Notice(const ReasonFacts& facts) {
  return absl::StrCat("gave notice of ",
                      facts.count() == 1 ? absl::StrCat("contract ", facts.name())
                                         : absl::StrCat(facts.count(), " contracts"),
                      " on ", Day(facts.since()),
                      facts.has_until() ? absl::StrCat("; it ends on ", Day(facts.until())) : "");
}

std::string CancelledOrders(const ReasonFacts& facts) {
  const absl::string_view by = facts.value() == facts.count() ? " by the client"
                               : facts.value() == 0           ? " by us"
                                                              : "";
  const std::string day = Day(facts.since());
  if (facts.count() == 1) return absl::StrCat("an order was cancelled", by, " on ", day);
  return absl::StrCat(facts.count(), " orders were cancelled", by, ", the last one on ", day);
}

}  // namespace

std::string ReasonText(ReasonCode code, const ReasonFacts& facts, bool against) {
  const std::string since = Day(facts.since());
  switch (code) {
    case ReasonCode::kNoOrder:
      return NoOrder(facts, against);
    case ReasonCode::kNoCall:
      return Silence("phone call", facts, against);
    case ReasonCode::kNoMail:
      return Silence("mail from the client", facts, against);
    case ReasonCode::kNoMeeting:
      return Silence("meeting", facts, against);
    case ReasonCode::kNoChat:
      return Silence("chat", facts, against);
    case ReasonCode::kNoLetter:
      return Silence("letter", facts, against);
    case ReasonCode::kNoPortalUse:
      return Silence("use of the portal", facts, against);
    case ReasonCode::kLittleOrdered:
      return absl::StrCat("ordered for ", MoneyText(facts.amount()), " so far (",
                          MoneyText(facts.usual_amount()), " is usual)");
    case ReasonCode::kSmallOrders:
      return absl::StrCat("orders ", facts.value(), facts.value() == 1 ? " position" : " positions",
                          " at a time (", facts.usual_value(), " are usual)");
    case ReasonCode::kComplaintOpen:
      return Counted(facts, "a complaint has been open since $0",
                     "$0 complaints are open, the oldest since $1");
    case ReasonCode::kComplaintsLately:
      return Counted(facts, "a complaint was closed on $0",
                     "$0 complaints were closed lately, the last one on $1");
    case ReasonCode::kCommitmentOverdue:
      return Counted(facts, "a promise of ours has been overdue since $0",
                     "$0 promises of ours are overdue, the oldest since $1");
    case ReasonCode::kCommitmentBroken:
      return absl::StrCat("we broke a promise on ", since);
    case ReasonCode::kCommitmentMoved:
      return absl::StrCat("we put off a promise without the client's consent on ", since);
    case ReasonCode::kMailUnanswered:
      return Counted(facts, "a mail has been unanswered since $0",
                     "$0 mails are unanswered, the oldest since $1");
    case ReasonCode::kContactMissed:
      return Counted(facts, "the client tried to reach us on $0, and nobody answered",
                     "the client tried $0 times to reach us, the last time on $1, and nobody "
                     "answered");
    case ReasonCode::kPortalFailing:
      return Counted(facts, "the portal failed the client on $0",
                     "the portal failed the client $0 times, the last time on $1");
    case ReasonCode::kMeetingCancelled:
      return Counted(facts, "the client called a meeting off on $0",
                     "the client called $0 meetings off, the last one on $1");
    case ReasonCode::kSatisfactionFalling:
      return absl::StrCat("satisfaction fell to ", facts.value(), " of 100 on ", since,
                          "; before it was ", facts.usual_value());
    case ReasonCode::kSatisfactionLow:
      return absl::StrCat("satisfaction is low: ", facts.value(), " of 100 on ", since);
    case ReasonCode::kMoodHostile:
      return absl::StrCat("the client's mood is hostile, last seen on ", since);
    case ReasonCode::kCompetitorNamed:
      return absl::StrCat("named the competitor ",
                          facts.name().empty() ? "(unknown)" : facts.name(), " on ", since);
    case ReasonCode::kDecisionMakerLeft:
      return absl::StrCat("a decision maker left on ", since,
                          facts.count() == 0 ? ", and no other is known" : "");
    case ReasonCode::kRenewalUnplanned:
      return absl::StrCat("contract ", facts.name(), " is to be renewed by ", Day(facts.until()),
                          ", and nothing is planned");
    case ReasonCode::kNoticeGiven:
      return Notice(facts);
    case ReasonCode::kOrderCancelled:
      return CancelledOrders(facts);
    case ReasonCode::kOrdersShrinking:
      return absl::StrCat("the last ", facts.count(), " orders were of ", MoneyText(facts.amount()),
                          " on average, those before of ", MoneyText(facts.usual_amount()));
    case ReasonCode::kOrdersRarer:
      return absl::StrCat("orders every ", Days(facts.value()), " of late, before every ",
                          Days(facts.usual_value()));
    case ReasonCode::kPortalUseFalling:
      return absl::StrCat("uses the portal every ", Days(facts.value()), " of late, before every ",
                          Days(facts.usual_value()));
    case ReasonCode::kInvoiceOverdue:
      return Counted(facts, "an invoice has been overdue since $0",
                     "$0 invoices are overdue, the oldest since $1");
    case ReasonCode::kShipmentLate:
      return Counted(facts, "we shipped late on $0",
                     "we shipped late $0 times, the last time on $1");
    case ReasonCode::kShipmentPartial:
      return Counted(facts, "an order was shipped in part on $0, and the rest is missing",
                     "$0 shipments were in part, the last one on $1, and the rest is missing");
    case ReasonCode::kObjectionOpen:
      return Counted(facts, "an objection has been open since $0",
                     "$0 objections are open, the oldest since $1");
    case ReasonCode::kOwnerChanged:
      return Counted(facts, "was handed over to another manager on $0",
                     "was handed over $0 times, the last time on $1");
    case ReasonCode::kConsentWithdrawn:
      return absl::StrCat("took back its consent",
                          facts.name().empty() ? "" : absl::StrCat(" to ", facts.name()), " on ",
                          since);
    case ReasonCode::kSingleContact:
      return "all contact with the client hangs on one person";
  }
  return "";
}

}  // namespace rapport
