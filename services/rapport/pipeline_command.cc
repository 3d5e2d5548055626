#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct PipelineArguments {
  std::string owner;
  std::string team;
  int limit = 5;
};

std::string StageWord(touchpoint::v1::DealStage stage) {
  const std::string name = absl::AsciiStrToLower(
      absl::StripPrefix(touchpoint::v1::DealStage_Name(stage), "DEAL_STAGE_"));
  return absl::StrReplaceAll(name, {{"_", " "}});
}

std::string AmountText(const touchpoint::v1::Money& amount) {
  return FormatAmount(amount.minor_units(), amount.currency_code());
}

std::string SumsText(const query::v1::BoardColumn& column) {
  return absl::StrJoin(column.sums(), ", ", [](std::string* out, const query::v1::BoardSum& sum) {
    absl::StrAppend(out, sum.out_of_range() ? "beyond " : "", AmountText(sum.amount()),
                    " (weighted ", AmountText(sum.weighted()), ")");
  });
}

void PrintText(const query::v1::Board& board) {
  if (board.columns().empty()) Print("There are no deals.\n");
  for (const query::v1::BoardColumn& column : board.columns()) {
    Print(absl::StrCat(StageWord(column.stage()), ": ",
                       CountOf(column.deal_count(), "deal", "deals"),
                       column.sums().empty() ? "" : ", ", Printable(SumsText(column)), "\n"));
    Table table({"  DEAL", "CLIENT", ">AMOUNT", "OWNER", "CLOSES", "TITLE"});
    for (const query::v1::DealSummary& deal : column.deals()) {
      table.Add({"  " + deal.deal_id(), deal.client_id(),
                 deal.has_amount() ? AmountText(deal.amount()) : "", deal.owner_id(),
                 deal.has_expected_close_at() ? FormatMoment(deal.expected_close_at()) : "",
                 deal.title()});
    }
    Print(table.ToString());
  }
  for (const query::v1::SharedDeal& shared : board.shared_deals()) {
    Print(absl::StrCat("Deal ", Printable(shared.deal_id()), " was told of several clients; it ",
                       "stands with ", Printable(shared.client_id()), " and not with ",
                       Printable(absl::StrJoin(shared.other_client_ids(), ", ")), ".\n"));
  }
}

Json MoneyJson(const touchpoint::v1::Money& amount) {
  return AmountJson(amount.minor_units(), amount.currency_code());
}

void PrintAsJson(const query::v1::Board& board) {
  Json columns = Json::array();
  for (const query::v1::BoardColumn& column : board.columns()) {
    Json sums = Json::array();
    for (const query::v1::BoardSum& sum : column.sums()) {
      Json one = {{"amount", MoneyJson(sum.amount())}, {"weighted", MoneyJson(sum.weighted())}};
      if (sum.out_of_range()) one["out_of_range"] = true;
      sums.push_back(std::move(one));
    }
    Json deals = Json::array();
    for (const query::v1::DealSummary& deal : column.deals()) {
      deals.push_back(
          {{"deal_id", deal.deal_id()},
           {"client_id", deal.client_id()},
           {"title", deal.title()},
           {"owner_id", deal.owner_id()},
           {"amount", deal.has_amount() ? MoneyJson(deal.amount()) : Json(nullptr)},
           {"probability_permille", deal.probability_permille()},
           {"expected_close_at",
            deal.has_expected_close_at() ? MomentJson(deal.expected_close_at()) : Json(nullptr)}});
    }
    columns.push_back({{"stage", StageWord(column.stage())},
                       {"deal_count", column.deal_count()},
                       {"sums", sums},
                       {"deals", deals}});
  }
  Json shared = Json::array();
  for (const query::v1::SharedDeal& deal : board.shared_deals()) {
    Json others = Json::array();
    for (const std::string& client : deal.other_client_ids()) others.push_back(client);
    shared.push_back({{"deal_id", deal.deal_id()},
                      {"client_id", deal.client_id()},
                      {"other_client_ids", others}});
  }
  PrintJson({{"as_of", MomentJson(ClockOf(board.watermark()))},
             {"columns", columns},
             {"shared_deals", shared}});
}

CommandResult RunPipeline(const CommonOptions& common, const PipelineArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  query::v1::Board board;
  RAPPORT_RETURN_IF_ERROR(
      api->Get("/v1/pipeline/board" + ApiQuery({{"owner", arguments.owner},
                                                {"team", arguments.team},
                                                {"limit", absl::StrCat(arguments.limit)}}),
               &board));
  common.json ? PrintAsJson(board) : PrintText(board);
  return kExitOk;
}

}  // namespace

void AddPipelineCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<PipelineArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "pipeline", "Where the deals stand, stage by stage, with sums",
                 "rapport pipeline --owner anna.keller",
                 [&common, arguments] { return RunPipeline(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Only deals of this relationship manager")
      ->type_name("OWNER");
  command->add_option("--team,--branch", arguments->team, "Only deals of this unit's people")
      ->type_name("UNIT");
  command->add_option("--limit", arguments->limit, "At most so many deals of each stage")
      ->check(CLI::Range(1, 500))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
