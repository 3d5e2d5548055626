#include "services/rapport/log_copy.h"

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/log_backup.h"
#include "services/rapport/api.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

// They keep old files of the log from being removed.
constexpr std::ptrdiff_t kMostCheckpoints = 4;

std::string CheckpointsIn(const std::string& data) { return data + "/log-checkpoints"; }

absl::StatusOr<std::string> MakeCheckpoint(EventLog* log, const std::string& data) {
  const std::string parent = CheckpointsIn(data);
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("creating ", parent, ": ", error.message()));
  }
  if (std::distance(fs::directory_iterator(parent, error), fs::directory_iterator()) >=
      kMostCheckpoints) {
    return absl::AlreadyExistsError(absl::StrCat("there are ", kMostCheckpoints, " checkpoints in ",
                                                 parent,
                                                 " already; remove those that nobody copies from"));
  }
  const std::string folder =
      absl::StrCat(fs::absolute(parent).string(), "/", absl::ToUnixNanos(absl::Now()));
  RAPPORT_RETURN_IF_ERROR(CheckpointEmbeddedLog(log, folder));
  return folder;
}

absl::StatusOr<std::string> AskForCheckpoint(Api& api) {
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, api.Call("POST", "/v1/log/checkpoint"));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  const Json json = Json::parse(answer.body, nullptr, false);
  std::string folder = json.is_object() ? json.value("folder", "") : "";
  std::error_code error;
  if (fs::is_directory(folder, error)) return folder;
  return absl::FailedPreconditionError(
      absl::StrCat("the log of ", api.address(),
                   " is on another machine, or may not be read here: run the command there"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogCopy>> LogCopy::Take(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  std::string folder;
  if (api != nullptr) {
    RAPPORT_ASSIGN_OR_RETURN(folder, AskForCheckpoint(*api));
  } else {
    const std::string log_folder = common.data + "/log";
    std::error_code error;
    if (!fs::exists(log_folder + "/CURRENT", error)) {
      return absl::FailedPreconditionError(absl::StrCat("there is no log in ", common.data));
    }
    RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log,
                             OpenEmbeddedLog({.folder = log_folder}));
    RAPPORT_ASSIGN_OR_RETURN(folder, MakeCheckpoint(log.get(), common.data));
  }
  return std::unique_ptr<LogCopy>(new LogCopy(std::move(folder)));
}

LogCopy::~LogCopy() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

void AddCheckpointRoute(HttpServer* http, EventLog* log, const std::string& data, WorkQueue* work) {
  std::error_code error;
  fs::remove_all(CheckpointsIn(data), error);
  http->Handle("POST", "/v1/log/checkpoint",
               [log, data, work](const HttpRequest&, HttpReply reply) {
                 // What is in memory is written to files first.
                 const auto shared = std::make_shared<HttpReply>(std::move(reply));
                 work->Add([log, data, shared] {
                   const absl::StatusOr<std::string> folder = MakeCheckpoint(log, data);
                   if (!folder.ok()) return shared->Send(ErrorResponse(folder.status()));
                   shared->Send({.body = absl::StrCat(Json{{"folder", *folder}}.dump(), "\n")});
                 });
               });
}

}  // namespace rapport
