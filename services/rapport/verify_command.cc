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

// What differs in a partition that is not equal.
std::string Finding(const VerifyResult::PartitionResult& partition) {
  if (partition.equal()) return "";
  if (!partition.difference.has_value()) return "the digest kept on the way is off";
  return absl::StrCat("first in ",
                      DescribeEntry(partition.difference->family, partition.difference->key));
}

void PrintText(const std::string& projection, const VerifyResult& result) {
  Table table({">PARTITION", ">POSITION", "DIGEST", "REBUILT", "RESULT"});
  for (const VerifyResult::PartitionResult& partition : result.partitions) {
    table.Add({absl::StrCat(partition.partition.value()), FormatCount(partition.position.value()),
               partition.live.ToHex(), partition.rebuilt.ToHex(),
               partition.equal() ? "equal" : absl::StrCat("DIFFERENT: ", Finding(partition))});
  }
  Print(table.ToString());
  Print(
      absl::StrCat(projection, result.equal() ? " is equal to" : " DIFFERS from", " a fold of ",
                   CountOf(result.records, "record", "records"), " from the beginning of the log (",
                   absl::FormatDuration(absl::Trunc(result.took, absl::Milliseconds(10))), ").\n"));
}

void PrintAsJson(const std::string& projection, const VerifyResult& result) {
  Json partitions = Json::array();
  for (const VerifyResult::PartitionResult& partition : result.partitions) {
    partitions.push_back(
        {{"partition", partition.partition.value()},
         {"position", partition.position.value()},
         {"equal", partition.equal()},
         {"digest", partition.live.ToHex()},
         {"stored_digest", partition.stored.ToHex()},
         {"rebuilt_digest", partition.rebuilt.ToHex()},
         {"finding", partition.equal() ? Json(nullptr) : Json(Finding(partition))}});
  }
  PrintJson({{"projection", projection},
             {"equal", result.equal()},
             {"records", result.records},
             {"seconds", absl::ToDoubleSeconds(result.took)},
             {"partitions", partitions}});
}

CommandResult Run(const CommonOptions& common, const std::string& projection) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  VerifyResult result;
  {
    ProgressBar bar("records");
    RebuildOptions options;
    options.progress = [&bar](const RebuildProgress& progress) {
      bar.Update("folding aside", progress.records, progress.total_records);
    };
    RAPPORT_ASSIGN_OR_RETURN(result, host->VerifyProjection(projection, options));
  }
  common.json ? PrintAsJson(projection, result) : PrintText(projection, result);
  return result.equal() ? kExitOk : kExitFindings;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto projection = std::make_shared<std::string>();
  CLI::App* const command = AddCommand(
      app, exit_code, "verify",
      "Fold the log anew aside and compare digests; name the first entry that differs",
      "rapport verify retention", [&common, projection] { return Run(common, *projection); });
  AddProjectionArgument(*command, projection.get());
}

}  // namespace rapport
