#pragma once

#include "libs/service/http_server.h"
#include "rapport/config/v1/service.pb.h"

namespace rapport {

// Adds, before the server starts, GET /v1/config: with which settings the process runs, with what
// is secret masked.
void AddConfigRoute(const config::v1::Config& config, HttpServer* http);

}  // namespace rapport
