#include "libs/backtest/history.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/step_order.h"

namespace rapport::backtest {

using touchpoint::v1::Touchpoint;

void History::Add(const Touchpoint& touchpoint) {
  const std::string& client = touchpoint.client_id();
  if (client.empty()) return;
  if (touchpoint.has_history_reopened()) {
    const auto place = clients_.find(client);
    if (place == clients_.end()) return;
    touchpoints_ -= static_cast<int64_t>(place->second.size());
    clients_.erase(place);
    return;
  }
  if (touchpoint.has_history_closed() || touchpoint.has_clock_advanced() ||
      touchpoint.has_clock_corrected())
    return;
  const absl::Time at = FromProto(touchpoint.occurred_at());
  if (at >= end_) return;
  clients_[client].push_back({absl::ToUnixNanos(at), StepRank(touchpoint), touchpoint.event_id(),
                              touchpoint.SerializeAsString()});
  Count(at);
}

void History::Count(absl::Time at) {
  first_ = std::min(first_, at);
  last_ = std::max(last_, at);
  ++touchpoints_;
}

History History::CutAt(absl::Time end) const {
  History past(std::min(end, end_));
  for (const auto& [client, entries] : clients_) {
    for (const Entry& entry : entries) {
      const absl::Time at = absl::FromUnixNanos(entry.nanos);
      if (at >= past.end_) continue;
      past.clients_[client].push_back(entry);
      past.Count(at);
    }
  }
  return past;
}

std::vector<std::string> History::Clients() const {
  std::vector<std::string> clients;
  for (const auto& [client, entries] : clients_) clients.push_back(client);
  return clients;
}

bool History::Before(const Entry& a, const Entry& b) {
  return std::tie(a.nanos, a.rank, a.event_id) < std::tie(b.nanos, b.rank, b.event_id);
}

std::vector<const History::Entry*> History::InOrder(const std::vector<Entry>& entries) {
  std::vector<const Entry*> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return Before(*a, *b); });
  order.erase(std::unique(order.begin(), order.end(),
                          [](const Entry* a, const Entry* b) {
                            return !Before(*a, *b) && !Before(*b, *a);
                          }),
              order.end());
  return order;
}

absl::Status History::Visit(const std::string& client_id,
                            absl::FunctionRef<void(const Touchpoint&)> visit) const {
  const auto place = clients_.find(client_id);
  if (place == clients_.end())
    return absl::NotFoundError(absl::StrCat("nothing is known of a client '", client_id, "'"));
  Touchpoint touchpoint;
  for (const Entry* entry : InOrder(place->second)) {
    if (!touchpoint.ParseFromString(entry->bytes))
      return absl::DataLossError(absl::StrCat("a touchpoint of '", client_id, "' is damaged"));
    visit(touchpoint);
  }
  return absl::OkStatus();
}

std::map<std::string, std::vector<OrderDay>> History::OrderDays() const {
  std::map<std::string, std::vector<OrderDay>> orders;
  for (const auto& [client, entries] : clients_) {
    Touchpoint touchpoint;
    for (const Entry* entry : InOrder(entries)) {
      if (!touchpoint.ParseFromString(entry->bytes) || !touchpoint.has_order_placed()) continue;
      const int32_t day = DayOf(touchpoint.occurred_at().seconds());
      std::vector<OrderDay>& days = orders[client];
      if (days.empty() || days.back().day != day) days.push_back({day, 0});
      days.back().value += std::max<int64_t>(0, touchpoint.order_placed().amount().minor_units());
    }
  }
  return orders;
}

}  // namespace rapport::backtest
