#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "services/rapport/api.h"
#include "services/rapport/at_risk.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

struct AtRiskArguments {
  std::string owner;
  std::string team;
  std::string by = "urgency";
  size_t limit = 20;
};

AtRiskQuery QueryOf(const AtRiskArguments& arguments) {
  return {.owner = arguments.owner,
          .team = arguments.team,
          .by_loss = arguments.by == "loss",
          .most = arguments.limit};
}

constexpr size_t kReasonsInText = 3;
std::string Why(const ClientAtRisk& client) {
  std::vector<std::string> texts;
  for (const alert::v1::Reason& reason : client.reasons) {
    if (reason.points() > 0 && texts.size() < kReasonsInText) texts.push_back(reason.text());
  }
  return absl::StrJoin(texts, "; ");
}

// What stands to be lost in a year, in whole units.
std::string AtStake(const ClientAtRisk& client) {
  if (!client.expected_loss.has_value()) return "";
  std::string amount =
      FormatAmount(client.expected_loss->minor_units, client.expected_loss->currency_code);
  const size_t point = amount.find('.');
  if (point == std::string::npos) return amount;
  return amount.erase(point, amount.find(' ') - point);
}

void PrintText(const AtRisk& at_risk) {
  if (at_risk.clients.empty()) {
    Print(at_risk.now == absl::InfinitePast()
              ? "No client is at risk; the log has no clock yet.\n"
              : absl::StrCat("No client is at risk as of ", FormatMoment(at_risk.now), ".\n"));
    return;
  }
  Table table({"CLIENT", "SEVERITY", ">SCORE", ">AT STAKE", "SINCE", "OWNER", "WHY"});
  for (const ClientAtRisk& client : at_risk.clients) {
    table.Add({client.client_id, SeverityWord(client.severity), absl::StrCat(client.score),
               AtStake(client), FormatMoment(client.raised_at), client.owner_id, Why(client)});
  }
  Print(table.ToString());
  Print(absl::StrCat("As of ", FormatMoment(at_risk.now), ".",
                     at_risk.more ? " There are more: --limit 0 shows all." : "", "\n"));
}

void PrintAsJson(const AtRisk& at_risk) {
  Json list = Json::array();
  for (const ClientAtRisk& client : at_risk.clients) {
    Json reasons = Json::array();
    for (const alert::v1::Reason& reason : client.reasons) reasons.push_back(ReasonJson(reason));
    list.push_back({{"client_id", client.client_id},
                    {"owner_id", client.owner_id},
                    {"severity", SeverityWord(client.severity)},
                    {"score", client.score},
                    {"expected_loss", client.expected_loss.has_value()
                                          ? AmountJson(client.expected_loss->minor_units,
                                                       client.expected_loss->currency_code)
                                          : Json(nullptr)},
                    {"raised_at", MomentJson(client.raised_at)},
                    {"reasons", reasons}});
  }
  PrintJson({{"as_of", MomentJson(at_risk.now)}, {"more", at_risk.more}, {"clients", list}});
}

absl::StatusOr<AtRisk> ReadHere(const CommonOptions& common, const AtRiskArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ModelInForce(common.data));
  return ReadAtRisk(*host, model, QueryOf(arguments));
}

CommandResult RunAtRisk(const CommonOptions& common, const AtRiskArguments& arguments) {
  // Who belongs to a team is known to those who run.
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
                           arguments.team.empty() ? FindApi(common) : NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const AtRisk at_risk, api == nullptr
                                                     ? ReadHere(common, arguments)
                                                     : AskAtRisk(*api, QueryOf(arguments)));
  common.json ? PrintAsJson(at_risk) : PrintText(at_risk);
  return kExitOk;
}

}  // namespace

void AddAtRiskCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AtRiskArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "at-risk",
                 "List the clients with an open alert, the most urgent first, and why",
                 "rapport at-risk --owner anna --limit 5",
                 [&common, arguments] { return RunAtRisk(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Only clients of this relationship manager")
      ->type_name("OWNER");
  command->add_option("--team,--branch", arguments->team, "Only clients of this unit's people")
      ->type_name("UNIT");
  command
      ->add_option("--by", arguments->by,
                   "What comes first: the most urgent, or what stands to be lost in a year")
      ->check(CLI::IsMember({"urgency", "loss"}))
      ->type_name("ORDER")
      ->capture_default_str();
  command->add_option("--limit", arguments->limit, "At most so many clients; 0 for all")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
