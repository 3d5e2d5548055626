#include "services/alerts/alert_actions.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/service/http.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/query_values.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"
#include "nlohmann/json.hpp"
#include "services/alerts/alert_cursor.h"

namespace rapport {
namespace {

using query::v1::Alert;
using query::v1::AlertActionRequest;
using touchpoint::v1::Touchpoint;

constexpr char kSource[] = "rapport";
constexpr size_t kMaxBodyBytes = 64 << 10;
constexpr size_t kMaxKeyBytes = 200;

absl::string_view NameOf(AlertAction action) {
  switch (action) {
    case AlertAction::kAcknowledge:
      return "acknowledge";
    case AlertAction::kSnooze:
      return "snooze";
    case AlertAction::kDismiss:
      return "dismiss";
    case AlertAction::kResolve:
      return "resolve";
  }
  return "";
}

absl::Status Missing(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": missing; give ", what));
}

// A field that only another action has would be lost without a word.
absl::Status CheckFields(AlertAction action, const AlertActionRequest& request) {
  const auto refuse = [&](bool given, absl::string_view field) {
    return given ? absl::InvalidArgumentError(
                       absl::StrCat(field, ": ", NameOf(action), " takes no such field"))
                 : absl::OkStatus();
  };
  if (action != AlertAction::kSnooze) {
    RAPPORT_RETURN_IF_ERROR(refuse(request.has_until(), "until"));
  }
  if (action != AlertAction::kDismiss) {
    RAPPORT_RETURN_IF_ERROR(refuse(request.reason() != 0, "reason"));
  }
  if (action != AlertAction::kResolve) {
    RAPPORT_RETURN_IF_ERROR(refuse(request.outcome() != 0, "outcome"));
  }
  return absl::OkStatus();
}

