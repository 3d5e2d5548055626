#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/read_range.h"
#include "libs/projections/retention/retention.h"
#include "rapport/query/v1/alert.pb.h"
#include "services/rapport/alert_line.h"
#include "services/rapport/api.h"
#include "services/rapport/at_risk.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/retention/model_file.h"

namespace rapport {
namespace {

using alert::v1::AlertEvent;

struct AlertsArguments {
  std::string client;
  std::string owner;
  std::string team;
  bool open = false;
  bool follow = false;
  std::string limit;
  size_t limit_or(size_t otherwise) const {
    size_t number = otherwise;
    return !limit.empty() && absl::SimpleAtoi(limit, &number) ? number : otherwise;
  }
};

constexpr size_t kDefaultLimit = 20;
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(10);

// An alert as its steps in the alerts log tell it.
struct AlertStory {
  AlertEvent latest;
  absl::Time raised_at = absl::InfinitePast();
  std::string advice;
  // Of a running Rapport alone, which knows who leads.
  std::string escalated_to;
  std::string responsible_id;
  query::v1::AlertStatus status = query::v1::ALERT_STATUS_UNSPECIFIED;
};

using Stories = std::map<std::string, AlertStory>;  // by alert id

absl::Status Take(const RecordView& record, Stories* stories) {
  AlertEvent event;
  if (!event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
    return absl::DataLossError(
        absl::StrCat("record ", record.offset.value(), " of the alerts log is damaged"));
  }
  // No step of an alert.
  if (event.has_reminded()) return absl::OkStatus();
  if (event.has_handed_over()) {
    for (auto& [id, other] : *stories) {
      if (other.latest.client_id() == event.client_id()) {
        other.latest.set_owner_id(event.owner_id());
      }
    }
    return absl::OkStatus();
  }
  AlertStory& story = (*stories)[event.alert_id()];
  if (event.has_raised()) {
    story.raised_at = FromProto(event.at());
    story.advice = event.raised().advice();
  }
  // What is not told anew holds as it was told last.
  if (!event.has_cleared() && !event.has_next_step()) {
    *event.mutable_would_clear() = story.latest.would_clear();
    *event.mutable_next_step() = story.latest.next_step();
  }
  story.latest = std::move(event);
  return absl::OkStatus();
}

absl::StatusOr<Stories> ReadAlerts(EventLog& log, const std::string& topic) {
  Stories stories;
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log.PartitionCount(topic));
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_RETURN_IF_ERROR(
        ReadToEnd(log, topic, Partition(i), Offset(0),
                  [&](const HeaderDecoder&, absl::Span<const RecordView> records) -> absl::Status {
                    for (const RecordView& record : records)
                      RAPPORT_RETURN_IF_ERROR(Take(record, &stories));
                    return absl::OkStatus();
                  }));
  }
  return stories;
}

bool IsMeant(const AlertStory& story, const AlertsArguments& arguments) {
  return (arguments.client.empty() || story.latest.client_id() == arguments.client) &&
         (arguments.owner.empty() || story.latest.owner_id() == arguments.owner) &&
         (!arguments.open || !story.latest.has_cleared());
}

// "open", "acknowledged", "snoozed", or "cleared: below threshold".
std::string StateOf(const AlertStory& story) {
  if (!story.latest.has_cleared()) {
    return story.status == query::v1::ALERT_STATUS_UNSPECIFIED
               ? "open"
               : absl::AsciiStrToLower(
                     absl::StripPrefix(query::v1::AlertStatus_Name(story.status), "ALERT_STATUS_"));
  }
  const std::string reason = absl::AsciiStrToLower(absl::StripPrefix(
      alert::v1::ClearReason_Name(story.latest.cleared().reason()), "CLEAR_REASON_"));
  return absl::StrCat("cleared: ", absl::StrReplaceAll(reason, {{"_", " "}}));
}

void PrintText(const std::vector<AlertStory>& stories, size_t total, absl::Time as_of) {
  if (stories.empty()) {
    Print("There are no alerts.\n");
    return;
  }
  Table table({"RAISED", "CLIENT", "SEVERITY", ">SCORE", "STATE", "LAST CHANGE", "OWNER", "WHY",
               "NEXT STEP"});
  for (const AlertStory& story : stories) {
    table.Add({FormatMoment(story.raised_at), story.latest.client_id(),
               SeverityWord(story.latest.severity()), absl::StrCat(story.latest.score()),
               StateOf(story), FormatMoment(story.latest.at()), story.latest.owner_id(),
               story.latest.reasons().empty() ? "" : story.latest.reasons(0).text(),
               story.latest.next_step().text()});
  }
  Print(table.ToString());
  const bool open = std::any_of(stories.begin(), stories.end(), [](const AlertStory& story) {
    return !story.latest.has_cleared();
  });
  if (open)
    Print(absl::StrCat("Scores and reasons of open alerts as of ", FormatMoment(as_of), ".\n"));
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
    list.push_back(
        {{"alert_id", story.latest.alert_id()},
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
         {"client_name", story.latest.client_name()},
         {"expected_loss", story.latest.has_expected_loss()
                               ? AmountJson(story.latest.expected_loss().minor_units(),
                                            story.latest.expected_loss().currency_code())
                               : Json(nullptr)},
         {"escalated_to", story.escalated_to},
         {"responsible_id", story.responsible_id},
         {"would_clear", story.latest.has_would_clear() ? ClearingJson(story.latest.would_clear())
                                                        : Json(nullptr)},
         {"next_step",
          story.latest.has_next_step() ? NextStepJson(story.latest.next_step()) : Json(nullptr)},
         {"model_version", story.latest.model_version()},
         {"reasons", reasons}});
  }
  PrintJson({{"total", total}, {"alerts", list}});
}

