#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_worker.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/metrics.h"
#include "rapport/config/v1/service.pb.h"

// How a service is put together and run: alone in a process of its own against Kafka, or with all
// others in one process over the embedded log (`rapport up`).

namespace rapport {

// What the services of a process share. All outlive them.
struct ServiceEnv {
  const config::v1::Config* config = nullptr;  // checked, defaults filled in
  // This process's stable name among those of the same service, such as "1".
  std::string instance;
  // Whether all services run in this process, over the embedded log.
  bool all_in_one = false;
  EventLog* log = nullptr;
  LogTopics topics;
  // What was found to be dangerous when the process started, for /readyz.
  std::vector<std::string> warnings;
  Metrics* metrics = nullptr;
  HttpServer* http = nullptr;  // services add their routes when they start
  HttpClient* http_client = nullptr;
  StoreResources* resources = nullptr;
  CacheBudget* budget = nullptr;
};

// A service that runs. Destruction drains it: nothing that was accepted is lost.
class Service {
 public:
  virtual ~Service() = default;
  // Ok when it can do its work now; else why not, for /readyz and the operator.
  virtual absl::Status Ready() const = 0;
  // What does not keep it from its work and ought to be known: /readyz and the doctor tell it.
  virtual std::vector<std::string> Warnings() const { return {}; }
};

// Starts a service: adds its routes and begins its work; requests come only after all services of
// the process have started.
using StartService = std::function<absl::StatusOr<std::unique_ptr<Service>>(const ServiceEnv&)>;

struct ServiceDescription {
  std::string name;  // "ingest": its section of the configuration; the process is rapport-ingest
  std::string what;  // one line for --help
  StartService start;
};

// main() of a service of its own: reads --config, --set, --listen, --instance; connects to Kafka,
// starts, serves /healthz, /readyz and /metrics, runs until SIGTERM or SIGINT, drains. The exit
// code: 0 ended as asked, 2 wrong command line or configuration, 3 it could not start or go on.
// `access`, when it is given, starts before the service: it tells the server who may do what.
int RunServiceMain(int argc, char** argv, const ServiceDescription& service,
                   const StartService& access = {});

// The same for several services in this process with what `env` has, whose `http` is not started
// yet. Comes back when a signal came and all have been drained, or with why a service could not
// start. `started` is called once all are ready to serve. A second signal ends the process at once.
absl::Status RunServices(ServiceEnv env, const std::vector<ServiceDescription>& services,
                         const std::function<void(const HttpServer&)>& started = {});

// How the process serves HTTP at `listen`, after config.http; reads the file of the token.
// FailedPrecondition: that one or the CAs' cannot be read.
absl::StatusOr<HttpServer::Options> HttpOptionsFrom(const config::v1::Config& config,
                                                    const std::string& listen);

// The file of the CAs for calls of this process to itself, and of others on this machine: that of
// http.ca_file, else its own certificate; empty without TLS and either.
std::string OwnCaFile(const config::v1::Http& http);

// Makes the topics that are missing; those that are there keep their partitions. All have as many
// as touchpoints has. FailedPrecondition: alerts has another number of them.
absl::Status CreateTopics(EventLog& log, const LogTopics& topics, int partitions);

// What of the topics' settings endangers what they hold, each with what to do about it.
// FailedPrecondition: one of them cannot be the log's.
absl::StatusOr<std::vector<std::string>> CheckTopics(EventLog& log, const LogTopics& topics);

}  // namespace rapport