absl::Status Fill(AlertAction action, const Alert& alert, const AlertActionRequest& request,
                  absl::Time now, Touchpoint* touchpoint) {
  switch (action) {
    case AlertAction::kAcknowledge:
      touchpoint->mutable_alert_acknowledged()->set_alert_id(alert.alert_id());
      touchpoint->mutable_alert_acknowledged()->set_note(request.note());
      return absl::OkStatus();
    case AlertAction::kSnooze:
      if (!request.has_until()) return Missing("until", "the time of the reminder, RFC 3339");
      if (FromProto(request.until()) <= now) {
        return absl::InvalidArgumentError(absl::StrCat(
            "until: ", absl::FormatTime(FromProto(request.until()), absl::UTCTimeZone()),
            " is over; give a time to come"));
      }
      touchpoint->mutable_alert_snoozed()->set_alert_id(alert.alert_id());
      *touchpoint->mutable_alert_snoozed()->mutable_snoozed_until() = request.until();
      touchpoint->mutable_alert_snoozed()->set_note(request.note());
      return absl::OkStatus();
    case AlertAction::kDismiss:
      if (request.reason() == 0) {
        return Missing("reason", EnumWords(*touchpoint::v1::AlertDismissalReason_descriptor()));
      }
      touchpoint->mutable_alert_dismissed()->set_alert_id(alert.alert_id());
      touchpoint->mutable_alert_dismissed()->set_reason(request.reason());
      touchpoint->mutable_alert_dismissed()->set_note(request.note());
      return absl::OkStatus();
    case AlertAction::kResolve:
      if (request.outcome() == 0) {
        return Missing("outcome", EnumWords(*touchpoint::v1::AlertOutcome_descriptor()));
      }
      touchpoint->mutable_alert_resolved()->set_alert_id(alert.alert_id());
      touchpoint->mutable_alert_resolved()->set_outcome(request.outcome());
      touchpoint->mutable_alert_resolved()->set_note(request.note());
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

// From the paths of a touchpoint to those of the request that it was made of.
absl::Status InTermsOfRequest(const absl::Status& status) {
  absl::string_view message = status.message();
  for (const absl::string_view kind :
       {"alert_acknowledged.", "alert_dismissed.", "alert_resolved.", "alert_snoozed.snoozed_"}) {
    if (absl::ConsumePrefix(&message, kind)) break;
  }
  return absl::Status(status.code(), message);
}

// The body with the values of `reason` and `outcome` by their names in the protos: they may be
// written as everywhere else, "saved" for ALERT_OUTCOME_SAVED. InvalidArgument: there is no such
// value; it tells which there are.
absl::StatusOr<std::string> WithNamesOfValues(const std::string& body) {
  nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  // What else is wrong, the parser of the message tells.
  if (!json.is_object()) return body;
  bool changed = false;
  for (const char* const name : {"reason", "outcome"}) {
    const auto field = json.find(name);
    if (field == json.end() || !field->is_string()) continue;
    const google::protobuf::EnumDescriptor& type =
        *AlertActionRequest::descriptor()->FindFieldByName(name)->enum_type();
    const absl::StatusOr<int> value = ParseEnum(name, field->get<std::string>(), type);
    if (!value.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", value.status().message()));
    }
    *field = type.FindValueByNumber(*value)->name();
    changed = true;
  }
  return changed ? json.dump() : body;
}

absl::StatusOr<AlertActionRequest> ParseBody(const HttpRequest& request) {
  AlertActionRequest parsed;
  RAPPORT_ASSIGN_OR_RETURN(const std::string body, WithNamesOfValues(request.body));
  const auto status = google::protobuf::util::JsonStringToMessage(body, &parsed);
  if (status.ok()) return parsed;
  // "path: what is wrong" or "(path): what is wrong" where the parser knows the path.
  absl::string_view message(status.message().data(), status.message().size());
  absl::string_view path = message.substr(0, std::min(message.find(": "), message.size()));
  const absl::string_view rest = message.substr(path.size());
  if (absl::ConsumePrefix(&path, "(")) absl::ConsumeSuffix(&path, ")");
  const bool is_path =
      !path.empty() && !rest.empty() && std::all_of(path.begin(), path.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '_' || c == '.';
      });
  return absl::InvalidArgumentError(
      absl::StrCat(is_path ? path : "body", ": ",
                   absl::CHexEscape((is_path ? rest.substr(2) : message).substr(0, 200))));
}

absl::StatusOr<Alert> FindOpen(const AlertBook& book, const HttpRequest& request) {
  const std::string& alert_id = request.PathValue("id");
  std::optional<Alert> alert = book.Look(alert_id);
  if (!alert) return book.Find(alert_id).status();
  RAPPORT_RETURN_IF_ERROR(CheckAlertSeen(request, *alert, book.Absent(alert_id)));
  if (alert->state() == query::v1::ALERT_STATE_OPEN) return *std::move(alert);
  return absl::AlreadyExistsError(
      absl::StrCat("the alert was closed at ",
                   absl::FormatTime(FromProto(alert->closed_at()), absl::UTCTimeZone()), ": ",
                   alert::v1::ClearReason_Name(alert->clear_reason())));
}

absl::StatusOr<Touchpoint> ReadAction(AlertAction action, const HttpRequest& request,
                                      const AlertActionEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const absl::string_view key = request.HeaderValue("idempotency-key");
  if (key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("Idempotency-Key: ", key.size(), " bytes; at most ", kMaxKeyBytes));
  }
  RAPPORT_ASSIGN_OR_RETURN(const AlertActionRequest body, ParseBody(request));
  RAPPORT_ASSIGN_OR_RETURN(const Alert alert, FindOpen(*env.book, request));
  return MakeActionTouchpoint(action, alert, body, key, CallerOf(request), env.now());
}

HttpResponse Refusal(const absl::Status& status) {
  if (absl::IsAlreadyExists(status)) return ErrorResponse(409, status);
  if (!absl::IsInvalidArgument(status)) return ErrorResponse(status);
  const absl::string_view message = status.message();
  return ErrorResponse(status, message.substr(0, message.find(':')));
}

