#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct RejectedArguments {
  size_t limit = 50;
  std::string position;
};

absl::StatusOr<Json> CallJson(Api& api, const std::string& method, const std::string& path) {
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, api.Call(method, path));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  Json json = Json::parse(answer.body, nullptr, false);
  if (json.is_object()) return json;
  return absl::UnknownError(absl::StrCat(api.address(), ": the answer to ", path, " is no JSON"));
}

// "orders.csv line 12", "Master.csv", or the source.
std::string Origin(const Json& rejection) {
  const std::string file = TextOf(rejection, "file");
  if (file.empty()) return TextOf(rejection, "source");
  const int64_t line = rejection.value("line", int64_t{0});
  return line == 0 ? file : absl::StrCat(file, " line ", line);
}

CommandResult RunList(const CommonOptions& common, const RejectedArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  Json list = Json::array();
  std::string cursor;
  do {
    RAPPORT_ASSIGN_OR_RETURN(const Json page,
                             CallJson(*api, "GET",
                                      "/v1/rejected" + ApiQuery({{"limit", absl::StrCat(kApiPage)},
                                                                 {"cursor", cursor}})));
    for (const Json& rejection : page.value("rejected", Json::array())) list.push_back(rejection);
    cursor = TextOf(page, "next_cursor");
  } while (!cursor.empty() && (arguments.limit == 0 || list.size() < arguments.limit));
  const bool more = !cursor.empty() || (arguments.limit != 0 && list.size() > arguments.limit);
  if (arguments.limit != 0 && list.size() > arguments.limit) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(arguments.limit), list.end());
  }
  const bool none = list.empty();
  if (common.json) {
    PrintJson({{"more", more}, {"rejected", list}});
    return none ? kExitOk : kExitFindings;
  }
  Table table({"POSITION", "FROM", "WHY"});
  for (const Json& rejection : list) {
    table.Add({TextOf(rejection, "position"), Origin(rejection), TextOf(rejection, "reason")});
  }
  Print(none ? "Nothing was rejected.\n" : table.ToString());
  if (more) Print("There are more: --limit 0 shows all.\n");
  return none ? kExitOk : kExitFindings;
}

CommandResult RunRetry(const CommonOptions& common, const RejectedArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(
      const Json answer,
      CallJson(*api, "POST", ApiPath({"v1", "rejected", arguments.position, "retry"})));
  if (common.json) {
    PrintJson(answer);
  } else {
    Print(
        absl::StrCat("It stands in the log at ", Printable(TextOf(answer, "position")), " now.\n"));
  }
  return kExitOk;
}

}  // namespace

void AddRejectedCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  CLI::App* const group = app.add_subcommand("rejected", "What was offered and refused");
  group->require_subcommand(1);
  group->fallthrough();
  const auto arguments = std::make_shared<RejectedArguments>();
  CLI::App* const list =
      AddCommand(*group, exit_code, "list", "With place and reason", "rapport rejected list",
                 [&common, arguments] { return RunList(common, *arguments); });
  list->add_option("--limit", arguments->limit, "At most so many; 0 for all")
      ->type_name("N")
      ->capture_default_str();
  CLI::App* const retry = AddCommand(
      *group, exit_code, "retry", "Offer one again, after the cause was mended",
      "rapport rejected retry 0:12", [&common, arguments] { return RunRetry(common, *arguments); });
  retry->add_option("POSITION", arguments->position, "Its place, <partition>:<offset>")->required();
}

}  // namespace rapport
