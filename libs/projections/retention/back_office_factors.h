#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rapport/state/v1/retention.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What the back office tells: orders and what became of them, invoices, contracts.

namespace rapport {

// The part of FoldRiskFactors for these kinds.
void FoldBackOffice(const touchpoint::v1::Touchpoint& touchpoint, state::v1::RiskFactors* factors);

// Whether a termination is notice given by the client. Where nobody says who ended the contract, it
// is taken for one.
bool IsNotice(touchpoint::v1::TerminationReason reason);

// An order as kept in RiskFactors.recent_orders.
struct RecentOrder {
  uint32_t unix_seconds = 0;
  uint32_t order_hash = 0;
  uint16_t currency = 0;    // CurrencyTag
  int64_t minor_units = 0;  // 0 also when it was not told
};

// Oldest first.
std::vector<RecentOrder> RecentOrders(const state::v1::RiskFactors& factors);

// Of the latest order; 0 when there is none or it was not told.
uint16_t LatestCurrency(const state::v1::RiskFactors& factors);

// The three letters of an ISO 4217 code in two bytes; 0 for anything else.
uint16_t CurrencyTag(const std::string& currency_code);

// Whether the client took this order back as a whole, at once or part by part.
bool IsTakenBack(const RecentOrder& order, const state::v1::RiskFactors& factors);

// Whether a cancellation is of a whole order, as far as the kept orders tell.
bool IsOfWhole(const state::v1::CancellationFactor& cancellation,
               const state::v1::RiskFactors& factors);

// The days with an order that was not taken back as a whole; nullopt when that are all days of
// RiskFactors.orders, as nearly always. An order is known as long as it is among the recent ones.
std::optional<state::v1::Rhythm> OrdersThatStand(const state::v1::RiskFactors& factors);

// Whether nothing was left to ship of that order at the time of that shipment or later. Also true
// for a shipment so old that the one which completed it may have fallen out of what is kept.
bool IsCompleted(const state::v1::PartialShipmentFactor& shipment,
                 const state::v1::RiskFactors& factors);

// What is still to be paid of the invoice, in minor units; 0 or less when nothing is. Nothing
// before the invoice itself has come.
int64_t Unpaid(const state::v1::InvoiceFactor& invoice);

}  // namespace rapport