bool IsJson(const HttpRequest& request) {
  const absl::string_view type = request.HeaderValue("content-type");
  return type.empty() || absl::StartsWithIgnoreCase(type, "application/json");
}

void Answer(AlertAction action, const AlertActionEnv& env, const HttpRequest& request,
            HttpReply reply) {
  if (!IsJson(request)) {
    reply.Send(ErrorResponse(
        415, absl::InvalidArgumentError("content-type: give the body as application/json")));
    return;
  }
  const absl::StatusOr<Touchpoint> touchpoint = ReadAction(action, request, env);
  if (!touchpoint.ok()) {
    reply.Send(Refusal(touchpoint.status()));
    return;
  }
  query::v1::AlertActionAnswer answer;
  answer.set_alert_id(request.PathValue("id"));
  answer.set_event_id(absl::BytesToHexString(touchpoint->event_id()));
  // The function that waits must be one that can be copied.
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  const auto done = [waiting, answer, request](absl::StatusOr<RecordPosition> position) mutable {
    if (!position.ok()) {
      waiting->Send(ErrorResponse(position.status()));
      return;
    }
    answer.set_position(PositionText(*position));
    HttpResponse response = MessageResponse(request, answer);
    response.status = 202;
    waiting->Send(std::move(response));
  };
  env.writer->Append(env.touchpoints_topic, MakeRecord(*touchpoint), done);
}

}  // namespace

absl::StatusOr<Touchpoint> MakeActionTouchpoint(AlertAction action, const Alert& alert,
                                                const AlertActionRequest& request,
                                                absl::string_view idempotency_key,
                                                const Caller& caller, absl::Time now) {
  const std::string& agent_id = caller.is_staff ? caller.id : request.agent_id();
  if (agent_id.empty()) return Missing("agent_id", "who does this");
  RAPPORT_RETURN_IF_ERROR(CheckFields(action, request));
  Touchpoint touchpoint;
  RAPPORT_RETURN_IF_ERROR(Fill(action, alert, request, now, &touchpoint));
  touchpoint.set_client_id(alert.client_id());
  ToProto(now, touchpoint.mutable_occurred_at());
  ToProto(now, touchpoint.mutable_recorded_at());
  touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  touchpoint.set_agent_id(agent_id);
  if (caller.is_staff) touchpoint.set_recorded_by(caller.id);
  touchpoint.set_owner_id(alert.owner_id());
  touchpoint.set_source(kSource);
  // Hashed, so that it has the same short length whatever the parts are.
  const std::string parts =
      absl::StrCat(alert.alert_id(), "\n", agent_id, "\n", idempotency_key, "\n",
                   idempotency_key.empty() && request.has_until()
                       ? absl::FormatTime(FromProto(request.until()), absl::UTCTimeZone())
                       : "");
  touchpoint.set_source_event_id(
      absl::StrCat("alert/", NameOf(action), "/", MakeEventId(kSource, parts).ToHex()));
  touchpoint.set_event_id(std::string(MakeEventId(kSource, touchpoint.source_event_id()).view()));
  RAPPORT_RETURN_IF_ERROR(InTermsOfRequest(ValidateTouchpoint(touchpoint)));
  return touchpoint;
}

void AddAlertActionRoutes(HttpServer* http, const AlertActionEnv& env) {
  for (const AlertAction action : {AlertAction::kAcknowledge, AlertAction::kSnooze,
                                   AlertAction::kDismiss, AlertAction::kResolve}) {
    http->Handle("POST", absl::StrCat("/v1/alerts/{id...}/", NameOf(action)),
                 [action, env](const HttpRequest& request, HttpReply reply) {
                   Answer(action, env, request, std::move(reply));
                 },
                 {.max_body_bytes = kMaxBodyBytes});
  }
}

}  // namespace rapport
