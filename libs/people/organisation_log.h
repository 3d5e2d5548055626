#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/follower.h"
#include "libs/organisation/organisation.h"
#include "rapport/query/v1/staff.pb.h"

namespace rapport {

// Folds records of the topic `organisation` into a table.
class OrganisationFold {
 public:
  // What has been folded before, by its id, is passed over; so is what is damaged or contradicts
  // the table (Organisation::Apply), and counted.
  void Take(absl::Span<const RecordView> records);

  const Organisation& organisation() const { return organisation_; }
  int64_t passed_over() const { return passed_over_; }
  // What was wrong with a change that was passed over lately; "" when nothing is known of one.
  std::string Refusal(const EventId& change_id) const;

 private:
  void TakeOne(const RecordView& record);
  void PassOver(const RecordView& record, const EventId& id, std::string why);

  Organisation organisation_;
  absl::flat_hash_set<EventId> seen_;
  absl::flat_hash_map<EventId, std::string> refusals_;
  int64_t passed_over_ = 0;
};

// Who works here, kept up with the log. Every process that asks has one. Thread-safe.
class OrganisationLog {
 public:
  // Makes the topic when it is missing; all that it holds is there when this comes back.
  static absl::StatusOr<std::unique_ptr<OrganisationLog>> Open(EventLog* log,
                                                               const std::string& topic,
                                                               std::function<absl::Time()> now);

  // As it stands; it never changes any more.
  std::shared_ptr<const Organisation> Get() const;
  // All records before this are in it.
  Offset position() const { return follower_->position(); }
  absl::Status Await(Offset position, absl::Duration timeout) const {
    return follower_->Await(position, timeout);
  }
  absl::Status trouble() const { return follower_->trouble(); }
  // Records that were passed over, since they contradict what stands before them.
  int64_t passed_over() const;

  // Carries an order out as a whole, and comes back once it is in the table; a dry run only tells.
  // InvalidArgument: all that is wrong with it. Aborted: somebody else changed it at the same
  // moment, so that it does not fit any more. Otherwise as EventLog::Append. It takes as long as
  // the log does.
  absl::StatusOr<query::v1::StaffChanged> Carry(const query::v1::StaffOrder& order,
                                                const std::string& recorded_by, bool dry_run);

  // Folds the topic anew, aside, and compares: the two digests as hexadecimal digits.
  struct Verified {
    int64_t records = 0;
    Offset position = Offset(0);  // up to which both are
    std::string kept;
    std::string folded_anew;
  };
  absl::StatusOr<Verified> Verify() const;

 private:
  OrganisationLog(EventLog* log, std::string topic, std::function<absl::Time()> now);
  void Take(absl::Span<const RecordView> records);

  EventLog* const log_;
  const std::string topic_;
  const std::function<absl::Time()> now_;
  // One order at a time, so that what two of this process want fits together.
  Mutex carrying_;
  mutable Mutex mutex_;
  OrganisationFold fold_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Organisation> shown_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<TopicFollower> follower_;
};

}  // namespace rapport
