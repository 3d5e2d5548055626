#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/status.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/touchpoint/names.h"
#include "rapport/query/v1/client.pb.h"
#include "services/profiles/client_answer.h"
#include "services/profiles/timeline_answer.h"
#include "services/rapport/api.h"
#include "services/rapport/client_facts.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

using query::v1::TimelineEntry;

struct ClientArguments {
  std::string client_id;
  size_t limit = 50;
};

ExitCode NoSuchClient(const CommonOptions& common, const std::string& client_id) {
  if (common.json) {
    PrintJson({{"client_id", client_id}, {"error", "not found"}});
  } else {
    Print(absl::StrCat("There is no client '", Printable(client_id), "'.\n"));
  }
  return kExitFindings;
}

// Over HTTP: the profile with the risk beside it.
CommandResult ShowFrom(Api& api, const CommonOptions& common, const ClientArguments& arguments) {
  query::v1::Client client;
  const absl::Status status = api.Get(ApiPath({"v1", "clients", arguments.client_id}), &client);
  if (absl::IsNotFound(status)) return NoSuchClient(common, arguments.client_id);
  RAPPORT_RETURN_IF_ERROR(status);
  query::v1::Retention retention;
  const absl::Status risk = api.Get(ApiPath({"v1", "retention", arguments.client_id}), &retention);
  if (!risk.ok() && !absl::IsNotFound(risk)) return risk;
  query::v1::Board board;
  RAPPORT_RETURN_IF_ERROR(api.Get("/v1/pipeline/board" + ApiQuery({{"limit", "500"}}), &board));
  const ClientFacts facts = FactsOf(client, retention, board);
  common.json ? PrintJson(ClientJson(facts)) : Print(ClientText(facts));
  return kExitOk;
}

CommandResult RunShow(const CommonOptions& common, const ClientArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  if (api != nullptr) return ShowFrom(*api, common, arguments);
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  ClientFacts facts;
  facts.client_id = arguments.client_id;
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView profile, host->View(Profile::kName));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView retention, host->View(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView pipeline, host->View(DealPipeline::kName));
  RAPPORT_ASSIGN_OR_RETURN(const bool known, profile.Get(facts.client_id, &facts.profile));
  if (!known) return NoSuchClient(common, facts.client_id);
  facts.matters = ToClient(facts.client_id, facts.profile);
  state::v1::RetentionState risk;
  RAPPORT_RETURN_IF_ERROR(retention.Get(facts.client_id, &risk).status());
  RAPPORT_RETURN_IF_ERROR(pipeline.Get(facts.client_id, &facts.pipeline).status());
  RAPPORT_ASSIGN_OR_RETURN(facts.now, host->Clock(Retention::kName));
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ModelInForce(common.data));
  facts.risk = RiskOf(risk, model, facts.now);
  common.json ? PrintJson(ClientJson(facts)) : Print(ClientText(facts));
  return kExitOk;
}

// The latest rows, the earliest of them first.
absl::StatusOr<std::deque<TimelineEntry>> LatestRows(const ProjectionView& view,
                                                     const ClientArguments& arguments) {
  std::deque<TimelineEntry> rows;
  touchpoint::v1::Touchpoint touchpoint;
  bool readable = true;
  RAPPORT_RETURN_IF_ERROR(
      view.RowsBack(arguments.client_id, "", "", [&](absl::string_view, absl::string_view value) {
        if (!IsTimelineLine(value)) return true;
        readable = touchpoint.ParseFromArray(value.data(), static_cast<int>(value.size()));
        rows.push_front(TimelineEntryOf(touchpoint));
        return readable && rows.size() != arguments.limit;
      }));
  if (readable) return rows;
  return absl::DataLossError(
      absl::StrCat("a row of client ", arguments.client_id,
                   " is damaged; `rapport rebuild profile` makes it anew from the log"));
}

void PrintTimeline(const std::deque<TimelineEntry>& rows) {
  Table table({"WHEN", "CHANNEL", "KIND", "WHAT", "BY"});
  for (const TimelineEntry& row : rows) {
    table.Add({FormatMoment(row.occurred_at()), std::string(ChannelLabel(row.channel())),
               absl::StrReplaceAll(row.kind(), {{"_", " "}}), row.summary(), row.agent_id()});
  }
  Print(table.ToString());
}

Json TimelineJson(const std::string& client_id, const std::deque<TimelineEntry>& rows) {
  Json list = Json::array();
  for (const TimelineEntry& row : rows) {
    list.push_back({{"occurred_at", MomentJson(row.occurred_at())},
                    {"kind", row.kind()},
                    {"channel", std::string(ChannelLabel(row.channel()))},
                    {"summary", row.summary()},
                    {"agent_id", row.agent_id()},
                    {"event_id", row.touchpoint_id()}});
  }
  return {{"client_id", client_id}, {"touchpoints", list}};
}

absl::StatusOr<std::deque<TimelineEntry>> ReadRowsHere(const CommonOptions& common,
                                                       const ClientArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Profile::kName));
  return LatestRows(view, arguments);
}

absl::StatusOr<std::deque<TimelineEntry>> AskForRows(Api& api, const ClientArguments& arguments) {
  const size_t limit = arguments.limit == 0 ? std::numeric_limits<size_t>::max() : arguments.limit;
  std::deque<TimelineEntry> rows;
  std::string cursor;
  do {
    query::v1::Timeline page;
    const size_t wanted = std::min<size_t>(limit - rows.size(), kApiPage);
    const absl::Status status =
        api.Get(ApiPath({"v1", "clients", arguments.client_id, "timeline"}) +
                    ApiQuery({{"limit", absl::StrCat(wanted)}, {"cursor", cursor}}),
                &page);
    if (absl::IsNotFound(status)) return rows;
    RAPPORT_RETURN_IF_ERROR(status);
    for (const TimelineEntry& entry : page.touchpoints()) rows.push_front(entry);
    cursor = page.next_cursor();
  } while (!cursor.empty() && rows.size() < limit);
  return rows;
}

CommandResult RunTimeline(const CommonOptions& common, const ClientArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, FindApi(common));
  RAPPORT_ASSIGN_OR_RETURN(
      const std::deque<TimelineEntry> rows,
      api == nullptr ? ReadRowsHere(common, arguments) : AskForRows(*api, arguments));
  // Nobody knows the client, or it goes on under another one.
  if (rows.empty()) return RunShow(common, arguments);
  common.json ? PrintJson(TimelineJson(arguments.client_id, rows)) : PrintTimeline(rows);
  return kExitOk;
}

}  // namespace

void AddClientCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  CLI::App* const client = app.add_subcommand("client", "What is known of one client");
  client->require_subcommand(1);
  client->fallthrough();
  const auto arguments = std::make_shared<ClientArguments>();

  CLI::App* const show = AddCommand(
      *client, exit_code, "show", "Who the client is and where everything stands",
      "rapport client show 12583", [&common, arguments] { return RunShow(common, *arguments); });
  show->add_option("ID", arguments->client_id, "The client's id")->required();

  CLI::App* const timeline =
      AddCommand(*client, exit_code, "timeline", "The client's touchpoints in the order of time",
                 "rapport client timeline 12583 --limit 10",
                 [&common, arguments] { return RunTimeline(common, *arguments); });
  timeline->add_option("ID", arguments->client_id, "The client's id")->required();
  timeline->add_option("--limit", arguments->limit, "The latest so many; 0 for all")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
