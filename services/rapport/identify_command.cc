#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "rapport/query/v1/identity.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct IdentifyArguments {
  std::string text;
  std::string kind;
  std::string issuer;
};

std::string OriginWord(const query::v1::IdentityClient& client) {
  switch (client.origin()) {
    case query::v1::IDENTITY_ORIGIN_LINKED:
      return "linked";
    case query::v1::IDENTITY_ORIGIN_STAKEHOLDER:
      return absl::StrCat("of ", client.stakeholder_id());
    case query::v1::IDENTITY_ORIGIN_MET:
      return "made of it";
    default:
      return "";
  }
}

void PrintText(const query::v1::IdentityAnswer& answer) {
  Print(absl::StrCat(Printable(answer.identifier().value()), ": ", Printable(answer.explanation()),
                     "\n"));
  if (!answer.client_id().empty()) {
    Print(absl::StrCat("Contacts go to ", Printable(answer.client_id()), ".\n"));
  }
  if (answer.clients().empty()) return;
  Table table({"CLIENT", "PROVISIONAL", "HOW", "SINCE", "ABSORBED"});
  for (const query::v1::IdentityClient& client : answer.clients()) {
    table.Add({client.client_id(), client.provisional() ? "yes" : "no", OriginWord(client),
               client.has_claimed_at() ? FormatMoment(client.claimed_at()) : "",
               absl::StrJoin(client.former_client_ids(), ", ")});
  }
  Print(table.ToString());
}

CommandResult RunIdentify(const CommonOptions& common, const IdentifyArguments& arguments) {
  const std::string kind = !arguments.kind.empty()                  ? arguments.kind
                           : absl::StrContains(arguments.text, '@') ? "e_mail"
                                                                    : "phone";
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::IdentityAnswer answer;
  RAPPORT_RETURN_IF_ERROR(
      api->Get("/v1/identities" + ApiQuery({{kind, arguments.text}, {"issuer", arguments.issuer}}),
               &answer));
  if (common.json) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string json;
    const auto status = google::protobuf::util::MessageToJsonString(answer, &json, options);
    if (!status.ok()) return absl::InternalError(std::string(status.message()));
    PrintJson(Json::parse(json));
  } else {
    PrintText(answer);
  }
  const bool names_one = answer.standing() == query::v1::IDENTITY_STANDING_ONE;
  return names_one ? kExitOk : kExitFindings;
}

}  // namespace

void AddIdentifyCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<IdentifyArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "identify",
      "Whose a phone number, mail address or id is, and why; exit code 1: not one client's",
      "rapport identify '030 1234567'",
      [&common, arguments] { return RunIdentify(common, *arguments); });
  command->add_option("text", arguments->text, "Number, address or id, as anybody writes it")
      ->required()
      ->type_name("TEXT");
  command->add_option("--kind", arguments->kind, "What it is; else a number or an address")
      ->check(
          CLI::IsMember(std::vector<std::string>{"phone", "e_mail", "crm_id", "account", "login"}))
      ->type_name("KIND");
  command->add_option("--issuer", arguments->issuer, "The system within which an id is unique")
      ->type_name("NAME");
}

}  // namespace rapport
