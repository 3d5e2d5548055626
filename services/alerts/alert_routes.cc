#include "services/alerts/alert_routes.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/service/http.h"

namespace rapport {
namespace {

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

absl::StatusOr<AlertFilter> ParseFilter(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(
      CheckQuery(request, {"state", "owner", "client", "severity", "cursor", "limit"}));
  AlertFilter filter;
  RAPPORT_ASSIGN_OR_RETURN(filter.state, ParseState(request.Query("state").value_or("open")));
  if (const auto severity = request.Query("severity")) {
    RAPPORT_ASSIGN_OR_RETURN(filter.least_severity, ParseSeverity(*severity));
  }
  filter.owner_id = request.Query("owner").value_or("");
  filter.client_id = request.Query("client").value_or("");
  filter.cursor = request.Query("cursor").value_or("");
  RAPPORT_ASSIGN_OR_RETURN(const auto limit, QueryNumber(request, "limit", 1, kMaxLimit));
  filter.limit = static_cast<size_t>(limit.value_or(kDefaultLimit));
  return filter;
}

absl::StatusOr<HttpResponse> AnswerList(const HttpRequest& request, const AlertBook& book) {
  RAPPORT_ASSIGN_OR_RETURN(const AlertFilter filter, ParseFilter(request));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AlertsPage page, book.List(filter));
  return MessageResponse(request, page);
}

absl::StatusOr<HttpResponse> AnswerDetails(const HttpRequest& request, const AlertBook& book) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AlertDetails details,
                           book.Find(request.PathValue("id")));
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

void AnswerStream(const HttpRequest& request, HttpReply reply, AlertStreams* streams,
                  int partitions) {
  absl::Status status = CheckQuery(request, {"owner", "after", "from"});
  if (status.ok()) {
    const auto begin = StreamBegin(request, partitions);
    if (begin.ok()) {
      streams->Subscribe(request.Query("owner").value_or(""), *begin, std::move(reply));
      return;
    }
    status = begin.status();
  }
  reply.Send(ErrorResponse(status));
}

}  // namespace

void AddAlertRoutes(HttpServer* http, const AlertBook* book, AlertStreams* streams,
                    int partitions) {
  http->Handle("GET", "/v1/alerts", Answering([book](const HttpRequest& request) {
                 return AnswerList(request, *book);
               }));
  http->Handle("GET", "/v1/alerts/{id...}", Answering([book](const HttpRequest& request) {
                 return AnswerDetails(request, *book);
               }));
  http->Handle("GET", "/v1/alerts/stream",
               [streams, partitions](const HttpRequest& request, HttpReply reply) {
                 AnswerStream(request, std::move(reply), streams, partitions);
               });
}

}  // namespace rapport
