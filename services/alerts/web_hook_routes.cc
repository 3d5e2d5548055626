#include "services/alerts/web_hook_routes.h"

#include <memory>
#include <utility>

#include "libs/base/status.h"
#include "libs/service/http.h"

namespace rapport {
namespace {

// 202 when a wish is on disk.
std::function<void(absl::Status)> Accepting(HttpReply reply) {
  // The function that waits must be one that can be copied.
  return [waiting = std::make_shared<HttpReply>(std::move(reply))](const absl::Status& status) {
    waiting->Send(status.ok() ? HttpResponse{.status = 202, .body = "{}"} : ErrorResponse(status));
  };
}

}  // namespace

void AddWebHookRoutes(HttpServer* http, WebHookSender* sender) {
  http->Handle("GET", "/v1/web-hooks",
               Answering([sender](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                 RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                 return MessageResponse(request, sender->List());
               }));
  http->Handle("GET", "/v1/web-hooks/{name}/deliveries",
               Answering([sender](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                 RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                 RAPPORT_ASSIGN_OR_RETURN(const query::v1::WebHookDeliveriesPage page,
                                          sender->Deliveries(request.PathValue("name")));
                 return MessageResponse(request, page);
               }));
  http->Handle("POST", "/v1/web-hooks/{name}/deliveries/{id}/resend",
               [sender](const HttpRequest& request, HttpReply reply) {
                 sender->Resend(request.PathValue("name"), request.PathValue("id"),
                                Accepting(std::move(reply)));
               });
  http->Handle("POST", "/v1/web-hooks/{name}/enable",
               [sender](const HttpRequest& request, HttpReply reply) {
                 sender->Enable(request.PathValue("name"), Accepting(std::move(reply)));
               });
}

}  // namespace rapport
