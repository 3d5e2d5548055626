#include "services/alerts/alert_book.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "services/alerts/alert_view.h"

namespace rapport {
namespace {

using alert::v1::AlertEvent;
using query::v1::Alert;
using query::v1::AlertStep;
using touchpoint::v1::Touchpoint;

constexpr size_t kMaxEarlyMarks = 10'000;

std::string PageCursor(int64_t before_us, absl::string_view alert_id) {
  std::string bytes;
  AppendOrdered64(&bytes, before_us);
  absl::StrAppend(&bytes, alert_id);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::pair<int64_t, std::string>> ParsePageCursor(absl::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes) || bytes.size() <= sizeof(int64_t)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cursor: '", absl::CHexEscape(text.substr(0, 40)),
                     "' is no cursor; take next_cursor from the page before"));
  }
  return std::make_pair(ReadOrdered64(bytes.data()), bytes.substr(sizeof(int64_t)));
}

const std::string& AlertIdOf(const Touchpoint& touchpoint) {
  return touchpoint.has_alert_acknowledged() ? touchpoint.alert_acknowledged().alert_id()
                                             : touchpoint.alert_snoozed().alert_id();
}

// Marks that come late lose against what happened after them.
void ApplyMark(const Touchpoint& touchpoint, Alert* alert) {
  if (alert->state() != query::v1::ALERT_STATE_OPEN) return;
  // Before an alert went away and came back.
  if (FromProto(touchpoint.occurred_at()) < FromProto(alert->raised_at())) return;
  const bool snoozed = touchpoint.has_alert_snoozed();
  query::v1::AlertMark mark;
  *mark.mutable_at() = touchpoint.occurred_at();
  mark.set_agent_id(touchpoint.agent_id());
  if (snoozed) {
    mark.set_note(touchpoint.alert_snoozed().note());
    *mark.mutable_until() = touchpoint.alert_snoozed().snoozed_until();
    if (FromProto(mark.until()) <= FromProto(alert->changed_at())) return;
  } else {
    mark.set_note(touchpoint.alert_acknowledged().note());
  }
  query::v1::AlertMark* old = snoozed ? alert->mutable_snoozed() : alert->mutable_acknowledged();
  if (old->has_at() && FromProto(old->at()) > FromProto(mark.at())) return;
  *old = std::move(mark);
}

// What the history keeps of a step.
std::string Shortened(AlertStep step) {
  for (query::v1::AlertReason& reason : *step.mutable_reasons()) reason.clear_touchpoint_ids();
  return step.SerializeAsString();
}

template <class Answer>
void SetWatermark(const AlertCursor& cursor, Answer* answer) {
  for (size_t i = 0; i < cursor.next.size(); ++i) {
    answer->add_watermarks(absl::StrCat(i, ":", cursor.next[i]));
  }
  answer->set_stream_cursor(cursor.ToText());
}

}  // namespace

AlertBook::AlertBook(int partitions, size_t closed_alerts, const AlertAddressing& addressing)
    : closed_alerts_(closed_alerts),
      addressing_(addressing),
      cursor_{std::vector<int64_t>(static_cast<size_t>(partitions), 0)} {}

void AlertBook::PassOver(Partition partition, Offset next) {
  MutexLock lock(&mutex_);
  cursor_.MoveBehind({partition, next - 1});
}

std::optional<AlertStep> AlertBook::Take(const RecordPosition& position, absl::string_view value) {
  AlertEvent event;
  const bool parsed = event.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
                      !event.alert_id().empty() &&
                      event.change_case() != AlertEvent::CHANGE_NOT_SET;
  if (!parsed) {
    Log(LogLevel::kWarning, absl::StrCat("record ", PositionText(position),
                                         " of the alerts log is no alert event; it is left out"));
  }
  MutexLock lock(&mutex_);
  cursor_.MoveBehind(position);
  if (!parsed || SeenBefore(event)) {
    dropped_[position.partition].insert(position.offset.value());
    return std::nullopt;
  }
  if (event.has_handed_over()) {
    GiveTo(event.owner_id(), event.client_id());
    // It is no step of an alert, and nobody waits for it.
    dropped_[position.partition].insert(position.offset.value());
    return std::nullopt;
  }
  AlertStep step = StepOf(position, event);
  // A reminder is no step of an alert.
  if (!event.has_reminded()) {
    if (event.has_raised()) CountRaising(RaisingOf(event));
    Enter(position, event, step);
  }
  GiveTo(event.owner_id(), event.client_id());
  AddressLocked(&step);
  return step;
}

