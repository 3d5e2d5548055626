#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_worker.h"
#include "libs/sources/identifier_index.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Joins provisional clients with those who turned out to have their identifiers: writes a
// ClientsMerged for each. Every process may do so: event id and merge id are made of the two
// clients, so that it counts once. Clients that a person has split are left alone.
class ClientJoiner {
 public:
  // Pointers outlive it; `index` is loaded. `now` is the wall clock. Works on a thread of its own.
  ClientJoiner(EventLog* log, LogTopics topics, IdentifierIndex* index,
               std::function<absl::Time()> now);
  ~ClientJoiner();
  ClientJoiner(const ClientJoiner&) = delete;
  ClientJoiner& operator=(const ClientJoiner&) = delete;

  // Clients joined by this process.
  int64_t joined() const { return joined_; }

 private:
  void Run();
  absl::Status JoinAll(const std::string& client_id);
  // Whether a person has taken the two apart, as the log tells.
  absl::StatusOr<bool> WasSplit(const ClientJoin& join);
  absl::Status ReadSplits(Partition partition);

  EventLog* const log_;
  const LogTopics topics_;
  IdentifierIndex* const index_;
  const std::function<absl::Time()> now_;

  // Of the thread alone.
  std::set<std::string> waiting_;
  bool away_ = false;  // the log was, when it was tried last
  std::set<std::pair<std::string, std::string>> written_;
  std::set<std::pair<std::string, std::string>> splits_;  // separated, survivor
  std::map<Partition, Offset> read_until_;

  std::atomic<int64_t> joined_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// The touchpoint that joins two clients; validates.
touchpoint::v1::Touchpoint MakeJoin(const ClientJoin& join, absl::Time now);

}  // namespace rapport
