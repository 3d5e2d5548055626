#include "services/rapport/people_api.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/people/people.h"
#include "libs/service/config.h"
#include "libs/service/http_server.h"
#include "libs/service/metrics.h"

namespace rapport {

// In the order in which each stands on those before it.
class PeopleApi::Own {
 public:
  static absl::StatusOr<std::unique_ptr<Own>> Open(const std::string& data) {
    std::error_code error;
    std::filesystem::create_directories(data, error);
    if (error) {
      return absl::FailedPreconditionError(absl::StrCat("creating the data folder ", data, ": ",
                                                        error.message(),
                                                        "; choose another one with --data"));
    }
    auto own = std::make_unique<Own>();
    RAPPORT_ASSIGN_OR_RETURN(own->config_,
                             LoadConfig("", {.overrides = {absl::StrCat("data_folder=", data)}}));
    RAPPORT_ASSIGN_OR_RETURN(own->log_, OpenEmbeddedLog({.folder = data + "/log"}));
    RAPPORT_ASSIGN_OR_RETURN(own->token_, CommandLineToken(data));
    RAPPORT_ASSIGN_OR_RETURN(
        own->people_,
        People::Open(
            {.config = &own->config_,
             .log = own->log_.get(),
             .topics = {},
             .all_in_one = true,
             .keeps_audit = true,
             .http_client = &own->client_,
             .master_tokens = {{.secret = own->token_, .name = "command line", .closes = false}},
             .now = absl::Now}));
    RAPPORT_ASSIGN_OR_RETURN(
        own->http_, HttpServer::Create({.threads = 1, .max_connections = 100}, &own->metrics_));
    own->http_->SetAccess(own->people_->access());
    own->people_->AddRoutes(own->http_.get());
    RAPPORT_RETURN_IF_ERROR(own->http_->Start());
    return own;
  }
  ~Own() {
    if (http_ != nullptr) http_->Drain(absl::Seconds(5));
  }

  std::string address() const { return http_->address(); }
  const std::string& token() const { return token_; }

 private:
  config::v1::Config config_;
  HttpClient client_;
  std::unique_ptr<EventLog> log_;
  std::string token_;
  Metrics metrics_;
  std::unique_ptr<People> people_;
  std::unique_ptr<HttpServer> http_;
};

PeopleApi::PeopleApi() = default;
PeopleApi::~PeopleApi() = default;

absl::StatusOr<std::unique_ptr<PeopleApi>> PeopleApi::Find(const CommonOptions& common) {
  std::unique_ptr<PeopleApi> found(new PeopleApi());
  RAPPORT_ASSIGN_OR_RETURN(found->api_, FindApi(common));
  if (found->api_ != nullptr) return found;
  RAPPORT_ASSIGN_OR_RETURN(found->own_, Own::Open(common.data));
  found->api_ = std::make_unique<Api>(
      Api::Server{.address = found->own_->address(), .token = found->own_->token()});
  return found;
}

}  // namespace rapport
