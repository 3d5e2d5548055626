#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// The clients of a firm that sells to firms, and what is true of them: who decides to leave, when,
// and whether it lets that show. The rates were chosen for being plausible, and not for what the
// projection makes of them.
//
// - 6 of 10 clients are there from the beginning, the others come within two years.
// - A client orders every 30 days, more or less: the rates are gamma-distributed over clients, with
//   shape 3, and a client's gaps with shape 2. It keeps in touch by some of the channels, each at
//   its own rate.
// - In a year 4 of 10 clients let 40 to 120 days go by from one order to the next and mean nothing
//   by it; contacts become fewer meanwhile.
// - In a year 1 of 5 clients decides to leave. Half of those order no more from then on, the others
//   for up to 60 days. Contacts become few, and after 60 days hardly any are left.
// - 3 of 10 of those who leave do so without a word: nothing shows but what shows of everybody.
// - In a year 8 of 100 clients go through a crisis and stay: signs like those of leavers, half as
//   often, but things are put right in time.

namespace rapport::testing {

// What may show. Each goes well (the complaint is settled within days, the mail answered late, the
// call returned) or, of those who leave, badly: it stays as it is, or for long.
enum class Sign {
  kNotice,  // of a yearly contract, which every other client has; goes well: renewed after all
  kComplaint,
  kPromiseOverdue,
  kPromiseMoved,
  kMailUnanswered,
  kCallMissed,
  kPortalFailure,
  kMeetingCalledOff,
  kLowScore,
  kBadMood,
  kCompetitor,
  kDecisionMakerLeft,
  kObjection,
  kOwnerChanged,
  kConsentWithdrawn,
  kOrderCancelled,
  kInvoiceOverdue,
  kShipmentLate,
  kShipmentPartial,
  // These three begin 60 days earlier, since they show only after a while; go well: for 90 days.
  kOrdersShrink,    // to a third
  kOrdersRarer,     // gaps twice as long
  kPortalUseFades,  // to a third
};

struct SignRate {
  Sign sign;
  // Of 100 clients who leave and let it show, from 40 days before they decide to 20 days after; of
  // notice, of those who have a contract.
  int leaving;
  // Of 1000 clients, whether they stay or not, in any 60 days; these go well.
  int usual;
};

inline constexpr SignRate kSignRates[] = {
    {Sign::kNotice, 70, 3},           {Sign::kComplaint, 55, 80},
    {Sign::kPromiseOverdue, 30, 50},  {Sign::kPromiseMoved, 8, 20},
    {Sign::kMailUnanswered, 25, 40},  {Sign::kCallMissed, 20, 40},
    {Sign::kPortalFailure, 8, 40},    {Sign::kMeetingCalledOff, 20, 30},
    {Sign::kLowScore, 20, 30},        {Sign::kBadMood, 25, 50},
    {Sign::kCompetitor, 25, 30},      {Sign::kDecisionMakerLeft, 12, 8},
    {Sign::kObjection, 12, 30},       {Sign::kOwnerChanged, 8, 20},
    {Sign::kConsentWithdrawn, 10, 8}, {Sign::kOrderCancelled, 10, 20},
    {Sign::kInvoiceOverdue, 20, 40},  {Sign::kShipmentLate, 15, 50},
    {Sign::kShipmentPartial, 6, 30},  {Sign::kOrdersShrink, 25, 10},
    {Sign::kOrdersRarer, 20, 10},     {Sign::kPortalUseFades, 20, 10},
};

struct WorldOptions {
  uint64_t seed = 1;
  int clients = 600;
  absl::Time start = absl::FromUnixSeconds(1672531200);  // 2023-01-01
  int days = 3 * 365;
};

struct WorldClient {
  std::string id;
  // In the order of time. What goes as it should and is no contact, such as an invoice that is paid
  // in time, is left out.
  std::vector<touchpoint::v1::Touchpoint> history;
  // The truth: when it decided to leave, if it did, as days since 1970.
  std::optional<int32_t> decided_day;
  bool lets_it_show = false;
};

// The same options give the same clients.
std::vector<WorldClient> MakeClients(const WorldOptions& options);

}  // namespace rapport::testing
