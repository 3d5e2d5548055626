#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/rebuild.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/job_client.h"
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

// What is told of a rebuild, wherever it was done.
struct Rebuilt {
  int generation = 0;
  int64_t records = 0;
  absl::Duration took;
  bool comparable = true;
  struct Finding {
    int partition = 0;
    std::string first_difference;
  };
  std::vector<Finding> findings;
};

void PrintText(const RebuildArguments& arguments, const Rebuilt& rebuilt) {
  Print(absl::StrCat("Rebuilt ", arguments.projection, " from ",
                     CountOf(rebuilt.records, "record", "records"), " in ",
                     absl::FormatDuration(absl::Trunc(rebuilt.took, absl::Milliseconds(10))),
                     "; generation ", rebuilt.generation, " serves now.\n"));
  if (!rebuilt.comparable) {
    Print("The one before was of another version or other settings, and was not compared.\n");
    return;
  }
  if (rebuilt.findings.empty()) Print("It is equal to the one before.\n");
  for (const Rebuilt::Finding& finding : rebuilt.findings) {
    Print(absl::StrCat("partition ", finding.partition, " differs first in ",
                       Printable(finding.first_difference), "\n"));
  }
}

void PrintAsJson(const RebuildArguments& arguments, const Rebuilt& rebuilt) {
  Json findings = Json::array();
  for (const Rebuilt::Finding& finding : rebuilt.findings) {
    findings.push_back(
        {{"partition", finding.partition}, {"first_difference", finding.first_difference}});
  }
  PrintJson({{"projection", arguments.projection},
             {"generation", rebuilt.generation},
             {"records", rebuilt.records},
             {"seconds", absl::ToDoubleSeconds(rebuilt.took)},
             {"compared", rebuilt.comparable},
             {"findings", findings}});
}

CommandResult TellRollback(const CommonOptions& common, const std::string& projection,
                           int generation) {
  if (common.json) {
    PrintJson({{"projection", projection}, {"generation", generation}});
  } else {
    Print(absl::StrCat("Went back; generation ", generation, " of ", projection, " serves now.\n"));
  }
  return kExitOk;
}

absl::StatusOr<Rebuilt> RebuildHere(Projector& projector, const RebuildArguments& arguments) {
  RebuildOptions options;
  options.records_per_second = arguments.records_per_second;
  ProgressBar bar("records");
  options.progress = [&bar](const RebuildProgress& progress) {
    bar.Update("rebuilding", progress.records, progress.total_records);
  };
  RAPPORT_ASSIGN_OR_RETURN(const RebuildResult result, Rebuild(projector, options));
  Rebuilt rebuilt{.generation = result.generation,
                  .records = result.records,
                  .took = result.took,
                  .comparable = result.comparable,
                  .findings = {}};
  for (const RebuildResult::Finding& finding : result.findings) {
    rebuilt.findings.push_back({finding.partition.value(),
                                DescribeEntry(finding.difference.family, finding.difference.key)});
  }
  return rebuilt;
}

absl::StatusOr<Rebuilt> RebuildThere(Api& api, const RebuildArguments& arguments) {
  query::v1::JobOrder order;
  order.set_records_per_second(arguments.records_per_second);
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::Job job,
                           RunJob(api, arguments.projection, "rebuild", order));
  Rebuilt rebuilt{.generation = job.generation(),
                  .records = job.records(),
                  .took = FromProto(job.ended_at()) - FromProto(job.started_at()),
                  .comparable = job.has_equal(),
                  .findings = {}};
  for (const query::v1::JobFinding& finding : job.findings()) {
    rebuilt.findings.push_back({finding.partition(), finding.difference()});
  }
  return rebuilt;
}

CommandResult TellRebuild(const CommonOptions& common, const RebuildArguments& arguments,
                          const absl::StatusOr<Rebuilt>& rebuilt) {
  RAPPORT_RETURN_IF_ERROR(rebuilt.status());
  common.json ? PrintAsJson(arguments, *rebuilt) : PrintText(arguments, *rebuilt);
  return rebuilt->comparable && !rebuilt->findings.empty() ? kExitFindings : kExitOk;
}

CommandResult RunRebuild(const CommonOptions& common, const RebuildArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr && arguments.rollback) {
    RAPPORT_RETURN_IF_ERROR(RunJob(*api, arguments.projection, "rollback", {}).status());
    query::v1::ProjectionStatus status;
    RAPPORT_RETURN_IF_ERROR(
        api->Get(ApiPath({"v1", "projections", arguments.projection}), &status));
    return TellRollback(common, arguments.projection, status.generation());
  }
  if (api != nullptr) return TellRebuild(common, arguments, RebuildThere(*api, arguments));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(Projector * projector, host->Find(arguments.projection));
  if (arguments.rollback) {
    RAPPORT_RETURN_IF_ERROR(Rollback(*projector));
    return TellRollback(common, arguments.projection, projector->generation());
  }
  return TellRebuild(common, arguments, RebuildHere(*projector, arguments));
}

}  // namespace

void AddRebuildCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<RebuildArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "rebuild",
      "Fold the log anew into a new generation, compare it, and put it in place",
      "rapport rebuild retention", [&common, arguments] { return RunRebuild(common, *arguments); });
  AddProjectionArgument(*command, &arguments->projection);
  command->add_option("--rate", arguments->records_per_second, "At most so many records a second")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_flag("--rollback", arguments->rollback,
                    "Go back to the generation before the last rebuild instead");
}

}  // namespace rapport
