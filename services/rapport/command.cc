#include "services/rapport/command.h"
#include "services/rapport/kpi_section.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/kpi/requests.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/fold_engine.h"
#include "services/rapport/output.h"
#include "services/rapport/progress_bar.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

// A wrong argument is the user's to mend; all else is the surroundings'.
ExitCode ExitCodeOf(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitEnvironment;
}

int Finish(const CommandResult& result) {
  if (result.ok()) return *result;
  PrintError(absl::StrCat("rapport: ", Printable(result.status().message()), "\n"));
  return ExitCodeOf(result.status());
}

std::string DefaultDataFolder() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : absl::StrCat(home, "/.local/share/rapport");
}

}  // namespace

CLI::App* AddCommand(CLI::App& parent, int* exit_code, const std::string& name,
                     const std::string& what, const std::string& example,
                     std::function<CommandResult()> run) {
  CLI::App* const command = parent.add_subcommand(name, what);
  command->footer(absl::StrCat("Example:\n  ", example));
  command->fallthrough();
  command->callback([command, exit_code, run = std::move(run)] {
    // One of its own commands has run.
    if (!command->get_subcommands().empty()) return;
    *exit_code = Finish(run());
  });
  return command;
}

void AddCommonOptions(CLI::App& app, CommonOptions* common) {
  common->data = DefaultDataFolder();
  app.add_option("--data", common->data, "The data folder; made when it is missing")
      ->envname("RAPPORT_DATA")
      ->type_name("DIR")
      ->capture_default_str()
      ->each([common](const std::string&) { common->data_given = true; });
  app.add_option("--server", common->server,
                 "A running Rapport to ask instead of the one on the data folder")
      ->envname("RAPPORT_SERVER")
      ->type_name("URL");
  app.add_option("--token-file", common->token_file, "File that holds its API token")
      ->envname("RAPPORT_TOKEN_FILE")
      ->type_name("FILE");
  app.add_option("--ca-file", common->ca_file,
                 "File of the CAs (PEM) that its certificate must come from; else the system's")
      ->envname("RAPPORT_CA_FILE")
      ->type_name("FILE");
  app.add_flag("--json", common->json, "Print JSON for programs instead of text for people");
}

int RunCommandLine(CLI::App& app, int argc, const char* const* argv, const int& exit_code) {
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return exit_code;
}

absl::StatusOr<std::unique_ptr<EmbeddedHost>> OpenHost(const CommonOptions& common) {
  if (common.data.empty()) {
    return absl::InvalidArgumentError(
        "there is no home folder to keep data in; name a folder with --data");
  }
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ModelInForce(common.data));
  EmbeddedHost::Options options;
  options.data = common.data;
  options.projections.push_back(std::make_unique<SpecOf<Profile>>(ProfileSettings{}));
  options.projections.push_back(std::make_unique<SpecOf<Retention>>(model));
  options.projections.push_back(std::make_unique<SpecOf<DealPipeline>>(DealPipelineSettings{}));
  RAPPORT_ASSIGN_OR_RETURN(const config::v1::Kpis figures, KpiSectionInForce(common.data));
  RAPPORT_ASSIGN_OR_RETURN(const KpiSettings kpi, KpiSettingsOf(figures));
  options.projections.push_back(std::make_unique<SpecOf<Kpi>>(kpi));
  ProgressBar bar("records");
  options.rebuild_progress = [&bar](const std::string& projection,
                                    const RebuildProgress& progress) {
    bar.Update(absl::StrCat("rebuilding ", projection), progress.records, progress.total_records);
  };
  return EmbeddedHost::Open(std::move(options));
}

absl::StatusOr<std::unique_ptr<EmbeddedHost>> OpenCaughtUpHost(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<EmbeddedHost> host, OpenHost(common));
  RAPPORT_RETURN_IF_ERROR(CatchUp(*host));
  return host;
}

absl::Status CatchUp(EmbeddedHost& host) {
  ProgressBar bar("records");
  return host.CatchUp(
      [&bar](const std::string& projection, const std::vector<PartitionStatus>& partitions) {
        int64_t done = 0;
        int64_t total = 0;
        for (const PartitionStatus& partition : partitions) {
          done += partition.committed.value();
          total += partition.end.value();
        }
        bar.Update(absl::StrCat("folding ", projection), done, total);
      });
}

}  // namespace rapport
