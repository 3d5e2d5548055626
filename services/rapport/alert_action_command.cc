#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "rapport/query/v1/alert.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct AlertActionArguments {
  std::string alert;
  std::string by;
  std::string note;
  std::string until;
  std::string outcome;
  std::string reason;
};

// The id as it was given, or of the client's open alert.
absl::StatusOr<std::string> FindAlertId(Api& api, const std::string& alert) {
  if (absl::StrContains(alert, '/')) return alert;
  query::v1::AlertsPage page;
  RAPPORT_RETURN_IF_ERROR(api.Get(
      "/v1/alerts" + ApiQuery({{"client", alert}, {"state", "open"}, {"limit", "1"}}), &page));
  if (page.alerts().empty()) {
    return absl::NotFoundError(
        absl::StrCat("client '", alert, "' has no open alert; `rapport alerts` lists all"));
  }
  return page.alerts(0).alert_id();
}

CommandResult RunAlertAction(const CommonOptions& common, const std::string& action,
                             const AlertActionArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const std::string alert_id, FindAlertId(*api, arguments.alert));
  Json body = {{"agent_id", arguments.by}};
  const auto add = [&body](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  add("note", arguments.note);
  add("until", arguments.until);
  add("outcome", arguments.outcome);
  add("reason", arguments.reason);
  std::vector<std::string> parts = {"v1", "alerts"};
  for (const absl::string_view part : absl::StrSplit(alert_id, '/')) parts.emplace_back(part);
  parts.push_back(action);
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer,
                           api->Call("POST", ApiPath(parts), "application/json", body.dump()));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  if (common.json) {
    PrintJson(Json::parse(answer.body, nullptr, /*allow_exceptions=*/false));
  } else {
    Print(absl::StrCat("Written for ", Printable(alert_id), ".\n"));
  }
  return kExitOk;
}

}  // namespace

void AddAlertActionCommands(CLI::App& alerts, const CommonOptions& common, int* exit_code) {
  const auto add = [&](const std::string& action, const std::string& what,
                       const std::string& example) {
    const auto arguments = std::make_shared<AlertActionArguments>();
    CLI::App* const command = AddCommand(
        alerts, exit_code, action, what, example,
        [&common, action, arguments] { return RunAlertAction(common, action, *arguments); });
    command
        ->add_option("alert", arguments->alert, "The alert, or the client whose open alert it is")
        ->required()
        ->type_name("ALERT");
    command->add_option("--by", arguments->by, "Who of ours does it")
        ->required()
        ->type_name("PERSON");
    command->add_option("--note", arguments->note, "What was done, or why, in words")
        ->type_name("TEXT");
    if (action == "snooze") {
      command->add_option("--until", arguments->until, "When to be reminded, RFC 3339")
          ->required()
          ->type_name("TIME");
    }
    if (action == "resolve") {
      command->add_option("--outcome", arguments->outcome, "saved, lost or no_action")
          ->required()
          ->type_name("OUTCOME");
    }
    if (action == "dismiss") {
      command
          ->add_option("--reason", arguments->reason,
                       "false_alarm, already_known, not_worth_it or wrong_data")
          ->required()
          ->type_name("REASON");
    }
  };
  add("acknowledge", "Take an open alert on", "rapport alerts acknowledge 18073 --by anna");
  add("snooze", "Put an open alert off until a time",
      "rapport alerts snooze 18073 --by anna --until 2026-12-01T09:00:00Z");
  add("resolve", "Close an alert that was acted on, and tell how it ended",
      "rapport alerts resolve 18073 --by anna --outcome saved --note \"new frame contract\"");
  add("dismiss", "Close an alert that is not worth acting on",
      "rapport alerts dismiss 18073 --by anna --reason false_alarm");
}

}  // namespace rapport
