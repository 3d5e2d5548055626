#pragma once

#include "absl/strings/string_view.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"

namespace rapport {

// The OpenAPI 3.0 document of all services (openapi.json), built into the binary.
absl::string_view OpenApiDocument();

// Adds GET /openapi.json, which needs no token.
void ServeOpenApi(HttpServer& server);

}  // namespace rapport
