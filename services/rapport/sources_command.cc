#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

// A number, or a 64-bit number as protobuf's JSON has it; "0" when it is not there.
std::string Number(const Json& source, const char* name) {
  const auto found = source.find(name);
  if (found == source.end()) return "0";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// "ok", "quiet".
std::string StateOf(const Json& source) {
  std::string state = TextOf(source, "state");
  constexpr absl::string_view kPrefix = "SOURCE_STATE_";
  if (absl::StartsWith(state, kPrefix)) state.erase(0, kPrefix.size());
  return absl::AsciiStrToLower(state);
}

// To the second.
std::string LastOf(const Json& source) {
  const std::string text = TextOf(source, "last_received_at");
  absl::Time at;
  if (!absl::ParseTime(absl::RFC3339_full, text, &at, nullptr)) return text;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", at, absl::UTCTimeZone());
}

bool IsFinding(const Json& source) {
  const std::string state = StateOf(source);
  return state == "quiet" || state == "trouble" || !source.value("gaps", Json::array()).empty() ||
         Number(source, "incomplete") != "0";
}

void PrintDetails(const Json& source) {
  const std::string name = TextOf(source, "name");
  const std::string trouble = TextOf(source, "trouble");
  if (!trouble.empty()) Print(Printable(absl::StrCat(name, ": ", trouble)) + "\n");
  for (const Json& reason : source.value("skip_reasons", Json::array())) {
    Print(Printable(absl::StrCat(name, ": skipped ", Number(reason, "count"), ": ",
                                 TextOf(reason, "reason"))) +
          "\n");
    for (const Json& example : reason.value("examples", Json::array())) {
      Print(Printable(absl::StrCat("  ", TextOf(example, "description"))) + "\n");
    }
  }
  for (const Json& gap : source.value("gaps", Json::array())) {
    Print(Printable(absl::StrCat(name, ": missing: ", TextOf(gap, "description"))) + "\n");
  }
}

CommandResult RunSources(const CommonOptions& common) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, api->Call("GET", "/v1/sources"));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  const Json list = Json::parse(answer.body, nullptr, false);
  if (!list.is_object())
    return absl::UnknownError(absl::StrCat(api->address(), ": answers no JSON"));
  const Json sources = list.value("sources", Json::array());
  bool findings = false;
  for (const Json& source : sources) findings |= IsFinding(source);
  if (common.json) {
    PrintJson(list);
    return findings ? kExitFindings : kExitOk;
  }
  Table table({"SOURCE", "KIND", "STATE", "RECEIVED", "WRITTEN", "PENDING", "DUPLICATE", "SKIPPED",
               "REJECTED", "INCOMPLETE", "LAST"});
  for (const Json& source : sources) {
    table.Add({TextOf(source, "name"), TextOf(source, "kind"), StateOf(source),
               Number(source, "received"), Number(source, "written"), Number(source, "pending"),
               Number(source, "duplicates"), Number(source, "skipped"), Number(source, "rejected"),
               Number(source, "incomplete"), LastOf(source)});
  }
  Print(sources.empty() ? "There are no sources: see sources in the configuration.\n"
                        : table.ToString());
  for (const Json& source : sources) PrintDetails(source);
  if (!list.value("counted", false)) Print("The sources log is still being counted.\n");
  return findings ? kExitFindings : kExitOk;
}

}  // namespace

void AddSourcesCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  AddCommand(app, exit_code, "sources", "What came in by each source, and what became of it",
             "rapport sources", [&common] { return RunSources(common); });
}

}  // namespace rapport
