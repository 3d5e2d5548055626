#include "libs/serving/projection_list.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "rapport/query/v1/projection.pb.h"

namespace rapport {
namespace {

constexpr std::array<const char*, 4> kProjections = {Profile::kName, Retention::kName,
                                                     DealPipeline::kName, Kpi::kName};

// The answers of all projections to one request.
struct Gathering {
  Gathering(HttpRequest asked, HttpReply given)
      : request(std::move(asked)), reply(std::move(given)) {}

  const HttpRequest request;
  Mutex mutex;
  HttpReply reply ABSL_GUARDED_BY(mutex);
  std::array<absl::StatusOr<query::v1::ProjectionStatus>, kProjections.size()> statuses
      ABSL_GUARDED_BY(mutex);
  size_t left ABSL_GUARDED_BY(mutex) = kProjections.size();
};

absl::StatusOr<query::v1::ProjectionStatus> ReadStatus(const absl::StatusOr<HttpAnswer>& answer) {
  RAPPORT_RETURN_IF_ERROR(answer.status());
  if (answer->status != 200) {
    return absl::UnavailableError(absl::StrCat("HTTP status ", answer->status));
  }
  query::v1::ProjectionStatus status;
  if (status.ParseFromString(answer->body)) return status;
  return absl::InternalError("its answer does not parse");
}

HttpResponse AnswerOf(const Gathering& gathering) ABSL_EXCLUSIVE_LOCKS_REQUIRED(gathering.mutex) {
  query::v1::ProjectionList list;
  for (size_t i = 0; i < kProjections.size(); ++i) {
    const absl::StatusOr<query::v1::ProjectionStatus>& status = gathering.statuses.at(i);
    if (status.ok()) {
      *list.add_projections() = *status;
      continue;
    }
    query::v1::UnavailableProjection& unavailable = *list.add_missing_projections();
    unavailable.set_projection(kProjections.at(i));
    unavailable.set_reason(std::string(status.status().message()));
  }
  return MessageResponse(gathering.request, list);
}

}  // namespace

absl::Status AddProjectionListRoute(const ServiceEnv& env) {
  const config::v1::Http& http = env.config->http();
  std::string token;
  if (!http.token_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(token, ReadSecretFile(http.token_file()));
  }
  env.http->Handle("GET", "/v1/projections", [env, token](HttpRequest request, HttpReply reply) {
    if (const absl::Status known = CheckQuery(request, {}); !known.ok()) {
      return reply.Send(ErrorResponse(known));
    }
    const Access* const access = env.http->access();
    const auto gathering = std::make_shared<Gathering>(std::move(request), std::move(reply));
    for (size_t i = 0; i < kProjections.size(); ++i) {
      HttpCall call{
          .url = absl::StrCat(env.http->address(), "/v1/projections/", kProjections.at(i)),
          .timeout = absl::Milliseconds(env.config->gateway().timeout_ms()),
          .ca_file = OwnCaFile(env.config->http()),
          .connect_to = env.http->local_address()};
      call.headers.push_back({"accept", "application/x-protobuf"});
      if (!token.empty()) call.headers.push_back({"authorization", absl::StrCat("Bearer ", token)});
      if (access != nullptr) {
        for (Header& header : access->Vouch(gathering->request)) {
          call.headers.push_back(std::move(header));
        }
      }
      env.http_client->Send(std::move(call),
                            [gathering, i](const absl::StatusOr<HttpAnswer>& answer) {
                              MutexLock lock(&gathering->mutex);
                              gathering->statuses.at(i) = ReadStatus(answer);
                              if (--gathering->left > 0) return;
                              gathering->reply.Send(AnswerOf(*gathering));
                            });
    }
  });
  return absl::OkStatus();
}

}  // namespace rapport
