#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/projector/rebuild.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/rapport/progress_bar.h"
#include "services/rapport/projection_argument.h"

namespace rapport {
namespace {

struct RebuildArguments {
  std::string projection;
  int64_t records_per_second = 0;
  bool rollback = false;
};

void PrintText(const RebuildArguments& arguments, const RebuildResult& result) {
  Print(absl::StrCat("Rebuilt ", arguments.projection, " from ",
                     CountOf(result.records, "record", "records"), " in ",
                     absl::FormatDuration(absl::Trunc(result.took, absl::Milliseconds(10))),
                     "; generation ", result.generation, " serves now.\n"));
  if (!result.comparable) {
    Print("The one before was of another version or other settings, and was not compared.\n");
    return;
  }
  if (result.findings.empty()) Print("It is equal to the one before.\n");
  for (const RebuildResult::Finding& finding : result.findings) {
    Print(absl::StrCat("partition ", finding.partition.value(), " differs first in ",
                       Printable(DescribeEntry(finding.difference.family, finding.difference.key)),
                       "\n"));
  }
}

void PrintAsJson(const RebuildArguments& arguments, const RebuildResult& result) {
  Json findings = Json::array();
  for (const RebuildResult::Finding& finding : result.findings) {
    findings.push_back(
        {{"partition", finding.partition.value()},
         {"first_difference", DescribeEntry(finding.difference.family, finding.difference.key)}});
  }
  PrintJson({{"projection", arguments.projection},
             {"generation", result.generation},
             {"records", result.records},
             {"seconds", absl::ToDoubleSeconds(result.took)},
             {"compared", result.comparable},
             {"findings", findings}});
}

CommandResult RunRollback(const CommonOptions& common, const RebuildArguments& arguments,
                          Projector& projector) {
  RAPPORT_RETURN_IF_ERROR(Rollback(projector));
  if (common.json) {
    PrintJson({{"projection", arguments.projection}, {"generation", projector.generation()}});
  } else {
    Print(absl::StrCat("Went back; generation ", projector.generation(), " of ",
                       arguments.projection, " serves now.\n"));
  }
  return kExitOk;
}

CommandResult Run(const CommonOptions& common, const RebuildArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(Projector * projector, host->Find(arguments.projection));
  if (arguments.rollback) return RunRollback(common, arguments, *projector);
  RebuildOptions options;
  options.records_per_second = arguments.records_per_second;
  RebuildResult result;
  {
    ProgressBar bar("records");
    options.progress = [&bar](const RebuildProgress& progress) {
      bar.Update("rebuilding", progress.records, progress.total_records);
    };
    RAPPORT_ASSIGN_OR_RETURN(result, Rebuild(*projector, options));
  }
  common.json ? PrintAsJson(arguments, result) : PrintText(arguments, result);
  return result.comparable && !result.findings.empty() ? kExitFindings : kExitOk;
}

}  // namespace

void AddRebuildCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<RebuildArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "rebuild",
      "Fold the log anew into a new generation, compare it, and put it in place",
      "rapport rebuild retention", [&common, arguments] { return Run(common, *arguments); });
  AddProjectionArgument(*command, &arguments->projection);
  command->add_option("--rate", arguments->records_per_second, "At most so many records a second")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_flag("--rollback", arguments->rollback,
                    "Go back to the generation before the last rebuild instead");
}

}  // namespace rapport