struct AlertList {
  std::vector<AlertStory> stories;  // the latest raised first
  size_t total = 0;
  // Of the scores and reasons of those that are open.
  absl::Time as_of = absl::InfinitePast();
};

// An open alert tells why it is open now, as `at-risk` does, and not why it was when it changed
// last.
void BringUpToDate(const AtRisk& at_risk, AlertList* list) {
  list->as_of = at_risk.now;
  std::map<std::string, const ClientAtRisk*> by_client;
  for (const ClientAtRisk& client : at_risk.clients) by_client[client.client_id] = &client;
  for (AlertStory& story : list->stories) {
    const auto client = by_client.find(story.latest.client_id());
    if (story.latest.has_cleared() || story.latest.projection() != Retention::kName ||
        client == by_client.end()) {
      continue;
    }
    const AlertEvent told = story.latest;
    story.latest.set_score(client->second->score);
    story.latest.clear_reasons();
    for (const alert::v1::Reason& now : client->second->reasons) {
      alert::v1::Reason& reason = *story.latest.add_reasons();
      reason = now;
      // The list of those at risk does not name them.
      for (const alert::v1::Reason& before : told.reasons()) {
        if (before.code() == now.code() && now.touchpoint_ids().empty()) {
          *reason.mutable_touchpoint_ids() = before.touchpoint_ids();
        }
      }
    }
  }
}

absl::StatusOr<AlertList> ReadHere(const CommonOptions& common, const AlertsArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(Stories all, ReadAlerts(host->log(), host->topics().alerts));
  AlertList list;
  for (auto& [id, story] : all) {
    if (IsMeant(story, arguments)) list.stories.push_back(std::move(story));
  }
  std::stable_sort(
      list.stories.begin(), list.stories.end(),
      [](const AlertStory& a, const AlertStory& b) { return a.raised_at > b.raised_at; });
  list.total = list.stories.size();
  RAPPORT_ASSIGN_OR_RETURN(const RetentionSettings model, ModelInForce(common.data));
  RAPPORT_ASSIGN_OR_RETURN(const AtRisk at_risk,
                           ReadAtRisk(*host, model, {.owner = arguments.owner}));
  BringUpToDate(at_risk, &list);
  return list;
}

AlertStory FromAnswer(const query::v1::Alert& answer) {
  AlertStory story;
  story.raised_at = FromProto(answer.raised_at());
  story.advice = answer.advice();
  story.escalated_to = answer.escalated_to();
  story.responsible_id = answer.responsible_id();
  story.status = answer.status();
  AlertEvent& latest = story.latest;
  latest.set_alert_id(answer.alert_id());
  latest.set_client_id(answer.client_id());
  latest.set_owner_id(answer.owner_id());
  latest.set_projection(answer.projection());
  latest.set_rule(answer.rule());
  latest.set_severity(answer.severity());
  latest.set_score(answer.score());
  latest.set_model_version(answer.model_version());
  *latest.mutable_at() = answer.changed_at();
  latest.set_client_name(answer.client_name());
  if (answer.has_expected_loss()) *latest.mutable_expected_loss() = answer.expected_loss();
  if (answer.has_would_clear()) *latest.mutable_would_clear() = answer.would_clear();
  if (answer.has_next_step()) *latest.mutable_next_step() = answer.next_step();
  if (answer.state() == query::v1::ALERT_STATE_CLOSED) {
    latest.mutable_cleared()->set_reason(answer.clear_reason());
  }
  for (const query::v1::AlertReason& told : answer.reasons()) {
    alert::v1::Reason& reason = *latest.add_reasons();
    reason.set_code(told.code());
    reason.set_text(told.text());
    reason.set_points(told.points());
    *reason.mutable_facts() = told.facts();
    for (const std::string& id : told.touchpoint_ids()) {
      reason.add_touchpoint_ids(absl::HexStringToBytes(id));
    }
  }
  return story;
}

