#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "rapport/query/v1/handover.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct HandoverArguments {
  std::string from;
  std::string to;
  std::vector<std::string> clients;
  std::string reason;
  bool dry_run = false;
};

CommandResult RunHandover(const CommonOptions& common, const HandoverArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::HandoverOrder order;
  order.set_from_owner_id(arguments.from);
  order.set_to_owner_id(arguments.to);
  order.mutable_client_ids()->Assign(arguments.clients.begin(), arguments.clients.end());
  order.set_reason(arguments.reason);
  query::v1::Handover done;
  RAPPORT_RETURN_IF_ERROR(api->Post(
      "/v1/handovers" + ApiQuery({{"dry_run", arguments.dry_run ? "true" : ""}}), &order, &done));
  Json examples = Json::array();
  Json unknown = Json::array();
  Table table({"CLIENT", "NAME", "FROM"});
  for (const query::v1::HandedOver& client : done.examples()) {
    examples.push_back({{"client_id", client.client_id()},
                        {"name", client.name()},
                        {"from_owner_id", client.from_owner_id()}});
    table.Add({client.client_id(), client.name(), client.from_owner_id()});
  }
  for (const std::string& client : done.unknown_client_ids()) unknown.push_back(client);
  const ExitCode code = unknown.empty() ? kExitOk : kExitFindings;
  if (common.json) {
    PrintJson({{"dry_run", arguments.dry_run},
               {"clients", done.clients()},
               {"examples", examples},
               {"unknown_client_ids", unknown}});
    return code;
  }
  Print(absl::StrCat(table.ToString(), CountOf(done.clients(), "client", "clients"),
                     arguments.dry_run ? " would go to " : " went to ", Printable(arguments.to),
                     done.clients() > done.examples_size() ? "; the first are shown.\n" : ".\n"));
  for (const std::string& client : done.unknown_client_ids()) {
    Print(absl::StrCat(Printable(client), " is not there",
                       arguments.from.empty() ? "" : ", or not " + Printable(arguments.from) + "'s",
                       ".\n"));
  }
  return code;
}

}  // namespace

void AddHandoverCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<HandoverArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "handover", "Clients go from one owner to another, by one order",
                 "rapport handover --from anna --to ben --dry-run",
                 [&common, arguments] { return RunHandover(common, *arguments); });
  command->add_option("--from", arguments->from, "Whose clients")->type_name("OWNER");
  command->add_option("--to", arguments->to, "Who has them from now on")
      ->type_name("OWNER")
      ->required();
  command->add_option("--client", arguments->clients, "Only this client; repeatable")
      ->type_name("CLIENT")
      ->allow_extra_args(false);
  command->add_option("--reason", arguments->reason, "Why, for whoever reads the log later")
      ->type_name("TEXT");
  command->add_flag("--dry-run", arguments->dry_run, "Only tell who would change hands");
}

}  // namespace rapport
