#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/query_values.h"
#include "rapport/query/v1/commitment.pb.h"
#include "services/profiles/commitment_answer.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

using query::v1::CommitmentCounts;
using query::v1::CommitmentList;
using query::v1::LedgerCommitment;

struct PromisesArguments {
  std::string owner;
  std::string team;
  std::string promiser;
  std::string client;
  std::string state;
  std::string by = "owner";
  size_t limit = 20;
};

struct PromisesAsOf {
  CommitmentList list;
  absl::Time now = absl::InfinitePast();
};

std::string CommitmentStateWord(query::v1::CommitmentState state) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(query::v1::CommitmentState_Name(state), "COMMITMENT_STATE_"));
}

void AddCountsRow(const std::string& name, const CommitmentCounts& counts, Table* table) {
  table->Add({name, FormatCount(counts.open()), FormatCount(counts.due()),
              FormatCount(counts.overdue()), FormatCount(counts.kept()), FormatCount(counts.late()),
              FormatCount(counts.broken()), FormatCount(counts.moved_with_consent()),
              FormatCount(counts.moved_without_consent())});
}

std::string PromisesText(const PromisesAsOf& told, const std::string& by) {
  Table counts({by == "owner" ? "OWNER" : "PROMISER", ">OPEN", ">DUE TODAY", ">OVERDUE", ">KEPT",
                ">LATE", ">BROKEN", ">MOVED", ">WITHOUT CONSENT"});
  for (const CommitmentCounts& group : told.list.groups()) {
    AddCountsRow(group.person_id(), group, &counts);
  }
  AddCountsRow("all", told.list.counts(), &counts);
  Table table({"STATE", "DUE", "CLIENT", "NAME", "PROMISER", "OWNER", "STATEMENT"});
  for (const LedgerCommitment& commitment : told.list.commitments()) {
    table.Add({CommitmentStateWord(commitment.state()),
               commitment.has_due_at() ? FormatMoment(commitment.due_at()) : "",
               commitment.client_id(), commitment.client_name(), commitment.promised_by_agent_id(),
               commitment.owner_id(), commitment.statement()});
  }
  return absl::StrCat(counts.ToString(),
                      told.list.commitments().empty() ? "" : "\n" + table.ToString(), "As of ",
                      FormatMoment(told.now), ".\n");
}

Json CommitmentCountsJson(const CommitmentCounts& counts) {
  return {{"person_id", counts.person_id()},
          {"open", counts.open()},
          {"due", counts.due()},
          {"overdue", counts.overdue()},
          {"kept", counts.kept()},
          {"late", counts.late()},
          {"broken", counts.broken()},
          {"moved_with_consent", counts.moved_with_consent()},
          {"moved_without_consent", counts.moved_without_consent()}};
}

Json LedgerJson(const PromisesAsOf& told) {
  Json groups = Json::array();
  for (const CommitmentCounts& group : told.list.groups()) {
    groups.push_back(CommitmentCountsJson(group));
  }
  Json promises = Json::array();
  const auto moment = [](bool there, const google::protobuf::Timestamp& at) {
    return there ? MomentJson(at) : Json(nullptr);
  };
  for (const LedgerCommitment& commitment : told.list.commitments()) {
    promises.push_back({{"commitment_id", commitment.commitment_id()},
                        {"state", CommitmentStateWord(commitment.state())},
                        {"client_id", commitment.client_id()},
                        {"client_name", commitment.client_name()},
                        {"owner_id", commitment.owner_id()},
                        {"promised_by", commitment.promised_by_agent_id()},
                        {"statement", commitment.statement()},
                        {"made_at", moment(commitment.has_made_at(), commitment.made_at())},
                        {"due_at", moment(commitment.has_due_at(), commitment.due_at())},
                        {"ended_at", moment(commitment.has_ended_at(), commitment.ended_at())},
                        {"moved_at", moment(commitment.has_moved_at(), commitment.moved_at())},
                        {"moved_with_consent", commitment.moved_with_consent()}});
  }
  return {{"as_of", MomentJson(told.now)},
          {"counts", CommitmentCountsJson(told.list.counts())},
          {"groups", groups},
          {"promises", promises},
          {"more", !told.list.next_cursor().empty()}};
}

absl::StatusOr<PromisesAsOf> ReadPromisesHere(const CommonOptions& common,
                                              const PromisesArguments& arguments) {
  CommitmentQuery query;
  if (!arguments.owner.empty()) query.owners = OwnerFilter({arguments.owner});
  if (!arguments.promiser.empty()) query.promiser = arguments.promiser;
  if (!arguments.client.empty()) query.client = arguments.client;
  if (!arguments.state.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const int state, ParseEnum("--state", arguments.state,
                                                        *query::v1::CommitmentState_descriptor()));
    query.state = static_cast<query::v1::CommitmentState>(state);
  }
  query.by_promiser = arguments.by == "promiser";
  query.page.limit = arguments.limit;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Profile::kName));
  PromisesAsOf told;
  RAPPORT_ASSIGN_OR_RETURN(told.now, host->Clock(Profile::kName));
  RAPPORT_ASSIGN_OR_RETURN(told.list, ReadCommitments(view, told.now, query));
  return told;
}

absl::StatusOr<PromisesAsOf> AskPromises(Api& api, const PromisesArguments& arguments) {
  PromisesAsOf told;
  RAPPORT_RETURN_IF_ERROR(
      api.Get("/v1/commitments" + ApiQuery({{"owner", arguments.owner},
                                            {"team", arguments.team},
                                            {"promiser", arguments.promiser},
                                            {"client", arguments.client},
                                            {"state", arguments.state},
                                            {"by", arguments.by},
                                            {"limit", absl::StrCat(arguments.limit)}}),
              &told.list));
  told.now = ClockOf(told.list.watermark());
  return told;
}

CommandResult RunPromises(const CommonOptions& common, const PromisesArguments& arguments) {
  // Who belongs to a team is known to those who run.
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
                           arguments.team.empty() ? FindApi(common) : NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const PromisesAsOf told, api == nullptr
                                                        ? ReadPromisesHere(common, arguments)
                                                        : AskPromises(*api, arguments));
  common.json ? PrintJson(LedgerJson(told)) : Print(PromisesText(told, arguments.by));
  return kExitOk;
}

}  // namespace

void AddPromisesCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<PromisesArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "promises", "The ledger of promises: open, due, overdue, kept, late, broken",
      "rapport promises --owner anna --state overdue",
      [&common, arguments] { return RunPromises(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Only to clients of this relationship manager")
      ->type_name("OWNER");
  command->add_option("--team,--branch", arguments->team, "Only to clients of this unit's people")
      ->type_name("UNIT");
  command->add_option("--promiser", arguments->promiser, "Only what this person promised")
      ->type_name("PERSON");
  command->add_option("--client", arguments->client, "Only to this client")->type_name("ID");
  command
      ->add_option("--state", arguments->state,
                   "Only open, due, overdue, kept, late, moved or broken ones")
      ->type_name("STATE");
  command->add_option("--by", arguments->by, "Count by owner, or by promiser")
      ->check(CLI::IsMember({"owner", "promiser"}))
      ->capture_default_str();
  command->add_option("--limit", arguments->limit, "At most so many")
      ->check(CLI::Range(size_t{1}, kApiPage))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
