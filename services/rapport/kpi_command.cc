#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "rapport/query/v1/kpi.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

using query::v1::KpiFigure;
using query::v1::KpiSeries;
using query::v1::KpiUnit;

struct KpiArguments {
  std::vector<std::string> kpis;
  std::string scope;
  std::string from;
  std::string to;
  std::string step;
  std::string compare;
  std::string segment;
  std::string by;
  std::string currency;
  std::string as_reported_on;
  std::string client;
  int limit = 50;
  bool breakdown = false;
  bool touchpoints = false;
  bool changes = false;
  bool waterfall = false;
  bool csv = false;

  int views() const { return breakdown + touchpoints + changes + waterfall; }
  std::string Query(const std::vector<std::pair<std::string, std::string>>& more) const {
    std::vector<std::pair<std::string, std::string>> all = {
        {"scope", scope}, {"from", from}, {"to", to}, {"segment", segment}};
    all.insert(all.end(), more.begin(), more.end());
    return ApiQuery(all);
  }
};

std::string Duration(double milliseconds) {
  constexpr double kSecond = 1000;
  constexpr double kMinute = 60 * kSecond;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  if (std::abs(milliseconds) >= 2 * kDay) return absl::StrFormat("%.1f d", milliseconds / kDay);
  if (std::abs(milliseconds) >= 2 * kHour) return absl::StrFormat("%.1f h", milliseconds / kHour);
  if (std::abs(milliseconds) >= 2 * kMinute) {
    return absl::StrFormat("%.1f min", milliseconds / kMinute);
  }
  return absl::StrFormat("%.1f s", milliseconds / kSecond);
}

std::string ValueText(double value, KpiUnit unit, const std::string& currency) {
  switch (unit) {
    case query::v1::KPI_UNIT_PERCENT:
      return absl::StrFormat("%.2f %%", value);
    case query::v1::KPI_UNIT_POINTS:
      return absl::StrFormat("%.2f", value);
    case query::v1::KPI_UNIT_MONEY:
      return FormatAmount(std::llround(value), currency);
    case query::v1::KPI_UNIT_MONEY_PER_DAY:
      return FormatAmount(std::llround(value), currency) + " a day";
    case query::v1::KPI_UNIT_MILLISECONDS:
      return Duration(value);
    case query::v1::KPI_UNIT_DAYS:
      return absl::StrFormat("%.1f d", value);
    default:
      return FormatCount(std::llround(value));
  }
}

std::string FigureText(const KpiFigure& figure, const KpiSeries& series) {
  return figure.has_value() ? ValueText(figure.value(), series.unit(), series.currency_code())
                            : "-";
}

// The same as it was reported, where that is another figure.
std::string ReportedText(const KpiFigure& figure, const KpiSeries& series) {
  const query::v1::KpiReported& reported = figure.reported();
  const bool same =
      reported.has_value() == figure.has_value() && reported.value() == figure.value();
  if (same || !figure.has_reported()) return "";
  return reported.has_value() ? ValueText(reported.value(), series.unit(), series.currency_code())
                              : "-";
}

// The plan, and how far it is; a KPI that is good when low is kept or not.
std::string PlanText(const KpiFigure& figure, const KpiSeries& series) {
  if (!figure.has_plan()) return "";
  const query::v1::KpiPlan& plan = figure.plan();
  std::string text = ValueText(plan.value(), series.unit(), series.currency_code());
  if (plan.has_attainment_percent()) {
    absl::StrAppendFormat(&text, " (%.1f %%)", plan.attainment_percent());
  } else if (figure.has_value()) {
    absl::StrAppend(&text, plan.attained() ? " (kept)" : " (not kept)");
  }
  return text;
}

std::string Days(const KpiFigure& figure) {
  return absl::StrCat(figure.from(), " to ", figure.to());
}

void PrintCatalogue(const query::v1::KpiCatalogue& catalogue) {
  Table table({"KPI", "GROUP", "MOVED BY", "IS"});
  for (const query::v1::KpiDefinition& kpi : catalogue.kpis()) {
    table.Add({kpi.code(), kpi.group(), kpi.moved_by(), kpi.formula()});
  }
  Print(table.ToString());
}

void PrintValues(const query::v1::KpiValues& values) {
  Print(Printable(absl::StrCat(values.scope(), values.scope_id().empty() ? "" : ":",
                               values.scope_id(), ", ", values.from(), " to before ", values.to(),
                               " (", values.settings().time_zone(), "), by ", values.by())));
  Print("\n");
  Table table({"KPI", "FROM", ">FIGURE", ">PLAN", ">AS REPORTED", ">COMPARED", ">N"});
  for (const KpiSeries& series : values.series()) {
    const auto add = [&](const std::string& name, const std::string& days, const KpiFigure& figure,
                         const KpiFigure* compared) {
      table.Add({name, days, FigureText(figure, series), PlanText(figure, series),
                 ReportedText(figure, series),
                 compared == nullptr ? "" : FigureText(*compared, series),
                 FormatCount(figure.n())});
    };
    for (int i = 0; i < series.steps_size(); ++i) {
      const bool has_compared = i < series.compared_steps_size();
      add(series.code(), series.steps(i).from(), series.steps(i),
          has_compared ? &series.compared_steps(i) : nullptr);
    }
    add(series.code(), series.steps().empty() ? series.total().from() : "total", series.total(),
        series.has_compared() ? &series.compared() : nullptr);
  }
  Print(table.ToString());
}

