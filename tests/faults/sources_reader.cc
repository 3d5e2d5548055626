#include "tests/faults/sources_reader.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/touchpoint/v1/batch.pb.h"
#include "tests/faults/people.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr size_t kMostLines = 20;

absl::Status Parse(const HttpAnswer& answer, const std::string& url,
                   google::protobuf::Message* message) {
  if (answer.status / 100 != 2) {
    return absl::UnavailableError(absl::StrCat(url, ": ", answer.status, " ", answer.body));
  }
  const auto status = google::protobuf::util::JsonStringToMessage(answer.body, message);
  if (status.ok()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(url, ": ", answer.body));
}

Touchpoint About(const Person& person, const std::string& what) {
  Touchpoint touchpoint;
  touchpoint.set_client_id(person.caller);
  touchpoint.set_source("crm");
  touchpoint.set_source_event_id(absl::StrCat(what, "/", person.caller));
  touchpoint.set_event_id(
      std::string(MakeEventId(touchpoint.source(), touchpoint.source_event_id()).view()));
  touchpoint.set_channel(touchpoint::v1::CHANNEL_BACK_OFFICE);
  ToProto(absl::FromUnixSeconds(1'767'225'600), touchpoint.mutable_occurred_at());
  return touchpoint;
}

Touchpoint Linked(const Person& person, touchpoint::v1::IdentifierKind kind,
                  const std::string& value) {
  Touchpoint touchpoint = About(person, IdentifierKind_Name(kind));
  touchpoint.mutable_identifier_linked()->set_kind(kind);
  touchpoint.mutable_identifier_linked()->set_value(value);
  return touchpoint;
}

bool IsContact(const Touchpoint& touchpoint) {
  return touchpoint.has_call_completed() || touchpoint.has_email_exchanged() ||
         touchpoint.has_email_delivered();
}

}  // namespace

absl::Status SourcesReader::Get(const std::string& url, google::protobuf::Message* answer) {
  HttpCall call;
  call.url = url;
  call.timeout = absl::Minutes(1);
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer got, client_.Fetch(call));
  return Parse(got, url, answer);
}

absl::Status SourcesReader::Register() {
  touchpoint::v1::TouchpointBatch batch;
  for (int i = 0; i < Person::kCount; ++i) {
    const Person person(i);
    if (!person.registered) continue;
    Touchpoint registered = About(person, "registered");
    registered.mutable_client_registered()->mutable_details()->set_name(person.caller);
    *batch.add_touchpoints() = registered;
    *batch.add_touchpoints() = Linked(person, touchpoint::v1::IDENTIFIER_KIND_PHONE, person.phone);
    *batch.add_touchpoints() =
        Linked(person, touchpoint::v1::IDENTIFIER_KIND_E_MAIL, person.e_mail);
  }
  HttpCall call;
  call.method = "POST";
  call.url = clients_address_ + "/v1/touchpoints";
  call.headers = {{"content-type", "application/x-protobuf"}};
  call.body = batch.SerializeAsString();
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, client_.Fetch(call));
  if (answer.status == 202) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(answer.status, " ", answer.body));
}

absl::StatusOr<std::vector<std::string>> SourcesReader::ReadClients() {
  std::vector<std::string> clients;
  std::string cursor;
  do {
    query::v1::ClientList page;
    RAPPORT_RETURN_IF_ERROR(Get(absl::StrCat(clients_address_, "/v1/clients?limit=50",
                                             cursor.empty() ? "" : "&cursor=", cursor),
                                &page));
    for (const auto& client : page.clients()) clients.push_back(client.client_id());
    cursor = page.next_cursor();
  } while (!cursor.empty());
  return clients;
}

absl::Status SourcesReader::AddTimeline(const std::string& client, Timelines* timelines) {
  const std::string url = absl::StrCat(clients_address_, "/v1/clients/", client);
  query::v1::Client shown;
  RAPPORT_RETURN_IF_ERROR(Get(url, &shown));
  query::v1::Touchpoints all;
  RAPPORT_RETURN_IF_ERROR(Get(url + "/touchpoints", &all));
  std::multiset<std::string> contacts;
  for (const Touchpoint& touchpoint : all.touchpoints()) {
    if (IsContact(touchpoint)) contacts.insert(ContactLine(touchpoint));
  }
  if (!contacts.empty()) (*timelines)[client] = std::move(contacts);
  if (shown.touchpoint_count() == all.touchpoints_size()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(client, " has ", all.touchpoints_size(),
                                          " touchpoints, and ", shown.touchpoint_count(),
                                          " were counted"));
}

