#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "services/alerts/alert_cursor.h"
#include "services/alerts/alert_feed.h"

namespace rapport {

// Whether a step is told at once: an alert of severity HIGH or CRITICAL is raised, gets so, or has
// been taken on by nobody for so long that it goes to the lead.
bool IsUrgent(const query::v1::AlertStep& step);

// The step of each open alert that its owner is to be told of: its raising, or the latest one by
// which it got worse or another owner's. Fed with all steps of the alerts log. Thread-safe.
class MailTellings {
 public:
  explicit MailTellings(int partitions)
      : cursor_{std::vector<int64_t>(static_cast<size_t>(partitions), 0)} {}

  // `is_told`: whether somebody was sent a mail about the alert.
  void Take(const std::vector<FedStepPtr>& steps, const AlertCursor& after,
            const std::function<bool(absl::string_view alert_id)>& is_told);

  // All steps before this have been taken.
  AlertCursor cursor() const;
  // nullopt: the alert is not open.
  std::optional<RecordPosition> Find(absl::string_view alert_id) const;
  // How many alerts are open, by owner.
  std::map<std::string, int64_t> OpenByOwner() const;
  // How many alerts of an owner began between two places and were over before anybody was told; at
  // most kMaxEnded.
  int64_t Ended(absl::string_view owner_id, const AlertCursor& begin, const AlertCursor& end) const;
  static constexpr size_t kMaxEnded = 200;

 private:
  struct Open {
    RecordPosition step;
    std::string owner_id;
  };
  mutable Mutex mutex_;
  AlertCursor cursor_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Open> open_ ABSL_GUARDED_BY(mutex_);  // by alert
  absl::flat_hash_map<std::string, std::deque<RecordPosition>> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