void PrintBreakdown(const query::v1::KpiBreakdown& breakdown) {
  const KpiSeries& series = breakdown.series();
  Table table({absl::AsciiStrToUpper(breakdown.by()), "NAME", ">FIGURE", ">PLAN", ">N"});
  for (const query::v1::KpiRow& row : breakdown.rows()) {
    KpiSeries own = series;
    if (breakdown.by() == "currency") own.set_currency_code(row.id());
    table.Add({row.id().empty() ? "-" : row.id(), row.name(), FigureText(row.figure(), own),
               PlanText(row.figure(), own), FormatCount(row.figure().n())});
  }
  Print(table.ToString());
  Print(Printable(absl::StrCat("Together: ", FigureText(series.total(), series), ", ",
                               Days(series.total()), "; ",
                               CountOf(breakdown.row_count(), "row", "rows"))));
  Print("\n");
}

std::string KindOf(const query::v1::KpiPart& part) {
  if (!part.has_touchpoint()) return part.by_itself() == "time" ? "time" : "others' clients";
  const touchpoint::v1::Touchpoint& touchpoint = part.touchpoint();
  const google::protobuf::FieldDescriptor* const kind =
      touchpoint.GetReflection()->GetOneofFieldDescriptor(
          touchpoint, touchpoint.GetDescriptor()->FindOneofByName("payload"));
  return kind == nullptr ? "" : kind->name();
}

void PrintTouchpoints(const query::v1::KpiTouchpoints& touchpoints) {
  Table table({"DAY", "CLIENT", "NAME", "TOUCHPOINT", ">ADDS", ">OF", "LATE"});
  for (const query::v1::KpiPart& part : touchpoints.parts()) {
    table.Add({part.day(), part.client_id(), part.client_name(), KindOf(part),
               absl::StrCat(part.numerator()),
               part.denominator() == 0 ? "" : absl::StrCat(part.denominator()),
               part.late() ? "late" : ""});
  }
  Print(table.ToString());
  const KpiFigure& figure = touchpoints.figure();
  Print(Printable(absl::StrCat("Together: ", figure.numerator(), " of ", figure.denominator(),
                               touchpoints.currency_code().empty() ? "" : " ",
                               touchpoints.currency_code(), ", ", Days(figure))));
  Print(touchpoints.next_cursor().empty() ? "\n" : "; there are more (--limit)\n");
}

void PrintChanges(const query::v1::KpiChanges& changes) {
  if (changes.changes().empty()) Print("Nothing became known later than it was reported.\n");
  Table table({"DAY", "KNOWN ON", "OWNER", "CURRENCY", ">ADDS", ">OF"});
  for (const query::v1::KpiChange& change : changes.changes()) {
    table.Add({change.day(), change.known_on(), change.owner_id(), change.currency_code(),
               absl::StrCat(change.numerator()),
               change.denominator() == 0 ? "" : absl::StrCat(change.denominator())});
  }
  Print(table.ToString());
}

void PrintWaterfall(const query::v1::KpiWaterfall& waterfall) {
  Table table({"FROM", ">START", ">NEW", ">BACK", ">CAME", ">LOST", ">LEFT", ">END"});
  const auto add = [&table](const std::string& from, const query::v1::KpiWaterfallStep& step) {
    table.Add({from, FormatCount(step.at_start()), FormatCount(step.new_clients()),
               FormatCount(step.back()), FormatCount(step.came()), FormatCount(step.lost()),
               FormatCount(step.left()), FormatCount(step.at_end())});
  };
  for (const query::v1::KpiWaterfallStep& step : waterfall.steps()) add(step.from(), step);
  add(waterfall.steps().empty() ? waterfall.total().from() : "total", waterfall.total());
  Print(table.ToString());
}

// The answer as a table for people, as JSON of the API, or as CSV.
template <class M>
CommandResult Tell(const CommonOptions& common, const KpiArguments& arguments,
                   const std::string& path, void (*print)(const M&)) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  if (!arguments.csv && !common.json) {
    M answer;
    RAPPORT_RETURN_IF_ERROR(api->Get(path, &answer));
    print(answer);
    return kExitOk;
  }
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer,
                           api->Call("GET", path, "", "", arguments.csv ? "text/csv" : ""));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  arguments.csv ? Print(answer.body) : PrintJson(Json::parse(answer.body));
  return kExitOk;
}

