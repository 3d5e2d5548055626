#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "rapport/query/v1/access.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/rapport/people_api.h"

namespace rapport {
namespace {

struct AccessArguments {
  std::string token;
  std::vector<std::string> scopes;
  std::string source;
  int64_t days = 0;
  std::string client;
  std::string person;
  std::string from;
  std::string to;
  size_t limit = 100;
};

CommandResult RunMakeToken(const CommonOptions& common, const AccessArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::TokenOrder order;
  order.set_token_id(arguments.token);
  order.mutable_scopes()->Assign(arguments.scopes.begin(), arguments.scopes.end());
  order.set_source(arguments.source);
  if (arguments.days > 0) {
    ToProto(absl::Now() + absl::Hours(24 * arguments.days), order.mutable_expires_at());
  }
  query::v1::TokenSecret secret;
  RAPPORT_RETURN_IF_ERROR(people->api().Post("/v1/tokens", &order, &secret));
  if (common.json) {
    PrintJson({{"token_id", secret.token_id()}, {"secret", secret.secret()}});
  } else {
    // Alone on standard output, so that it can go into a file.
    PrintError("This is shown once; whoever has it may do what its scopes say.\n");
    Print(absl::StrCat(secret.secret(), "\n"));
  }
  return kExitOk;
}

CommandResult RunListTokens(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::TokenList tokens;
  RAPPORT_RETURN_IF_ERROR(people->api().Get("/v1/tokens", &tokens));
  Json list = Json::array();
  Table table({"TOKEN", "SCOPES", "SOURCE", "MADE BY", "MADE", "HOLDS UNTIL", "LAST USED"});
  for (const query::v1::Token& token : tokens.tokens()) {
    Json scopes = Json::array();
    for (const std::string& scope : token.scopes()) scopes.push_back(scope);
    const auto moment = [](bool given, const google::protobuf::Timestamp& at) {
      return given ? MomentJson(at) : Json(nullptr);
    };
    list.push_back({{"token_id", token.token_id()},
                    {"scopes", scopes},
                    {"source", token.source()},
                    {"made_by", token.made_by()},
                    {"made_at", MomentJson(token.made_at())},
                    {"expires_at", moment(token.has_expires_at(), token.expires_at())},
                    {"used_at", moment(token.has_used_at(), token.used_at())}});
    table.Add({token.token_id(), absl::StrJoin(token.scopes(), " "), token.source(),
               token.made_by(), FormatMoment(token.made_at()),
               token.has_expires_at() ? FormatMoment(token.expires_at()) : "",
               token.has_used_at() ? FormatMoment(token.used_at()) : "never"});
  }
  if (common.json) {
    PrintJson({{"tokens", list}});
  } else {
    Print(tokens.tokens().empty() ? "There are no tokens.\n" : table.ToString());
  }
  return kExitOk;
}

CommandResult RunRevokeToken(const CommonOptions& common, const AccessArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  RAPPORT_ASSIGN_OR_RETURN(
      const HttpAnswer answer,
      people->api().Call("DELETE", ApiPath({"v1", "tokens", arguments.token})));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  if (!common.json) Print("It holds no longer.\n");
  return kExitOk;
}

CommandResult RunAudit(const CommonOptions& common, const AccessArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::AuditList audit;
  RAPPORT_RETURN_IF_ERROR(
      people->api().Get("/v1/audit" + ApiQuery({{"client", arguments.client},
                                                {"person", arguments.person},
                                                {"from", arguments.from},
                                                {"to", arguments.to},
                                                {"limit", absl::StrCat(arguments.limit)}}),
                        &audit));
  Json list = Json::array();
  Table table({"WHEN", "WHO", "WHAT", "CLIENT", "ROUTE", "FROM", "MORE"});
  for (const query::v1::AuditEntry& entry : audit.entries()) {
    list.push_back({{"at", MomentJson(entry.at())},
                    {"actor", entry.actor()},
                    {"action", entry.action()},
                    {"client_id", entry.client_id()},
                    {"route", entry.route()},
                    {"client_address", entry.client_address()},
                    {"detail", entry.detail()}});
    table.Add({FormatMoment(entry.at()), entry.actor(), entry.action(), entry.client_id(),
               entry.route(), entry.client_address(), entry.detail()});
  }
  if (common.json) {
    PrintJson({{"entries", list}, {"more", audit.more()}});
    return kExitOk;
  }
  Print(audit.entries().empty() ? "Nothing of that is written down.\n" : table.ToString());
  if (audit.more()) Print("There are older ones: --limit and --to show them.\n");
  return kExitOk;
}

}  // namespace

void AddAccessCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AccessArguments>();
  CLI::App* const token = app.add_subcommand("token", "Tokens by which programs call the API");
  token->require_subcommand(1);
  CLI::App* const make =
      AddCommand(*token, exit_code, "make", "Make a token, and show it once",
                 "rapport token make crm --scope touchpoints:write --source crm > crm.token",
                 [&common, arguments] { return RunMakeToken(common, *arguments); });
  make->add_option("--scope", arguments->scopes,
                   "touchpoints:write, read, operate, alerts:act or all; repeatable")
      ->required()
      ->allow_extra_args(false);
  make->add_option("--source", arguments->source, "The only source whose touchpoints it may write")
      ->type_name("SOURCE");
  make->add_option("--days", arguments->days, "How long it holds; without it, until revoked")
      ->type_name("DAYS");
  AddCommand(*token, exit_code, "list", "Tokens that hold, and when they were used last",
             "rapport token list", [&common] { return RunListTokens(common); });
  CLI::App* const revoke =
      AddCommand(*token, exit_code, "revoke", "A token holds no longer", "rapport token revoke crm",
                 [&common, arguments] { return RunRevokeToken(common, *arguments); });
  for (CLI::App* const command : {make, revoke}) {
    command->add_option("TOKEN", arguments->token, "Its name")->required();
  }
  CLI::App* const audit =
      AddCommand(app, exit_code, "audit", "Who looked at a client or did something, and when",
                 "rapport audit --client 16333",
                 [&common, arguments] { return RunAudit(common, *arguments); });
  audit->add_option("--client", arguments->client, "Only what was about this client");
  audit->add_option("--person", arguments->person,
                    "Only what this person did, or token:NAME, or \"command line\"");
  audit->add_option("--from", arguments->from, "From this moment on; else of the last 30 days")
      ->type_name("TIME");
  audit->add_option("--to", arguments->to, "Before this moment")->type_name("TIME");
  audit->add_option("--limit", arguments->limit, "At most so many, the newest")
      ->capture_default_str();
}

}  // namespace rapport
