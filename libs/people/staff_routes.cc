#include "libs/people/staff_routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/organisation/staff_rows.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "rapport/query/v1/staff.pb.h"

namespace rapport {
namespace {

absl::StatusOr<absl::Time> AsOf(const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> at, QueryTime(request, "at"));
  return at.value_or(absl::Now());
}

absl::StatusOr<HttpResponse> ListStaff(const HttpRequest& request, const Organisation& firm) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"unit", "q", "at", "cursor", "limit"}));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time at, AsOf(request));
  RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
  const std::string words = absl::AsciiStrToLower(request.Query("q").value_or(""));
  std::vector<const StaffPerson*> people;
  if (const std::optional<std::string> unit = request.Query("unit")) {
    if (firm.FindUnit(*unit) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("unit is '", *unit, "'; there is none"));
    }
    for (const std::string& person : firm.PeopleIn(*unit, at)) {
      people.push_back(firm.FindPerson(person));
    }
  } else {
    people = firm.People();
  }
  query::v1::StaffList list;
  ToProto(at, list.mutable_at());
  for (const StaffPerson* const person : people) {
    if (!page.after.empty() && person->person_id <= page.after) continue;
    if (!absl::StrContains(absl::AsciiStrToLower(person->name), words) &&
        !absl::StrContains(absl::AsciiStrToLower(person->person_id), words)) {
      continue;
    }
    if (static_cast<size_t>(list.people_size()) == page.limit) {
      list.set_next_cursor(list.people(list.people_size() - 1).cursor());
      break;
    }
    query::v1::StaffMember& member = *list.add_people();
    member = ToMember(firm, *person, at);
    member.set_cursor(EncodeCursor(person->person_id));
  }
  return MessageResponse(request, list);
}

absl::StatusOr<HttpResponse> ShowPerson(const HttpRequest& request, const Organisation& firm) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"at"}));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time at, AsOf(request));
  const std::string& person_id = request.PathValue("id");
  const StaffPerson* const person = firm.FindPerson(person_id);
  if (person == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no person '", person_id, "'"));
  }
  return MessageResponse(request, ToMember(firm, *person, at));
}

absl::StatusOr<HttpResponse> ListUnits(const HttpRequest& request, const Organisation& firm) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"at"}));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time at, AsOf(request));
  query::v1::StaffUnitList list;
  ToProto(at, list.mutable_at());
  for (const auto& [id, unit] : firm.units()) *list.add_units() = ToUnitView(firm, unit, at);
  return MessageResponse(request, list);
}

absl::StatusOr<HttpResponse> ShowStatus(const HttpRequest& request, const OrganisationLog& log) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::OrganisationStatus status;
  // First, so that it never says too much.
  status.set_position(log.position().value());
  const std::shared_ptr<const Organisation> firm = log.Get();
  status.set_people(static_cast<int64_t>(firm->people_count()));
  status.set_units(static_cast<int64_t>(firm->units().size()));
  status.set_passed_over(log.passed_over());
  status.set_digest(absl::BytesToHexString(firm->Digest()));
  return MessageResponse(request, status);
}

absl::StatusOr<HttpResponse> Verify(const HttpRequest& request, const OrganisationLog& log) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const OrganisationLog::Verified verified, log.Verify());
  query::v1::OrganisationVerified answer;
  answer.set_records(verified.records);
  answer.set_equal(verified.kept == verified.folded_anew);
  answer.set_digest(verified.kept);
  answer.set_rebuilt_digest(verified.folded_anew);
  answer.set_position(verified.position.value());
  return MessageResponse(request, answer);
}

absl::StatusOr<HttpResponse> CarryOut(const HttpRequest& request, OrganisationLog& organisation) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"dry_run"}));
  RAPPORT_ASSIGN_OR_RETURN(const bool dry_run, QueryFlag(request, "dry_run"));
  query::v1::StaffOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  const std::string by = CallerOf(request).Name();
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::StaffChanged changed,
                           organisation.Carry(order, by.empty() ? "command line" : by, dry_run));
  return MessageResponse(request, changed);
}

}  // namespace

void AddStaffRoutes(HttpServer* http, OrganisationLog* organisation, WorkQueue* queue) {
  using Read = absl::StatusOr<HttpResponse> (*)(const HttpRequest&, const Organisation&);
  const std::vector<std::pair<const char*, Read>> reads = {
      {"/v1/staff", ListStaff}, {"/v1/staff/{id}", ShowPerson}, {"/v1/units", ListUnits}};
  for (const auto& [pattern, read] : reads) {
    http->Handle("GET", pattern, Answering([organisation, read = read](const HttpRequest& request) {
                   return read(request, *organisation->Get());
                 }));
  }
  const auto later = [http, organisation, queue](const char* method, const char* pattern,
                                                 auto answer) {
    http->Handle(method, pattern,
                 AnsweringFrom(queue, [organisation, answer](const HttpRequest& request) {
                   return answer(request, *organisation);
                 }));
  };
  later("GET", "/v1/projections/organisation", ShowStatus);
  later("POST", "/v1/projections/organisation/verify", Verify);
  later("POST", "/v1/staff", CarryOut);
  later("POST", "/v1/units", CarryOut);
}

}  // namespace rapport
