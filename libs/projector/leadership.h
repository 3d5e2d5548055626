#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Elects one process of several: the member of a group that owns the one partition of a topic. What
// stands in the topic is not read for it.
class Leadership : private PartitionListener {
 public:
  // `changed` is called on this object's thread when this process has become the leader or has
  // ceased to be.
  static absl::StatusOr<std::unique_ptr<Leadership>> Join(EventLog* log, const std::string& topic,
                                                          const SubscribeOptions& options,
                                                          std::function<void(bool leads)> changed);
  // Gives the leadership up.
  ~Leadership() override;

  // Why this process is no candidate just now; ok while it is. Thread-safe.
  absl::Status trouble() const;

 private:
  Leadership(EventLog* log, std::string topic, std::function<void(bool)> changed)
      : log_(log), topic_(std::move(topic)), changed_(std::move(changed)) {}

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override;
  void Run();

  EventLog* const log_;
  const std::string topic_;
  const std::function<void(bool)> changed_;
  std::unique_ptr<Subscription> subscription_;
  bool leads_ = false;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rapport
