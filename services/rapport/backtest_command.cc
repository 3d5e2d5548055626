#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/backtest/report.h"
#include "libs/backtest/what_if.h"
#include "libs/base/status.h"
#include "services/rapport/command.h"
#include "services/rapport/history_reader.h"
#include "services/rapport/output.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

using backtest::History;
using backtest::RuleReport;

struct BacktestArguments {
  std::string model;
  std::vector<std::string> rules;
  std::string from;
  std::string to;
  std::string client;
  int departure_days = 150;
  int least_order_days = 1;
};

constexpr absl::Duration kOneDay = absl::Hours(24);

std::string DayOnly(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

std::string Percent(double share) { return absl::StrFormat("%.0f %%", 100 * share); }
std::string Percent(double share, double error) {
  return absl::StrFormat("%.0f %% +- %.0f", 100 * share, 100 * error);
}

// The model with each of the rules on top, or by itself.
absl::StatusOr<std::vector<RetentionSettings>> ReadSets(const CommonOptions& common,
                                                        const BacktestArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ReadModel(common, arguments.model));
  std::vector<RetentionSettings> sets;
  for (const std::string& rules : arguments.rules) {
    RAPPORT_ASSIGN_OR_RETURN(sets.emplace_back(), ReadModelFile(rules, model));
  }
  if (sets.empty()) sets.push_back(model);
  return sets;
}

absl::StatusOr<backtest::Span> SpanOf(const BacktestArguments& arguments, const History& history) {
  backtest::Span span = {.from = history.first(),
                         .to = history.last() - arguments.departure_days * kOneDay,
                         .departure_days = arguments.departure_days,
                         .least_order_days = arguments.least_order_days};
  if (!arguments.from.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(span.from, ParseDay(arguments.from, "--from"));
  }
  if (!arguments.to.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(span.to, ParseDay(arguments.to, "--to"));
  }
  if (span.from < span.to) return span;
  return absl::InvalidArgumentError(absl::StrCat(
      "there is nothing to judge from ", DayOnly(span.from), " to ", DayOnly(span.to),
      ": history goes from ", DayOnly(history.first()), " to ", DayOnly(history.last()),
      ", and a departure shows after ", arguments.departure_days,
      " days; choose other days with --from and --to, or fewer with --departure-days"));
}

void AddRow(const std::string& name, int64_t alerts, const std::string& load,
            const backtest::Verdict& verdict, const std::string& lead, Table* table) {
  table->Add({name, FormatCount(alerts), load, Percent(verdict.Right(), verdict.RightError()),
              Percent(verdict.Found()), absl::StrCat(verdict.median_day), lead,
              Percent(verdict.right_value), Percent(verdict.found_value)});
}

void PrintText(const std::vector<RuleReport>& reports, const backtest::Span& span) {
  Print(absl::StrCat("Alerts from ", DayOnly(span.from), " to ", DayOnly(span.to),
                     ". Right: the client ordered nothing for ", span.departure_days,
                     " days. Found: departures with an alert before that was certain.\n\n"));
  Table table({"RULES", ">ALERTS", ">OWNER A WEEK", ">RIGHT", ">FOUND", ">MEDIAN DAY", ">LEAD DAYS",
               ">RIGHT MONEY", ">FOUND MONEY"});
  for (const RuleReport& report : reports) {
    AddRow(report.model_version, report.alerts,
           absl::StrFormat("%.1f (most %d)", report.per_owner_and_week, report.most_in_a_week),
           report.pauses, absl::StrCat(report.median_lead_days), &table);
    AddRow(absl::StrCat("  silence of ", report.stopwatch.median_day, " days"),
           report.stopwatch.alerts, "", report.stopwatch,
           absl::StrCat(span.departure_days - report.stopwatch.median_day), &table);
  }
  Print(table.ToString());
  Table reasons({"RULES", "FIRST REASON", ">ALERTS", ">RIGHT"});
  for (const RuleReport& report : reports) {
    for (const auto& [reason, by] : report.by_reason) {
      reasons.Add({report.model_version, reason, FormatCount(by.alerts),
                   Percent(static_cast<double>(by.right) / static_cast<double>(by.alerts))});
    }
  }
  Print(absl::StrCat("\n", reasons.ToString()));
  Table people({"RULES", "CLOSED BY PEOPLE", ">CLOSED", ">NOT DISMISSED", ">SAVED", ">LOST"});
  for (const RuleReport& report : reports) {
    const auto add = [&](const std::string& what, const RuleReport::ByPeople& by) {
      people.Add(
          {report.model_version, what, FormatCount(by.closed),
           Percent(static_cast<double>(by.closed - by.dismissed) / static_cast<double>(by.closed)),
           FormatCount(by.saved), FormatCount(by.lost)});
    };
    for (const auto& [reason, by] : report.people_by_reason) add(reason, by);
    for (const auto& [owner, by] : report.people_by_owner) {
      add(owner.empty() ? "(no owner)" : absl::StrCat("alerts of ", owner), by);
    }
  }
  if (const std::string text = people.ToString(); !text.empty()) Print(absl::StrCat("\n", text));
  for (const RuleReport& report : reports) {
    if (report.notices == 0) continue;
    Print(absl::StrCat(
        "\n", report.model_version, ": clients gave notice ", report.notices,
        " times; an alert was open before ", report.foreseen_notices, " of them",
        report.foreseen_notices == 0
            ? ""
            : absl::StrCat(", by ", report.median_notice_lead_days, " days in the median"),
        ".\n"));
  }
}

