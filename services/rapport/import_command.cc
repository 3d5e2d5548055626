#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/import/discarding_log.h"
#include "libs/import/importer.h"
#include "libs/import/input_file.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "services/rapport/alert_line.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/import_preview.h"
#include "services/rapport/output.h"
#include "services/rapport/posting_log.h"
#include "services/rapport/progress_bar.h"
#include "services/rapport/source_import.h"

namespace rapport {
namespace {

struct ImportArguments {
  std::vector<std::string> files;
  std::vector<std::string> mappings;
  std::vector<std::string> source_files;  // NAME=FILE
  std::string config;
  bool as_it_happened = false;
  bool shift_to_now = false;
  bool show_alerts = false;
  bool dry_run = false;
  std::string clock_step = "24h";
};

// What the import brought about, beyond what it wrote.
struct Outcome {
  ImportSummary summary;
  // Nullopt where another process folds.
  std::optional<int64_t> known_before;  // touchpoints that had been folded before
  std::optional<int64_t> alert_steps;   // alerts raised, changed or cleared
  absl::Duration took;
};

// The named projection's counts over all partitions.
absl::StatusOr<state::v1::FoldCounts> CountsOf(const EmbeddedHost& host,
                                               absl::string_view projection) {
  RAPPORT_ASSIGN_OR_RETURN(const Projector* projector, host.Find(projection));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<PartitionStatus> partitions, projector->Status());
  state::v1::FoldCounts sum;
  for (const PartitionStatus& partition : partitions) {
    sum.set_duplicates(sum.duplicates() + partition.counts.duplicates());
    sum.set_effects(sum.effects() + partition.counts.effects());
  }
  return sum;
}

absl::StatusOr<ImportOptions> OptionsFrom(const CommonOptions& common,
                                          const ImportArguments& arguments) {
  ImportOptions options;
  // What is only tried leaves no data folder behind.
  options.spool_folder =
      arguments.dry_run ? std::filesystem::temp_directory_path().string() : common.data;
  options.as_it_happened = arguments.as_it_happened;
  options.shift_to_now = arguments.shift_to_now;
  if (!absl::ParseDuration(arguments.clock_step, &options.clock_step)) {
    return absl::InvalidArgumentError(absl::StrCat("--clock-step '", arguments.clock_step,
                                                   "' is no duration such as 24h or 90m"));
  }
  return options;
}

absl::StatusOr<ImportSummary> Write(EventLog* log, const std::vector<ImportFile>& files,
                                    ImportOptions options) {
  options.now = absl::Now();
  ProgressBar reading("rows");
  ProgressBar grouping("rows");
  ProgressBar writing("touchpoints");
  options.progress = [&](const ImportProgress& progress) {
    switch (progress.phase) {
      case ImportProgress::Phase::kReading:
        reading.Update("reading", progress.done, progress.total, progress.rows);
        break;
      case ImportProgress::Phase::kGrouping:
        grouping.Update("grouping", progress.done, progress.total);
        break;
      case ImportProgress::Phase::kWriting:
        writing.Update("writing", progress.done, progress.total);
    }
  };
  return ImportFiles(log, files, options);
}

// As they were named.
std::vector<std::string> NamesOf(const ImportArguments& arguments) {
  std::vector<std::string> names = arguments.files;
  names.insert(names.end(), arguments.source_files.begin(), arguments.source_files.end());
  return names;
}

// A line for each reason: "rejected 37 rows like line 12: ...".
void PrintReasons(absl::string_view what, const std::vector<LikeReasons>& reasons,
                  bool name_files) {
  for (const auto& [rows, first, examples] : reasons) {
    const std::string place = absl::StrCat(name_files ? first.file + " " : "",
                                           first.line > 0 ? absl::StrCat("line ", first.line) : "");
    const std::string like =
        rows == 1 ? place
                  : absl::StrCat(FormatCount(rows), " rows", place.empty() ? "" : " like ", place);
    Print(Printable(absl::StrCat(what, " ", like, ": ", first.reason)) + "\n");
    for (const std::string& example : examples) Print(Printable("  " + example) + "\n");
  }
}

void PrintText(const ImportArguments& arguments, const Outcome& outcome) {
  const ImportSummary& summary = outcome.summary;
  Print(absl::StrCat(
      arguments.dry_run ? "Tried " : "Imported ",
      Printable(absl::StrJoin(NamesOf(arguments), ", ")), ": ",
      CountOf(summary.rows, "row", "rows"), arguments.dry_run ? ", and wrote nothing, in " : " in ",
      absl::FormatDuration(absl::Trunc(outcome.took, absl::Milliseconds(10))), "\n"));
  Table table({">", ""});
  table.Add({FormatCount(summary.touchpoints),
             absl::StrCat("touchpoints of ", CountOf(summary.clients, "client", "clients"))});
  for (const auto& [kind, count] : summary.kinds) {
    table.Add({FormatCount(count), absl::StrCat("  ", kind)});
  }
  if (outcome.known_before.value_or(0) > 0) {
    table.Add({FormatCount(*outcome.known_before), "of them known before, and not counted again"});
  }
  if (summary.skipped_rows > 0) {
    table.Add({FormatCount(summary.skipped_rows), "rows skipped"});
  }
  table.Add({FormatCount(summary.rejected_rows), "rows rejected"});
  if (outcome.alert_steps) {
    table.Add({FormatCount(*outcome.alert_steps), "alerts raised, changed or cleared"});
  }
  Print(table.ToString());
  if (summary.touchpoints > 0) {
    Print(absl::StrCat("From ", FormatMoment(summary.first), " to ", FormatMoment(summary.last),
                       outcome.alert_steps ? "; the clock stands at " : "",
                       outcome.alert_steps ? FormatMoment(summary.clock) : "", ".\n"));
  }
  if (summary.shifted_by != absl::ZeroDuration()) {
    Print(absl::StrCat("All times were moved by ",
                       CountOf(summary.shifted_by / absl::Hours(24), "day", "days"), ".\n"));
  }
  if (summary.clock_was_at != absl::InfinitePast()) {
    Print(absl::StrCat("The log had come to ", FormatMoment(summary.clock_was_at),
                       " already; its clock was not turned back.\n"));
  }
  if (summary.scattered_groups > 0) {
    Print(absl::StrCat(CountOf(summary.scattered_groups, "group", "groups"),
                       " of rows did not stand together, and were gathered.\n"));
  }
  const bool several = NamesOf(arguments).size() > 1;
  PrintReasons("skipped", summary.skipped_reasons, several);
  PrintReasons("rejected", summary.rejected_reasons, several);
  if (summary.rejected_rows > 0 && !arguments.dry_run) {
    Print("Each rejected row stands in the rejected log (rapport rejected list).\n");
  }
}

Json ReasonsJson(const std::vector<LikeReasons>& reasons) {
  Json all = Json::array();
  for (const auto& [rows, first, examples] : reasons) {
    all.push_back({{"rows", rows},
                   {"file", first.file},
                   {"line", first.line},
                   {"reason", first.reason},
                   {"examples", examples}});
  }
  return all;
}

Json SummaryJson(const ImportArguments& arguments, const Outcome& outcome) {
  const ImportSummary& summary = outcome.summary;
  Json rejected = Json::array();
  for (const auto& [file, line, reason] : summary.rejected) {
    rejected.push_back({{"file", file}, {"line", line}, {"reason", reason}});
  }
  const std::vector<std::string> names = NamesOf(arguments);
  return {{"file", names.front()},
          {"files", names},
          {"dry_run", arguments.dry_run},
          {"rows", summary.rows},
          {"rejected_rows", summary.rejected_rows},
          {"skipped_rows", summary.skipped_rows},
          {"touchpoints", summary.touchpoints},
          {"kinds", summary.kinds},
          {"known_before", outcome.known_before ? Json(*outcome.known_before) : Json(nullptr)},
          {"clients", summary.clients},
          {"alert_steps", outcome.alert_steps ? Json(*outcome.alert_steps) : Json(nullptr)},
          {"first", MomentJson(summary.first)},
          {"last", MomentJson(summary.last)},
          {"shifted_days", summary.shifted_by / absl::Hours(24)},
          {"clock", MomentJson(summary.clock)},
          {"first_rejected", rejected},
          {"rejected_reasons", ReasonsJson(summary.rejected_reasons)},
          {"skipped_reasons", ReasonsJson(summary.skipped_reasons)},
          {"scattered_groups", summary.scattered_groups}};
}

// A file that is not there was named wrongly.
absl::Status AsArgument(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::InvalidArgumentError(status.message()) : status;
}

// CloudEvents, one to a line; all else is CSV.
bool HoldsEvents(absl::string_view path) {
  path = absl::StripSuffix(path, ".gz");
  return absl::EndsWith(path, ".ndjson") || absl::EndsWith(path, ".jsonl");
}

absl::StatusOr<std::vector<MappingFile>> LoadMappings(const ImportArguments& arguments) {
  std::vector<MappingFile> mappings;
  for (const std::string& path : arguments.mappings) {
    absl::StatusOr<MappingFile> mapping = MappingFile::Load(path);
    RAPPORT_RETURN_IF_ERROR(AsArgument(mapping.status()));
    mappings.push_back(*std::move(mapping));
  }
  return mappings;
}

absl::StatusOr<std::vector<ImportFile>> FilesOf(const ImportArguments& arguments,
                                                absl::Span<const MappingFile> mappings) {
  std::vector<ImportFile> files;
  for (const std::string& path : arguments.files) {
    RAPPORT_RETURN_IF_ERROR(AsArgument(InputFile::Open(path).status()));
    if (HoldsEvents(path)) {
      files.push_back({path, nullptr});
      continue;
    }
    if (mappings.empty()) {
      return absl::InvalidArgumentError(
          "a CSV file needs --map MAPPING, which tells what its columns mean; files of CloudEvents "
          "are called .ndjson or .jsonl");
    }
    RAPPORT_ASSIGN_OR_RETURN(const MappingFile* mapping, ChooseMapping(path, mappings));
    files.push_back({path, mapping});
  }
  return files;
}

absl::StatusOr<Outcome> ImportHere(const CommonOptions& common, const ImportArguments& arguments,
                                   const std::vector<ImportFile>& files, SourceImport* sources,
                                   const ImportOptions& options) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  const absl::Cleanup leave = [sources] { sources->LeaveLog(); };
  RAPPORT_RETURN_IF_ERROR(sources->FindClientsIn(common.data, *host));
  RAPPORT_ASSIGN_OR_RETURN(const auto profile_before, CountsOf(*host, Profile::kName));
  RAPPORT_ASSIGN_OR_RETURN(const auto retention_before, CountsOf(*host, Retention::kName));
  std::unique_ptr<AlertPrinter> printer;
  if (arguments.show_alerts) {
    RAPPORT_ASSIGN_OR_RETURN(printer, AlertPrinter::Start(host->log(), host->topics().alerts));
  }
  Outcome outcome;
  RAPPORT_ASSIGN_OR_RETURN(outcome.summary, Write(&host->log(), files, options));
  RAPPORT_RETURN_IF_ERROR(CatchUp(*host));
  printer = nullptr;
  RAPPORT_ASSIGN_OR_RETURN(const auto profile_after, CountsOf(*host, Profile::kName));
  RAPPORT_ASSIGN_OR_RETURN(const auto retention_after, CountsOf(*host, Retention::kName));
  outcome.known_before = profile_after.duplicates() - profile_before.duplicates();
  outcome.alert_steps = retention_after.effects() - retention_before.effects();
  return outcome;
}

