#include "libs/projections/retention/back_office_factors.h"

#include <algorithm>
#include <limits>

#include "libs/base/bytes.h"
#include "libs/base/money.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/retention/records.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using state::v1::RiskFactors;
using touchpoint::v1::Touchpoint;

constexpr int kMostCurrencies = 8;
constexpr int kMostPaidCurrencies = 2;
constexpr int kMostCancellations = 8;
constexpr int kMostContracts = 32;
constexpr int kMostInvoices = 16;
constexpr int kMostLateShipments = 4;
constexpr int kMostPartialShipments = 4;
constexpr size_t kMostRecentOrders = 8;
constexpr size_t kMostCompleteShipments = 8;
constexpr size_t kRecentOrderBytes = 16;
constexpr size_t kCompleteShipmentBytes = 8;
constexpr int kAmountBytes = 6;
constexpr int64_t kMostAmount = (int64_t{1} << (8 * kAmountBytes)) - 1;
constexpr int64_t kSecondsPerYear = 31557600;  // of 365.25 days

void AddToSum(const touchpoint::v1::Money& amount, int most,
              google::protobuf::RepeatedPtrField<state::v1::CurrencySum>* sums) {
  if (amount.currency_code().empty()) return;
  auto* kept = RAPPORT_FIND_OR_ADD(sums, currency_code, amount.currency_code(), most);
  if (kept == nullptr) return;
  MoneySum sum(kept->minor_units(), kept->overflows());
  sum.Add(amount.minor_units());
  kept->set_minor_units(sum.minor_units());
  kept->set_overflows(sum.overflows());
  kept->set_count(kept->count() + 1);
}

void FoldOrder(const Touchpoint& touchpoint, RiskFactors* factors) {
  AddToRhythm(touchpoint, factors->mutable_orders());
  const auto& placed = touchpoint.order_placed();
  auto* ordered = factors->mutable_ordered();
  ordered->set_lines(ordered->lines() + std::max(0, placed.line_count()));
  AddToSum(placed.amount(), kMostCurrencies, ordered->mutable_amounts());
  std::string record;
  AppendBig32(&record, RecordSeconds(touchpoint));
  AppendBig32(&record, RecordHash(placed.order_id()));
  const uint64_t amount =
      static_cast<uint64_t>(std::clamp<int64_t>(placed.amount().minor_units(), 0, kMostAmount));
  AppendBig64(&record, uint64_t{CurrencyTag(placed.amount().currency_code())} << 48 | amount);
  KeepRecord(record, kMostRecentOrders, factors->mutable_recent_orders());
}

