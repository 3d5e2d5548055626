#include "services/alerts/mail_api.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/service/http_target.h"

namespace rapport {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(20);
// More than a digest shows of one kind.
constexpr int kMostItems = 100;

std::shared_ptr<const Caller> Mail() {
  auto caller = std::make_shared<Caller>();
  caller->kind = Caller::Kind::kToken;
  caller->id = "mail";
  caller->permissions = static_cast<uint32_t>(Permission::kReadClients);
  caller->permissions_for_all = caller->permissions;
  caller->sees_all = true;
  return caller;
}

std::string OwnersQuery(const std::vector<std::string>& owners) {
  std::string query;
  for (const std::string& owner : owners) absl::StrAppend(&query, "&owner=", PercentEncode(owner));
  return query;
}

}  // namespace

MailApi::MailApi(Env env) : env_(std::move(env)), caller_(Mail()) {}

absl::Status MailApi::Get(const std::string& path, absl::Duration timeout,
                          google::protobuf::Message* answer) const {
  HttpCall call;
  call.url = absl::StrCat(env_.url, path);
  if (env_.access != nullptr) {
    HttpRequest asking;
    asking.caller = caller_;
    call.headers = env_.access->Vouch(asking);
  }
  call.headers.push_back({"accept", "application/x-protobuf"});
  call.timeout = timeout;
  call.ca_file = env_.ca_file;
  call.connect_to = env_.connect_to;
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer got, env_.http_client->Fetch(call));
  if (got.status != 200) {
    return absl::UnavailableError(absl::StrCat("GET ", path, " was answered with ", got.status,
                                               ": ", got.body.substr(0, 200)));
  }
  if (answer->ParseFromString(got.body)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("GET ", path, " was not answered in protobuf"));
}

absl::StatusOr<query::v1::Agenda> MailApi::AgendaOf(const std::vector<std::string>& owners) const {
  query::v1::Agenda agenda;
  RAPPORT_RETURN_IF_ERROR(
      Get(absl::StrCat("/v1/agenda?limit=", kMostItems, "&kind=meeting&kind=promise&kind=complaint",
                       OwnersQuery(owners)),
          kTimeout, &agenda));
  return agenda;
}

absl::StatusOr<query::v1::AtRiskList> MailApi::AtRiskOf(
    const std::vector<std::string>& owners) const {
  query::v1::AtRiskList list;
  RAPPORT_RETURN_IF_ERROR(
      Get(absl::StrCat("/v1/retention/at-risk?sort=loss&limit=", kMostItems, OwnersQuery(owners)),
          kTimeout, &list));
  return list;
}

absl::StatusOr<query::v1::Retention> MailApi::RetentionOf(const std::string& client_id,
                                                          absl::Duration timeout) const {
  query::v1::Retention retention;
  RAPPORT_RETURN_IF_ERROR(
      Get(absl::StrCat("/v1/retention/", PercentEncode(client_id)), timeout, &retention));
  return retention;
}

}  // namespace rapport
