#include "services/alerts/mail_tellings.h"

#include <algorithm>

namespace rapport {

bool IsUrgent(const query::v1::AlertStep& step) {
  if (step.severity() < alert::v1::SEVERITY_HIGH) return false;
  return step.change() == query::v1::ALERT_CHANGE_RAISED ||
         step.change() == query::v1::ALERT_CHANGE_ESCALATED ||
         (step.change() == query::v1::ALERT_CHANGE_UPDATED &&
          step.severity() > step.previous_severity());
}

void MailTellings::Take(const std::vector<FedStepPtr>& steps, const AlertCursor& after,
                        const std::function<bool(absl::string_view alert_id)>& is_told) {
  for (const FedStepPtr& fed : steps) {
    const query::v1::AlertStep& step = fed->step;
    const bool told = step.change() == query::v1::ALERT_CHANGE_CLEARED && is_told(step.alert_id());
    MutexLock lock(&mutex_);
    const auto known = open_.find(step.alert_id());
    if (step.change() == query::v1::ALERT_CHANGE_CLEARED) {
      if (known == open_.end()) continue;
      if (!told) {
        std::deque<RecordPosition>& ended = ended_[known->second.owner_id];
        ended.push_back(known->second.step);
        if (ended.size() > kMaxEnded) ended.pop_front();
      }
      open_.erase(known);
      continue;
    }
    if (step.change() != query::v1::ALERT_CHANGE_RAISED &&
        step.change() != query::v1::ALERT_CHANGE_UPDATED) {
      continue;
    }
    const bool is_new = known == open_.end() || step.change() == query::v1::ALERT_CHANGE_RAISED ||
                        step.severity() > step.previous_severity() ||
                        step.owner_id() != known->second.owner_id;
    if (is_new) open_[step.alert_id()] = {fed->position, step.owner_id()};
  }
  MutexLock lock(&mutex_);
  cursor_ = after;
}

AlertCursor MailTellings::cursor() const {
  MutexLock lock(&mutex_);
  return cursor_;
}

std::optional<RecordPosition> MailTellings::Find(absl::string_view alert_id) const {
  MutexLock lock(&mutex_);
  const auto known = open_.find(alert_id);
  if (known == open_.end()) return std::nullopt;
  return known->second.step;
}

std::map<std::string, int64_t> MailTellings::OpenByOwner() const {
  std::map<std::string, int64_t> counts;
  MutexLock lock(&mutex_);
  for (const auto& [alert_id, open] : open_) ++counts[open.owner_id];
  return counts;
}

int64_t MailTellings::Ended(absl::string_view owner_id, const AlertCursor& begin,
                            const AlertCursor& end) const {
  MutexLock lock(&mutex_);
  const auto ended = ended_.find(owner_id);
  if (ended == ended_.end()) return 0;
  return std::count_if(ended->second.begin(), ended->second.end(), [&](const RecordPosition& step) {
    return begin.IsBefore(step) && !end.IsBefore(step);
  });
}

}  // namespace rapport
