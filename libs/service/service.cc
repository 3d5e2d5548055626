#include "libs/service/service.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/service/config.h"
#include "libs/service/process_metrics.h"
#include "libs/service/signals.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

constexpr absl::Duration kReadyPoll = absl::Milliseconds(20);
// How often an operator is told what a start is waiting for.
constexpr absl::Duration kReadyReport = absl::Seconds(10);

struct Running {
  std::string name;
  std::unique_ptr<Service> service;
};
using RunningServices = std::vector<Running>;

// Not ready: the name of the first such service, and why.
absl::Status CheckReady(const RunningServices& services) {
  for (const Running& running : services) {
    RAPPORT_RETURN_IF_ERROR(Annotate(running.service->Ready(), running.name));
  }
  return absl::OkStatus();
}

HttpResponse ReadyResponse(const RunningServices& services,
                           const std::vector<std::string>& warnings) {
  nlohmann::ordered_json states = nlohmann::ordered_json::array();
  bool ready = true;
  for (const Running& running : services) {
    const absl::Status status = running.service->Ready();
    ready = ready && status.ok();
    nlohmann::ordered_json state = {{"name", running.name}, {"ready", status.ok()}};
    if (!status.ok()) state["reason"] = std::string(status.message());
    if (auto own = running.service->Warnings(); !own.empty()) state["warnings"] = std::move(own);
    states.push_back(std::move(state));
  }
  nlohmann::ordered_json body = {{"ready", ready}, {"services", states}};
  if (!warnings.empty()) body["warnings"] = warnings;
  HttpResponse response;
  response.status = ready ? 200 : 503;
  response.body =
      body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return response;
}

void AddOwnRoutes(const ServiceEnv& env, const RunningServices* services) {
  env.http->Handle("GET", "/healthz", Answering([](const HttpRequest&) {
                     HttpResponse response;
                     response.body = "{\"alive\":true}\n";
                     return response;
                   }),
                   {.open = true});
  env.http->Handle("GET", "/readyz",
                   Answering([services, warnings = env.warnings](const HttpRequest&) {
                     return ReadyResponse(*services, warnings);
                   }),
                   {.open = true});
  env.http->Handle("GET", "/metrics",
                   Answering([metrics = env.metrics, process = std::make_shared<ProcessMetrics>(
                                                         env.metrics)](const HttpRequest&) {
                     process->Refresh();
                     HttpResponse response;
                     response.content_type = "text/plain; version=0.0.4; charset=utf-8";
                     response.body = metrics->Text();
                     return response;
                   }));
}

// False when a signal came first.
bool AwaitReady(const RunningServices& services, const StopSignal& stop) {
  absl::Duration waited;
  while (true) {
    const absl::Status status = CheckReady(services);
    if (status.ok()) return true;
    if (waited >= kReadyReport) {
      Log(LogLevel::kInfo, absl::StrCat("not ready yet: ", status.message()));
      waited = absl::ZeroDuration();
    }
    if (stop.Wait(kReadyPoll)) return false;
    waited += kReadyPoll;
  }
}

}  // namespace

absl::Status RunServices(ServiceEnv env, const std::vector<ServiceDescription>& services,
                         const std::function<void(const HttpServer&)>& started) {
  const StopSignal stop;
  RunningServices running;
  AddOwnRoutes(env, &running);
  // The last started is the first to go.
  const auto end = [&running] {
    while (!running.empty()) running.pop_back();
  };
  for (const ServiceDescription& description : services) {
    absl::StatusOr<std::unique_ptr<Service>> service = description.start(env);
    if (!service.ok()) {
      end();
      return Annotate(service.status(), absl::StrCat("starting ", description.name));
    }
    running.push_back({description.name, *std::move(service)});
  }
  absl::Status status = env.http->Start();
  if (status.ok()) {
    Log(LogLevel::kInfo, absl::StrCat("listening on ", env.http->address()));
    if (AwaitReady(running, stop)) {
      Log(LogLevel::kInfo, "ready");
      if (started) started(*env.http);
      stop.Wait(absl::InfiniteDuration());
    }
    Log(LogLevel::kInfo, "stopping: ending what is under way");
    env.http->Drain(absl::Milliseconds(env.config->http().drain_timeout_ms()));
  }
  end();
  return status;
}

absl::StatusOr<HttpServer::Options> HttpOptionsFrom(const config::v1::Config& config,
                                                    const std::string& listen) {
  const config::v1::Http& http = config.http();
  HttpServer::Options options;
  options.listen = listen;
  options.threads = static_cast<int>(http.threads());
  options.max_connections = static_cast<int>(http.max_connections());
  options.header_timeout = absl::Milliseconds(http.header_timeout_ms());
  options.max_pending_body_bytes = static_cast<size_t>(http.pending_body_bytes());
  options.body_timeout = absl::Milliseconds(http.body_timeout_ms());
  // What it takes for a caller to be believed by all processes.
  options.access_controlled = !config.access().key_file().empty();
  options.allowed_origins.assign(http.allowed_origins().begin(), http.allowed_origins().end());
  options.tls_certificate_file = http.tls_certificate_file();
  options.tls_key_file = http.tls_key_file();
  options.trusted_proxies.assign(http.trusted_proxies().begin(), http.trusted_proxies().end());
  if (!http.token_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(options.token, ReadSecretFile(http.token_file()));
  }
  if (!http.ca_file().empty() && ::access(http.ca_file().c_str(), R_OK) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "http.ca_file is '", http.ca_file(), "', which cannot be read: ", std::strerror(errno)));
  }
  return options;
}

std::string OwnCaFile(const config::v1::Http& http) {
  return http.ca_file().empty() ? http.tls_certificate_file() : http.ca_file();
}

absl::Status CreateTopics(EventLog& log, const LogTopics& topics, int partitions) {
  absl::StatusOr<int> existing = log.PartitionCount(topics.touchpoints);
  if (absl::IsNotFound(existing.status())) {
    const absl::Status created = log.CreateTopic(topics.touchpoints, partitions);
    // Another process may have been quicker.
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
    existing = log.PartitionCount(topics.touchpoints);
  }
  RAPPORT_RETURN_IF_ERROR(existing.status());
  for (const std::string& topic : {topics.alerts, topics.rejected, topics.sources}) {
    const absl::StatusOr<int> own = log.PartitionCount(topic);
    if (own.ok() && *own != *existing && topic == topics.alerts) {
      return absl::FailedPreconditionError(absl::StrCat(
          "topic ", topic, " has ", *own, " partitions and topic ", topics.touchpoints, " has ",
          *existing, ": they must be as many, so that the alerts of a client stay in order. ",
          "Delete the one that is still empty; it is made again at the next start"));
    }
    if (own.ok()) continue;
    if (!absl::IsNotFound(own.status())) return own.status();
    const absl::Status created = log.CreateTopic(topic, *existing);
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  }
  for (const std::string& topic : {topics.organisation, topics.access, topics.audit}) {
    const absl::Status created = log.CreateTopic(topic, 1);
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> CheckTopics(EventLog& log, const LogTopics& topics) {
  std::vector<std::string> all;
  for (const std::string& topic :
       {topics.touchpoints, topics.alerts, topics.rejected, topics.sources, topics.organisation,
        topics.access, topics.audit}) {
    absl::StatusOr<std::vector<std::string>> found = log.CheckTopic(topic);
    RAPPORT_RETURN_IF_ERROR(found.status());
    all.insert(all.end(), found->begin(), found->end());
  }
  return all;
}

}  // namespace rapport
