#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "rapport/query/v1/access.pb.h"
#include "rapport/query/v1/staff.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"
#include "services/rapport/people_api.h"
#include "services/rapport/staff_file.h"

namespace rapport {
namespace {

struct StaffArguments {
  std::string file;
  std::string reason;
  std::string person;
  std::string unit;
  std::string at;
  bool dry_run = false;
};

Json Texts(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push_back(text);
  return json;
}

CommandResult RunImport(const CommonOptions& common, const StaffArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(StaffFile file, ReadStaffFile(arguments.file));
  file.order.set_reason(arguments.reason);
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  // Where rows cannot be read, the others are tried all the same, so that all is told at once.
  const bool dry_run = arguments.dry_run || !file.problems.empty();
  query::v1::StaffChanged changed;
  const absl::Status done = people->api().Post(
      "/v1/staff" + ApiQuery({{"dry_run", dry_run ? "true" : ""}}), &file.order, &changed);
  if (!done.ok() && !absl::IsInvalidArgument(done)) return done;
  if (!done.ok()) file.problems.emplace_back(done.message());
  if (!file.problems.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        arguments.file, ": ", absl::StrJoin(file.problems, "; "), "; nothing of it was done"));
  }
  if (common.json) {
    Json steps = Json::array();
    for (const query::v1::StaffStep& step : changed.steps()) {
      steps.push_back({{"line", step.line()},
                       {"person_id", step.person_id()},
                       {"unit_id", step.unit_id()},
                       {"what", step.what()}});
    }
    PrintJson({{"dry_run", arguments.dry_run}, {"steps", steps}});
    return kExitOk;
  }
  Table table({">LINE", "WHO", arguments.dry_run ? "WOULD CHANGE" : "CHANGED"});
  for (const query::v1::StaffStep& step : changed.steps()) {
    table.Add({absl::StrCat(step.line()),
               step.person_id().empty() ? step.unit_id() : step.person_id(), step.what()});
  }
  Print(changed.steps().empty() ? "All of it holds already.\n" : table.ToString());
  return kExitOk;
}

absl::StatusOr<std::vector<query::v1::StaffMember>> AllStaff(Api& api,
                                                             const StaffArguments& arguments) {
  std::vector<query::v1::StaffMember> all;
  std::string cursor;
  do {
    query::v1::StaffList page;
    RAPPORT_RETURN_IF_ERROR(api.Get("/v1/staff" + ApiQuery({{"unit", arguments.unit},
                                                            {"at", arguments.at},
                                                            {"limit", absl::StrCat(kApiPage)},
                                                            {"cursor", cursor}}),
                                    &page));
    all.insert(all.end(), page.people().begin(), page.people().end());
    cursor = page.next_cursor();
  } while (!cursor.empty());
  return all;
}

Json MemberJson(const query::v1::StaffMember& person) {
  Json absences = Json::array();
  for (const query::v1::StaffAbsence& absence : person.absences()) {
    absences.push_back({{"absence_id", absence.absence_id()},
                        {"deputy_id", absence.deputy_id()},
                        {"from_at", MomentJson(absence.from_at())},
                        {"to_at", MomentJson(absence.to_at())}});
  }
  return {{"person_id", person.person_id()},
          {"name", person.name()},
          {"e_mail", person.e_mail()},
          {"language", person.language()},
          {"unit_id", person.unit_id()},
          {"leads_unit_ids", Texts(person.leads_unit_ids())},
          {"roles", Texts(person.roles())},
          {"extensions", Texts(person.extensions())},
          {"mailboxes", Texts(person.mailboxes())},
          {"left_at", person.has_left_at() ? MomentJson(person.left_at()) : Json(nullptr)},
          {"absences", absences},
          {"stands_in_for_ids", Texts(person.stands_in_for_ids())}};
}

CommandResult RunList(const CommonOptions& common, const StaffArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<query::v1::StaffMember> all,
                           AllStaff(people->api(), arguments));
  if (common.json) {
    Json list = Json::array();
    for (const query::v1::StaffMember& person : all) list.push_back(MemberJson(person));
    PrintJson({{"people", list}});
    return kExitOk;
  }
  Table table({"PERSON", "NAME", "UNIT", "LEADS", "ROLES", "STANDS IN FOR", "LEFT"});
  for (const query::v1::StaffMember& person : all) {
    table.Add({person.person_id(), person.name(), person.unit_id(),
               absl::StrJoin(person.leads_unit_ids(), " "), absl::StrJoin(person.roles(), " "),
               absl::StrJoin(person.stands_in_for_ids(), " "),
               person.has_left_at() ? FormatMoment(person.left_at()) : ""});
  }
  Print(all.empty() ? "There is nobody; `rapport staff import FILE.csv` says who works here.\n"
                    : table.ToString());
  return kExitOk;
}