// Through the door of a running Rapport, whose own clock ticks.
absl::StatusOr<Outcome> ImportThere(Api& api, const ImportArguments& arguments,
                                    const std::vector<ImportFile>& files, ImportOptions options) {
  if (arguments.as_it_happened || arguments.show_alerts) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a Rapport runs at ", api.address(),
        ", and history with its clock can be played into the log by its only user alone: stop it, "
        "import, and start it again; or import without --as-it-happened and --show-alerts"));
  }
  options.spool_folder = std::filesystem::temp_directory_path().string();
  PostingLog log(&api, options.touchpoints_topic);
  Outcome outcome;
  RAPPORT_ASSIGN_OR_RETURN(outcome.summary, Write(&log, files, options));
  return outcome;
}

// Everything but the writing.
CommandResult Try(const CommonOptions& common, const ImportArguments& arguments,
                  const std::vector<ImportFile>& files, ImportOptions options) {
  ImportPreview preview(common.json);
  preview.Watch(&options);
  options.now = absl::Now();
  DiscardingLog log;
  Outcome outcome;
  RAPPORT_ASSIGN_OR_RETURN(outcome.summary, ImportFiles(&log, files, options));
  outcome.took = absl::Now() - options.now;
  if (common.json) {
    Json json = SummaryJson(arguments, outcome);
    json["touchpoint_previews"] = preview.touchpoints();
    json["rejected"] = preview.rejected();
    PrintJson(json);
  } else {
    PrintText(arguments, outcome);
  }
  return outcome.summary.rejected_rows == 0 ? kExitOk : kExitFindings;
}

