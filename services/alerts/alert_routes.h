#pragma once

#include "libs/service/http_server.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_streams.h"

namespace rapport {

// GET /v1/alerts, /v1/alerts/{id} and /v1/alerts/stream. `book` and `streams` outlive the server's
// requests.
void AddAlertRoutes(HttpServer* http, const AlertBook* book, AlertStreams* streams, int partitions);

}  // namespace rapport
