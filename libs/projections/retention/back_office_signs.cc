#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/base/money.h"
#include "libs/base/time.h"
#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/rhythm.h"

namespace rapport {
namespace {

void AddCancelledOrders(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  FadingSum cancelled(settings.order_cancelled_half_life, signs);
  int64_t by_client = 0;
  for (const auto& cancellation : signs->factors().cancellations()) {
    if (!IsOfWhole(cancellation, signs->factors())) continue;
    const size_t before = cancelled.stamps().size();
    cancelled.Add(
        cancellation.by_client() ? settings.order_cancelled : settings.order_cancelled_by_us,
        cancellation.stamp());
    if (cancellation.by_client() && cancelled.stamps().size() > before) ++by_client;
  }
  Finding* finding = signs->Add(ReasonCode::kOrderCancelled,
                                std::min(cancelled.sum(), settings.orders_cancelled_most));
  if (finding == nullptr) return;
  cancelled.Tell(finding);
  finding->facts.set_value(by_client);
}

// The latest orders against all before them, in the currency of the last one.
void AddShrinking(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const auto& factors = signs->factors();
  const uint16_t currency = LatestCurrency(factors);
  if (currency == 0) return;
  const std::vector<RecentOrder> recent = RecentOrders(factors);
  MoneySum latest_sum;
  int latest = 0;
  for (size_t i = recent.size(); i-- > 0 && latest < settings.orders_latest;) {
    if (recent[i].currency != currency) continue;
    latest_sum.Add(recent[i].minor_units);
    ++latest;
  }
  for (const auto& sum : factors.ordered().amounts()) {
    if (CurrencyTag(sum.currency_code()) != currency) continue;
    const int64_t before = sum.count() - latest;
    if (before < settings.orders_before) return;
    MoneySum before_sum(sum.minor_units(), sum.overflows());
    before_sum.Add(-latest_sum.minor_units());
    const double usual = static_cast<double>(before_sum.Saturated()) / static_cast<double>(before);
    const double lately = static_cast<double>(latest_sum.minor_units()) / latest;
    if (usual <= 0 || lately >= usual * settings.orders_shrunk_to) return;
    // An amount of nothing counts as one of a thousandth.
    const double ratio = std::max(lately / usual, 0.001);
    const double log_odds =
        std::min(settings.orders_shrinking * std::log(settings.orders_shrunk_to / ratio) +
                     settings.orders_shrinking_least,
                 settings.orders_shrinking_most);
    const absl::Time last = absl::FromUnixSeconds(recent.back().unix_seconds);
    Finding* finding = signs->Add(ReasonCode::kOrdersShrinking,
                                  log_odds * signs->Fading(last, settings.orders_trend_half_life));
    if (finding == nullptr) return;
    const auto tell = [&](double units, touchpoint::v1::Money* money) {
      money->set_minor_units(std::llround(units));
      money->set_currency_code(sum.currency_code());
    };
    finding->facts.set_count(latest);
    tell(lately, finding->facts.mutable_amount());
    tell(usual, finding->facts.mutable_usual_amount());
    CiteLast(factors.orders(), finding);
    return;
  }
}

// The middle one of the latest gaps between days against the mean of all before: one long gap, of
// somebody who was away, is not enough.
void AddRarer(const state::v1::Rhythm& rhythm, ReasonCode code, Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  const int before = RepeatDays(rhythm) - settings.gaps_latest;
  if (before < settings.gaps_before) return;
  const std::vector<int32_t> days =
      LatestDays(rhythm, static_cast<size_t>(settings.gaps_latest) + 1);
  std::vector<int32_t> gaps(days.size() - 1);
  for (size_t i = 0; i < gaps.size(); ++i) gaps[i] = days[i] - days[i + 1];
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<int>(gaps.size()) / 2, gaps.end());
  const int32_t lately = gaps[gaps.size() / 2];
  const double usual = static_cast<double>(days.back() - rhythm.first_day()) / before;
  if (lately <= usual * settings.rarer_by) return;
  const double log_odds = std::min(
      settings.rarer * std::log(lately / (usual * settings.rarer_by)) + settings.rarer_least,
      settings.rarer_most);
  const absl::Time last = absl::FromUnixSeconds(int64_t{rhythm.last_day()} * kSecondsPerDay);
  Finding* finding =
      signs->Add(code, log_odds * signs->Fading(last, settings.orders_trend_half_life));
  if (finding == nullptr) return;
  finding->facts.set_value(lately);
  finding->facts.set_usual_value(std::max(1LL, std::llround(usual)));
  CiteLast(rhythm, finding);
}

void AddInvoices(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  double sum = 0;
  double sum_later = 0;
  absl::Time oldest = absl::InfiniteFuture();
  std::vector<const state::v1::Stamp*> overdue;
  for (const auto& invoice : signs->factors().invoices()) {
    if (!invoice.has_due_at() || Unpaid(invoice) <= 0) continue;
    const absl::Time due = FromProto(invoice.due_at());
    const absl::Time begin = due + settings.invoice_grace;
    signs->ChangesAt(begin);
    signs->ChangesAt(due + settings.invoice_long_overdue);
    signs->ChangesAt(due + settings.invoice_over);
    if (signs->from() >= due + settings.invoice_over) continue;
    sum_later += 2 * settings.invoice_overdue;
    if (signs->from() < begin) continue;
    sum += settings.invoice_overdue * (signs->from() < due + settings.invoice_long_overdue ? 1 : 2);
    overdue.push_back(&invoice.issued());
    oldest = std::min(oldest, due);
  }
  Finding* finding =
      signs->AddGrowing(ReasonCode::kInvoiceOverdue, sum, sum_later, settings.invoices_most);
  if (finding == nullptr) return;
  TellCount(overdue.size(), oldest, finding);
  Cite(std::move(overdue), finding);
}

void AddShipments(Signs* signs) {
  const RetentionSettings& settings = signs->settings();
  FadingSum late(settings.shipment_half_life, signs);
  for (const auto& stamp : signs->factors().late_shipments())
    late.Add(settings.shipment_late, stamp);
  if (Finding* finding =
          signs->Add(ReasonCode::kShipmentLate, std::min(late.sum(), settings.shipments_most))) {
    late.Tell(finding);
  }
  FadingSum partial(settings.shipment_half_life, signs);
  for (const auto& shipment : signs->factors().partial_shipments())
    if (!IsCompleted(shipment, signs->factors()))
      partial.Add(settings.shipment_partial, shipment.stamp());
  if (Finding* finding = signs->Add(ReasonCode::kShipmentPartial,
                                    std::min(partial.sum(), settings.shipments_most))) {
    partial.Tell(finding);
  }
}

}  // namespace

void AddBackOfficeSigns(Signs* signs) {
  const auto& factors = signs->factors();
  if (factors.cancellations_size() > 0) AddCancelledOrders(signs);
  if (!factors.recent_orders().empty()) AddShrinking(signs);
  if (factors.has_orders()) AddRarer(factors.orders(), ReasonCode::kOrdersRarer, signs);
  if (factors.has_portal()) AddRarer(factors.portal(), ReasonCode::kPortalUseFalling, signs);
  if (factors.invoices_size() > 0) AddInvoices(signs);
  if (factors.late_shipments_size() > 0 || factors.partial_shipments_size() > 0)
    AddShipments(signs);
}

}  // namespace rapport
