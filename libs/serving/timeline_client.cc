#include "libs/serving/timeline_client.h"

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/service/config.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

constexpr size_t kMostBytes = size_t{256} << 20;

absl::StatusOr<query::v1::Touchpoints> ReadAnswer(const absl::StatusOr<HttpAnswer>& answer) {
  constexpr char kWhat[] = "asking for the client's touchpoints";
  if (absl::IsUnauthenticated(answer.status())) {
    // Of the service, and not of who asks here.
    return absl::UnavailableError(absl::StrCat(kWhat, ": ", answer.status().message()));
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(answer.status(), kWhat));
  if (answer->status == 404) return absl::NotFoundError("there is no such client");
  if (answer->status != 200) {
    return absl::UnavailableError(
        absl::StrCat("asking for the client's touchpoints: HTTP status ", answer->status));
  }
  query::v1::Touchpoints touchpoints;
  if (touchpoints.ParseFromString(answer->body)) return touchpoints;
  return absl::InternalError("the answer with the client's touchpoints does not parse");
}

}  // namespace

absl::StatusOr<std::unique_ptr<TimelineClient>> TimelineClient::Create(const ServiceEnv& env) {
  const config::v1::Http& http = env.config->http();
  HttpCall call{.timeout = absl::Milliseconds(env.config->gateway().timeout_ms()),
                .max_response_bytes = kMostBytes};
  if (env.all_in_one) {
    call.url = env.http->address();
    call.ca_file = OwnCaFile(http);
    call.connect_to = env.http->local_address();
  } else {
    call.url = absl::StrCat(http.tls_key_file().empty() ? "http" : "https", "://",
                            env.config->gateway().listen());
    call.ca_file = http.ca_file();
  }
  call.headers.push_back({"Accept", "application/x-protobuf"});
  if (!http.token_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const std::string token, ReadSecretFile(http.token_file()));
    call.headers.push_back({"Authorization", absl::StrCat("Bearer ", token)});
  }
  return std::unique_ptr<TimelineClient>(
      new TimelineClient(env.http_client, env.http->access(), std::move(call)));
}

TimelineClient::~TimelineClient() {
  MutexLock lock(&mutex_);
  while (under_way_ > 0) ended_.Wait(&mutex_);
}

void TimelineClient::Fetch(const Query& query, Done done) {
  HttpCall call = to_service_;
  absl::StrAppend(&call.url, "/v1/clients/", PercentEncode(query.client_id), "/touchpoints");
  std::string parameters;
  for (const std::string& id : query.event_ids) {
    absl::StrAppend(&parameters, "&id=", absl::BytesToHexString(id));
  }
  if (query.until) {
    const std::string until =
        absl::FormatTime(absl::RFC3339_full, *query.until, absl::UTCTimeZone());
    absl::StrAppend(&parameters, "&until=", PercentEncode(until));
  }
  for (const std::string& position : query.wait_for) {
    absl::StrAppend(&parameters, "&wait_for=", PercentEncode(position));
  }
  if (!parameters.empty()) absl::StrAppend(&call.url, "?", parameters.substr(1));
  if (access_ != nullptr) {
    // In its own name.
    for (Header& header : access_->Vouch(HttpRequest())) call.headers.push_back(std::move(header));
  }
  {
    MutexLock lock(&mutex_);
    ++under_way_;
  }
  client_->Send(std::move(call),
                [this, done = std::move(done)](const absl::StatusOr<HttpAnswer>& answer) {
                  done(ReadAnswer(answer));
                  MutexLock lock(&mutex_);
                  --under_way_;
                  ended_.SignalAll();
                });
}

}  // namespace rapport
