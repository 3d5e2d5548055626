#include "libs/base/fatal.h"
#include "services/rapport/command.h"

int main(int argc, char** argv) {
  rapport::TellFatalErrors();
  CLI::App app(
      "Every contact with a client becomes a touchpoint; rapport folds them into answers.\n"
      "Exit codes: 0 done, 1 done with findings, 2 wrong use, 3 trouble with the surroundings.",
      "rapport");
  rapport::CommonOptions common;
  int exit_code = rapport::kExitOk;
  rapport::AddCommonOptions(app, &common);
  rapport::AddUpCommand(app, common, &exit_code);
  rapport::AddImportCommand(app, common, &exit_code);
  rapport::AddClientCommands(app, common, &exit_code);
  rapport::AddAgendaCommand(app, common, &exit_code);
  rapport::AddAtRiskCommand(app, common, &exit_code);
  rapport::AddAlertsCommand(app, common, &exit_code);
  rapport::AddCallListCommand(app, common, &exit_code);
  rapport::AddPromisesCommand(app, common, &exit_code);
  rapport::AddRebuildCommand(app, common, &exit_code);
  rapport::AddVerifyCommand(app, common, &exit_code);
  rapport::AddIngestCommand(app, common, &exit_code);
  rapport::AddKpiCommand(app, common, &exit_code);
  rapport::AddPipelineCommand(app, common, &exit_code);
  rapport::AddDeadLetterCommands(app, common, &exit_code);
  rapport::AddRejectedCommands(app, common, &exit_code);
  rapport::AddMergeCommands(app, common, &exit_code);
  rapport::AddClockCommand(app, common, &exit_code);
  rapport::AddSourcesCommand(app, common, &exit_code);
  rapport::AddIdentifyCommand(app, common, &exit_code);
  rapport::AddDoctorCommand(app, common, &exit_code);
  rapport::AddBacktestCommand(app, common, &exit_code);
  rapport::AddModelCommands(app, common, &exit_code);
  rapport::AddStaffCommands(app, common, &exit_code);
  rapport::AddAccessCommands(app, common, &exit_code);
  rapport::AddHandoverCommand(app, common, &exit_code);
  rapport::AddTargetsCommands(app, common, &exit_code);
  rapport::AddForecastCommands(app, common, &exit_code);
  rapport::AddBonusCommands(app, common, &exit_code);
  rapport::AddMailCommands(app, common, &exit_code);
  rapport::AddLogCommands(app, common, &exit_code);
  rapport::AddConfigCommand(app, &exit_code);
  rapport::AddCompletionCommand(app, &exit_code);
  return rapport::RunCommandLine(app, argc, argv, exit_code);
}