absl::StatusOr<Timelines> SourcesReader::ReadTimelines() {
  Timelines timelines;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> clients, ReadClients());
  for (const std::string& client : clients) {
    RAPPORT_RETURN_IF_ERROR(AddTimeline(client, &timelines));
  }
  return timelines;
}

absl::StatusOr<std::map<std::string, query::v1::SourceLedger>> SourcesReader::ReadLedger() {
  query::v1::SourceList list;
  RAPPORT_RETURN_IF_ERROR(Get(ledger_address_ + "/v1/sources", &list));
  std::map<std::string, query::v1::SourceLedger> ledger;
  for (const query::v1::SourceLedger& source : list.sources()) ledger[source.name()] = source;
  return ledger;
}

absl::Status SourcesReader::Verify(const std::string& projection) {
  const std::string root = absl::StrCat(clients_address_, "/v1/projections/", projection);
  HttpCall call;
  call.method = "POST";
  call.url = root + "/verify";
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, client_.Fetch(call));
  query::v1::JobList jobs;
  RAPPORT_RETURN_IF_ERROR(Parse(answer, call.url, &jobs));
  const auto runs = [](const query::v1::Job& job) {
    return job.status() == query::v1::JOB_STATUS_RUNNING;
  };
  while (std::any_of(jobs.jobs().begin(), jobs.jobs().end(), runs)) {
    absl::SleepFor(absl::Milliseconds(10));
    jobs.Clear();
    RAPPORT_RETURN_IF_ERROR(Get(root + "/jobs", &jobs));
  }
  for (const query::v1::Job& job : jobs.jobs()) {
    if (job.status() != query::v1::JOB_STATUS_DONE || !job.equal()) {
      return absl::DataLossError(absl::StrCat(projection, ": ", job.ShortDebugString()));
    }
  }
  return absl::OkStatus();
}

std::string Difference(const Timelines& expected, const Timelines& found) {
  std::set<std::string> clients;
  for (const auto& [client, contacts] : expected) clients.insert(client);
  for (const auto& [client, contacts] : found) clients.insert(client);
  std::vector<std::string> lines;
  const std::multiset<std::string> none;
  for (const std::string& client : clients) {
    const auto left = expected.find(client);
    const auto right = found.find(client);
    const auto& wanted = left == expected.end() ? none : left->second;
    const auto& there = right == found.end() ? none : right->second;
    std::vector<std::string> missing;
    std::vector<std::string> beside;
    std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(),
                        std::back_inserter(missing));
    std::set_difference(there.begin(), there.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(beside));
    for (const std::string& line : missing) lines.push_back(absl::StrCat(client, " lacks ", line));
    for (const std::string& line : beside) lines.push_back(absl::StrCat(client, " has ", line));
    if (lines.size() > kMostLines) break;
  }
  return absl::StrJoin(lines, "\n");
}

std::string Difference(const std::map<std::string, SentItems>& sent,
                       const std::map<std::string, query::v1::SourceLedger>& ledger) {
  std::vector<std::string> lines;
  for (const auto& [name, items] : sent) {
    const auto found = ledger.find(name);
    const query::v1::SourceLedger counted =
        found == ledger.end() ? query::v1::SourceLedger() : found->second;
    if (counted.received() - counted.duplicates() == items.items &&
        counted.written() == items.items - items.skipped && counted.skipped() == items.skipped &&
        counted.pending() == 0 && counted.rejected() == 0 && counted.incomplete() == 0 &&
        counted.gaps().empty() && counted.state() == query::v1::SOURCE_STATE_OK) {
      continue;
    }
    lines.push_back(absl::StrCat(items.items, " were sent, ", items.skipped,
                                 " of them no contacts; ", counted.ShortDebugString()));
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace rapport::testing
