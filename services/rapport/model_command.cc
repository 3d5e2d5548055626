#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/backtest/replay.h"
#include "libs/base/status.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/retention/settings_file.h"
#include "libs/risk_model/evaluation.h"
#include "libs/risk_model/order_fit.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/history_reader.h"
#include "services/rapport/output.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

using backtest::History;
using risk_model::Evaluation;
using risk_model::OrderFit;

struct ModelArguments {
  std::vector<std::string> files;
  std::string out;
  std::string version;
  std::string until;
  std::string at;
  std::string plot;
  double horizon_weeks = 13;
};

std::string ModelDay(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

absl::Status WriteWholeFile(const std::string& text, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("writing ", path, " failed"));
}

CommandResult ShowModel(const CommonOptions& common, const ModelArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model,
                           ReadModel(common, arguments.files.empty() ? "" : arguments.files[0]));
  Print(SettingsText(model));
  return kExitOk;
}

// How it was made, for whoever reads the file.
std::string FitHead(const OrderFit& fit, const History& history) {
  return absl::StrFormat(
      "# The base of the score, fitted on %d touchpoints from %s to %s.\n"
      "# Weights: %d looks at clients (%d of whom ordered nothing in the next %g weeks), ln L "
      "%.1f.\n"
      "# Chances: calibrated on %d clients of %s, slope %.2f +- %.2f.\n"
      "# Parameters of P_silent: %s\n",
      history.touchpoints(), ModelDay(history.first()), ModelDay(history.last()), fit.examples,
      fit.happened, fit.orders.horizon_weeks, fit.log_likelihood, fit.calibrated_on,
      ModelDay(fit.calibrated_at), fit.scale.slope, fit.scale.slope_error,
      fit.silence_fitted ? absl::StrFormat("MBG/NBD on %d clients, ln L %.1f.", fit.silence.clients,
                                           fit.silence.log_likelihood)
                         : "those of before; " + fit.silence_explanation);
}

void PrintFit(const OrderFit& fit, const std::string& out) {
  Table table({"WEIGHT OF", ">FITTED", ">ERROR", ">IN THE MODEL"});
  const double in_model[] = {fit.orders.average, fit.orders.silence, fit.orders.value,
                             fit.orders.lines};
  const char* const names[] = {"(average)", "silence", "value", "lines"};
  for (size_t i = 0; i < fit.weights.size(); ++i) {
    table.Add({names[i], absl::StrFormat("%.3f", fit.weights[i]),
               absl::StrFormat("%.3f", fit.errors[i]), absl::StrFormat("%.3f", in_model[i])});
  }
  Print(table.ToString());
  if (!fit.silence_fitted) {
    Print(absl::StrCat(
        "Warning: the parameters of P_silent stay as they were: ", fit.silence_explanation, "\n"));
  }
  if (std::abs(fit.scale.slope - 1) > 2 * fit.scale.slope_error) {
    Print(absl::StrFormat(
        "Warning: later clients spread otherwise than earlier ones (slope %.2f +- %.2f).\n",
        fit.scale.slope, fit.scale.slope_error));
  }
  Print(absl::StrCat("Written to ", out, ". Judge it: rapport model evaluate ", out,
                     ", rapport backtest --model ", out, "\n"));
}

CommandResult Fit(const CommonOptions& common, const ModelArguments& arguments) {
  absl::Time until = absl::InfiniteFuture();
  if (!arguments.until.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(until, ParseDay(arguments.until, "--until"));
  }
  RAPPORT_ASSIGN_OR_RETURN(RetentionSettings model, ModelInForce(common.data));
  if (arguments.version == model.model_version) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--version is '", arguments.version, "', the name of the model in force; choose another"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const History history, ReadHistory(common, until));
  RAPPORT_ASSIGN_OR_RETURN(
      const OrderFit fit,
      risk_model::FitOrders(history, model.orders, {.horizon_weeks = arguments.horizon_weeks}));
  model.orders = fit.orders;
  model.model_version = arguments.version;
  RAPPORT_RETURN_IF_ERROR(
      WriteWholeFile(FitHead(fit, history) + SettingsText(model), arguments.out));
  if (common.json) {
    PrintJson({{"model_version", model.model_version},
               {"weights", fit.weights},
               {"errors", fit.errors},
               {"log_likelihood", fit.log_likelihood},
               {"examples", fit.examples},
               {"calibrated_at", MomentJson(fit.calibrated_at)},
               {"slope", fit.scale.slope},
               {"slope_error", fit.scale.slope_error},
               {"silence_fitted", fit.silence_fitted},
               {"silence_explanation", fit.silence_explanation},
               {"file", arguments.out}});
  } else {
    PrintFit(fit, arguments.out);
  }
  return kExitOk;
}

