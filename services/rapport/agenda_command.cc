#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/touchpoint/names.h"
#include "rapport/query/v1/agenda.pb.h"
#include "services/profiles/agenda_answer.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

using query::v1::Agenda;
using query::v1::AgendaItem;
using query::v1::AgendaSection;

struct AgendaArguments {
  std::string owner;
  std::string team;
  size_t limit = 20;
};

struct AgendaAsOf {
  Agenda agenda;
  absl::Time now = absl::InfinitePast();
};

std::string KindWord(query::v1::AgendaKind kind) {
  return absl::AsciiStrToLower(absl::StripPrefix(query::v1::AgendaKind_Name(kind), "AGENDA_KIND_"));
}

// What the section tells, for people.
std::string Heading(const AgendaSection& section) {
  const auto says = [&]() -> absl::string_view {
    switch (section.kind()) {
      case query::v1::AGENDA_KIND_UNANSWERED:
        return "Wait for an answer";
      case query::v1::AGENDA_KIND_PROMISE:
        return "Promises due and late";
      case query::v1::AGENDA_KIND_COMPLAINT:
        return "Open complaints";
      case query::v1::AGENDA_KIND_MEETING:
        return "Meetings";
      case query::v1::AGENDA_KIND_CONTRACT:
        return "Contracts to renew or about to end";
      case query::v1::AGENDA_KIND_INVOICE:
        return "Overdue invoices";
      case query::v1::AGENDA_KIND_SHIPMENT:
        return "Late shipments";
      case query::v1::AGENDA_KIND_DEAL:
        return "Deals that need attention";
      default:
        return "Others";
    }
  }();
  return absl::StrCat(says, ": ", FormatCount(section.count()), section.more() ? " or more" : "");
}

// The last column: what there is of amount, channel and words behind the text.
std::string MoreOf(const AgendaItem& item) {
  if (item.kind() == query::v1::AGENDA_KIND_UNANSWERED) {
    return absl::StrCat(ChannelLabel(item.channel()), item.detail().empty() ? "" : ", ",
                        item.detail());
  }
  std::string more = item.has_amount()
                         ? FormatAmount(item.amount().minor_units(), item.amount().currency_code())
                         : "";
  if (!item.detail().empty()) absl::StrAppend(&more, more.empty() ? "" : ", ", item.detail());
  return more;
}

std::string AgendaText(const AgendaAsOf& told) {
  std::string text;
  for (const AgendaSection& section : told.agenda.sections()) {
    Table table({"DUE", "CLIENT", "NAME", "WHAT", "MORE", "OWNER"});
    for (const AgendaItem& item : section.items()) {
      const auto& at = item.has_due_at() ? item.due_at() : item.since_at();
      table.Add({FormatMoment(at), item.client_id(), item.client_name(), item.text(), MoreOf(item),
                 item.owner_id()});
    }
    absl::StrAppend(&text, text.empty() ? "" : "\n", Heading(section), "\n", table.ToString());
  }
  const bool no_clock = told.now == absl::InfinitePast();
  if (text.empty()) text = "Nothing asks for anything";
  return no_clock ? absl::StrCat(text, told.agenda.sections().empty() ? "; " : "\n",
                                 "the log has no clock yet.\n")
                  : absl::StrCat(text, told.agenda.sections().empty() ? " as of " : "As of ",
                                 FormatMoment(told.now), ".\n");
}

Json ItemJson(const AgendaItem& item) {
  return {{"item_id", item.item_id()},
          {"client_id", item.client_id()},
          {"client_name", item.client_name()},
          {"owner_id", item.owner_id()},
          {"text", item.text()},
          {"detail", item.detail()},
          {"since_at", item.has_since_at() ? MomentJson(item.since_at()) : Json(nullptr)},
          {"due_at", item.has_due_at() ? MomentJson(item.due_at()) : Json(nullptr)},
          {"amount", item.has_amount()
                         ? AmountJson(item.amount().minor_units(), item.amount().currency_code())
                         : Json(nullptr)}};
}

Json AgendaJson(const AgendaAsOf& told) {
  Json sections = Json::array();
  for (const AgendaSection& section : told.agenda.sections()) {
    Json items = Json::array();
    for (const AgendaItem& item : section.items()) items.push_back(ItemJson(item));
    sections.push_back({{"kind", KindWord(section.kind())},
                        {"count", section.count()},
                        {"more", section.more()},
                        {"items", items}});
  }
  return {{"as_of", MomentJson(told.now)}, {"sections", sections}};
}

absl::StatusOr<AgendaAsOf> ReadHere(const CommonOptions& common, const AgendaArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EmbeddedHost> host, OpenCaughtUpHost(common));
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionView view, host->View(Profile::kName));
  AgendaAsOf told;
  RAPPORT_ASSIGN_OR_RETURN(told.now, host->Clock(Profile::kName));
  AgendaQuery query;
  if (!arguments.owner.empty()) query.owners = OwnerFilter({arguments.owner});
  query.page.limit = arguments.limit;
  RAPPORT_ASSIGN_OR_RETURN(told.agenda, ReadAgenda(view, told.now, query));
  return told;
}

absl::StatusOr<AgendaAsOf> Ask(Api& api, const AgendaArguments& arguments) {
  AgendaAsOf told;
  RAPPORT_RETURN_IF_ERROR(
      api.Get("/v1/agenda" + ApiQuery({{"owner", arguments.owner},
                                       {"team", arguments.team},
                                       {"limit", absl::StrCat(arguments.limit)}}),
              &told.agenda));
  told.now = ClockOf(told.agenda.watermark());
  return told;
}

CommandResult RunAgenda(const CommonOptions& common, const AgendaArguments& arguments) {
  // Who belongs to a team is known to those who run.
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
                           arguments.team.empty() ? FindApi(common) : NeedApi(common));
  RAPPORT_ASSIGN_OR_RETURN(const AgendaAsOf told,
                           api == nullptr ? ReadHere(common, arguments) : Ask(*api, arguments));
  common.json ? PrintJson(AgendaJson(told)) : Print(AgendaText(told));
  return kExitOk;
}

}  // namespace

void AddAgendaCommand(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<AgendaArguments>();
  CLI::App* const command = AddCommand(
      app, exit_code, "agenda",
      "List what asks for something: promises, complaints, meetings, contracts, who waits",
      "rapport agenda --owner anna",
      [&common, arguments] { return RunAgenda(common, *arguments); });
  command->add_option("--owner", arguments->owner, "Only what is this person's")
      ->type_name("OWNER");
  command->add_option("--team,--branch", arguments->team, "Only what is this unit's people's")
      ->type_name("UNIT");
  command->add_option("--limit", arguments->limit, "At most so many of each kind")
      ->check(CLI::Range(size_t{1}, kApiPage))
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace rapport
