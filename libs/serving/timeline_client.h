#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/service/http_client.h"
#include "libs/service/service.h"
#include "rapport/query/v1/client.pb.h"

namespace rapport {

// Gets touchpoints of a client from rapport-profiles: from this process's own address where all
// services run in one, else through the gateway. Thread-safe.
class TimelineClient {
 public:
  // FailedPrecondition: the file with the API token cannot be read.
  static absl::StatusOr<std::unique_ptr<TimelineClient>> Create(const ServiceEnv& env);
  // Waits for what is under way.
  ~TimelineClient();

  struct Query {
    std::string client_id;
    // Only these event ids (16 bytes each); empty: all.
    std::vector<std::string> event_ids;
    // Only what happened at this time or before.
    std::optional<absl::Time> until;
    // Places in the touchpoints log that the service is to have folded first.
    std::vector<std::string> wait_for;
  };
  using Done = std::function<void(absl::StatusOr<query::v1::Touchpoints>)>;
  // `done` is called once, on another thread, and must not block. NotFound: there is no such
  // client; Unavailable, DeadlineExceeded: the service is away.
  void Fetch(const Query& query, Done done);

 private:
  // `to_service`: the address as its URL, and what every call has.
  TimelineClient(HttpClient* client, const Access* access, HttpCall to_service)
      : client_(client), access_(access), to_service_(std::move(to_service)) {}

  HttpClient* const client_;
  const Access* const access_;  // may be null
  const HttpCall to_service_;
  Mutex mutex_;
  CondVar ended_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rapport
