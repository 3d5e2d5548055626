#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/event_log/event_log.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"
#include "services/rapport/command.h"

namespace rapport {

// A checkpoint of the log of the data folder, for as long as this lives: consistent, and at rest.
class LogCopy {
 public:
  // Of the Rapport that runs on the data folder or, when none does, of the log itself.
  // FailedPrecondition: --server names one on another machine, whose files are not here.
  static absl::StatusOr<std::unique_ptr<LogCopy>> Take(const CommonOptions& common);
  ~LogCopy();

  const std::string& folder() const { return folder_; }

 private:
  explicit LogCopy(std::string folder) : folder_(std::move(folder)) {}

  const std::string folder_;
};

// POST /v1/log/checkpoint, by which another process on this machine gets one: {"folder": PATH},
// which it removes when it is done. What was left behind by an earlier process is removed now. All
// outlive the server.
void AddCheckpointRoute(HttpServer* http, EventLog* log, const std::string& data, WorkQueue* work);

}  // namespace rapport
