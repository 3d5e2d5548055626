#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/service/http_server.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/log_writer.h"

namespace rapport {

// What people do about alerts becomes touchpoints of their clients.
enum class AlertAction { kAcknowledge, kSnooze, kDismiss, kResolve };

// The touchpoint of an action. Its source is "rapport" and its source event id is made of the
// alert, the action, who does it and `idempotency_key` (when that is empty, of the end of a snooze
// too), so that the same action sent twice counts once. InvalidArgument: begins with the path of
// the field in the request. `caller`, when it is one of our people, does it, whatever the request
// says.
absl::StatusOr<touchpoint::v1::Touchpoint> MakeActionTouchpoint(
    AlertAction action, const query::v1::Alert& alert, const query::v1::AlertActionRequest& request,
    absl::string_view idempotency_key, const Caller& caller, absl::Time now);

struct AlertActionEnv {
  const AlertBook* book = nullptr;
  LogWriter* writer = nullptr;
  std::string touchpoints_topic;
  std::function<absl::Time()> now;
};

// POST /v1/alerts/{id}/acknowledge, /snooze, /dismiss and /resolve: 202 with the position when the
// touchpoint is on disk; 404 unknown; 409 closed already; 503 when the log is away.
void AddAlertActionRoutes(HttpServer* http, const AlertActionEnv& env);

}  // namespace rapport
