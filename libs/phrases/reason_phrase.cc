#include "libs/phrases/reason_phrase.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

// Farther away, an end is told by its day.
constexpr int64_t kFarDays = 60;
constexpr absl::Duration kDay = absl::Hours(24);

std::string NoOrderId(int64_t count, bool against) {
  if (count == 1) return "reason.no_order.once";
  if (count == 2) return against ? "reason.no_order.twice_against" : "reason.no_order.twice";
  return against ? "reason.no_order.against" : "reason.no_order";
}

std::string OrderCancelledId(int64_t count, int64_t by_client) {
  if (by_client == count) return "reason.order_cancelled.client";
  return by_client == 0 ? "reason.order_cancelled.us" : "reason.order_cancelled";
}

// Which of a reason's sentences its facts call for; what they mean stands in
// libs/projections/retention/reason_text.h.
std::string IdOf(const ReasonToTell& reason) {
  const alert::v1::ReasonFacts& facts = reason.facts;
  const std::string& code = reason.code;
  const std::string id = absl::StrCat("reason.", code);
  const bool against = reason.points < 0;
  if (code == "no_order") return NoOrderId(facts.count(), against);
  if (code == "competitor_named" || code == "consent_withdrawn") {
    return facts.name().empty() ? absl::StrCat(id, ".unknown") : id;
  }
  if (code == "decision_maker_left") return facts.count() == 0 ? absl::StrCat(id, ".none") : id;
  if (code == "notice_given") return facts.has_until() ? absl::StrCat(id, ".until") : id;
  if (code == "order_cancelled") return OrderCancelledId(facts.count(), facts.value());
  return against && absl::StartsWith(code, "no_") ? absl::StrCat(id, ".against") : id;
}

std::string Until(const Phrases& phrases, const alert::v1::ReasonFacts& facts, absl::Time now) {
  if (!facts.has_until()) return "";
  const absl::Time until = FromProto(facts.until());
  const int64_t days = phrases.CalendarDays(now, until);
  if (std::abs(days) > kFarDays) return phrases.Day(until, now);
  return phrases.Relative(now + days * kDay, now);
}

}  // namespace

std::string ReasonPhrase(const Phrases& phrases, const ReasonToTell& reason, absl::Time now) {
  const std::string id = IdOf(reason);
  if (!phrases.Has(id)) {
    std::string text = reason.text.empty() ? reason.code : reason.text;
    if (!text.empty()) text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
    return text;
  }
  const alert::v1::ReasonFacts& facts = reason.facts;
  const absl::Time since = FromProto(facts.since());
  const int64_t days =
      facts.has_since() ? std::max<int64_t>(0, phrases.CalendarDays(since, now)) : 0;
  const bool rhythm = reason.code == "orders_rarer" || reason.code == "portal_use_falling";
  const auto every = [&phrases](int64_t n) { return phrases.Text("days.every", {{"n", n}}); };
  return phrases.Text(id,
                      {{"count", facts.count()},
                       {"value", facts.value()},
                       {"usual", facts.usual_value()},
                       {"name", facts.name()},
                       {"amount", phrases.Amount(facts.amount())},
                       {"usual_amount", phrases.Amount(facts.usual_amount())},
                       {"day", facts.has_since() ? phrases.Day(since, now) : ""},
                       {"ago", facts.has_since() ? phrases.Relative(now - days * kDay, now) : ""},
                       {"until", Until(phrases, facts, now)},
                       {"for", phrases.Text("days.count", {{"n", days}})},
                       {"every", every(rhythm ? facts.value() : facts.usual_value())},
                       {"usual_every", every(facts.usual_value())}});
}

}  // namespace rapport
