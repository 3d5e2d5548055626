#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status.h"
#include "rapport/query/v1/projection.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/rapport/projection_argument.h"

namespace rapport {
namespace {

struct DeadLetterArguments {
  std::string projection;
  std::string position;
  std::string client;
  std::string reason;
};

std::string Place(const DeadLetterArguments& arguments, const std::string& action = "") {
  const std::string path =
      ApiPath({"v1", "projections", arguments.projection, "dead-letters", arguments.position});
  return action.empty() ? path : absl::StrCat(path, "/", action);
}

Json SummaryJson(const query::v1::DeadLetterSummary& letter) {
  return {{"position", letter.position()}, {"client_id", letter.client_id()},
          {"kind", letter.kind()},         {"recorded_at", MomentJson(letter.recorded_at())},
          {"reason", letter.reason()},     {"holds_back", letter.holds_back()},
          {"waiting", letter.waiting()}};
}

CommandResult RunList(const CommonOptions& common, const DeadLetterArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  Table table({"POSITION", "CLIENT", "KIND", "STATE", "WHY"});
  Json list = Json::array();
  std::string cursor;
  do {
    query::v1::DeadLetterList page;
    RAPPORT_RETURN_IF_ERROR(
        api->Get(ApiPath({"v1", "projections", arguments.projection, "dead-letters"}) +
                     ApiQuery({{"client", arguments.client},
                               {"limit", absl::StrCat(kApiPage)},
                               {"cursor", cursor}}),
                 &page));
    for (const query::v1::DeadLetterSummary& letter : page.dead_letters()) {
      list.push_back(SummaryJson(letter));
      table.Add({letter.position(), letter.client_id(), letter.kind(),
                 letter.waiting()      ? "waits behind another"
                 : letter.holds_back() ? "holds the client back"
                                       : "",
                 letter.reason()});
    }
    cursor = page.next_cursor();
  } while (!cursor.empty());
  const bool none = list.empty();
  if (common.json) {
    PrintJson({{"projection", arguments.projection}, {"dead_letters", list}});
  } else {
    Print(none ? absl::StrCat(arguments.projection, " has no dead letters.\n") : table.ToString());
  }
  return none ? kExitOk : kExitFindings;
}

CommandResult RunShow(const CommonOptions& common, const DeadLetterArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::DeadLetter letter;
  RAPPORT_RETURN_IF_ERROR(api->Get(Place(arguments), &letter));
  std::string touchpoint;
  if (letter.has_touchpoint()) {
    google::protobuf::TextFormat::PrintToString(letter.touchpoint(), &touchpoint);
  }
  if (common.json) {
    Json json = SummaryJson(letter.summary());
    json["touchpoint"] = touchpoint;
    json["value_base64"] = absl::Base64Escape(letter.record_value());
    PrintJson(json);
    return kExitOk;
  }
  Print(absl::StrCat("Not folded: ", Printable(letter.summary().reason()), "\n",
                     touchpoint.empty()
                         ? absl::StrCat("It is no touchpoint; its bytes in base64:\n",
                                        absl::Base64Escape(letter.record_value()), "\n")
                         : touchpoint));
  return kExitOk;
}

CommandResult RunOrder(const CommonOptions& common, const DeadLetterArguments& arguments,
                       const std::string& action) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::DeadLetterOrder order;
  order.set_reason(arguments.reason);
  query::v1::DeadLetterOrdered ordered;
  RAPPORT_RETURN_IF_ERROR(api->Post(Place(arguments, action), &order, &ordered));
  if (common.json) {
    PrintJson({{"position", arguments.position}, {"ordered_at_position", ordered.position()}});
  } else {
    Print(absl::StrCat("The order to ", action, " it stands in the log at ", ordered.position(),
                       ".\n"));
  }
  return kExitOk;
}

void AddPosition(CLI::App& command, DeadLetterArguments* arguments) {
  AddProjectionArgument(command, &arguments->projection);
  command.add_option("POSITION", arguments->position, "Its place in the log, <partition>:<offset>")
      ->required();
}

void AddOrder(CLI::App& group, const CommonOptions& common, int* exit_code,
              const std::string& action, const std::string& what) {
  const auto arguments = std::make_shared<DeadLetterArguments>();
  CLI::App* const command =
      AddCommand(group, exit_code, action, what,
                 absl::StrCat("rapport dead-letters ", action, " retention 2:1734 --reason mended"),
                 [&common, arguments, action] { return RunOrder(common, *arguments, action); });
  AddPosition(*command, arguments.get());
  command->add_option("--reason", arguments->reason, "Why, for whoever reads the log later")
      ->type_name("TEXT");
}

}  // namespace

void AddDeadLetterCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  CLI::App* const group =
      app.add_subcommand("dead-letters", "Records that a projection could not fold");
  group->require_subcommand(1);
  group->fallthrough();
  const auto arguments = std::make_shared<DeadLetterArguments>();
  CLI::App* const list = AddCommand(*group, exit_code, "list", "All of a projection",
                                    "rapport dead-letters list profile",
                                    [&common, arguments] { return RunList(common, *arguments); });
  AddProjectionArgument(*list, &arguments->projection);
  list->add_option("--client", arguments->client, "Only those of this client")->type_name("ID");
  CLI::App* const show = AddCommand(*group, exit_code, "show", "One of them, with what it holds",
                                    "rapport dead-letters show profile 2:1734",
                                    [&common, arguments] { return RunShow(common, *arguments); });
  AddPosition(*show, arguments.get());
  AddOrder(*group, common, exit_code, "retry", "Fold it again, after the cause was mended");
  AddOrder(*group, common, exit_code, "skip", "Give it up, so that the client's later ones go on");
}

}  // namespace rapport
