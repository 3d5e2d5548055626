#include "libs/people/people.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/people/access_routes.h"
#include "libs/people/signer.h"
#include "libs/people/staff_routes.h"
#include "libs/service/config.h"

namespace rapport {
namespace {

constexpr size_t kShortestKey = 32;

// A secret that is made the first time, in a file that its owner alone may read.
absl::StatusOr<std::string> MadeSecret(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return ReadSecretFile(path);
  const std::string text = absl::StrCat(absl::BytesToHexString(RandomBytes()), "\n");
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!written) {
    std::error_code ignored;
    if (file >= 0) std::filesystem::remove(path, ignored);
    return absl::FailedPreconditionError(
        absl::StrCat("writing ", path, ": ", std::strerror(error)));
  }
  return std::string(text.substr(0, text.size() - 1));
}

}  // namespace

absl::StatusOr<std::string> DeploymentKey(const config::v1::Config& config, bool all_in_one) {
  const std::string& key_file = config.access().key_file();
  if (key_file.empty()) {
    if (!config.http().token_file().empty()) return ReadSecretFile(config.http().token_file());
    if (all_in_one) return MadeSecret(config.data_folder() + "/access.key");
    return std::string();
  }
  RAPPORT_ASSIGN_OR_RETURN(std::string key, ReadSecretFile(key_file));
  if (key.size() < kShortestKey) {
    return absl::FailedPreconditionError(
        absl::StrCat("access.key_file ", key_file, " holds ", key.size(), " characters; at least ",
                     kShortestKey, " are needed, such as `openssl rand -hex 32` gives"));
  }
  return key;
}

absl::StatusOr<std::unique_ptr<People>> People::Open(Options options) {
  const config::v1::Config& config = *options.config;
  std::unique_ptr<People> people(new People());
  people->now_ = options.now;
  RAPPORT_ASSIGN_OR_RETURN(
      people->organisation_,
      OrganisationLog::Open(options.log, options.topics.organisation, options.now));
  RAPPORT_ASSIGN_OR_RETURN(people->access_log_,
                           AccessLog::Open(options.log, options.topics.access, options.now));
  if (options.keeps_audit) {
    RAPPORT_ASSIGN_OR_RETURN(people->audit_,
                             AuditLog::Open(options.log, options.topics.audit, options.now));
  }
  PeopleAccess::Options access = {
      .master_tokens = std::move(options.master_tokens),
      .session_idle = absl::Minutes(config.access().session_idle_minutes()),
      .session_length = absl::Minutes(config.access().session_minutes()),
      .has_provider = !config.access().open_id().issuer().empty(),
      .now = options.now};
  RAPPORT_ASSIGN_OR_RETURN(access.key, DeploymentKey(config, options.all_in_one));
  access.key_is_shared = !access.key.empty();
  if (!access.key_is_shared) access.key = RandomBytes();
  people->lacks_key_ = !access.key_is_shared;
  if (!config.http().token_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const std::string token, ReadSecretFile(config.http().token_file()));
    access.master_tokens.push_back({.secret = token, .name = "http.token_file"});
  }
  const std::string key = access.key;
  people->access_ = std::make_unique<PeopleAccess>(std::move(access), people->organisation_.get(),
                                                   people->access_log_.get(), people->audit_.get());
  people->queue_ = std::make_unique<WorkQueue>();
  if (options.http_client == nullptr) return people;
  RAPPORT_ASSIGN_OR_RETURN(
      people->sign_in_,
      SignInRoutes::Create(config.access(), {.organisation = people->organisation_.get(),
                                             .access_log = people->access_log_.get(),
                                             .audit = people->audit_.get(),
                                             .access = people->access_.get(),
                                             .queue = people->queue_.get(),
                                             .http_client = options.http_client,
                                             .key = key,
                                             .now = options.now}));
  return people;
}

void People::AddRoutes(HttpServer* http) {
  if (sign_in_ != nullptr) sign_in_->AddTo(http);
  AddStaffRoutes(http, organisation_.get(), queue_.get());
  AddAccessRoutes(http, {.organisation = organisation_.get(),
                         .access_log = access_log_.get(),
                         .audit = audit_.get(),
                         .access = access_.get(),
                         .queue = queue_.get(),
                         .now = now_});
}

absl::Status People::Ready() const {
  if (lacks_key_ && access_->controlled()) {
    return absl::FailedPreconditionError(
        "there are accounts or tokens, and the processes have no key by which to believe each "
        "other: set access.key_file to the same for all");
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(organisation_->trouble(), "organisation"));
  return Annotate(access_log_->trouble(), "access");
}

std::vector<std::string> People::Warnings() const {
  std::vector<std::string> warnings;
  if (!access_->controlled()) {
    warnings.push_back(
        "everybody who reaches this address may read and do everything: there is no account, "
        "no token and no provider");
  }
  if (const int64_t passed_over = organisation_->passed_over(); passed_over > 0) {
    warnings.push_back(absl::StrCat("organisation: ", passed_over,
                                    " records contradict what stands before them, and are passed "
                                    "over"));
  }
  if (audit_ != nullptr && !audit_->trouble().ok()) {
    warnings.push_back(std::string(audit_->trouble().message()));
  }
  return warnings;
}

namespace {

absl::StatusOr<std::unique_ptr<Service>> StartIn(const ServiceEnv& env, bool at_the_door) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<People> people,
                           People::Open({.config = env.config,
                                         .log = env.log,
                                         .topics = env.topics,
                                         .keeps_audit = at_the_door,
                                         .http_client = at_the_door ? env.http_client : nullptr,
                                         .now = absl::Now}));
  env.http->SetAccess(people->access());
  if (at_the_door) people->AddRoutes(env.http);
  return people;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartPeople(const ServiceEnv& env) {
  return StartIn(env, /*at_the_door=*/false);
}

absl::StatusOr<std::unique_ptr<Service>> StartPeopleAtTheDoor(const ServiceEnv& env) {
  return StartIn(env, /*at_the_door=*/true);
}

std::string CommandLineTokenFile(const std::string& data_folder) {
  return data_folder + "/command-line.token";
}

absl::StatusOr<std::string> CommandLineToken(const std::string& data_folder) {
  return MadeSecret(CommandLineTokenFile(data_folder));
}

}  // namespace rapport
