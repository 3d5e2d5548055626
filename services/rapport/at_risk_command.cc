#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "rapport/query/v1/retention.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

struct AtRiskArguments {
  std::string owner;
  size_t limit = 20;
};

constexpr size_t kReasonsInText = 3;
// What the API gives at most at a time.
constexpr size_t kPage = 500;

struct ClientAtRisk {
  std::string client_id;
  std::string owner_id;
  alert::v1::Severity severity = alert::v1::SEVERITY_UNSPECIFIED;
  int32_t score = 0;
  absl::Time raised_at;
  std::vector<alert::v1::Reason> reasons;  // the heaviest first
};

struct AtRisk {
  absl::Time now = absl::InfinitePast();
  std::vector<ClientAtRisk> clients;
  bool more = false;  // than were asked for
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

absl::StatusOr<ClientAtRisk> Explain(const ProjectionView& view, absl::Time now,
                                     const ProjectionView::IndexEntry& entry) {
  state::v1::AtRiskRow row;
  if (!row.ParseFromString(entry.value)) {
    return absl::DataLossError(
        absl::StrCat("the entry of client ", entry.client_id, " in the list is damaged"));
  }
  state::v1::RetentionState state;
  RAPPORT_RETURN_IF_ERROR(view.Get(entry.client_id, &state).status());
  const RetentionExplanation explanation = ExplainRetention(state, RetentionSettings{}, now);
  return ClientAtRisk{.client_id = entry.client_id,
                      .owner_id = row.owner_id(),
                      .severity = row.severity(),
                      .score = explanation.score,
                      .raised_at = FromProto(row.raised_at()),
                      .reasons = {explanation.reasons.begin(), explanation.reasons.end()}};
}

absl::StatusOr<AtRisk> ReadHere(const CommonOptions& common, const AtRiskArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Retention::kName));
  AtRisk at_risk;
  RAPPORT_ASSIGN_OR_RETURN(at_risk.now, host->Clock(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const Listed listed, List(view, arguments));
  at_risk.more = listed.more;
  for (const ProjectionView::IndexEntry& entry : listed.entries) {
    RAPPORT_ASSIGN_OR_RETURN(at_risk.clients.emplace_back(), Explain(view, at_risk.now, entry));
  }
  // The list is kept by the score that was told last; what is shown is the score of now.
  std::stable_sort(at_risk.clients.begin(), at_risk.clients.end(),
                   [](const auto& a, const auto& b) {
                     return std::pair(a.severity, a.score) > std::pair(b.severity, b.score);
                   });
  return at_risk;
}

ClientAtRisk FromAnswer(const query::v1::AtRiskClient& answer) {
  ClientAtRisk client{.client_id = answer.client_id(),
                      .owner_id = answer.owner_id(),
                      .severity = answer.severity(),
                      .score = answer.score(),
                      .raised_at = FromProto(answer.raised_at()),
                      .reasons = {}};
  for (const query::v1::RetentionReason& told : answer.reasons()) {
    alert::v1::Reason& reason = client.reasons.emplace_back();
    reason.set_code(told.code());
    reason.set_text(told.text());
    reason.set_points(told.points());
  }
  return client;
}

absl::StatusOr<AtRisk> Ask(Api& api, const AtRiskArguments& arguments) {
  const size_t limit = arguments.limit == 0 ? std::numeric_limits<size_t>::max() : arguments.limit;
  AtRisk at_risk;
  std::string cursor;
  do {
    query::v1::AtRiskList page;
    const size_t wanted = std::min<size_t>(limit - at_risk.clients.size(), kPage);
    RAPPORT_RETURN_IF_ERROR(api.Get(
        "/v1/retention/at-risk" +
            ApiQuery(
                {{"owner", arguments.owner}, {"limit", absl::StrCat(wanted)}, {"cursor", cursor}}),
        &page));
    at_risk.now = ClockOf(page.watermark());
    for (const auto& client : page.clients()) at_risk.clients.push_back(FromAnswer(client));
    cursor = page.next_cursor();
  } while (!cursor.empty() && at_risk.clients.size() < limit);
  at_risk.more = !cursor.empty();
  return at_risk;
}

std::string Why(const ClientAtRisk& client) {
  std::vector<std::string> texts;
  for (const alert::v1::Reason& reason : client.reasons) {
    if (reason.points() > 0 && texts.size() < kReasonsInText) texts.push_back(reason.text());
  }
  return absl::StrJoin(texts, "; ");
}

void PrintText(const AtRisk& at_risk) {
  if (at_risk.clients.empty()) {
    Print(at_risk.now == absl::InfinitePast()
              ? "No client is at risk; the log has no clock yet.\n"
              : absl::StrCat("No client is at risk as of ", FormatMoment(at_risk.now), ".\n"));
    return;
  }
  Table table({"CLIENT", "SEVERITY", ">SCORE", "SINCE", "OWNER", "WHY"});
  for (const ClientAtRisk& client : at_risk.clients) {
    table.Add({client.client_id, SeverityWord(client.severity), absl::StrCat(client.score),
               FormatMoment(client.raised_at), client.owner_id, Why(client)});
  }
  Print(table.ToString());
  Print(absl::StrCat("As of ", FormatMoment(at_risk.now), ".",
                     at_risk.more ? " There are more: --limit 0 shows all." : "", "\n"));
}

void PrintAsJson(const AtRisk& at_risk) {
  Json list = Json::array();
  for (const ClientAtRisk& client : at_risk.clients) {
    Json reasons = Json::array();
    for (const alert::v1::Reason& reason : client.reasons) reasons.push_back(ReasonJson(reason));
    list.push_back({{"client_id", client.client_id},
                    {"owner_id", client.owner_id},
                    {"severity", SeverityWord(client.severity)},
                    {"score", client.score},
                    {"raised_at", MomentJson(client.raised_at)},
                    {"reasons", reasons}});
  }
  PrintJson({{"as_of", MomentJson(at_risk.now)}, {"more", at_risk.more}, {"clients", list}});
}

CommandResult Run(const CommonOptions& common, const AtRiskArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const AtRisk at_risk,
                           api == nullptr ? ReadHere(common, arguments) : Ask(*api, arguments));
  common.json ? PrintAsJson(at_risk) : PrintText(at_risk);
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
