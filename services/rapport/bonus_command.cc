#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "rapport/query/v1/bonus.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/figure_text.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

using query::v1::BonusStatement;

struct BonusArguments {
  std::string person;
  std::string period;
  std::string reported_on;
  std::string file;
  std::string from;
  std::string to;
};

void PrintBonusWarnings(
    const google::protobuf::RepeatedPtrField<query::v1::BonusWarning>& warnings) {
  for (const query::v1::BonusWarning& warning : warnings) {
    Print(absl::StrCat("Questionable: ", Printable(warning.scheme()),
                       warning.rule().empty() ? "" : ", " + Printable(warning.rule()), ": ",
                       Printable(warning.text()), ".\n"));
  }
}

void PrintBonusStatement(const BonusStatement& statement) {
  const std::string& currency = statement.currency_code();
  Print(absl::StrCat(
      Printable(statement.person_name().empty() ? statement.person_id() : statement.person_name()),
      ", ", statement.from(), " to before ", statement.to(), ", by '",
      Printable(statement.scheme()), "'", statement.settled() ? "" : "; figures may still change",
      "\n"));
  Table table({"RULE", "FIGURE", ">FACT", ">PLAN", ">MET", ">PAYS", "HOW"});
  for (const query::v1::BonusLine& line : statement.lines()) {
    const query::v1::KpiFigure& figure = line.figure();
    const auto value = [&](bool has, double number) {
      return KpiValueText(has ? std::optional(number) : std::nullopt, line.unit(), currency);
    };
    table.Add({line.rule(),
               line.kpi().empty() ? touchpoint::v1::DealStage_Name(line.stage()) : line.kpi(),
               value(figure.has_value(), figure.value()),
               figure.has_plan() ? value(true, figure.plan().value()) : "-",
               line.has_attainment_percent()
                   ? KpiValueText(line.attainment_percent(), query::v1::KPI_UNIT_PERCENT, "")
                   : "-",
               FormatAmount(line.money(), currency), line.reckoning()});
  }
  Print(table.ToString());
  Print(absl::StrCat("Total: ", FormatAmount(statement.total(), currency), "; as reported: ",
                     FormatAmount(statement.total_as_reported(), currency), "\n"));
  for (const query::v1::BonusCliff& cliff : statement.cliffs()) {
    Print(absl::StrCat(
        "A leap at ", Printable(cliff.kpi()), " ", KpiValueText(cliff.at(), cliff.unit(), currency),
        ": from ", FormatAmount(cliff.before(), currency), " to ",
        FormatAmount(cliff.after(), currency),
        cliff.has_now() ? "; now " + KpiValueText(cliff.now(), cliff.unit(), currency) : "", "\n"));
  }
  PrintBonusWarnings(statement.warnings());
  Print(
      "The touchpoints behind a figure: rapport kpi KPI --touchpoints, or --json for the paths.\n");
}

CommandResult RunStatement(const CommonOptions& common, const BonusArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path =
      "/v1/bonus/statement" + ApiQuery({{"person", arguments.person},
                                        {"period", arguments.period},
                                        {"as_reported_on", arguments.reported_on}});
  if (common.json) {
    RAPPORT_ASSIGN_OR_RETURN(const Json json, CallForJson(*api, "GET", path));
    PrintJson(json);
    return kExitOk;
  }
  BonusStatement statement;
  RAPPORT_RETURN_IF_ERROR(api->Get(path, &statement));
  PrintBonusStatement(statement);
  return kExitOk;
}

CommandResult RunSchemes(const CommonOptions& common, const BonusArguments&) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  if (common.json) {
    RAPPORT_ASSIGN_OR_RETURN(const Json json, CallForJson(*api, "GET", "/v1/bonus/schemes"));
    PrintJson(json);
    return kExitOk;
  }
  query::v1::BonusSchemeList list;
  RAPPORT_RETURN_IF_ERROR(api->Get("/v1/bonus/schemes", &list));
  if (list.schemes().empty()) {
    Print("There are no schemes; kpi.bonus_schemes_file of the configuration names their file.\n");
  }
  Table table({"SCHEME", "FROM", "TO", "PERIOD", "CURRENCY", "PEOPLE", "UNITS"});
  for (const query::v1::BonusSchemeSummary& scheme : list.schemes()) {
    table.Add({scheme.name(), scheme.from(), scheme.to(), scheme.period(), scheme.currency_code(),
               absl::StrJoin(scheme.people(), " "), absl::StrJoin(scheme.units(), " ")});
  }
  Print(table.ToString());
  for (const auto& scheme : list.schemes()) PrintBonusWarnings(scheme.warnings());
  return kExitOk;
}

