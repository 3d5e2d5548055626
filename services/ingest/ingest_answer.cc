#include "services/ingest/ingest_answer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/intake/problem.h"

namespace rapport {
namespace {

constexpr int kAccepted = 202;
constexpr int kMultiStatus = 207;
constexpr int kBadRequest = 400;
constexpr int kTooLarge = 413;
constexpr int kUnsupported = 415;

void AppendPlace(const EventId& id, const RecordPosition& position, std::string* json) {
  absl::StrAppend(json, "{\"id\":\"", id.ToHex(), "\",\"position\":\"", position.partition.value(),
                  ":", position.offset.value(), "\"}");
}

HttpResponse AnswerBatch(const IntakeBatch& batch, absl::Span<const RecordPosition> positions) {
  std::string results;
  results.reserve(batch.events.size() * 72);
  size_t accepted = 0;
  for (const IntakeEvent& event : batch.events) {
    if (!results.empty()) results += ',';
    if (event.status.ok()) {
      AppendPlace(event.id, positions[accepted++], &results);
    } else {
      absl::StrAppend(&results,
                      "{\"error\":", ErrorResponse(event.status, PathOf(event.status)).body, "}");
    }
  }
  const size_t rejected = batch.events.size() - accepted;
  HttpResponse response;
  response.status = rejected == 0 ? kAccepted : accepted == 0 ? kBadRequest : kMultiStatus;
  response.body = absl::StrCat("{\"accepted\":", accepted, ",\"rejected\":", rejected,
                               ",\"results\":[", results, "]}");
  return response;
}

}  // namespace

HttpResponse AnswerEvents(const IntakeBatch& batch, absl::Span<const RecordPosition> positions) {
  if (batch.batch) return AnswerBatch(batch, positions);
  const IntakeEvent& event = batch.events.front();
  if (!event.status.ok()) return AnswerRefusal(event.status);
  HttpResponse response;
  response.status = kAccepted;
  AppendPlace(event.id, positions.front(), &response.body);
  return response;
}

HttpResponse AnswerRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOutOfRange:
      return ErrorResponse(kTooLarge, status);
    case absl::StatusCode::kUnimplemented:
      return ErrorResponse(kUnsupported, status);
    case absl::StatusCode::kInvalidArgument:
      return ErrorResponse(status, PathOf(status));
    default:
      return ErrorResponse(status);
  }
}

}  // namespace rapport
