#include "services/alerts/alert_routes.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/service/http.h"
#include "libs/serving/owner_filter.h"

namespace rapport {
namespace {

constexpr char kStreamRoute[] = "/v1/alerts/stream";
constexpr int64_t kDefaultLimit = 50;
constexpr int64_t kMaxLimit = 500;

absl::Status Unknown(absl::string_view parameter, absl::string_view value,
                     absl::string_view allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(parameter, ": '", absl::CHexEscape(value), "' is not one of: ", allowed));
}

absl::StatusOr<AlertFilter::State> ParseState(const std::string& text) {
  if (text == "open") return AlertFilter::State::kOpen;
  if (text == "closed") return AlertFilter::State::kClosed;
  if (text == "all") return AlertFilter::State::kAll;
  return Unknown("state", text, "open, closed, all");
}

absl::StatusOr<alert::v1::Severity> ParseSeverity(const std::string& text) {
  alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;
  const bool known = text == absl::AsciiStrToLower(text) &&
                     alert::v1::Severity_Parse(
                         absl::StrCat("SEVERITY_", absl::AsciiStrToUpper(text)), &severity) &&
                     severity != alert::v1::SEVERITY_UNSPECIFIED;
  if (!known) return Unknown("severity", text, "low, medium, high, critical");
  return severity;
}

absl::StatusOr<AlertFilter> ParseFilter(const HttpRequest& request, const Access* access) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(
      request, {"state", "owner", "team", "branch", "client", "severity", "cursor", "limit"}));
  AlertFilter filter;
  RAPPORT_ASSIGN_OR_RETURN(filter.state, ParseState(request.Query("state").value_or("open")));
  if (const auto severity = request.Query("severity")) {
    RAPPORT_ASSIGN_OR_RETURN(filter.least_severity, ParseSeverity(*severity));
  }
  RAPPORT_ASSIGN_OR_RETURN(filter.owners, OwnerFilter::Of(request, access));
  filter.client_id = request.Query("client").value_or("");
  filter.cursor = request.Query("cursor").value_or("");
  RAPPORT_ASSIGN_OR_RETURN(const auto limit, QueryNumber(request, "limit", 1, kMaxLimit));
  filter.limit = static_cast<size_t>(limit.value_or(kDefaultLimit));
  return filter;
}

absl::StatusOr<HttpResponse> AnswerList(const HttpRequest& request, const AlertBook& book,
                                        const Access* access) {
  RAPPORT_ASSIGN_OR_RETURN(const AlertFilter filter, ParseFilter(request, access));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AlertsPage page, book.List(filter));
  return MessageResponse(request, page);
}

absl::StatusOr<HttpResponse> AnswerDetails(const HttpRequest& request, const AlertBook& book) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AlertDetails details,
                           book.Find(request.PathValue("id")));
  RAPPORT_RETURN_IF_ERROR(
      CheckAlertSeen(request, details.alert(), book.Absent(request.PathValue("id"))));
  return MessageResponse(request, details);
}

// Where a stream begins; nullopt: now. A browser that comes back sends Last-Event-ID beside the
// query that it began with, so that the header goes first.
absl::StatusOr<std::optional<AlertCursor>> StreamBegin(const HttpRequest& request, int partitions) {
  const std::string from = request.Query("from").value_or("now");
  if (from != "now" && from != "beginning") return Unknown("from", from, "now, beginning");
  const std::optional<std::string> after = request.Query("after");
  if (after && request.Query("from")) {
    return absl::InvalidArgumentError("after: it tells where to begin, and so does from; give one");
  }
  const std::string last(request.HeaderValue("last-event-id"));
  if (!last.empty() || after) {
    const absl::StatusOr<AlertCursor> cursor =
        AlertCursor::Parse(last.empty() ? *after : last, partitions);
    RAPPORT_RETURN_IF_ERROR(Annotate(cursor.status(), last.empty() ? "after" : "Last-Event-ID"));
    return std::optional<AlertCursor>(*cursor);
  }
  if (from == "now") return std::optional<AlertCursor>();
  return std::optional<AlertCursor>(
      AlertCursor{std::vector<int64_t>(static_cast<size_t>(partitions), 0)});
}

// What of the stream is sent: what the query asks for, by the owner of then, as long as whoever
// reads may, by the owner of now. A session or token that ends meanwhile ends the stream.
AlertStreams::Gate GateOf(const HttpRequest& request, OwnerFilter asked, Access* access) {
  if (CallerOf(request).sees_all && access == nullptr) {
    return [asked = std::move(asked)](absl::string_view then, absl::string_view) {
      return asked.Has(then) ? AlertStreams::Verdict::kSend : AlertStreams::Verdict::kSkip;
    };
  }
  HttpRequest reader = request;
  reader.body.clear();
  return [asked = std::move(asked), access, reader = std::move(reader)](absl::string_view then,
                                                                        absl::string_view now) {
    const Access::Admission admission = access->Admit(reader, kStreamRoute);
    if (admission.refusal) return AlertStreams::Verdict::kEnd;
    const bool meant = asked.Has(then) && admission.caller->Sees(now);
    return meant ? AlertStreams::Verdict::kSend : AlertStreams::Verdict::kSkip;
  };
}

// Of all whom the query names; what of it the reader sees is looked at for each step.
absl::StatusOr<OwnerFilter> Asked(const HttpRequest& request, const Access* access) {
  if (!request.Query("owner") && !request.Query("team") && !request.Query("branch")) {
    return OwnerFilter();
  }
  return OwnerFilter::Of(request, access);
}

absl::Status BeginStream(const HttpRequest& request, HttpReply* reply, AlertStreams* streams,
                         int partitions, Access* access) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"owner", "team", "branch", "after", "from"}));
  RAPPORT_ASSIGN_OR_RETURN(OwnerFilter asked, Asked(request, access));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<AlertCursor> begin,
                           StreamBegin(request, partitions));
  streams->Subscribe(GateOf(request, std::move(asked), access), begin, std::move(*reply));
  return absl::OkStatus();
}

}  // namespace

void AddAlertRoutes(HttpServer* http, const AlertBook* book, AlertStreams* streams,
                    int partitions) {
  Access* const access = http->access();
  http->Handle("GET", "/v1/alerts", Answering([book, access](const HttpRequest& request) {
                 return AnswerList(request, *book, access);
               }));
  http->Handle("GET", "/v1/alerts/{id...}", Answering([book](const HttpRequest& request) {
                 return AnswerDetails(request, *book);
               }));
  http->Handle("GET", kStreamRoute,
               [streams, partitions, access](const HttpRequest& request, HttpReply reply) {
                 const absl::Status begun =
                     BeginStream(request, &reply, streams, partitions, access);
                 if (!begun.ok()) reply.Send(ErrorResponse(begun));
               });
}

}  // namespace rapport
