#pragma once

#include <functional>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/projector/embedded_host.h"

// What the commands share. Each command stands in a file of its own, which adds it to the
// application with its options and the function to run.

namespace rapport {

// What a script reads from the exit code.
enum ExitCode {
  kExitOk = 0,
  kExitFindings =
      1,  // done, and there is something to look at: rejected rows, a difference, no such client
  kExitUsage = 2,        // the command line or a mapping file is wrong
  kExitEnvironment = 3,  // a folder, the disk, another process
};

struct CommonOptions {
  // The data folder, and whether somebody named it.
  std::string data;
  bool data_given = false;
  // Address of a running Rapport; empty: the one that runs on the data folder, if any.
  std::string server;
  // File that holds its API token; empty: none, or the one that `rapport up` was given.
  std::string token_file;
  // File of the CAs that its certificate must come from; empty: the system's, or the one that
  // `rapport up` was given.
  std::string ca_file;
  // For programs instead of people.
  bool json = false;
};

// What a command gives back: its exit code, or why it could not run.
using CommandResult = absl::StatusOr<ExitCode>;

// Adds a command whose help ends with `example`. `run` is called after the command line has been
// understood, and its result goes to `exit_code`; an error is told on standard error.
CLI::App* AddCommand(CLI::App& parent, int* exit_code, const std::string& name,
                     const std::string& what, const std::string& example,
                     std::function<CommandResult()> run);

void AddImportCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddClientCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddAgendaCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddAtRiskCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddAlertsCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
// acknowledge, snooze, resolve and dismiss, below `alerts`.
void AddAlertActionCommands(CLI::App& alerts, const CommonOptions& common, int* exit_code);
void AddCallListCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddPromisesCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddRebuildCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddVerifyCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddUpCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddIngestCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddKpiCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddPipelineCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddDeadLetterCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddRejectedCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddClockCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddMergeCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddSourcesCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddIdentifyCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddDoctorCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddBacktestCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddModelCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddStaffCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddAccessCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddHandoverCommand(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddTargetsCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddForecastCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddBonusCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddMailCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddLogCommands(CLI::App& app, const CommonOptions& common, int* exit_code);
void AddConfigCommand(CLI::App& app, int* exit_code);
void AddCompletionCommand(CLI::App& app, int* exit_code);

// Options before or after the command's name: --data, --server, --token-file, --ca-file, --json.
void AddCommonOptions(CLI::App& app, CommonOptions* common);

// Reads the command line and runs its command. The exit code of the process.
int RunCommandLine(CLI::App& app, int argc, const char* const* argv, const int& exit_code);

// All projections over the embedded log in the data folder.
absl::StatusOr<std::unique_ptr<EmbeddedHost>> OpenHost(const CommonOptions& common);
// The same after everything in the log has been folded, with a progress bar: what commands that
// read begin with.
absl::StatusOr<std::unique_ptr<EmbeddedHost>> OpenCaughtUpHost(const CommonOptions& common);
// Waits until everything in the log has been folded, with a progress bar.
absl::Status CatchUp(EmbeddedHost& host);

}  // namespace rapport