AlertBook::Raising AlertBook::RaisingOf(const AlertEvent& event) {
  constexpr int64_t kMicrosPerDay = int64_t{24} * 60 * 60 * 1'000'000;
  const int64_t at_us = absl::ToUnixMicros(FromProto(event.at()));
  std::string effect = event.effect_id().substr(0, sizeof(uint64_t));
  effect.resize(sizeof(uint64_t));
  return {.owner_id = event.owner_id(),
          .day = (at_us - (at_us < 0 ? kMicrosPerDay - 1 : 0)) / kMicrosPerDay,
          .at_us = at_us,
          .effect = ReadBig64(effect.data()),
          .critical = event.severity() == alert::v1::SEVERITY_CRITICAL};
}

void AlertBook::CountRaising(const Raising& raising) {
  if (raising.critical) return;
  std::vector<std::pair<int64_t, uint64_t>>& of_day = raisings_[{raising.owner_id, raising.day}];
  const std::pair<int64_t, uint64_t> place = {raising.at_us, raising.effect};
  of_day.insert(std::upper_bound(of_day.begin(), of_day.end(), place), place);
}

query::v1::AlertDelivery AlertBook::DeliveryOf(const Raising& raising) const {
  if (raising.critical) return query::v1::ALERT_DELIVERY_AT_ONCE;
  const auto of_day = raisings_.find({raising.owner_id, raising.day});
  // One of whose raising the log no longer tells.
  if (of_day == raisings_.end()) return query::v1::ALERT_DELIVERY_AT_ONCE;
  const auto place = std::lower_bound(of_day->second.begin(), of_day->second.end(),
                                      std::make_pair(raising.at_us, raising.effect));
  return place - of_day->second.begin() < addressing_.alerts_per_owner_and_day
             ? query::v1::ALERT_DELIVERY_AT_ONCE
             : query::v1::ALERT_DELIVERY_DIGEST;
}

void AlertBook::Address(AlertStep* step) const {
  MutexLock lock(&mutex_);
  AddressLocked(step);
}

void AlertBook::AddressLocked(AlertStep* step) const {
  const absl::Time at = FromProto(step->at());
  step->set_responsible_id(step->owner_id());
  if (addressing_.access != nullptr) {
    step->set_responsible_id(addressing_.access->ActingFor(step->owner_id(), at));
    if (step->change() == query::v1::ALERT_CHANGE_ESCALATED) {
      step->set_escalated_to(addressing_.access->EscalatesTo(step->owner_id(), at));
      if (!step->escalated_to().empty()) step->set_responsible_id(step->escalated_to());
    }
  }
  step->set_delivery(query::v1::ALERT_DELIVERY_AT_ONCE);
  const bool always = step->change() == query::v1::ALERT_CHANGE_ESCALATED ||
                      step->change() == query::v1::ALERT_CHANGE_REMINDED ||
                      step->severity() == alert::v1::SEVERITY_CRITICAL;
  const auto entry = alerts_.find(step->alert_id());
  if (always || entry == alerts_.end()) return;
  // What happens to an alert of the digest on the same day is told with it.
  constexpr absl::Duration kDay = absl::Hours(24);
  const Raising& raising = entry->second.raising;
  const absl::Time day_end = absl::UnixEpoch() + (raising.day + 1) * kDay;
  if (at < day_end) step->set_delivery(DeliveryOf(raising));
}

void AlertBook::AddressAlert(Alert* alert) const {
  alert->clear_escalated_to();
  alert->set_responsible_id(alert->owner_id());
  if (addressing_.access == nullptr) return;
  const absl::Time at = std::max(clock_, FromProto(alert->changed_at()));
  alert->set_responsible_id(addressing_.access->ActingFor(alert->owner_id(), at));
  if (!alert->has_escalated_at()) return;
  alert->set_escalated_to(addressing_.access->EscalatesTo(alert->owner_id(), at));
  if (!alert->escalated_to().empty()) alert->set_responsible_id(alert->escalated_to());
}

void AlertBook::SetClock(absl::Time now) {
  MutexLock lock(&mutex_);
  clock_ = std::max(clock_, now);
  if (addressing_.access == nullptr) return;
  const int64_t hour = absl::ToUnixSeconds(clock_) / 3600;
  const int64_t staff = addressing_.access->StaffVersion();
  if (hour == addressed_hour_ && staff == addressed_staff_) return;
  addressed_hour_ = hour;
  addressed_staff_ = staff;
  std::vector<std::string> open;
  for (const Key& key : open_) {
    if (!key.group.empty()) break;
    open.push_back(key.alert_id);
  }
  for (const std::string& alert_id : open) {
    Entry& entry = alerts_.find(alert_id)->second;
    Alert alert;
    alert.ParseFromString(entry.alert);
    const std::string before = alert.responsible_id();
    const std::string escalated_before = alert.escalated_to();
    AddressAlert(&alert);
    if (alert.responsible_id() == before && alert.escalated_to() == escalated_before) continue;
    Unlist(alert_id, entry);
    Store(alert_id, std::move(alert), &entry);
  }
}

