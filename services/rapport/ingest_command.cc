#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/import/input_file.h"
#include "libs/import/line_reader.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/ingest_client.h"
#include "services/rapport/output.h"
#include "services/rapport/progress_bar.h"

namespace rapport {
namespace {

constexpr size_t kBatchEvents = 500;
constexpr size_t kBatchBytes = size_t{4} << 20;
constexpr size_t kToldRefusals = 20;
constexpr char kStandardInput[] = "/dev/stdin";

// Sends lines in batches, and keeps count.
class Sender {
 public:
  explicit Sender(Api& api) : api_(api) {}

  absl::Status Add(int64_t number, const std::string& line) {
    // One that is no JSON would spoil its whole batch.
    if (!Json::accept(line)) {
      Refuse(number, "body: is no JSON");
      return absl::OkStatus();
    }
    if (lines_.size() == kBatchEvents || bytes_ + line.size() > kBatchBytes) {
      RAPPORT_RETURN_IF_ERROR(Flush());
    }
    lines_.push_back(line);
    numbers_.push_back(number);
    bytes_ += line.size();
    return absl::OkStatus();
  }

  absl::Status Flush() {
    if (lines_.empty()) return absl::OkStatus();
    RAPPORT_ASSIGN_OR_RETURN(const BatchResult result,
                             PostBatch(api_, "application/cloudevents-batch+json",
                                       absl::StrCat("[", absl::StrJoin(lines_, ","), "]")));
    accepted_ += result.accepted;
    for (const BatchResult::Refused& refused : result.refused) {
      if (refused.index < numbers_.size()) Refuse(numbers_[refused.index], refused.reason);
    }
    lines_.clear();
    numbers_.clear();
    bytes_ = 0;
    return absl::OkStatus();
  }

  void Refuse(int64_t number, const std::string& reason) {
    ++refused_;
    if (told_.size() < kToldRefusals) told_.push_back({number, reason});
  }

  struct Refusal {
    int64_t line;
    std::string reason;
  };
  int64_t accepted() const { return accepted_; }
  int64_t refused() const { return refused_; }
  const std::vector<Refusal>& told() const { return told_; }

 private:
  Api& api_;
  std::vector<std::string> lines_;
  std::vector<int64_t> numbers_;
  size_t bytes_ = 0;
  int64_t accepted_ = 0;
  int64_t refused_ = 0;
  std::vector<Refusal> told_;
};

void Tell(const CommonOptions& common, const Sender& sender) {
  if (common.json) {
    Json refusals = Json::array();
    for (const Sender::Refusal& refusal : sender.told()) {
      refusals.push_back({{"line", refusal.line}, {"reason", refusal.reason}});
    }
    PrintJson({{"accepted", sender.accepted()},
               {"refused", sender.refused()},
               {"first_refused", refusals}});
    return;
  }
  Print(absl::StrCat(CountOf(sender.accepted(), "event", "events"), " accepted, ",
                     FormatCount(sender.refused()), " refused.\n"));
  for (const Sender::Refusal& refusal : sender.told()) {
    Print(Printable(absl::StrCat("line ", refusal.line, ": ", refusal.reason)) + "\n");
  }
}

CommandResult RunIngest(const CommonOptions& common, const std::string& file) {
  absl::StatusOr<std::unique_ptr<InputFile>> input =
      InputFile::Open(file == "-" ? kStandardInput : file);
  if (absl::IsNotFound(input.status())) return absl::InvalidArgumentError(input.status().message());
  RAPPORT_RETURN_IF_ERROR(input.status());
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  LineReader lines(*std::move(input));
  Sender sender(*api);
  {
    ProgressBar bar("events");
    std::string line;
    for (;;) {
      const absl::StatusOr<bool> more = lines.Next(&line);
      if (more.ok() && !*more) break;
      if (absl::IsInvalidArgument(more.status())) {
        sender.Refuse(lines.line(), std::string(more.status().message()));
        continue;
      }
      RAPPORT_RETURN_IF_ERROR(more.status());
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      RAPPORT_RETURN_IF_ERROR(sender.Add(lines.line(), line));
      bar.Update("sending", lines.file().position(), lines.file().size(), sender.accepted());
    }
    RAPPORT_RETURN_IF_ERROR(sender.Flush());
  }
  Tell(common, sender);
  return sender.refused() == 0 ? kExitOk : kExitFindings;
}

}  // namespace

void AddIngestCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto file = std::make_shared<std::string>();
  CLI::App* const command = AddCommand(
      app, exit_code, "ingest", "Send CloudEvents, one JSON object to a line, to a running Rapport",
      "rapport ingest calls.ndjson", [&common, file] { return RunIngest(common, *file); });
  command->add_option("FILE", *file, "The file; - for standard input; may be compressed by gzip")
      ->required();
}

}  // namespace rapport
