#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

using alert::v1::AlertEvent;

struct AlertsArguments {
  std::string client;
  std::string owner;
  bool open = false;
  size_t limit = 20;
};

constexpr size_t kReadRecords = 1024;

// An alert as its steps in the alerts log tell it.
struct AlertStory {
  AlertEvent latest;
  absl::Time raised_at = absl::InfinitePast();
  std::string advice;
};

using Stories = std::map<std::string, AlertStory>;  // by alert id

absl::Status Take(const RecordView& record, Stories* stories) {
  AlertEvent event;
  if (!event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
    return absl::DataLossError(
        absl::StrCat("record ", record.offset.value(), " of the alerts log is damaged"));
  }
  AlertStory& story = (*stories)[event.alert_id()];
  if (event.has_raised()) {
    story.raised_at = FromProto(event.at());
    story.advice = event.raised().advice();
  }
  story.latest = std::move(event);
  return absl::OkStatus();
}

absl::StatusOr<Stories> ReadAlerts(EventLog& log, const std::string& topic) {
  Stories stories;
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log.PartitionCount(topic));
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log.GetWatermarks(topic, Partition(i)));
    RAPPORT_ASSIGN_OR_RETURN(const auto reader, log.OpenReader(topic, Partition(i), marks.begin));
    while (reader->position() < marks.end) {
      RAPPORT_ASSIGN_OR_RETURN(const auto records,
                               reader->Read(kReadRecords, absl::ZeroDuration()));
      for (const RecordView& record : records) RAPPORT_RETURN_IF_ERROR(Take(record, &stories));
    }
  }
  return stories;
}

bool IsMeant(const AlertStory& story, const AlertsArguments& arguments) {
  return (arguments.client.empty() || story.latest.client_id() == arguments.client) &&
         (arguments.owner.empty() || story.latest.owner_id() == arguments.owner) &&
         (!arguments.open || !story.latest.has_cleared());
}

// "open", or "cleared: below threshold".
std::string StateOf(const AlertStory& story) {
  if (!story.latest.has_cleared()) return "open";
  const std::string reason = absl::AsciiStrToLower(absl::StripPrefix(
      alert::v1::ClearReason_Name(story.latest.cleared().reason()), "CLEAR_REASON_"));
  return absl::StrCat("cleared: ", absl::StrReplaceAll(reason, {{"_", " "}}));
}

void PrintText(const std::vector<AlertStory>& stories, size_t total) {
  if (stories.empty()) {
    Print("There are no alerts.\n");
    return;
  }
  Table table({"RAISED", "CLIENT", "SEVERITY", ">SCORE", "STATE", "LAST CHANGE", "OWNER", "WHY"});
  for (const AlertStory& story : stories) {
    table.Add({FormatMoment(story.raised_at), story.latest.client_id(),
               SeverityWord(story.latest.severity()), absl::StrCat(story.latest.score()),
               StateOf(story), FormatMoment(story.latest.at()), story.latest.owner_id(),
               story.latest.reasons().empty() ? "" : story.latest.reasons(0).text()});
  }
  Print(table.ToString());
  if (stories.size() < total) {
    Print(absl::StrCat("The latest ", stories.size(), " of ",
                       FormatCount(static_cast<int64_t>(total)), "; --limit 0 shows all.\n"));
  }
}

void PrintAsJson(const std::vector<AlertStory>& stories, size_t total) {
  Json list = Json::array();
  for (const AlertStory& story : stories) {
    Json reasons = Json::array();
    for (const auto& reason : story.latest.reasons()) reasons.push_back(ReasonJson(reason));
    list.push_back({{"alert_id", story.latest.alert_id()},
                    {"client_id", story.latest.client_id()},
                    {"owner_id", story.latest.owner_id()},
                    {"projection", story.latest.projection()},
                    {"rule", story.latest.rule()},
                    {"open", !story.latest.has_cleared()},
                    {"state", StateOf(story)},
                    {"severity", SeverityWord(story.latest.severity())},
                    {"score", story.latest.score()},
                    {"raised_at", MomentJson(story.raised_at)},
                    {"changed_at", MomentJson(story.latest.at())},
                    {"advice", story.advice},
                    {"model_version", story.latest.model_version()},
                    {"reasons", reasons}});
  }
  PrintJson({{"total", total}, {"alerts", list}});
}

CommandResult Run(const CommonOptions& common, const AlertsArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(Stories all, ReadAlerts(host->log(), host->topics().alerts));
  std::vector<AlertStory> stories;
  for (auto& [id, story] : all) {
    if (IsMeant(story, arguments)) stories.push_back(std::move(story));
  }
  std::stable_sort(stories.begin(), stories.end(), [](const AlertStory& a, const AlertStory& b) {
    return a.raised_at > b.raised_at;
  });
  const size_t total = stories.size();
  if (arguments.limit != 0 && total > arguments.limit) stories.resize(arguments.limit);
  common.json ? PrintAsJson(stories, total) : PrintText(stories, total);
  return kExitOk;
}

}  // namespace

void AddAlertsCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AlertsArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "alerts", "List alerts, open and cleared ones, the latest first",
      "rapport alerts --open --limit 5", [&common, arguments] { return Run(common, *arguments); });
  command->add_option("--client", arguments->client, "Only alerts about this client")
      ->type_name("ID");
  command->add_option("--owner", arguments->owner, "Only alerts for this relationship manager")
      ->type_name("OWNER");
  command->add_flag("--open", arguments->open, "Only alerts that are open");
  command->add_option("--limit", arguments->limit, "At most so many alerts; 0 for all")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