void PrintEvaluations(const std::vector<Evaluation>& evaluations, absl::Time at, double weeks) {
  Print(absl::StrCat(
      "Will order nothing in the ", weeks, " weeks after ", ModelDay(at), ": ",
      CountOf(static_cast<int64_t>(evaluations[0].forecasts.size()), "client", "clients"),
      ".\n\n"));
  Table table({"SCORE", ">AUC", ">BRIER", ">MOST URGENT", ">RIGHT", ">FOUND"});
  for (const Evaluation& evaluation : evaluations) {
    std::string name = evaluation.name;
    std::string auc = absl::StrFormat("%.4f +- %.4f", evaluation.auc, evaluation.auc_error);
    std::string brier = evaluation.is_chance ? absl::StrFormat("%.4f", evaluation.brier) : "";
    for (const risk_model::Budget& budget : evaluation.budgets) {
      table.Add({std::exchange(name, ""), std::exchange(auc, ""), std::exchange(brier, ""),
                 absl::StrFormat("%.0f %% (%d)", 100 * budget.share, budget.clients),
                 absl::StrFormat("%.0f %%", 100 * budget.precision),
                 absl::StrFormat("%.0f %%", 100 * budget.recall)});
    }
  }
  Print(table.ToString());
  Table tenths({"CALIBRATION OF", ">CLIENTS", ">TOLD", ">CAME ABOUT", ">ERRORS APART"});
  for (const Evaluation& evaluation : evaluations) {
    std::string name = evaluation.name;
    for (const backtest::CalibrationRow& row : evaluation.tenths) {
      tenths.Add({std::exchange(name, ""), FormatCount(row.count),
                  absl::StrFormat("%.3f", row.chance), absl::StrFormat("%.3f", row.happened),
                  absl::StrFormat("%+.1f", row.Errors())});
    }
  }
  Print(absl::StrCat("\n", tenths.ToString()));
}

Json EvaluationJson(const Evaluation& evaluation) {
  Json budgets = Json::array();
  for (const risk_model::Budget& budget : evaluation.budgets) {
    budgets.push_back({{"share", budget.share},
                       {"clients", budget.clients},
                       {"precision", budget.precision},
                       {"recall", budget.recall}});
  }
  Json tenths = Json::array();
  for (const backtest::CalibrationRow& row : evaluation.tenths) {
    tenths.push_back({{"clients", row.count}, {"told", row.chance}, {"came_about", row.happened}});
  }
  return {{"score", evaluation.name},
          {"auc", evaluation.auc},
          {"auc_error", evaluation.auc_error},
          {"brier", evaluation.is_chance ? Json(evaluation.brier) : Json(nullptr)},
          {"budgets", budgets},
          {"tenths", tenths}};
}

