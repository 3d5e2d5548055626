#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "libs/service/http_server.h"
#include "libs/serving/owner_filter.h"
#include "rapport/query/v1/change.pb.h"

namespace rapport {

// GET /v1/changes/stream: which clients' states change, as server-sent events without content, for
// whoever shows them to read them anew. Follows the touchpoints log from its end on, on a thread of
// its own: a record of a client means that its states change, and waiting for the record's position
// has them changed. What time alone changes (a score) it does not tell. Thread-safe.
//
// An event's id tells its place among those of this process. Who comes back with one that is among
// the latest gets what came since; else, and after a restart, an event `reset` says that all that
// is shown is to be read anew. One that reads so slowly that its queue is full is cut off, and
// comes back. Several changes of a client that are read from the log at once are told once.
class ChangeStreams : private PartitionListener {
 public:
  struct Options {
    std::string topic;  // of touchpoints
    // Of this process alone.
    std::string group;
    std::string member;
    absl::Duration heartbeat = absl::Seconds(15);
    // Changes that are kept for those who come back.
    size_t kept = 10'000;
    // How long after the last reader has gone they are still kept. Then records are passed over
    // unread, so that a log that nobody watches costs nothing.
    absl::Duration kept_unread = absl::Minutes(1);
  };
  // Whose the clients are, once each of the positions is folded: its owner for each client, "" when
  // it has none. Called on the thread of the streams, only if somebody reads who does not see all;
  // may wait some seconds. An error: these readers are cut off, and come back.
  using OwnersOf = std::function<absl::StatusOr<std::map<std::string, std::string>>(
      const std::map<std::string, RecordPosition>& clients)>;

  ChangeStreams(EventLog* log, const Options& options, OwnersOf owners_of);
  ~ChangeStreams() override;

  // Adds the route. The server is drained before the destruction.
  void AddRoute(HttpServer* http);

  // Why the log is not followed; ok when it is.
  absl::Status Trouble() const;
  int64_t subscribers() const { return *open_; }

 private:
  struct Change {
    int64_t number = 0;
    std::string client_id;
    std::string deal_id;
    uint32_t projections = 0;  // a bit for each of kProjections
    RecordPosition position;
    // Nullopt while nobody has asked.
    std::optional<std::string> owner_id;
  };
  struct Subscriber {
    HttpStream stream;
    // What Access is asked with.
    HttpRequest reader;
    std::shared_ptr<const Caller> caller;
    absl::Time admitted_at;
    OwnerFilter asked;
    uint32_t projections = 0;
    // Behind which change it begins; nullopt: with the next one.
    std::optional<int64_t> after;
    bool reset = false;
    std::shared_ptr<std::atomic<bool>> closed = std::make_shared<std::atomic<bool>>(false);

    bool SeesEverything() const { return asked.everybody() && caller->sees_all; }
    bool Sees(absl::string_view owner) const { return asked.Has(owner) && caller->Sees(owner); }
  };

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition, bool) override {}
  absl::Status Subscribe(const HttpRequest& request, HttpReply* reply);
  // Number of the change that an id names; nullopt when it is none of this process's latest.
  std::optional<int64_t> Known(absl::string_view id) const;
  std::string IdOf(int64_t number) const;

  // All of these on the thread.
  void Run();
  absl::Status Begin();
  absl::Status ReadOn();
  void Take(const PartitionRecords& records);
  // Whether anybody reads, or may come back for what comes now.
  bool IsWatched();
  // Whoever comes back from before reads all anew.
  void PassOver();
  int64_t LastNumber() const;
  // Finds the owners of the kept changes from `first` on that are not known. An error: not all.
  absl::Status FindOwners(size_t first);
  void Tell(size_t first);
  void Join();
  // Writes the changes from `first` on that are meant for it; whether it still reads.
  bool Write(size_t first, Subscriber* subscriber) const;
  // Whether it may go on reading, and sees what it sees now.
  bool Readmit(absl::Time now, Subscriber* subscriber) const;
  void Beat();
  void CutOff();

  EventLog* const log_;
  const Options options_;
  const OwnersOf owners_of_;
  const int64_t epoch_;  // of the ids
  Access* access_ = nullptr;
  const std::shared_ptr<std::atomic<int64_t>> open_ = std::make_shared<std::atomic<int64_t>>(0);
  std::atomic<bool> stopping_ = false;

  // Of the thread alone.
  std::unique_ptr<Subscription> subscription_;
  std::vector<Offset> begin_;
  std::deque<Change> kept_;
  std::vector<Subscriber> subscribers_;
  absl::flat_hash_map<std::string, std::string> owners_;
  absl::Time next_beat_;
  absl::Time last_watched_ = absl::InfinitePast();

  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::vector<Subscriber> joining_ ABSL_GUARDED_BY(mutex_);
  int64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t first_kept_ ABSL_GUARDED_BY(mutex_) = 1;
  std::thread thread_;
};

}  // namespace rapport
