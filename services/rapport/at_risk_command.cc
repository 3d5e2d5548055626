#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/retention/retention.h"
#include "services/rapport/client_facts.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct AtRiskArguments {
  std::string owner;
  size_t limit = 20;
};

constexpr size_t kReasonsInText = 3;

struct ClientAtRisk {
  std::string client_id;
  state::v1::AtRiskRow row;
  RetentionExplanation explanation;  // as of now
};

using Entries = std::vector<ProjectionView::IndexEntry>;

struct Listed {
  Entries entries;
  bool more = false;  // than were asked for
};

absl::StatusOr<Listed> List(const ProjectionView& view, const AtRiskArguments& arguments) {
  std::string prefix;
  if (!arguments.owner.empty()) AppendKeyString(&prefix, arguments.owner);
  const size_t limit =
      arguments.limit == 0 ? std::numeric_limits<size_t>::max() - 1 : arguments.limit;
  Listed listed;
  RAPPORT_ASSIGN_OR_RETURN(
      listed.entries,
      view.List(arguments.owner.empty() ? kAtRiskIndex : kAtRiskByOwnerIndex, prefix, limit + 1));
  listed.more = listed.entries.size() > limit;
  if (listed.more) listed.entries.pop_back();
  return listed;
}

absl::StatusOr<std::vector<ClientAtRisk>> Explain(const ProjectionView& view, absl::Time now,
                                                  const Entries& entries) {
  std::vector<ClientAtRisk> clients;
  for (const ProjectionView::IndexEntry& entry : entries) {
    ClientAtRisk& client = clients.emplace_back();
    client.client_id = entry.client_id;
    if (!client.row.ParseFromString(entry.value)) {
      return absl::DataLossError(
          absl::StrCat("the entry of client ", entry.client_id, " in the list is damaged"));
    }
    state::v1::RetentionState state;
    RAPPORT_RETURN_IF_ERROR(view.Get(entry.client_id, &state).status());
    client.explanation = ExplainRetention(state, RetentionSettings{}, now);
  }
  // The list is kept by the score that was told last; what is shown is the score of now.
  std::stable_sort(clients.begin(), clients.end(), [](const auto& a, const auto& b) {
    return std::pair(a.row.severity(), a.explanation.score) >
           std::pair(b.row.severity(), b.explanation.score);
  });
  return clients;
}

void PrintText(const std::vector<ClientAtRisk>& clients, bool more, absl::Time now) {
  if (clients.empty()) {
    Print(now == absl::InfinitePast()
              ? "No client is at risk; the log has no clock yet.\n"
              : absl::StrCat("No client is at risk as of ", FormatMoment(now), ".\n"));
    return;
  }
  Table table({"CLIENT", "SEVERITY", ">SCORE", "SINCE", "OWNER", "WHY"});
  for (const ClientAtRisk& client : clients) {
    table.Add({client.client_id, SeverityWord(client.row.severity()),
               absl::StrCat(client.explanation.score), FormatMoment(client.row.raised_at()),
               client.row.owner_id(), ReasonsInWords(client.explanation, kReasonsInText)});
  }
  Print(table.ToString());
  Print(absl::StrCat("As of ", FormatMoment(now), ".",
                     more ? " There are more: --limit 0 shows all." : "", "\n"));
}

void PrintAsJson(const std::vector<ClientAtRisk>& clients, bool more, absl::Time now) {
  Json list = Json::array();
  for (const ClientAtRisk& client : clients) {
    list.push_back({{"client_id", client.client_id},
                    {"owner_id", client.row.owner_id()},
                    {"severity", SeverityWord(client.row.severity())},
                    {"score", client.explanation.score},
                    {"raised_at", MomentJson(client.row.raised_at())},
                    {"reasons", ReasonsJson(client.explanation)}});
  }
  PrintJson({{"as_of", MomentJson(now)}, {"more", more}, {"clients", list}});
}

CommandResult Run(const CommonOptions& common, const AtRiskArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time now, host->Clock(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const Listed listed, List(view, arguments));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<ClientAtRisk> clients,
                           Explain(view, now, listed.entries));
  common.json ? PrintAsJson(clients, listed.more, now) : PrintText(clients, listed.more, now);
  return kExitOk;
}

}  // namespace

void AddAtRiskCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AtRiskArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "at-risk",
                 "List the clients with an open alert, the most urgent first, and why",
                 "rapport at-risk --owner anna --limit 5",
                 [&common, arguments] { return Run(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Only clients of this relationship manager")
      ->type_name("OWNER");
  command->add_option("--limit", arguments->limit, "At most so many clients; 0 for all")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