CommandResult EvaluateModels(const CommonOptions& common, const ModelArguments& arguments) {
  std::vector<RetentionSettings> models;
  for (const std::string& file : arguments.files) {
    RAPPORT_ASSIGN_OR_RETURN(models.emplace_back(), ReadModelFile(file));
  }
  if (models.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(models.emplace_back(), ModelInForce(common.data));
  }
  RAPPORT_ASSIGN_OR_RETURN(const History history, ReadHistory(common));
  absl::Time at = history.last() - arguments.horizon_weeks * 7 * absl::Hours(24);
  if (!arguments.at.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(at, ParseDay(arguments.at, "--at"));
  }
  RAPPORT_ASSIGN_OR_RETURN(
      const std::vector<Evaluation> evaluations,
      risk_model::Evaluate(history, at, models, {.horizon_weeks = arguments.horizon_weeks}));
  if (!arguments.plot.empty()) {
    RAPPORT_RETURN_IF_ERROR(
        WriteWholeFile(risk_model::CalibrationSvg(evaluations), arguments.plot));
  }
  if (!common.json) {
    PrintEvaluations(evaluations, at, arguments.horizon_weeks);
    return kExitOk;
  }
  Json list = Json::array();
  for (const Evaluation& evaluation : evaluations) list.push_back(EvaluationJson(evaluation));
  PrintJson({{"at", MomentJson(at)},
             {"horizon_weeks", arguments.horizon_weeks},
             {"clients", evaluations[0].forecasts.size()},
             {"scores", list}});
  return kExitOk;
}

struct Difference {
  std::string client_id;
  int score_before = 0;
  int score_after = 0;
  bool open_before = false;
  bool open_after = false;
};

// Clients for whom an alert is open at the end of history by one model alone.
absl::StatusOr<std::vector<Difference>> Differences(const History& history,
                                                    const RetentionSettings& before,
                                                    const RetentionSettings& after) {
  const absl::Time end = history.last();
  std::vector<Difference> differences;
  for (const std::string& client : history.Clients()) {
    Difference difference{.client_id = client};
    const auto look = [&](const RetentionSettings& model, int* score, bool* open) -> absl::Status {
      RAPPORT_ASSIGN_OR_RETURN(const backtest::Replay replay,
                               backtest::ReplayClient(history, client, model, end));
      *score = ExplainRetention(replay.state, model, end).score;
      *open = replay.state.alert().phase() == state::v1::ALERT_PHASE_OPEN;
      return absl::OkStatus();
    };
    RAPPORT_RETURN_IF_ERROR(look(before, &difference.score_before, &difference.open_before));
    RAPPORT_RETURN_IF_ERROR(look(after, &difference.score_after, &difference.open_after));
    if (difference.open_before != difference.open_after)
      differences.push_back(std::move(difference));
  }
  std::stable_sort(
      differences.begin(), differences.end(), [](const Difference& a, const Difference& b) {
        return std::max(a.score_before, a.score_after) > std::max(b.score_before, b.score_after);
      });
  return differences;
}

CommandResult Compare(const CommonOptions& common, const ModelArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings after, ReadModelFile(arguments.files[0]));
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings before,
                           ReadModel(common, arguments.files.size() > 1 ? arguments.files[1] : ""));
  RAPPORT_ASSIGN_OR_RETURN(const History history, ReadHistory(common));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Difference> differences,
                           Differences(history, before, after));
  if (common.json) {
    Json list = Json::array();
    for (const Difference& difference : differences) {
      list.push_back({{"client_id", difference.client_id},
                      {"score_before", difference.score_before},
                      {"score_after", difference.score_after},
                      {"open_before", difference.open_before},
                      {"open_after", difference.open_after}});
    }
    PrintJson({{"before", before.model_version},
               {"after", after.model_version},
               {"at", MomentJson(history.last())},
               {"differences", list}});
    return kExitOk;
  }
  const auto raised = std::count_if(differences.begin(), differences.end(),
                                    [](const Difference& one) { return one.open_after; });
  Print(absl::StrCat("At the end of history, ", ModelDay(history.last()), ", ",
                     Printable(after.model_version), " has ",
                     CountOf(raised, "alert open that ", "alerts open that "),
                     Printable(before.model_version), " has not, and lacks ",
                     std::ssize(differences) - raised, " that it has.\n"));
  constexpr size_t kShown = 20;
  Table table({"CLIENT", ">BEFORE", ">AFTER", "ALERT"});
  for (size_t i = 0; i < std::min(differences.size(), kShown); ++i) {
    const Difference& one = differences[i];
    table.Add({one.client_id, absl::StrCat(one.score_before), absl::StrCat(one.score_after),
               one.open_after ? "is raised" : "goes"});
  }
  Print(table.ToString());
  if (differences.size() > kShown) Print("--json tells all.\n");
  return kExitOk;
}