void FoldCancellation(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& cancelled = touchpoint.order_cancelled();
  state::v1::CancellationFactor cancellation;
  SetStamp(touchpoint, cancellation.mutable_stamp());
  cancellation.set_order_hash(RecordHash(cancelled.order_id()));
  cancellation.set_by_client(cancelled.by_client());
  if (cancelled.has_amount()) cancellation.set_minor_units(cancelled.amount().minor_units());
  AddToLatest(factors->mutable_cancellations(), std::move(cancellation), kMostCancellations,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

void FoldShipment(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& shipped = touchpoint.order_shipped();
  state::v1::Stamp stamp;
  SetStamp(touchpoint, &stamp);
  if (shipped.has_promised_at() &&
      CompareTimes(touchpoint.occurred_at(), shipped.promised_at()) > 0)
    AddToLatest(factors->mutable_late_shipments(), stamp, kMostLateShipments,
                [](const auto& a, const auto& b) { return Earlier(a, b); });
  const uint32_t order_hash = RecordHash(shipped.order_id());
  if (shipped.complete()) {
    std::string record;
    AppendBig32(&record, RecordSeconds(touchpoint));
    AppendBig32(&record, order_hash);
    KeepRecord(record, kMostCompleteShipments, factors->mutable_complete_shipments());
    return;
  }
  state::v1::PartialShipmentFactor partial;
  *partial.mutable_stamp() = stamp;
  partial.set_order_hash(order_hash);
  AddToLatest(factors->mutable_partial_shipments(), std::move(partial), kMostPartialShipments,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

state::v1::InvoiceFactor* Invoice(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_invoices(), invoice_id, id, kMostInvoices);
}

void FoldInvoice(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& issued = touchpoint.invoice_issued();
  auto* invoice = Invoice(issued.invoice_id(), factors);
  if (invoice == nullptr || !TakeIfLater(touchpoint, invoice->mutable_issued())) return;
  invoice->set_minor_units(issued.amount().minor_units());
  invoice->set_currency_code(issued.amount().currency_code());
  if (issued.has_due_at()) {
    *invoice->mutable_due_at() = issued.due_at();
  } else {
    invoice->clear_due_at();
  }
}

void FoldPayment(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& payment = touchpoint.payment_received();
  if (payment.invoice_id().empty()) return;
  if (auto* invoice = Invoice(payment.invoice_id(), factors))
    AddToSum(payment.amount(), kMostPaidCurrencies, invoice->mutable_payments());
}

state::v1::ContractFactor* Contract(absl::string_view id, RiskFactors* factors) {
  return RAPPORT_FIND_OR_ADD(factors->mutable_contracts(), contract_id, id, kMostContracts);
}

// What is told is for the whole term, or for a year when there is no end.
std::optional<int64_t> YearlyValue(const touchpoint::v1::ContractTerms& terms) {
  if (!terms.has_value()) return std::nullopt;
  const int64_t value = terms.value().minor_units();
  const int64_t seconds = terms.ends_at().seconds() - terms.starts_at().seconds();
  if (!terms.has_ends_at() || !terms.has_starts_at() || seconds <= kSecondsPerYear) return value;
  return static_cast<int64_t>(static_cast<__int128>(value) * kSecondsPerYear / seconds);
}

void FoldContract(const Touchpoint& touchpoint, absl::string_view id,
                  const touchpoint::v1::ContractTerms& terms, RiskFactors* factors) {
  auto* contract = Contract(id, factors);
  if (contract == nullptr || !TakeIfLater(touchpoint, contract->mutable_agreed())) return;
  if (terms.has_renewal_due_at()) {
    *contract->mutable_renewal_due_at() = terms.renewal_due_at();
  } else if (terms.has_ends_at()) {
    *contract->mutable_renewal_due_at() = terms.ends_at();
  } else {
    contract->clear_renewal_due_at();
  }
  contract->set_auto_renewal(terms.auto_renewal());
  if (const auto value = YearlyValue(terms)) {
    contract->set_yearly_minor_units(*value);
    contract->set_currency_code(terms.value().currency_code());
  } else {
    contract->clear_yearly_minor_units();
    contract->clear_currency_code();
  }
}

void FoldTermination(const Touchpoint& touchpoint, RiskFactors* factors) {
  const auto& terminated = touchpoint.contract_terminated();
  auto* contract = Contract(terminated.contract_id(), factors);
  if (contract == nullptr || !TakeIfLater(touchpoint, contract->mutable_terminated())) return;
  contract->set_reason(terminated.reason());
  if (terminated.has_ends_at()) {
    *contract->mutable_ends_at() = terminated.ends_at();
  } else {
    contract->clear_ends_at();
  }
}

}  // namespace

void FoldBackOffice(const Touchpoint& touchpoint, RiskFactors* factors) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kOrderPlaced:
      return FoldOrder(touchpoint, factors);
    case Touchpoint::kOrderCancelled:
      return FoldCancellation(touchpoint, factors);
    case Touchpoint::kOrderShipped:
      return FoldShipment(touchpoint, factors);
    case Touchpoint::kInvoiceIssued:
      return FoldInvoice(touchpoint, factors);
    case Touchpoint::kPaymentReceived:
      return FoldPayment(touchpoint, factors);
    case Touchpoint::kContractSigned:
      return FoldContract(touchpoint, touchpoint.contract_signed().contract_id(),
                          touchpoint.contract_signed().terms(), factors);
    case Touchpoint::kContractRenewed:
      return FoldContract(touchpoint, touchpoint.contract_renewed().contract_id(),
                          touchpoint.contract_renewed().terms(), factors);
    case Touchpoint::kContractTerminated:
      return FoldTermination(touchpoint, factors);
    default:
      return;
  }
}

bool IsNotice(touchpoint::v1::TerminationReason reason) {
  return reason == touchpoint::v1::TERMINATION_REASON_CLIENT_CANCELLED ||
         reason == touchpoint::v1::TERMINATION_REASON_UNSPECIFIED;
}

