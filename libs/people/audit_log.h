#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "rapport/access/v1/access.pb.h"
#include "rapport/query/v1/access.pb.h"

namespace rapport {

// Which lines of the audit a reader wants.
struct AuditFilter {
  std::string client_id;  // empty: any
  std::string actor;      // empty: any
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();  // exclusive
  size_t limit = 100;
};

// Who did what, in the topic `audit`. Written on a thread of its own, so that nobody waits for it;
// what waits when the process is killed is lost, which is the last tenth of a second. Thread-safe.
class AuditLog {
 public:
  // Makes the topic when it is missing.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(EventLog* log, const std::string& topic,
                                                        std::function<absl::Time()> now);
  // Writes what waits, as long as the log takes it.
  ~AuditLog();

  // `at` is set. That somebody looks at the same client again, or is refused the same route again,
  // within ten minutes is not written anew.
  void Note(access::v1::AuditRecord record);

  // The newest first. It reads the topic from `from` on, which takes a second for some million
  // lines.
  absl::StatusOr<query::v1::AuditList> Read(const AuditFilter& filter) const;

  // Why lines wait to be written; ok when none do, or not for long.
  absl::Status trouble() const;

 private:
  AuditLog(EventLog* log, std::string topic, std::function<absl::Time()> now);
  bool IsRepeated(const access::v1::AuditRecord& record, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteWhatWaits();

  EventLog* const log_;
  const std::string topic_;
  const std::function<absl::Time()> now_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<access::v1::AuditRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, absl::Time> noted_ ABSL_GUARDED_BY(mutex_);
  absl::Time tidied_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread writer_;
};

}  // namespace rapport
