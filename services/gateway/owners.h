#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Which process answers for which partition of a projection, as its consumer group knows it: asked
// again every second, and sooner when somebody found it out of date. Thread-safe.
class Owners {
 public:
  struct Map {
    int partition_count = 0;  // 0 while it is not known
    // Address of the owner; a partition that is nobody's just now is missing.
    std::map<Partition, std::string> addresses;
  };

  // Asks once before it returns; a log that cannot be asked leaves everything unknown, for now.
  // `log` outlives it.
  Owners(EventLog* log, std::string touchpoints_topic, std::vector<std::string> projections);
  ~Owners();
  // Calls what waits in AfterRefresh, and asks no more.
  void Stop();

  Map Of(const std::string& projection) const;
  // Why the log could not be asked the last time; ok when it could.
  absl::Status status() const;
  // Calls `then` after the log has been asked anew, a moment from now, on the thread that asks.
  // False after Stop: it will not be called.
  bool AfterRefresh(std::function<void()> then);

 private:
  void Run();
  void Refresh();
  absl::StatusOr<Map> Ask(const std::string& projection);

  EventLog* const log_;
  const std::string topic_;
  const std::vector<std::string> projections_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Map> maps_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rapport
