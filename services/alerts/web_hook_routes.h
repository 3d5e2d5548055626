#pragma once

#include "libs/service/http_server.h"
#include "services/alerts/web_hook_sender.h"

namespace rapport {

// GET /v1/web-hooks, GET /v1/web-hooks/{name}/deliveries, and POST .../deliveries/{id}/resend and
// .../enable. `sender` outlives the server's requests.
void AddWebHookRoutes(HttpServer* http, WebHookSender* sender);

}  // namespace rapport