CommandResult RunWhatIf(const CommonOptions& common, const BonusArguments& arguments) {
  std::ifstream file(arguments.file, std::ios::binary);
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat(arguments.file, ": there is no such file"));
  }
  std::ostringstream text;
  text << file.rdbuf();
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  const std::string path =
      "/v1/bonus/what-if" +
      ApiQuery({{"from", arguments.from}, {"to", arguments.to}, {"person", arguments.person}});
  const absl::StatusOr<Json> json = CallForJson(*api, "POST", path, "text/plain", text.str());
  if (!json.ok()) {
    return absl::Status(json.status().code(),
                        absl::StrCat(arguments.file, ": ", json.status().message()));
  }
  if (common.json) {
    PrintJson(*json);
    return kExitOk;
  }
  const auto money = [](const Json& statement, const std::string& field) -> std::string {
    if (!statement.is_object()) return "-";
    // Whole numbers of 64 bits are texts in JSON.
    const std::string units = TextOf(statement, field.c_str());
    return FormatAmount(units.empty() ? 0 : std::stoll(units), TextOf(statement, "currency_code"));
  };
  Table table({"PERSON", "FROM", "TO", ">PRESENT", ">PROPOSED", "BY"});
  for (const Json& row : json->value("comparisons", Json::array())) {
    const Json proposed = row.value("proposed", Json());
    table.Add({TextOf(proposed, "person_id"), TextOf(proposed, "from"), TextOf(proposed, "to"),
               money(row.value("present", Json()), "total"), money(proposed, "total"),
               TextOf(proposed, "scheme")});
  }
  Print(table.ToString());
  for (const Json& sum : json->value("sums", Json::array())) {
    Print(absl::StrCat("All: ", money(sum, "present"), " now, ", money(sum, "proposed"),
                       " as proposed\n"));
  }
  for (const Json& warning : json->value("warnings", Json::array())) {
    Print(absl::StrCat("Questionable: ", Printable(TextOf(warning, "scheme")), ", ",
                       Printable(TextOf(warning, "rule")), ": ", Printable(TextOf(warning, "text")),
                       ".\n"));
  }
  return kExitOk;
}

}  // namespace

void AddBonusCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<BonusArguments>();
  CLI::App* const bonus = app.add_subcommand("bonus", "What people are paid for results, and why");
  bonus->require_subcommand(1);
  CLI::App* const statement =
      AddCommand(*bonus, exit_code, "statement", "One person's pay for a period, line by line",
                 "rapport bonus statement anna --period 2026-05",
                 [&common, arguments] { return RunStatement(common, *arguments); });
  statement->add_option("PERSON", arguments->person, "The person's id")->required();
  statement->add_option("--period", arguments->period, "A month, quarter or year")
      ->type_name("PERIOD")
      ->required();
  statement
      ->add_option("--as-reported-on", arguments->reported_on,
                   "Beside the figures as they were known on this day")
      ->type_name("DAY");
  AddCommand(*bonus, exit_code, "schemes",
             "The firm's schemes, and what is questionable about them", "rapport bonus schemes",
             [&common, arguments] { return RunSchemes(common, *arguments); });
  CLI::App* const what_if = AddCommand(
      *bonus, exit_code, "what-if", "Past periods by a proposed scheme, beside the present one",
      "rapport bonus what-if proposed.textproto --from 2026",
      [&common, arguments] { return RunWhatIf(common, *arguments); });
  what_if->add_option("FILE", arguments->file, "The proposed schemes")->required();
  what_if->add_option("--from", arguments->from, "First period, such as 2026 or 2026-04")
      ->type_name("PERIOD")
      ->required();
  what_if->add_option("--to", arguments->to, "Last period")->type_name("PERIOD");
  what_if->add_option("--person", arguments->person, "Only this person")->type_name("PERSON");
}

}  // namespace rapport