absl::StatusOr<AlertList> Ask(Api& api, const AlertsArguments& arguments) {
  AlertList list;
  std::string cursor;
  do {
    query::v1::AlertsPage page;
    RAPPORT_RETURN_IF_ERROR(
        api.Get("/v1/alerts" + ApiQuery({{"state", arguments.open ? "open" : "all"},
                                         {"owner", arguments.owner},
                                         {"team", arguments.team},
                                         {"client", arguments.client},
                                         {"limit", absl::StrCat(kApiPage)},
                                         {"cursor", cursor}}),
                &page));
    for (const auto& alert : page.alerts()) list.stories.push_back(FromAnswer(alert));
    cursor = page.next_cursor();
  } while (!cursor.empty());
  list.total = list.stories.size();
  RAPPORT_ASSIGN_OR_RETURN(const AtRisk at_risk,
                           AskAtRisk(api, {.owner = arguments.owner, .team = arguments.team}));
  BringUpToDate(at_risk, &list);
  return list;
}

// "raised" of ALERT_CHANGE_RAISED.
std::string ChangeWord(query::v1::AlertChange change) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(query::v1::AlertChange_Name(change), "ALERT_CHANGE_"));
}

AlertLine LineOf(const query::v1::AlertStep& step) {
  AlertLine line{.at = FromProto(step.at()),
                 .change = ChangeWord(step.change()),
                 .client_id = step.client_id(),
                 .owner_id = step.owner_id(),
                 .severity = step.severity(),
                 .score = step.score(),
                 .reasons = {}};
  if (step.has_reminder()) line.reasons.push_back(step.reminder().text());
  for (const query::v1::AlertReason& reason : step.reasons()) {
    if (TellsWhy(reason.points(), step.change() == query::v1::ALERT_CHANGE_CLEARED)) {
      line.reasons.push_back(reason.text());
    }
  }
  return line;
}

// Prints steps as they come; comes back where it was when the stream breaks.
CommandResult Follow(const CommonOptions& common, const AlertsArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api, NeedApi(common));
  size_t left =
      arguments.limit_or(0) == 0 ? std::numeric_limits<size_t>::max() : arguments.limit_or(0);
  std::string last_id;
  absl::Duration pause = kFirstPause;
  const auto take = [&](const Api::ServerEvent& event) {
    pause = kFirstPause;
    query::v1::AlertStep step;
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    if (!google::protobuf::util::JsonStringToMessage(event.data, &step, options).ok()) return true;
    if (step.alert_id().empty()) return true;
    if (!arguments.client.empty() && step.client_id() != arguments.client) return true;
    common.json ? PrintJsonLine(event.data) : Print(FormatAlertLine(LineOf(step)));
    std::fflush(stdout);
    return --left > 0;
  };
  while (left > 0) {
    const absl::Status status = api->Stream(
        "/v1/alerts/stream" + ApiQuery({{"owner", arguments.owner}, {"team", arguments.team}}),
        &last_id, take);
    if (left == 0) break;
    if (!status.ok() && !absl::IsUnavailable(status)) return status;
    PrintError(absl::StrCat("rapport: the stream broke", status.ok() ? "" : ": ",
                            Printable(status.message()), "; coming back\n"));
    absl::SleepFor(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return kExitOk;
}

CommandResult RunAlerts(const CommonOptions& common, const AlertsArguments& arguments) {
  if (arguments.follow) return Follow(common, arguments);
  // Who belongs to a team is known to those who run.
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
                           arguments.team.empty() ? FindApi(common) : NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(AlertList list,
                           api == nullptr ? ReadHere(common, arguments) : Ask(*api, arguments));
  const size_t limit = arguments.limit_or(kDefaultLimit);
  if (limit != 0 && list.total > limit) list.stories.resize(limit);
  common.json ? PrintAsJson(list.stories, list.total)
              : PrintText(list.stories, list.total, list.as_of);
  return kExitOk;
}

}  // namespace

void AddAlertsCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AlertsArguments>();
  CLI::App* const command =
      AddCommand(app, exit_code, "alerts", "List alerts, open and cleared ones, the latest first",
                 "rapport alerts --open --limit 5",
                 [&common, arguments] { return RunAlerts(common, *arguments); });
  command->add_option("--client", arguments->client, "Only alerts about this client")
      ->type_name("ID");
  command->add_option("--owner", arguments->owner, "Only alerts for this relationship manager")
      ->type_name("OWNER");
  command->add_option("--team,--branch", arguments->team, "Only alerts for this unit's people")
      ->type_name("UNIT");
  command->add_flag("--open", arguments->open, "Only alerts that are open");
  command->add_flag(
      "--follow", arguments->follow,
      "Print each step as it comes, from now on; comes back when the connection breaks");
  command
      ->add_option("--limit", arguments->limit,
                   "At most so many alerts, 0 for all; 20, or all with --follow")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  AddAlertActionCommands(*command, common, exit_code);
}

}  // namespace rapport
