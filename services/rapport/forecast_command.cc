#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "rapport/query/v1/kpi.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/figure_text.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct ForecastArguments {
  std::string scope;
  std::string at;
  std::string since;
  std::string from;
  std::string to;
  bool calibration = false;
};

// "needs identified" of DEAL_STAGE_NEEDS_IDENTIFIED.
std::string EnumText(const std::string& name, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, prefix)), {{"_", " "}});
}

std::string DealStageText(touchpoint::v1::DealStage stage) {
  return EnumText(touchpoint::v1::DealStage_Name(stage), "DEAL_STAGE_");
}

std::string ShareText(int64_t part, int64_t whole) {
  if (whole == 0) return "-";
  return absl::StrFormat("%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void PrintMove(const query::v1::KpiForecastMove& move, const std::string& currency) {
  Table table({"WHY IT MOVED", ">" + currency});
  const auto add = [&](const std::string& what, int64_t amount, bool always = false) {
    if (always || amount != 0) table.Add({what, FormatAmount(amount, currency)});
  };
  add("on " + move.since(), move.before(), /*always=*/true);
  add("new deals", move.new_deals());
  add("won", -move.won());
  add("lost", -move.lost());
  add("amounts", move.amount());
  add("dates", move.date());
  add("stages and judgements", move.stage());
  add("learned chances", move.chance());
  add("taken off", move.removed());
  add("handed over", move.handed_over());
  add("now", move.after(), /*always=*/true);
  Print(table.ToString());
}

void PrintCurrency(const query::v1::KpiForecastCurrency& forecast) {
  const std::string& currency = forecast.currency_code();
  Table table({"CLOSES", ">DEALS", ">AMOUNT", ">WEIGHTED"});
  const auto add = [&](const std::string& when, const query::v1::KpiForecastMonth& month) {
    table.Add({when, FormatCount(month.deals()), FormatAmount(month.amount(), currency),
               FormatAmount(month.weighted(), currency)});
  };
  constexpr size_t kMonth = 7;  // "2026-05"
  for (const query::v1::KpiForecastMonth& month : forecast.months()) {
    add(month.month().substr(0, kMonth), month);
  }
  if (forecast.overdue().deals() > 0) add("overdue", forecast.overdue());
  if (forecast.undated().deals() > 0) add("no date", forecast.undated());
  add("all", forecast.total());
  Print(table.ToString());
  if (forecast.has_move()) PrintMove(forecast.move(), currency);
}

CommandResult RunForecast(const CommonOptions& common, const ForecastArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path = "/v1/kpis/forecast" + ApiQuery({{"scope", arguments.scope},
                                                           {"at", arguments.at},
                                                           {"since", arguments.since},
                                                           {"from", arguments.from},
                                                           {"to", arguments.to}});
  if (common.json) {
    RAPPORT_ASSIGN_OR_RETURN(const Json json, CallForJson(*api, "GET", path));
    PrintJson(json);
    return kExitOk;
  }
  query::v1::KpiForecast forecast;
  RAPPORT_RETURN_IF_ERROR(api->Get(path, &forecast));
  if (forecast.currencies().empty()) Print("There are no open deals with an amount.\n");
  for (const auto& currency : forecast.currencies()) PrintCurrency(currency);
  Table chances({"STAGE", ">CHANCE", ">SET", ">DECIDED", ">WON"});
  constexpr int64_t kWhole = 1000;
  for (const query::v1::KpiStageChance& chance : forecast.chances()) {
    chances.Add({DealStageText(chance.stage()), ShareText(chance.permille(), kWhole),
                 ShareText(chance.set_permille(), kWhole), FormatCount(chance.decided()),
                 FormatCount(chance.won())});
  }
  Print(absl::StrCat(chances.ToString(), "A set chance weighs as much as ",
                     CountOf(forecast.prior_deals(), "decided deal", "decided deals"), ".\n"));
  if (!arguments.calibration) return kExitOk;
  Table calibration({"MONTH", "FORECAST ON", ">FORECAST", ">CAME"});
  for (const query::v1::KpiCalibration& one : forecast.calibrations()) {
    calibration.Add({one.month(), one.at(), FormatAmount(one.forecast(), one.currency_code()),
                     FormatAmount(one.won(), one.currency_code())});
  }
  Print(calibration.ToString());
  return kExitOk;
}

std::string MoneyListText(
    const google::protobuf::RepeatedPtrField<touchpoint::v1::Money>& amounts) {
  return absl::StrJoin(amounts, ", ", [](std::string* out, const touchpoint::v1::Money& amount) {
    absl::StrAppend(out, FormatAmount(amount.minor_units(), amount.currency_code()));
  });
}

void PrintDealGroups(const std::string& heading,
                     const google::protobuf::RepeatedPtrField<query::v1::KpiDealGroup>& groups) {
  Table table({heading, ">OPENED", ">WON", ">LOST", ">BROUGHT"});
  for (const query::v1::KpiDealGroup& group : groups) {
    table.Add({group.id(), FormatCount(group.opened()), FormatCount(group.won()),
               FormatCount(group.lost()), MoneyListText(group.amounts())});
  }
  Print(table.ToString());
}

CommandResult RunCohorts(const CommonOptions& common, const ForecastArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path =
      "/v1/kpis/cohorts" +
      ApiQuery({{"scope", arguments.scope}, {"from", arguments.from}, {"to", arguments.to}});
  if (common.json) {
    RAPPORT_ASSIGN_OR_RETURN(const Json json, CallForJson(*api, "GET", path));
    PrintJson(json);
    return kExitOk;
  }
  query::v1::KpiCohorts cohorts;
  RAPPORT_RETURN_IF_ERROR(api->Get(path, &cohorts));
  Table table({"OPENED IN", ">OPENED", ">WON", ">LOST", ">OPEN", ">CONVERSION", ""});
  const auto add = [&](const std::string& month, const query::v1::KpiCohort& cohort) {
    table.Add({month, FormatCount(cohort.opened()), FormatCount(cohort.won()),
               FormatCount(cohort.lost()), FormatCount(cohort.open()),
               ShareText(cohort.won(), cohort.opened()), cohort.settling() ? "settling" : ""});
  };
  constexpr size_t kMonth = 7;
  for (const query::v1::KpiCohort& cohort : cohorts.cohorts()) {
    add(cohort.month().substr(0, kMonth), cohort);
  }
  add("all", cohorts.total());
  Print(table.ToString());
  Table stages({"STAGE", ">CAME TO IT", ">OF THE STAGE BEFORE", ">MEAN DAYS IN IT"});
  int64_t before = cohorts.total().opened();
  for (const query::v1::KpiStageCount& stage : cohorts.total().stages()) {
    stages.Add({DealStageText(stage.stage()), FormatCount(stage.reached()),
                ShareText(stage.reached(), before),
                stage.has_mean_days() ? absl::StrFormat("%.1f", stage.mean_days()) : "-"});
    before = stage.reached();
  }
  Print(stages.ToString());
  if (cohorts.has_median_days_to_win()) {
    Print(absl::StrFormat("Half of those that were won took %.1f days or less.\n",
                          cohorts.median_days_to_win()));
  }
  Table losses({"LOST BECAUSE OF", ">DEALS", ">AMOUNT"});
  for (const query::v1::KpiLossReason& loss : cohorts.loss_reasons()) {
    losses.Add({EnumText(touchpoint::v1::DealLossReason_Name(loss.reason()), "DEAL_LOSS_REASON_"),
                FormatCount(loss.deals()), MoneyListText(loss.amounts())});
  }
  Print(losses.ToString());
  PrintDealGroups("SOURCE", cohorts.sources());
  PrintDealGroups("RECOMMENDED BY", cohorts.referrers());
  PrintDealGroups("LOST TO", cohorts.competitors());
  return kExitOk;
}

}  // namespace

void AddForecastCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<ForecastArguments>();
  CLI::App* const forecast = AddCommand(
      app, exit_code, "forecast", "What open deals are worth, by month, and why that moved",
      "rapport forecast --scope team:a --since 2026-05-01",
      [&common, arguments] { return RunForecast(common, *arguments); });
  forecast->add_option("--at", arguments->at, "As it stood then: a day or a moment")
      ->type_name("TIME");
  forecast->add_option("--since", arguments->since, "Tell why it moved since then")
      ->type_name("TIME");
  forecast->add_flag("--calibration", arguments->calibration,
                     "What was forecast for past months, beside what came");
  CLI::App* const cohorts = AddCommand(
      app, exit_code, "cohorts", "What became of the deals that were opened in each month",
      "rapport cohorts --from 2026-01 --to 2026-06",
      [&common, arguments] { return RunCohorts(common, *arguments); });
  for (CLI::App* const command : {forecast, cohorts}) {
    command->add_option("--scope", arguments->scope, "firm, owner:ID, team:ID or branch:ID")
        ->type_name("SCOPE");
    command->add_option("--from", arguments->from, "First month, such as 2026-01")
        ->type_name("PERIOD");
    command->add_option("--to", arguments->to, "Last month")->type_name("PERIOD");
  }
}

}  // namespace rapport