CommandResult RunShow(const CommonOptions& common, const StaffArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::StaffMember person;
  const absl::Status found = people->api().Get(
      ApiPath({"v1", "staff", arguments.person}) + ApiQuery({{"at", arguments.at}}), &person);
  if (absl::IsNotFound(found)) {
    if (common.json) {
      PrintJson({{"error", "not found"}});
    } else {
      PrintError(absl::StrCat(Printable(std::string(found.message())), "\n"));
    }
    return kExitFindings;
  }
  RAPPORT_RETURN_IF_ERROR(found);
  if (common.json) {
    PrintJson(MemberJson(person));
    return kExitOk;
  }
  Table table({"", ""});
  const auto line = [&table](const char* what, const std::string& value) {
    if (!value.empty()) table.Add({what, value});
  };
  line("Person", person.person_id());
  line("Name", person.name());
  line("E-mail", person.e_mail());
  line("Language", person.language());
  line("Unit", person.unit_id());
  line("Leads", absl::StrJoin(person.leads_unit_ids(), " "));
  line("Roles", absl::StrJoin(person.roles(), " "));
  line("Extensions", absl::StrJoin(person.extensions(), " "));
  line("Mailboxes", absl::StrJoin(person.mailboxes(), " "));
  line("Stands in for", absl::StrJoin(person.stands_in_for_ids(), " "));
  for (const query::v1::StaffAbsence& absence : person.absences()) {
    line("Away", absl::StrCat(
                     FormatMoment(absence.from_at()), " to ", FormatMoment(absence.to_at()),
                     absence.deputy_id().empty() ? "" : "; " + absence.deputy_id() + " stands in"));
  }
  line("Left", person.has_left_at() ? FormatMoment(person.left_at()) : "");
  Print(table.ToString());
  return kExitOk;
}

CommandResult RunInvite(const CommonOptions& common, const StaffArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::Invitation invitation;
  RAPPORT_RETURN_IF_ERROR(people->api().Post(
      ApiPath({"v1", "staff", arguments.person, "invitation"}), nullptr, &invitation));
  if (common.json) {
    PrintJson({{"person_id", invitation.person_id()},
               {"path", invitation.path()},
               {"expires_at", MomentJson(invitation.expires_at())}});
    return kExitOk;
  }
  PrintError(absl::StrCat("Good for one time, until ", FormatMoment(invitation.expires_at()),
                          "; whoever opens it chooses the password of ",
                          Printable(invitation.person_id()), ".\n"));
  Print(absl::StrCat(people->own() ? "" : people->api().address(), invitation.path(), "\n"));
  return kExitOk;
}

CommandResult RunUnits(const CommonOptions& common, const StaffArguments& arguments) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<PeopleApi> people, PeopleApi::Find(common));
  query::v1::StaffUnitList units;
  RAPPORT_RETURN_IF_ERROR(
      people->api().Get("/v1/units" + ApiQuery({{"at", arguments.at}}), &units));
  Json list = Json::array();
  Table table({"UNIT", "NAME", "KIND", "UNDER", "LED BY", ">PEOPLE", ">WITH THOSE BELOW"});
  for (const query::v1::StaffUnitView& unit : units.units()) {
    list.push_back({{"unit_id", unit.unit_id()},
                    {"name", unit.name()},
                    {"kind", unit.kind()},
                    {"parent_unit_id", unit.parent_unit_id()},
                    {"lead_id", unit.lead_id()},
                    {"members", unit.members()},
                    {"members_below", unit.members_below()}});
    table.Add({unit.unit_id(), unit.name(), unit.kind(), unit.parent_unit_id(), unit.lead_id(),
               FormatCount(unit.members()), FormatCount(unit.members_below())});
  }
  if (common.json) {
    PrintJson({{"units", list}});
  } else {
    Print(units.units().empty() ? "There are no units.\n" : table.ToString());
  }
  return kExitOk;
}

}  // namespace

void AddStaffCommands(CLI::App& app, const CommonOptions& common, int* exit_code) {
  const auto arguments = std::make_shared<StaffArguments>();
  CLI::App* const staff =
      app.add_subcommand("staff", "Who works here: people, units, who stands in");
  staff->require_subcommand(1);
  CLI::App* const import =
      AddCommand(*staff, exit_code, "import", "Take people and units from a CSV file",
                 "rapport staff import staff.csv --dry-run",
                 [&common, arguments] { return RunImport(common, *arguments); });
  import->add_option("FILE", arguments->file, "The file; its first row names the columns")
      ->required();
  import->add_flag("--dry-run", arguments->dry_run, "Only tell what would change");
  import->add_option("--reason", arguments->reason, "Why, for whoever reads the log later")
      ->type_name("TEXT");
  CLI::App* const list = AddCommand(*staff, exit_code, "list", "Everybody, or the people of a unit",
                                    "rapport staff list --unit north",
                                    [&common, arguments] { return RunList(common, *arguments); });
  list->add_option("--unit", arguments->unit, "Of this unit and those below it")->type_name("UNIT");
  CLI::App* const show =
      AddCommand(*staff, exit_code, "show", "One person", "rapport staff show anna",
                 [&common, arguments] { return RunShow(common, *arguments); });
  show->add_option("PERSON", arguments->person, "The person's id")->required();
  CLI::App* const invite = AddCommand(
      *staff, exit_code, "invite", "A link by which a person chooses a password",
      "rapport staff invite anna", [&common, arguments] { return RunInvite(common, *arguments); });
  invite->add_option("PERSON", arguments->person, "The person's id")->required();
  CLI::App* const units = AddCommand(*staff, exit_code, "units",
                                     "Teams, branches and who leads them", "rapport staff units",
                                     [&common, arguments] { return RunUnits(common, *arguments); });
  for (CLI::App* const command : {list, show, units}) {
    command->add_option("--at", arguments->at, "As of this moment, such as 2026-03-03T12:00:00Z")
        ->type_name("TIME");
  }
}

}  // namespace rapport