Json VerdictJson(const backtest::Verdict& verdict) {
  return {{"pauses", verdict.pauses},
          {"departures", verdict.departures},
          {"alerts", verdict.alerts},
          {"right", verdict.Right()},
          {"right_error", verdict.RightError()},
          {"found", verdict.Found()},
          {"median_day", verdict.median_day},
          {"right_money", verdict.right_value},
          {"found_money", verdict.found_value}};
}

Json PeopleJson(const std::map<std::string, RuleReport::ByPeople>& people) {
  Json json = Json::object();
  for (const auto& [name, by] : people) {
    json[name] = {
        {"closed", by.closed}, {"dismissed", by.dismissed}, {"saved", by.saved}, {"lost", by.lost}};
  }
  return json;
}

Json RuleReportJson(const RuleReport& report) {
  Json owners = Json::object();
  for (const auto& [owner, alerts] : report.alerts_by_owner) owners[owner] = alerts;
  Json reasons = Json::object();
  for (const auto& [reason, by] : report.by_reason) {
    reasons[reason] = {{"alerts", by.alerts}, {"right", by.right}};
  }
  return {{"model_version", report.model_version},
          {"alerts", report.alerts},
          {"clients", report.clients},
          {"alerts_by_owner", owners},
          {"per_owner_and_week", report.per_owner_and_week},
          {"most_in_a_week", report.most_in_a_week},
          {"pauses", VerdictJson(report.pauses)},
          {"stopwatch", VerdictJson(report.stopwatch)},
          {"median_lead_days", report.median_lead_days},
          {"notices", report.notices},
          {"foreseen_notices", report.foreseen_notices},
          {"median_notice_lead_days", report.median_notice_lead_days},
          {"by_first_reason", reasons},
          {"people_by_reason", PeopleJson(report.people_by_reason)},
          {"people_by_owner", PeopleJson(report.people_by_owner)}};
}

CommandResult TellClient(const CommonOptions& common, const History& history,
                         const std::string& client, const RetentionSettings& model) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<backtest::WhatIf> what_ifs,
                           backtest::WhatIfs(history, client, model));
  if (common.json) {
    Json list = Json::array();
    for (const backtest::WhatIf& what_if : what_ifs) {
      list.push_back({{"reason", what_if.reason},
                      {"change", what_if.text},
                      {"day", MomentJson(what_if.day)},
                      {"score", what_if.score},
                      {"raised_all_the_same", what_if.raised}});
    }
    PrintJson({{"client_id", client}, {"what_if", list}});
    return kExitOk;
  }
  if (what_ifs.empty()) {
    Print(absl::StrCat("No alert is raised for ", Printable(client), ".\n"));
    return kExitOk;
  }
  Table table({"DAY", "WITH THIS CHANGE", ">SCORE", "THE ALERT"});
  for (const backtest::WhatIf& what_if : what_ifs) {
    table.Add({DayOnly(what_if.day), what_if.text, absl::StrCat(what_if.score),
               what_if.raised ? "is raised all the same" : "is not raised"});
  }
  Print(table.ToString());
  return kExitOk;
}

CommandResult RunBacktest(const CommonOptions& common, const BacktestArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RetentionSettings> sets, ReadSets(common, arguments));
  RAPPORT_ASSIGN_OR_RETURN(const History history, ReadHistory(common));
  if (!arguments.client.empty()) return TellClient(common, history, arguments.client, sets[0]);
  RAPPORT_ASSIGN_OR_RETURN(const backtest::Span span, SpanOf(arguments, history));
  std::vector<RuleReport> reports;
  for (const RetentionSettings& set : sets) {
    RAPPORT_ASSIGN_OR_RETURN(reports.emplace_back(), backtest::JudgeRules(history, set, span));
  }
  if (!common.json) {
    PrintText(reports, span);
    return kExitOk;
  }
  Json list = Json::array();
  for (const RuleReport& report : reports) list.push_back(RuleReportJson(report));
  PrintJson({{"from", MomentJson(span.from)},
             {"to", MomentJson(span.to)},
             {"departure_days", span.departure_days},
             {"least_order_days", span.least_order_days},
             {"rules", list}});
  return kExitOk;
}

}  // namespace

void AddBacktestCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<BacktestArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "backtest",
                 "Play history under a model and alert rules, and tell how right their alerts were",
                 "rapport backtest --rules today.model --rules calmer.model",
                 [&common, arguments] { return RunBacktest(common, *arguments); });
  command->add_option("--model", arguments->model, "A model file; the one in force when not given")
      ->type_name("FILE");
  command
      ->add_option("--rules", arguments->rules,
                   "A file with settings that differ from the model; several stand side by side")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--from", arguments->from, "First day to judge; the first of history")
      ->type_name("DAY");
  command
      ->add_option("--to", arguments->to,
                   "Day before which to judge; so long before the end that departures show")
      ->type_name("DAY");
  command
      ->add_option("--departure-days", arguments->departure_days,
                   "A pause between orders that is longer is a departure")
      ->check(CLI::Range(7, 1000))
      ->capture_default_str();
  command
      ->add_option("--least-order-days", arguments->least_order_days,
                   "Judge only clients who had ordered on so many days by then")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--client", arguments->client,
                   "Tell of one client what would have kept its latest alert away")
      ->type_name("ID");
}

}  // namespace rapport
