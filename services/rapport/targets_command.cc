#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/kpi/catalogue.h"
#include "rapport/query/v1/kpi.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/figure_text.h"
#include "services/rapport/output.h"
#include "services/rapport/targets_file.h"

namespace rapport {
namespace {

struct TargetsArguments {
  std::string file;
  std::string scope;
  std::string kpi;
  std::string period;
  bool dry_run = false;
};

std::string TargetValueText(const query::v1::Target& target, double value) {
  const absl::StatusOr<const KpiSpec*> kpi = FindKpi(target.kpi());
  return KpiValueText(value, kpi.ok() ? (*kpi)->unit : query::v1::KPI_UNIT_COUNT,
                      target.currency_code());
}

std::string TargetScopeText(const query::v1::Target& target) {
  return target.scope_id().empty() ? target.scope()
                                   : absl::StrCat(target.scope(), ":", target.scope_id());
}

CommandResult RunList(const CommonOptions& common, const TargetsArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path =
      "/v1/targets" +
      ApiQuery({{"scope", arguments.scope}, {"kpi", arguments.kpi}, {"period", arguments.period}});
  if (common.json) {
    RAPPORT_ASSIGN_OR_RETURN(const Json json, CallForJson(*api, "GET", path));
    PrintJson(json);
    return kExitOk;
  }
  query::v1::Targets targets;
  RAPPORT_RETURN_IF_ERROR(api->Get(path, &targets));
  Table table({"KPI", "SCOPE", "FROM", "TO", ">PLAN", "SET BY", "SET"});
  for (const query::v1::Target& target : targets.targets()) {
    table.Add({target.kpi(), TargetScopeText(target), target.from(), target.to(),
               TargetValueText(target, target.value()), target.set_by(),
               target.has_set_at() ? FormatMoment(target.set_at()) : ""});
  }
  Print(targets.targets().empty() ? "There are no plans.\n" : table.ToString());
  return kExitOk;
}

CommandResult RunImport(const CommonOptions& common, const TargetsArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(TargetsFile file, ReadTargetsFile(arguments.file));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  // Where rows cannot be read, the others are tried all the same, so that all is told at once.
  const bool dry_run = arguments.dry_run || !file.problems.empty();
  query::v1::TargetsChanged changed;
  if (!file.order.targets().empty() || file.problems.empty()) {
    const absl::Status done = api->Post(
        "/v1/targets" + ApiQuery({{"dry_run", dry_run ? "true" : ""}}), &file.order, &changed);
    if (!done.ok() && !absl::IsInvalidArgument(done)) return done;
    if (!done.ok()) file.problems.emplace_back(done.message());
  }
  if (!file.problems.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        arguments.file, ": ", absl::StrJoin(file.problems, "; "), "; nothing of it was set"));
  }
  Json steps = Json::array();
  Table table({"KPI", "SCOPE", "FROM", "TO", ">PLAN", ">BEFORE", ""});
  for (const query::v1::TargetStep& step : changed.steps()) {
    const query::v1::Target& target = step.target();
    const std::string before = step.has_before() ? TargetValueText(target, step.before()) : "";
    table.Add({target.kpi(), TargetScopeText(target), target.from(), target.to(),
               TargetValueText(target, target.value()), before, step.what()});
    steps.push_back({{"kpi", target.kpi()},
                     {"scope", target.scope()},
                     {"scope_id", target.scope_id()},
                     {"from", target.from()},
                     {"to", target.to()},
                     {"value", target.value()},
                     {"currency_code", target.currency_code()},
                     {"what", step.what()},
                     {"before", step.has_before() ? Json(step.before()) : Json(nullptr)}});
  }
  if (common.json) {
    PrintJson({{"dry_run", changed.dry_run()}, {"position", changed.position()}, {"steps", steps}});
  } else {
    Print(absl::StrCat(table.ToString(), changed.dry_run() ? "Nothing was written.\n" : ""));
  }
  return kExitOk;
}

}  // namespace

void AddTargetsCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<TargetsArguments>();
  CLI::App* const targets = app.add_subcommand("targets", "Plans: what is planned, for whom");
  targets->require_subcommand(1);
  CLI::App* const list = AddCommand(*targets, exit_code, "list", "The plans that there are",
                                    "rapport targets list --scope owner:anna --period 2026",
                                    [&common, arguments] { return RunList(common, *arguments); });
  list->add_option("--scope", arguments->scope, "firm, owner:ID, team:ID or branch:ID")
      ->type_name("SCOPE");
  list->add_option("--kpi", arguments->kpi, "Only of this KPI")->type_name("KPI");
  list->add_option("--period", arguments->period, "Only for days of it, such as 2026-05 or 2026-Q2")
      ->type_name("PERIOD");
  CLI::App* const import =
      AddCommand(*targets, exit_code, "import", "Set the plans of a CSV file: all of them, or none",
                 "rapport targets import plans.csv --dry-run",
                 [&common, arguments] { return RunImport(common, *arguments); });
  import
      ->add_option("FILE", arguments->file,
                   "Columns: kpi, scope, id, period (or from, to), value, currency")
      ->required();
  import->add_flag("--dry-run", arguments->dry_run, "Only tell what would change");
}

}  // namespace rapport