Alert AlertBook::Shown(const Entry& entry) const {
  Alert alert;
  alert.ParseFromString(entry.alert);
  alert.set_status(StatusOf(alert));
  alert.set_delivery(DeliveryOf(entry.raising));
  return alert;
}

std::vector<std::string> AlertBook::GroupsOf(const Entry& entry) {
  std::vector<std::string> groups = {"", absl::StrCat("o", entry.owner_id),
                                     absl::StrCat("c", entry.client_id)};
  if (entry.responsible_id != entry.owner_id) {
    groups.push_back(absl::StrCat("o", entry.responsible_id));
  }
  return groups;
}

void AlertBook::GiveTo(const std::string& owner_id, const std::string& client_id) {
  const std::string group = absl::StrCat("c", client_id);
  std::vector<std::string> others;
  for (auto at = all_.lower_bound({group, std::numeric_limits<int64_t>::min(), ""});
       at != all_.end() && at->group == group; ++at) {
    if (alerts_.find(at->alert_id)->second.owner_id != owner_id) others.push_back(at->alert_id);
  }
  for (const std::string& alert_id : others) {
    Entry& entry = alerts_.find(alert_id)->second;
    Alert alert;
    alert.ParseFromString(entry.alert);
    Unlist(alert_id, entry);
    alert.set_owner_id(owner_id);
    Store(alert_id, std::move(alert), &entry);
  }
}

bool AlertBook::SeenBefore(const AlertEvent& event) {
  if (!event.has_cause()) return false;
  Place& furthest = furthest_[{event.projection(), event.cause().partition()}];
  const Place place{event.cause().offset(), event.cause().ordinal()};
  if (place <= furthest) return true;
  furthest = place;
  return false;
}

void AlertBook::Enter(const RecordPosition& position, const AlertEvent& event,
                      const AlertStep& step) {
  const auto [at, is_new] = alerts_.try_emplace(event.alert_id());
  Entry& entry = at->second;
  Alert alert;
  if (is_new || event.has_raised()) {
    entry.partition = position.partition;
    entry.cause_offset = event.cause().offset();
    entry.raising = RaisingOf(event);
  }
  if (!is_new) {
    alert.ParseFromString(entry.alert);
    Unlist(event.alert_id(), entry);
  }
  ApplyStep(step, &alert);
  if (is_new) {
    const auto begin = std::stable_partition(
        early_.begin(), early_.end(),
        [&](const Touchpoint& mark) { return AlertIdOf(mark) != event.alert_id(); });
    for (auto mark = begin; mark != early_.end(); ++mark) ApplyMark(*mark, &alert);
    early_.erase(begin, early_.end());
  }
  entry.steps.push_back(Shortened(step));
  Store(event.alert_id(), std::move(alert), &entry);
  DropOldestClosed();
}

void AlertBook::Store(const std::string& alert_id, Alert alert, Entry* entry) {
  AddressAlert(&alert);
  entry->client_id = alert.client_id();
  entry->owner_id = alert.owner_id();
  entry->responsible_id = alert.responsible_id();
  entry->raised_us = absl::ToUnixMicros(FromProto(alert.raised_at()));
  entry->open = alert.state() == query::v1::ALERT_STATE_OPEN;
  entry->severity = alert.severity();
  entry->alert = alert.SerializeAsString();
  for (const std::string& group : GroupsOf(*entry)) {
    const Key key{group, -entry->raised_us, alert_id};
    all_.insert(key);
    if (entry->open) open_.insert(key);
  }
  if (entry->open) {
    ++open_by_severity_[entry->severity];
  } else {
    entry->closed_number = ++last_closed_;
    closed_[entry->closed_number] = alert_id;
  }
}

void AlertBook::Unlist(const std::string& alert_id, const Entry& entry) {
  for (const std::string& group : GroupsOf(entry)) {
    const Key key{group, -entry.raised_us, alert_id};
    all_.erase(key);
    open_.erase(key);
  }
  if (entry.open) {
    --open_by_severity_[entry.severity];
  } else {
    closed_.erase(entry.closed_number);
  }
}

void AlertBook::DropOldestClosed() {
  while (closed_.size() > closed_alerts_) {
    const std::string alert_id = closed_.begin()->second;
    const auto at = alerts_.find(alert_id);
    Unlist(alert_id, at->second);
    alerts_.erase(at);
  }
}

