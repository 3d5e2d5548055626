#include "libs/serving/config_route.h"

#include <utility>

#include "libs/base/status.h"
#include "libs/service/config.h"

namespace rapport {

void AddConfigRoute(const config::v1::Config& config, HttpServer* http) {
  http->Handle("GET", "/v1/config",
               Answering([answer = ShowSettings(config)](
                             const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                 RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                 return MessageResponse(request, answer);
               }));
}

}  // namespace rapport