uint16_t CurrencyTag(const std::string& currency_code) {
  if (currency_code.size() != 3) return 0;
  int tag = 0;
  for (const char letter : currency_code) {
    if (letter < 'A' || letter > 'Z') return 0;
    tag = tag * 27 + (letter - 'A' + 1);
  }
  return static_cast<uint16_t>(tag);
}

std::vector<RecentOrder> RecentOrders(const RiskFactors& factors) {
  const size_t count = CountRecords(factors.recent_orders(), kRecentOrderBytes);
  std::vector<RecentOrder> orders(count);
  for (size_t i = 0; i < count; ++i) {
    const char* record = RecordAt(factors.recent_orders(), kRecentOrderBytes, i).data();
    const uint64_t money = ReadBig64(record + 8);
    orders[i].unix_seconds = ReadBig32(record);
    orders[i].order_hash = ReadBig32(record + 4);
    orders[i].currency = static_cast<uint16_t>(money >> 48);
    orders[i].minor_units = static_cast<int64_t>(money & static_cast<uint64_t>(kMostAmount));
  }
  return orders;
}

uint16_t LatestCurrency(const RiskFactors& factors) {
  const std::string& records = factors.recent_orders();
  if (records.size() < kRecentOrderBytes) return 0;
  return static_cast<uint16_t>(ReadBig64(records.data() + records.size() - 8) >> 48);
}

bool IsTakenBack(const RecentOrder& order, const RiskFactors& factors) {
  if (order.order_hash == 0) return false;
  MoneySum taken;
  for (const auto& cancellation : factors.cancellations()) {
    if (!cancellation.by_client() || cancellation.order_hash() != order.order_hash) continue;
    if (!cancellation.has_minor_units()) return true;
    taken.Add(cancellation.minor_units());
  }
  return order.minor_units > 0 && taken.Saturated() >= order.minor_units;
}

bool IsOfWhole(const state::v1::CancellationFactor& cancellation, const RiskFactors& factors) {
  if (!cancellation.has_minor_units()) return true;
  if (cancellation.order_hash() == 0) return false;
  for (const RecentOrder& order : RecentOrders(factors)) {
    if (order.order_hash == cancellation.order_hash())
      return order.minor_units > 0 && cancellation.minor_units() >= order.minor_units;
  }
  return false;
}

std::optional<state::v1::Rhythm> OrdersThatStand(const RiskFactors& factors) {
  if (factors.cancellations().empty()) return std::nullopt;
  const std::vector<RecentOrder> orders = RecentOrders(factors);
  std::vector<int32_t> taken_back;
  std::vector<int32_t> standing;
  for (const RecentOrder& order : orders)
    (IsTakenBack(order, factors) ? taken_back : standing).push_back(DayOf(order.unix_seconds));
  // Of the oldest day some orders may not be kept any more.
  if (orders.size() >= kMostRecentOrders) standing.push_back(DayOf(orders[0].unix_seconds));
  state::v1::Rhythm rhythm = factors.orders();
  bool changed = false;
  for (const int32_t day : taken_back) {
    if (std::find(standing.begin(), standing.end(), day) != standing.end()) continue;
    changed = RemoveFromRhythm(day, &rhythm) || changed;
  }
  if (!changed) return std::nullopt;
  return rhythm;
}

bool IsCompleted(const state::v1::PartialShipmentFactor& shipment, const RiskFactors& factors) {
  const std::string& records = factors.complete_shipments();
  const size_t count = CountRecords(records, kCompleteShipmentBytes);
  const auto seconds = shipment.stamp().occurred_at().seconds();
  for (size_t i = 0; i < count; ++i) {
    const char* record = RecordAt(records, kCompleteShipmentBytes, i).data();
    if (i == 0 && count >= kMostCompleteShipments && seconds <= ReadBig32(record)) return true;
    if (ReadBig32(record + 4) == shipment.order_hash() && ReadBig32(record) >= seconds) return true;
  }
  return false;
}

int64_t Unpaid(const state::v1::InvoiceFactor& invoice) {
  if (!invoice.has_issued()) return 0;
  MoneySum left(invoice.minor_units(), 0);
  for (const auto& paid : invoice.payments()) {
    if (paid.currency_code() != invoice.currency_code()) continue;
    const MoneySum sum(paid.minor_units(), paid.overflows());
    if (sum.Saturated() == std::numeric_limits<int64_t>::min()) continue;
    left.Add(-sum.Saturated());
  }
  return left.Saturated();
}

}  // namespace rapport