CommandResult RunImport(const CommonOptions& common, const ImportArguments& arguments) {
  if (arguments.files.empty() && arguments.source_files.empty()) {
    return absl::InvalidArgumentError("name a file, or one of a source with --from NAME=FILE");
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<MappingFile> mappings, LoadMappings(arguments));
  RAPPORT_ASSIGN_OR_RETURN(std::vector<ImportFile> files, FilesOf(arguments, mappings));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<SourceImport> sources,
                           SourceImport::Create(arguments.config, arguments.source_files));
  for (ImportFile& file : sources->Files()) files.push_back(std::move(file));
  RAPPORT_ASSIGN_OR_RETURN(const ImportOptions options, OptionsFrom(common, arguments));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr) {
    sources->FindClientsAt(api.get());
  } else if (arguments.dry_run) {
    sources->KnowNoClients();
  }
  if (arguments.dry_run) return Try(common, arguments, files, options);
  const absl::Time started = absl::Now();
  absl::StatusOr<Outcome> outcome =
      api == nullptr ? ImportHere(common, arguments, files, sources.get(), options)
                     : ImportThere(*api, arguments, files, options);
  RAPPORT_RETURN_IF_ERROR(outcome.status());
  outcome->took = absl::Now() - started;
  if (common.json) {
    PrintJson(SummaryJson(arguments, *outcome));
  } else {
    PrintText(arguments, *outcome);
  }
  return outcome->summary.rejected_rows == 0 ? kExitOk : kExitFindings;
}

}  // namespace

void AddImportCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<ImportArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "import",
                 "Write the rows of CSV files and the CloudEvents of .ndjson files (or either .gz) "
                 "to the log as touchpoints",
                 "rapport import orders.csv calls.ndjson --map orders.textproto --as-it-happened "
                 "--shift-to-now",
                 [&common, arguments] { return RunImport(common, *arguments); });
  command->add_option(
      "FILE", arguments->files,
      "CSV files, or CloudEvents one to a line (.ndjson, .jsonl); may be compressed "
      "by gzip; times of all of them are taken together");
  command
      ->add_option("--from", arguments->source_files,
                   "A file of calls (Asterisk CDR, Amazon Connect) or mails (mbox, Maildir, .eml) "
                   "of a source in the configuration; may be given again")
      ->type_name("NAME=FILE")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--config", arguments->config, "The configuration that names the sources")
      ->envname("RAPPORT_CONFIG")
      ->type_name("FILE");
  command
      ->add_option("--map", arguments->mappings,
                   "The mapping of the CSV files, rapport.config.v1.ImportMapping; may be given "
                   "again for files of another kind")
      ->type_name("MAPPING")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--dry-run", arguments->dry_run,
                    "Write nothing: show the first touchpoints of each file, and the first twenty "
                    "lines that would be rejected for each reason");
  command->add_flag("--as-it-happened", arguments->as_it_happened,
                    "Play history: in the order of time with the clock, so that alerts come about "
                    "as they would have then");
  command->add_flag("--shift-to-now", arguments->shift_to_now,
                    "Move all times by whole days, so that the last touchpoint happened today");
  command->add_flag("--show-alerts", arguments->show_alerts,
                    "Print each alert when it is raised, with its reasons");
  command
      ->add_option("--clock-step", arguments->clock_step,
                   "How often the clock ticks in --as-it-happened")
      ->type_name("DURATION")
      ->capture_default_str();
}

}  // namespace rapport