void AlertBook::Act(const Touchpoint& touchpoint) {
  if (!touchpoint.has_alert_acknowledged() && !touchpoint.has_alert_snoozed()) return;
  MutexLock lock(&mutex_);
  const auto at = alerts_.find(AlertIdOf(touchpoint));
  if (at == alerts_.end()) {
    early_.push_back(touchpoint);
    if (early_.size() > kMaxEarlyMarks) early_.pop_front();
    return;
  }
  if (!at->second.open) return;
  Alert alert;
  alert.ParseFromString(at->second.alert);
  ApplyMark(touchpoint, &alert);
  at->second.alert = alert.SerializeAsString();
}

bool AlertBook::WasDropped(const RecordPosition& position) const {
  MutexLock lock(&mutex_);
  const auto dropped = dropped_.find(position.partition);
  return dropped != dropped_.end() && dropped->second.contains(position.offset.value());
}

AlertCursor AlertBook::cursor() const {
  MutexLock lock(&mutex_);
  return cursor_;
}

absl::StatusOr<query::v1::AlertsPage> AlertBook::List(const AlertFilter& filter) const {
  Key key{!filter.client_id.empty()            ? absl::StrCat("c", filter.client_id)
          : filter.owners.owners().size() == 1 ? absl::StrCat("o", filter.owners.owners().front())
                                               : "",
          std::numeric_limits<int64_t>::min(), ""};
  if (!filter.cursor.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(std::tie(key.before_us, key.alert_id), ParsePageCursor(filter.cursor));
  }
  query::v1::AlertsPage page;
  MutexLock lock(&mutex_);
  const Index& index = filter.state == AlertFilter::State::kOpen ? open_ : all_;
  const Key* last = nullptr;
  for (auto at = index.upper_bound(key); at != index.end() && at->group == key.group; ++at) {
    const Entry& entry = alerts_.find(at->alert_id)->second;
    const bool theirs =
        filter.owners.Has(entry.owner_id) || filter.owners.Has(entry.responsible_id);
    const bool meant = theirs && (filter.state != AlertFilter::State::kClosed || !entry.open) &&
                       entry.severity >= filter.least_severity;
    if (!meant) continue;
    if (static_cast<size_t>(page.alerts_size()) == filter.limit) {
      page.set_next_cursor(PageCursor(last->before_us, last->alert_id));
      break;
    }
    *page.add_alerts() = Shown(entry);
    last = &*at;
  }
  SetWatermark(cursor_, &page);
  return page;
}

absl::Status AlertBook::Absent(absl::string_view alert_id) const {
  return absl::NotFoundError(absl::StrCat("there is no alert '", absl::CHexEscape(alert_id),
                                          "': it never was, or was closed before the last ",
                                          closed_alerts_));
}

std::optional<std::string> AlertBook::OwnerOf(absl::string_view alert_id) const {
  MutexLock lock(&mutex_);
  const auto at = alerts_.find(alert_id);
  if (at == alerts_.end()) return std::nullopt;
  return at->second.owner_id;
}

std::string AlertBook::ResponsibleFor(absl::string_view alert_id) const {
  MutexLock lock(&mutex_);
  const auto at = alerts_.find(alert_id);
  return at == alerts_.end() ? "" : at->second.responsible_id;
}

absl::StatusOr<query::v1::AlertDetails> AlertBook::Find(absl::string_view alert_id) const {
  MutexLock lock(&mutex_);
  const auto at = alerts_.find(alert_id);
  if (at == alerts_.end()) return Absent(alert_id);
  query::v1::AlertDetails details;
  *details.mutable_alert() = Shown(at->second);
  for (const std::string& step : at->second.steps) details.add_steps()->ParseFromString(step);
  SetWatermark(cursor_, &details);
  return details;
}

std::optional<Alert> AlertBook::Look(absl::string_view alert_id) const {
  MutexLock lock(&mutex_);
  const auto at = alerts_.find(alert_id);
  if (at == alerts_.end()) return std::nullopt;
  return Shown(at->second);
}

std::map<alert::v1::Severity, int64_t> AlertBook::OpenBySeverity() const {
  MutexLock lock(&mutex_);
  return open_by_severity_;
}

std::vector<std::optional<int64_t>> AlertBook::OldestOpenCauses() const {
  MutexLock lock(&mutex_);
  std::vector<std::optional<int64_t>> oldest(cursor_.next.size());
  for (const Key& key : open_) {
    if (!key.group.empty()) break;
    const Entry& entry = alerts_.find(key.alert_id)->second;
    std::optional<int64_t>& least = oldest[static_cast<size_t>(entry.partition.value())];
    least = std::min(least.value_or(entry.cause_offset), entry.cause_offset);
  }
  return oldest;
}

absl::Status CheckAlertSeen(const HttpRequest& request, const Alert& alert,
                            const absl::Status& absent) {
  const bool responsible = CallerOf(request).Sees(alert.responsible_id());
  return responsible ? absl::OkStatus() : CheckSeen(request, alert.owner_id(), absent);
}

}  // namespace rapport
