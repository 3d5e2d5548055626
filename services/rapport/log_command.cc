#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/log_backup.h"
#include "libs/event_log/embedded/log_check.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/log_copy.h"
#include "services/rapport/output.h"

// What an operator does with the log itself: look for damage, save what can be read, back up and
// restore.

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kKeptBackups = 7;

struct LogArguments {
  std::string to;
  std::string backup;
  uint32_t keep = kKeptBackups;
};

std::string LogFolder(const CommonOptions& common) { return common.data + "/log"; }

void PrintReport(const LogReport& report) {
  for (const LogReport::Damage& damage : report.damages) {
    Print(Printable(absl::StrCat("damaged: ", damage.file, ": ", damage.what)) + "\n");
  }
  Table table({"TOPIC", ">PARTITION", ">FROM", ">TO", ">LOST"});
  for (const LogReport::Lost& lost : report.lost) {
    table.Add({lost.topic, absl::StrCat(lost.partition.value()), FormatCount(lost.begin.value()),
               FormatCount(lost.end.value() - 1), FormatCount(lost.end - lost.begin)});
  }
  Print(table.ToString());
  Print(absl::StrCat(CountOf(report.records, "record", "records"), " in ",
                     CountOf(report.files, "file", "files"), " can be read.\n"));
}

Json ReportJson(const LogReport& report) {
  Json damages = Json::array();
  for (const LogReport::Damage& damage : report.damages) {
    damages.push_back({{"file", damage.file}, {"what", damage.what}});
  }
  Json lost = Json::array();
  for (const LogReport::Lost& range : report.lost) {
    lost.push_back({{"topic", range.topic},
                    {"partition", range.partition.value()},
                    {"first_offset", range.begin.value()},
                    {"last_offset", range.end.value() - 1}});
  }
  return {
      {"files", report.files}, {"records", report.records}, {"damages", damages}, {"lost", lost}};
}

CommandResult RunCheck(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  std::string folder = LogFolder(common);
  std::unique_ptr<LogCopy> copy;
  if (api != nullptr) {
    // One that is being written is looked at as it is at one moment.
    RAPPORT_ASSIGN_OR_RETURN(copy, LogCopy::Take(common));
    folder = copy->folder();
  }
  RAPPORT_ASSIGN_OR_RETURN(const LogReport report, CheckEmbeddedLog(folder));
  if (common.json) {
    PrintJson(ReportJson(report));
  } else {
    PrintReport(report);
    Print(report.IsWell() ? "The log is well.\n"
                          : "Restore a backup (`rapport restore`), or save what can be read "
                            "(`rapport log salvage`).\n");
  }
  return report.IsWell() ? kExitOk : kExitFindings;
}

CommandResult RunSalvage(const CommonOptions& common, const LogArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("a Rapport runs on ", common.data, "; stop it first"));
  }
  const std::string to =
      arguments.to.empty() ? absl::StrCat(common.data, "/log.salvaged") : arguments.to;
  RAPPORT_ASSIGN_OR_RETURN(const LogReport report, SalvageEmbeddedLog(LogFolder(common), to));
  if (common.json) {
    Json json = ReportJson(report);
    json["folder"] = to;
    PrintJson(json);
  } else {
    PrintReport(report);
    Print(absl::StrCat("What can be read is a log of its own in ", Printable(to),
                       ". To go on with it:\n  mv ", Printable(LogFolder(common)), " ",
                       Printable(LogFolder(common)), ".damaged && mv ", Printable(to), " ",
                       Printable(LogFolder(common)), "\n  rm -r ", Printable(common.data),
                       "/state    # it was folded from the other one, and is folded anew\n"));
  }
  return report.IsWell() ? kExitOk : kExitFindings;
}

Json BackupJson(const LogBackup& backup) {
  return {{"backup", backup.number},
          {"taken_at", MomentJson(backup.taken_at)},
          {"bytes", backup.bytes},
          {"new_bytes", backup.new_bytes}};
}

std::string Size(int64_t bytes) { return absl::StrCat(FormatCount((bytes + 1023) >> 10), " KiB"); }

CommandResult RunBackup(const CommonOptions& common, const LogArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<LogCopy> copy, LogCopy::Take(common));
  RAPPORT_ASSIGN_OR_RETURN(const LogBackup backup,
                           BackUpEmbeddedLog(copy->folder(), arguments.backup, arguments.keep));
  if (common.json) {
    PrintJson(BackupJson(backup));
  } else {
    Print(absl::StrCat("Backup ", backup.number, " in ", Printable(arguments.backup), ": ",
                       Size(backup.bytes), ", of them ", Size(backup.new_bytes), " new.\n"));
  }
  return kExitOk;
}

CommandResult RunRestore(const CommonOptions& common, const LogArguments& arguments) {
  // Cursors of sources that are ahead of the log would leave out what came between.
  for (const char* const folder : {"state", "cursors"}) {
    std::error_code error;
    if (!fs::exists(absl::StrCat(common.data, "/", folder), error)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("there is something in ", common.data,
                     " already: name an empty folder with --data, or move it away"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const LogBackup backup,
                           RestoreEmbeddedLog(arguments.backup, LogFolder(common)));
  if (common.json) {
    PrintJson(BackupJson(backup));
  } else {
    Print(absl::StrCat("Backup ", backup.number, " of ", FormatMoment(backup.taken_at), " is in ",
                       Printable(common.data),
                       " now; everything else is folded from it at the next start.\n"));
  }
  return kExitOk;
}

}  // namespace

void AddLogCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<LogArguments>();
  CLI::App* const group =
      app.add_subcommand("log", "The log on this machine: damage, and what is left");
  group->require_subcommand(1);
  group->fallthrough();
  AddCommand(
      *group, exit_code, "check",
      "Read every block of the log; tell which files are damaged, and which records are lost",
      "rapport log check", [&common] { return RunCheck(common); });
  CLI::App* const salvage = AddCommand(
      *group, exit_code, "salvage", "Put what can be read of a damaged log into a new one",
      "rapport log salvage", [&common, arguments] { return RunSalvage(common, *arguments); });
  salvage->add_option("--to", arguments->to, "The folder of the new one; log.salvaged beside it")
      ->type_name("DIR");
  CLI::App* const backup = AddCommand(
      app, exit_code, "backup",
      "Back up the log, also while Rapport runs; what an earlier backup has is not copied again",
      "rapport backup /var/backups/rapport",
      [&common, arguments] { return RunBackup(common, *arguments); });
  backup->add_option("DIR", arguments->backup, "Where the backups are; made when it is missing")
      ->required();
  backup->add_option("--keep", arguments->keep, "So many of the latest backups stay")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  CLI::App* const restore =
      AddCommand(app, exit_code, "restore", "Make a data folder of the latest backup",
                 "rapport restore /var/backups/rapport --data /var/lib/rapport",
                 [&common, arguments] { return RunRestore(common, *arguments); });
  restore->add_option("DIR", arguments->backup, "Where the backups are")->required();
}

}  // namespace rapport
