#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/people/access_log.h"
#include "libs/people/audit_log.h"
#include "libs/people/organisation_log.h"
#include "libs/people/people_access.h"
#include "libs/people/sign_in_routes.h"
#include "libs/projector/partition_worker.h"
#include "libs/service/service.h"
#include "libs/serving/work_queue.h"
#include "rapport/config/v1/service.pb.h"

namespace rapport {

// Who works here, who may come in and what they may do, in one process. Every process has one, so
// that each asks for itself; the routes are added by those that people reach.
class People final : public Service {
 public:
  struct Options {
    const config::v1::Config* config = nullptr;
    EventLog* log = nullptr;
    LogTopics topics;
    // Whether it is the only process of the deployment: then the key is made in the data folder.
    bool all_in_one = false;
    // Whether it writes the audit: it is the door by which people come in.
    bool keeps_audit = false;
    // To ask the provider; null: nobody signs in here.
    HttpClient* http_client = nullptr;
    // Further ones who may do everything.
    std::vector<PeopleAccess::MasterToken> master_tokens;
    std::function<absl::Time()> now;
  };
  // FailedPrecondition: a file of the configuration cannot be read.
  static absl::StatusOr<std::unique_ptr<People>> Open(Options options);

  PeopleAccess* access() const { return access_.get(); }
  OrganisationLog* organisation() const { return organisation_.get(); }

  // Routes for people, units, tokens, sessions and the audit. It outlives the server.
  void AddRoutes(HttpServer* http);

  absl::Status Ready() const override;
  std::vector<std::string> Warnings() const override;

 private:
  People() = default;

  std::unique_ptr<OrganisationLog> organisation_;
  std::unique_ptr<AccessLog> access_log_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<PeopleAccess> access_;
  bool lacks_key_ = false;
  std::function<absl::Time()> now_;
  // Answers of theirs may come until they are gone.
  std::unique_ptr<SignInRoutes> sign_in_;
  std::unique_ptr<WorkQueue> queue_;
};

// For a service in a process of its own: the server asks it for each request.
absl::StatusOr<std::unique_ptr<Service>> StartPeople(const ServiceEnv& env);
// The same for the gateway, which adds the routes and keeps the audit.
absl::StatusOr<std::unique_ptr<Service>> StartPeopleAtTheDoor(const ServiceEnv& env);

// What the processes of the deployment share, and sign with: that of access.key_file, else of
// http.token_file, else with `all_in_one` one that is made in the data folder; "": they share
// nothing. FailedPrecondition: a file cannot be read, or the key is too short.
absl::StatusOr<std::string> DeploymentKey(const config::v1::Config& config, bool all_in_one);

// The file in the data folder by which commands on this machine may do everything while `rapport
// up` runs; made when it is missing, readable to its owner alone.
absl::StatusOr<std::string> CommandLineToken(const std::string& data_folder);
std::string CommandLineTokenFile(const std::string& data_folder);

}  // namespace rapport