CommandResult Publish(const CommonOptions& common, const ModelArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ReadModelFile(arguments.files[0]));
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings before, ModelInForce(common.data));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  RAPPORT_RETURN_IF_ERROR(PutModelInForce(SettingsText(model), common.data));
  if (api == nullptr) {
    // Folded anew beside the live state, which it then takes over from; readers are told what
    // differs.
    RAPPORT_RETURN_IF_ERROR(OpenCaughtUpHost(common).status());
  }
  if (common.json) {
    PrintJson({{"model_version", model.model_version},
               {"before", before.model_version},
               {"in_force", api == nullptr}});
    return kExitOk;
  }
  Print(absl::StrCat(
      Printable(before.model_version), " gives way to ", Printable(model.model_version),
      api == nullptr ? ": history was folded anew, and readers of alerts were told what differs.\n"
                     : absl::StrCat(" when the Rapport at ", api->address(), " starts next.\n")));
  return kExitOk;
}

void AddHorizon(const std::shared_ptr<ModelArguments>& arguments, CLI::App* command) {
  command
      ->add_option("--horizon-weeks", arguments->horizon_weeks,
                   "The score is the chance of no order in so many weeks")
      ->check(CLI::Range(1.0, 104.0))
      ->capture_default_str();
}

}  // namespace

void AddModelCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  CLI::App* const model = app.add_subcommand("model", "Fit, judge and publish the risk model");
  model->require_subcommand(1);
  model->fallthrough();
  const auto add = [&](const char* name, const char* what, const char* example, auto run) {
    const auto arguments = std::make_shared<ModelArguments>();
    CLI::App* const command =
        AddCommand(*model, exit_code, name, what, example,
                   [&common, arguments, run] { return run(common, *arguments); });
    return std::pair(command, arguments);
  };
  const auto [show, show_arguments] = add("show", "Print all settings of a model, as a file",
                                          "rapport model show > firm.model", ShowModel);
  show->add_option("file", show_arguments->files, "A model file; the one in force when not given")
      ->type_name("FILE")
      ->expected(0, 1);
  const auto [fit, fit_arguments] =
      add("fit", "Fit the base of the score on history, and write a model file",
          "rapport model fit --version firm-1 --out firm-1.model --until 2026-06-30", Fit);
  fit->add_option("--out", fit_arguments->out, "Where to write the model")
      ->type_name("FILE")
      ->required();
  fit->add_option("--version", fit_arguments->version, "Its name, which every alert carries")
      ->type_name("NAME")
      ->required();
  fit->add_option("--until", fit_arguments->until,
                  "Nothing that happened on this day or later is seen")
      ->type_name("DAY");
  AddHorizon(fit_arguments, fit);
  const auto [evaluate, evaluate_arguments] = add(
      "evaluate", "Hold scores against what happened later, beside simple rules",
      "rapport model evaluate firm-1.model --at 2026-06-30 --plot calibration.svg", EvaluateModels);
  evaluate
      ->add_option("file", evaluate_arguments->files,
                   "Model files, side by side; the one in force when not given")
      ->type_name("FILE");
  evaluate
      ->add_option("--at", evaluate_arguments->at,
                   "The day of the scores; the last one of which it is known what happened")
      ->type_name("DAY");
  evaluate->add_option("--plot", evaluate_arguments->plot, "Draw the calibration into an SVG file")
      ->type_name("FILE");
  AddHorizon(evaluate_arguments, evaluate);
  const auto [compare, compare_arguments] =
      add("compare", "Tell whose alert would come or go with another model",
          "rapport model compare firm-1.model", Compare);
  compare
      ->add_option("file", compare_arguments->files,
                   "A model file; and another one to hold it against, or the one in force")
      ->type_name("FILE")
      ->required()
      ->expected(1, 2);
  const auto [publish, publish_arguments] =
      add("publish", "Put a model in force", "rapport model publish firm-1.model", Publish);
  publish->add_option("file", publish_arguments->files, "The model file")
      ->type_name("FILE")
      ->required()
      ->expected(1);
}

}  // namespace rapport
