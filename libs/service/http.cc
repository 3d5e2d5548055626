#include "libs/service/http.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/service/http_impl.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

constexpr char kProtobuf[] = "application/x-protobuf";

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpResponse MakeError(int http_status, const absl::Status& status, absl::string_view field) {
  nlohmann::json details = nlohmann::json::array();
  const std::string message(status.message());
  if (!field.empty()) {
    details.push_back(
        {{"@type", "type.googleapis.com/google.rpc.BadRequest"},
         {"field_violations", {{{"field", std::string(field)}, {"description", message}}}}});
  }
  const nlohmann::json error = {
      {"code", static_cast<int>(status.code())}, {"message", message}, {"details", details}};
  HttpResponse response;
  response.status = http_status;
  response.body = error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (http_status == 503 || http_status == 429) response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

const std::string& HttpRequest::PathValue(absl::string_view name) const {
  const auto it = std::find_if(path_values.begin(), path_values.end(),
                               [name](const auto& value) { return value.first == name; });
  RAPPORT_CHECK(it != path_values.end(), "the route of ", path, " has no {", name, "}");
  return it->second;
}

std::optional<std::string> HttpRequest::Query(absl::string_view name) const {
  const auto it = std::find_if(query.begin(), query.end(),
                               [name](const auto& parameter) { return parameter.first == name; });
  if (it == query.end()) return std::nullopt;
  return it->second;
}

absl::string_view HttpRequest::HeaderValue(absl::string_view name) const {
  const auto it = std::find_if(headers.begin(), headers.end(),
                               [name](const Header& header) { return header.name == name; });
  return it == headers.end() ? absl::string_view() : it->value;
}

bool HttpStream::Write(absl::string_view piece) { return impl_ != nullptr && impl_->Write(piece); }

void HttpStream::OnClose(std::function<void()> closed) {
  if (impl_ == nullptr) {
    closed();
  } else {
    impl_->OnClose(std::move(closed));
  }
}

void HttpStream::Close() {
  if (impl_ != nullptr) impl_->Close();
}

bool HttpStream::open() const { return impl_ != nullptr && impl_->open(); }

HttpReply::HttpReply(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpReply::HttpReply(HttpReply&&) noexcept = default;

HttpReply& HttpReply::operator=(HttpReply&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

HttpReply::~HttpReply() {
  if (impl_ == nullptr) return;
  impl_->Send(ErrorResponse(absl::InternalError("the request was dropped without an answer")));
}

void HttpReply::Send(HttpResponse response) {
  RAPPORT_CHECK(impl_ != nullptr, "a request is answered once");
  const std::unique_ptr<Impl> impl = std::move(impl_);
  impl->Send(std::move(response));
}

HttpStream HttpReply::Stream(HttpResponse head) {
  RAPPORT_CHECK(impl_ != nullptr, "a request is answered once");
  const std::unique_ptr<Impl> impl = std::move(impl_);
  return impl->Stream(std::move(head));
}

HttpHandler Answering(std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)> answer) {
  return [answer = std::move(answer)](const HttpRequest& request, HttpReply reply) {
    absl::StatusOr<HttpResponse> response = answer(request);
    reply.Send(response.ok() ? *std::move(response) : ErrorResponse(response.status()));
  };
}

HttpResponse ErrorResponse(const absl::Status& status, absl::string_view field) {
  return MakeError(HttpStatusOf(status.code()), status, field);
}

HttpResponse ErrorResponse(int http_status, const absl::Status& status) {
  return MakeError(http_status, status, "");
}

HttpResponse MessageResponse(const HttpRequest& request, const google::protobuf::Message& message) {
  HttpResponse response;
  if (absl::StrContains(request.HeaderValue("accept"), kProtobuf)) {
    response.content_type = kProtobuf;
    message.SerializeToString(&response.body);
    return response;
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  const auto status = google::protobuf::util::MessageToJsonString(message, &response.body, options);
  if (!status.ok()) {
    return ErrorResponse(absl::InternalError(
        absl::StrCat("the answer cannot be written as JSON: ", status.ToString())));
  }
  return response;
}

absl::StatusOr<std::optional<absl::Time>> QueryTime(const HttpRequest& request,
                                                    absl::string_view name) {
  const std::optional<std::string> text = request.Query(name);
  if (!text) return std::nullopt;
  // "+02:00" not encoded arrives with a space.
  const std::string value = absl::StrReplaceAll(*text, {{" ", "+"}});
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, value, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is '", *text, "'; write a time such as 2026-03-01T09:30:00Z"));
  }
  return time;
}

absl::StatusOr<std::optional<int64_t>> QueryNumber(const HttpRequest& request,
                                                   absl::string_view name, int64_t least,
                                                   int64_t most) {
  const std::optional<std::string> text = request.Query(name);
  if (!text) return std::nullopt;
  int64_t number = 0;
  if (!absl::SimpleAtoi(*text, &number) || number < least || number > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is '", *text, "'; write a number from ", least, " to ", most));
  }
  return number;
}

absl::Status CheckQuery(const HttpRequest& request, absl::Span<const absl::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("there is no query parameter '", name, "' here; ",
                     known.empty() ? "there are none"
                                   : absl::StrCat("there are: ", absl::StrJoin(known, ", "))));
  }
  return absl::OkStatus();
}

}  // namespace rapport