CommandResult RunKpi(const CommonOptions& common, const KpiArguments& arguments) {
  if (arguments.views() > 1) {
    return absl::InvalidArgumentError(
        "give one of --breakdown, --touchpoints, --changes and --waterfall");
  }
  const std::string limit = absl::StrCat(arguments.limit);
  if (arguments.waterfall) {
    return Tell<query::v1::KpiWaterfall>(
        common, arguments, "/v1/kpis/waterfall" + arguments.Query({{"step", arguments.step}}),
        PrintWaterfall);
  }
  if (arguments.views() > 0 && arguments.kpis.size() != 1) {
    return absl::InvalidArgumentError(
        "--breakdown, --touchpoints and --changes are of one KPI: name it, as in `rapport kpi "
        "revenue --touchpoints`");
  }
  const std::string kpi = arguments.kpis.empty() ? "" : arguments.kpis.front();
  if (arguments.breakdown) {
    return Tell<query::v1::KpiBreakdown>(
        common, arguments,
        ApiPath({"v1", "kpis", kpi, "breakdown"}) +
            arguments.Query({{"by", arguments.by},
                             {"currency", arguments.currency},
                             {"as_reported_on", arguments.as_reported_on},
                             {"limit", limit}}),
        PrintBreakdown);
  }
  if (arguments.touchpoints) {
    return Tell<query::v1::KpiTouchpoints>(common, arguments,
                                           ApiPath({"v1", "kpis", kpi, "touchpoints"}) +
                                               arguments.Query({{"by", arguments.by},
                                                                {"currency", arguments.currency},
                                                                {"client", arguments.client},
                                                                {"limit", limit}}),
                                           PrintTouchpoints);
  }
  if (arguments.changes) {
    return Tell<query::v1::KpiChanges>(common, arguments,
                                       ApiPath({"v1", "kpis", kpi, "changes"}) +
                                           arguments.Query({{"currency", arguments.currency}}),
                                       PrintChanges);
  }
  const bool asks = !arguments.kpis.empty() || !arguments.scope.empty() || !arguments.from.empty();
  if (!asks) {
    return Tell<query::v1::KpiCatalogue>(common, arguments, "/v1/kpis", PrintCatalogue);
  }
  return Tell<query::v1::KpiValues>(
      common, arguments,
      "/v1/kpis/values" + arguments.Query({{"kpi", absl::StrJoin(arguments.kpis, ",")},
                                           {"step", arguments.step},
                                           {"compare", arguments.compare},
                                           {"by", arguments.by},
                                           {"currency", arguments.currency},
                                           {"as_reported_on", arguments.as_reported_on}}),
      PrintValues);
}

}  // namespace

void AddKpiCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<KpiArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "kpi", "What there is to be measured, and the figures",
      "rapport kpi revenue --scope owner:anna.keller --from 2026-01 --to 2026-12 --step month",
      [&common, arguments] { return RunKpi(common, *arguments); });
  const auto text = [command](const char* name, std::string* value, const char* what,
                              const char* type) {
    command->add_option(name, *value, what)->type_name(type);
  };
  command->add_option("KPI", arguments->kpis, "Which; without any, all that there are are listed")
      ->type_name("KPI");
  text("--scope", &arguments->scope,
       "Whose: firm, mine, owner:ID, team:ID or branch:ID; all that you see unless said", "SCOPE");
  text("--from", &arguments->from,
       "Where the period begins: 2026, 2026-Q2, 2026-05, 2026-W07 or 2026-05-31; this month unless "
       "said",
       "PERIOD");
  text("--to", &arguments->to, "The last one in it; the same as --from unless said", "PERIOD");
  text("--step", &arguments->step, "Each of: day, week, month, quarter, year", "STEP");
  text("--compare", &arguments->compare, "Beside them those of: previous, year", "WITH");
  text("--segment", &arguments->segment, "Only of clients that are personal, business, corporate",
       "SEGMENT");
  text("--by", &arguments->by,
       "owner (whose clients they were) or agent (who did it); of a breakdown also team, segment, "
       "client, detail, currency",
       "BY");
  text("--currency", &arguments->currency, "Only money of this currency", "CODE");
  text("--as-reported-on", &arguments->as_reported_on, "As they were known on this day", "DAY");
  text("--client", &arguments->client, "Only this client's touchpoints", "CLIENT");
  command->add_flag("--breakdown", arguments->breakdown, "The parts that add up to it (--by)");
  command->add_flag("--touchpoints", arguments->touchpoints, "What stands behind it");
  command->add_flag("--changes", arguments->changes, "What became known later than reported");
  command->add_flag("--waterfall", arguments->waterfall, "How many clients came and went");
  command->add_flag("--csv", arguments->csv, "As comma-separated values");
  command->add_option("--limit", arguments->limit, "At most so many rows")
      ->check(CLI::Range(1, 500))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
