#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/serving/owner_filter.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"
#include "services/alerts/alert_cursor.h"

namespace rapport {

// Which alerts a reader wants.
struct AlertFilter {
  enum class State { kOpen, kClosed, kAll };
  State state = State::kOpen;
  OwnerFilter owners;
  std::string client_id;  // empty: any
  alert::v1::Severity least_severity = alert::v1::SEVERITY_UNSPECIFIED;
  std::string cursor;  // of the page before; empty: the first page
  size_t limit = 50;
};

// To whom alerts go, and how many of them at once.
struct AlertAddressing {
  // Who leads, who is away; null: nobody is known, and alerts are their owners' alone.
  const Access* access = nullptr;
  int64_t alerts_per_owner_and_day = 10;
};

// The latest state of each alert, in memory: all that are open and the last closed ones.
// Thread-safe.
//
// What is sent twice counts once: the effects of a projection stand in the alerts log in the order
// of their place (cause offset and ordinal), so one that stands no further than the furthest seen
// has been seen. That holds for one that a paused former owner of the partition sends late, too.
//
// Whom an alert is for follows from the alerts log, the marks, the organisation and the log's
// clock: its owner, who stands in, or who leads (Organisation::ActingFor, EscalatesTo). Which
// alerts of an owner and a day are told at once follows from the alerts log alone, in whatever
// order partitions are read: the first so many by (time of the raising, effect id), and all
// critical ones; the others are in the digest, and each is in one of the two.
class AlertBook {
 public:
  AlertBook(int partitions, size_t closed_alerts, const AlertAddressing& addressing = {});

  // The step that a record of the alerts log tells; nullopt when it has been told before, is
  // damaged or is of no known kind (which is logged). Records of a partition come in their order.
  std::optional<query::v1::AlertStep> Take(const RecordPosition& position, absl::string_view value);
  // Moves the cursor on to `next`, before which the partition holds nothing more.
  void PassOver(Partition partition, Offset next);
  // What a person did: marks of the alert. Of an alert that is not known yet they are kept until it
  // comes.
  void Act(const touchpoint::v1::Touchpoint& touchpoint);
  // The log's clock has come so far: who is away, or has left, is looked at anew each hour of it
  // and when the organisation has changed.
  void SetClock(absl::Time now);
  // Fills in to whom a step of the log goes, and whether at once.
  void Address(query::v1::AlertStep* step) const;
  // Whether Take gave no step for this record.
  bool WasDropped(const RecordPosition& position) const;

  AlertCursor cursor() const;
  // InvalidArgument: the cursor.
  absl::StatusOr<query::v1::AlertsPage> List(const AlertFilter& filter) const;
  // NotFound: never there, or closed so long ago that it was dropped.
  absl::StatusOr<query::v1::AlertDetails> Find(absl::string_view alert_id) const;
  // The owner of the alert's client, as the last step tells; nullopt when it is not known here.
  std::optional<std::string> OwnerOf(absl::string_view alert_id) const;
  // Who is to act on it now; "" when it is not known here.
  std::string ResponsibleFor(absl::string_view alert_id) const;
  // What Find says of an alert that is not there.
  absl::Status Absent(absl::string_view alert_id) const;
  // The latest state without the history.
  std::optional<query::v1::Alert> Look(absl::string_view alert_id) const;
  std::map<alert::v1::Severity, int64_t> OpenBySeverity() const;
  // For each partition, the lowest offset of the touchpoints log at which an alert that is open now
  // was raised: what people did about open alerts comes after it. nullopt where none is open.
  std::vector<std::optional<int64_t>> OldestOpenCauses() const;

 private:
  // Orders by group, and within it the latest raised first.
  struct Key {
    std::string group;
    int64_t before_us;  // minus the time of the raising
    std::string alert_id;
    auto operator<=>(const Key&) const = default;
  };
  using Index = absl::btree_set<Key>;
  // A raising among those of its owner and day.
  struct Raising {
    std::string owner_id;
    int64_t day = 0;
    int64_t at_us = 0;
    uint64_t effect = 0;  // the first bytes of the effect id
    bool critical = false;
  };
  struct Entry {
    std::string client_id;
    std::string owner_id;
    std::string responsible_id;
    int64_t raised_us = 0;
    Raising raising;
    bool open = false;
    alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;
    uint64_t closed_number = 0;
    Partition partition;
    int64_t cause_offset = 0;
    // Serialised, since a parsed message takes several times the memory.
    std::string alert;
    std::vector<std::string> steps;
  };
  struct Place {
    int64_t offset = -1;
    int32_t ordinal = 0;
    auto operator<=>(const Place&) const = default;
  };

  bool SeenBefore(const alert::v1::AlertEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enter(const RecordPosition& position, const alert::v1::AlertEvent& event,
             const query::v1::AlertStep& step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static Raising RaisingOf(const alert::v1::AlertEvent& event);
  void CountRaising(const Raising& raising) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  query::v1::AlertDelivery DeliveryOf(const Raising& raising) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddressLocked(query::v1::AlertStep* step) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // To whom the alert goes as of the clock.
  void AddressAlert(query::v1::Alert* alert) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // As readers get it.
  query::v1::Alert Shown(const Entry& entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static std::vector<std::string> GroupsOf(const Entry& entry);
  // All alerts of a client are its owner's to see, whoever had them before.
  void GiveTo(const std::string& owner_id, const std::string& client_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Store(const std::string& alert_id, query::v1::Alert alert, Entry* entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Unlist(const std::string& alert_id, const Entry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldestClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t closed_alerts_;
  const AlertAddressing addressing_;
  mutable Mutex mutex_;
  AlertCursor cursor_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Entry> alerts_ ABSL_GUARDED_BY(mutex_);
  Index all_ ABSL_GUARDED_BY(mutex_);
  Index open_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::string> closed_ ABSL_GUARDED_BY(mutex_);  // in the order of closing
  uint64_t last_closed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<alert::v1::Severity, int64_t> open_by_severity_ ABSL_GUARDED_BY(mutex_);
  // The furthest place seen, by projection and partition.
  std::map<std::pair<std::string, int32_t>, Place> furthest_ ABSL_GUARDED_BY(mutex_);
  // Offsets without a step, by partition; there are few.
  std::map<Partition, absl::btree_set<int64_t>> dropped_ ABSL_GUARDED_BY(mutex_);
  // Raisings that are not critical, by owner and day, each with its time and effect in their order:
  // all that the log holds, 16 bytes each.
  absl::flat_hash_map<std::pair<std::string, int64_t>, std::vector<std::pair<int64_t, uint64_t>>>
      raisings_ ABSL_GUARDED_BY(mutex_);
  absl::Time clock_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // As of which the open alerts are addressed.
  int64_t addressed_hour_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t addressed_staff_ ABSL_GUARDED_BY(mutex_) = 0;
  // Marks of alerts that are not known yet, the oldest first.
  std::deque<touchpoint::v1::Touchpoint> early_ ABSL_GUARDED_BY(mutex_);
};

// `absent` when the caller sees neither the alerts of its owner nor those of who is to act on it.
absl::Status CheckAlertSeen(const HttpRequest& request, const query::v1::Alert& alert,
                            const absl::Status& absent);

}  // namespace rapport
