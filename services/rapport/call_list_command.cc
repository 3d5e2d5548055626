#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "rapport/query/v1/call_list.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/retention/call_list_answer.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

using query::v1::CallList;
using query::v1::CallListRow;

struct CallListArguments {
  std::string owner;
  size_t limit = 20;
};

struct CallListAsOf {
  CallList list;
  absl::Time now = absl::InfinitePast();
};

std::string CallListText(const CallListAsOf& told) {
  if (told.list.rows().empty()) return "There is nobody to be called.\n";
  Table table({"CLIENT", "NAME", "PHONE", ">AVERTS", ">SCORE", ">AFTER", "LAST CONTACT",
               "NEXT STEP", "WHY"});
  for (const CallListRow& row : told.list.rows()) {
    const std::string person = row.stakeholder_name().empty()
                                   ? row.phone()
                                   : absl::StrCat(row.stakeholder_name(), " ", row.phone());
    table.Add({row.client_id(), row.client_name(), person,
               row.has_avertable_loss() ? FormatAmount(row.avertable_loss().minor_units(),
                                                       row.avertable_loss().currency_code())
                                        : "",
               absl::StrCat(row.score()), absl::StrCat(row.score_after_call()),
               row.has_last_contact_at() ? FormatMoment(row.last_contact_at()) : "",
               row.next_step().text(), row.reasons().empty() ? "" : row.reasons(0).text()});
  }
  return absl::StrCat(table.ToString(), "As of ", FormatMoment(told.now), ".\n");
}

Json CallListRowJson(const CallListRow& row) {
  Json reasons = Json::array();
  for (const query::v1::RetentionReason& told : row.reasons()) {
    reasons.push_back({{"code", told.code()}, {"text", told.text()}, {"points", told.points()}});
  }
  const auto amount = [](bool there, const touchpoint::v1::Money& money) {
    return there ? AmountJson(money.minor_units(), money.currency_code()) : Json(nullptr);
  };
  return {{"client_id", row.client_id()},
          {"client_name", row.client_name()},
          {"score", row.score()},
          {"score_after_call", row.score_after_call()},
          {"expected_loss", amount(row.has_expected_loss(), row.expected_loss())},
          {"avertable_loss", amount(row.has_avertable_loss(), row.avertable_loss())},
          {"stakeholder_name", row.stakeholder_name()},
          {"phone", row.phone()},
          {"last_contact_at",
           row.has_last_contact_at() ? MomentJson(row.last_contact_at()) : Json(nullptr)},
          {"alert_id", row.alert_id()},
          {"next_step", NextStepJson(row.next_step())},
          {"reasons", reasons}};
}

absl::StatusOr<CallListAsOf> ReadCallListHere(const CommonOptions& common,
                                              const CallListArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ModelInForce(common.data));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Retention::kName));
  CallListAsOf told;
  RAPPORT_ASSIGN_OR_RETURN(told.now, host->Clock(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(told.list,
                           ReadCallList(view, arguments.owner, model, told.now, arguments.limit));
  return told;
}

absl::StatusOr<CallListAsOf> AskCallList(Api& api, const CallListArguments& arguments) {
  CallListAsOf told;
  RAPPORT_RETURN_IF_ERROR(api.Get(ApiPath({"v1", "owners", arguments.owner, "call-list"}) +
                                      ApiQuery({{"limit", absl::StrCat(arguments.limit)}}),
                                  &told.list));
  told.now = ClockOf(told.list.watermark());
  return told;
}

CommandResult RunCallList(const CommonOptions& common, const CallListArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const CallListAsOf told, api == nullptr
                                                        ? ReadCallListHere(common, arguments)
                                                        : AskCallList(*api, arguments));
  if (!common.json) {
    Print(CallListText(told));
    return kExitOk;
  }
  Json rows = Json::array();
  for (const CallListRow& row : told.list.rows()) rows.push_back(CallListRowJson(row));
  PrintJson({{"as_of", MomentJson(told.now)}, {"owner_id", arguments.owner}, {"calls", rows}});
  return kExitOk;
}

}  // namespace

void AddCallListCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<CallListArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "call-list",
                 "List whom to call today, those first by whose call the most can be averted",
                 "rapport call-list --owner anna",
                 [&common, arguments] { return RunCallList(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Whose clients")->required()->type_name("OWNER");
  command->add_option("--limit", arguments->limit, "At most so many")
      ->check(CLI::Range(size_t{1}, kApiPage))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
