#include "libs/serving/openapi.h"

#include <string>

namespace rapport {

void ServeOpenApi(HttpServer& server) {
  server.Handle("GET", "/openapi.json",
                Answering([](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                  if (const absl::Status query = CheckQuery(request, {}); !query.ok()) return query;
                  return HttpResponse{.body = std::string(OpenApiDocument())};
                }),
                {.open = true});
}

}  // namespace rapport
