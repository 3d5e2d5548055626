#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/mutex.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/serving/projection_host.h"
#include "libs/touchpoint/record.h"
#include "libs/web_hook_check/hashes.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/merge.pb.h"
#include "services/alerts/alerts.h"
#include "services/ingest/ingest.h"
#include "services/pipeline/pipeline.h"
#include "services/profiles/profiles.h"
#include "services/replay/replay.h"
#include "services/retention/retention.h"
#include "services/sources/sources.h"
#include "tests/support/mail_server.h"

// How long it takes until what a source tells stands in the timeline of its client, as a reader
// sees it over HTTP, with all services in one process on the embedded log as `rapport up` runs
// them: signed callbacks of Twilio, 500 in a second, of which every fourth ends a call; and mails
// that are delivered into a mailbox of a dovecot (which tells of them half a second later). A
// reader sees where a touchpoint stands in the log and asks for the timeline with wait_for, so that
// it is answered as soon as it is there; for mails, and some calls, another one asks for it every 5
// ms instead. And how long two clients take to be merged, until the timeline has all of both.
// Arguments: seconds of callbacks, number of mails, touchpoints of each client that is merged; 0
// leaves one of them out.

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int kClients = 5000;
constexpr int kPerSecond = 500;
// A call is told of by so many callbacks, each a second after the one before.
constexpr int kStates = 4;
constexpr int kCallsApart = kPerSecond / kStates;
// One call in so many is asked for without wait_for too.
constexpr int kAskedEvery = 25;
constexpr absl::Duration kAskEvery = absl::Milliseconds(5);
// Of clients beside those that are merged.
constexpr int kOtherTouchpoints = 200'000;
constexpr absl::Duration kBetweenMails = absl::Milliseconds(1300);
constexpr char kPublicUrl[] = "https://hooks.example.com";
constexpr char kToken[] = "12345";

std::string PhoneOf(int client) { return absl::StrCat("+4930", 10'000'000 + client); }
std::string ClientOf(int client) { return absl::StrCat("client-", client); }
std::string AddressOf(int client) { return absl::StrCat("anna", client, "@client.example"); }

class Millis {
 public:
  void Add(absl::Duration duration) { values_.push_back(absl::ToDoubleMilliseconds(duration)); }
  void Print(const char* what) {
    std::sort(values_.begin(), values_.end());
    if (values_.empty()) return;
    std::printf("  %-34s p50 %7.1f ms, p99 %7.1f ms, greatest %7.1f ms\n", what, At(50), At(99),
                values_.back());
  }

 private:
  double At(size_t percent) const { return values_[(values_.size() - 1) * percent / 100]; }
  std::vector<double> values_;
};

// How far each contact is, by what makes it known in a timeline.
class Contacts {
 public:
  struct Times {
    absl::Time sent, answered, appended, shown;
    absl::Time found;  // without wait_for; of some alone
  };
  void Set(const std::string& id, absl::Time Times::*field) {
    const absl::Time now = absl::Now();
    MutexLock lock(&mutex_);
    times_[id].*field = now;
  }
  void SetSent(const std::string& id, absl::Time at) {
    MutexLock lock(&mutex_);
    times_[id].sent = at;
  }
  std::map<std::string, Times> times() {
    MutexLock lock(&mutex_);
    return times_;
  }
  // Waits until all are in their timelines.
  void Wait(size_t count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (true) {
      {
        MutexLock lock(&mutex_);
        const auto shown = std::count_if(times_.begin(), times_.end(), [](const auto& entry) {
          return entry.second.shown > absl::UnixEpoch();
        });
        if (static_cast<size_t>(shown) == count) return;
        RAPPORT_CHECK(absl::Now() < deadline, "contacts in their timelines: ", shown, " of ",
                      count);
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
  }

 private:
  Mutex mutex_;
  std::map<std::string, Times> times_ ABSL_GUARDED_BY(mutex_);
};

std::string Settings(const testing::TempFolder& folder, const MailServer* mail) {
  std::string text = absl::Substitute(
      R"(sources {
        identity { default_region: "DE" own_domains: "firm.example" own_numbers: "+4930999" }
        public_url: "$0"
        sources { name: "phone" twilio { token_file: "$1" } })",
      kPublicUrl, folder / "token");
  if (mail != nullptr) {
    absl::SubstituteAndAppend(
        &text, R"(sources { name: "info" imap { address: "127.0.0.1:$0" security: "plain"
                 username: "$1" secret_file: "$2" } })",
        mail->port(), MailServer::kUser, folder / "secret");
  }
  return text + "}";
}

// The log and all services.
class Process {
 public:
  // `merged`: touchpoints of each of two clients.
  Process(const MailServer* mail, int merged)
      : log_(*OpenEmbeddedLog({.folder = folder_ / "log"})),
        resources_({.memory_bytes = size_t{128} << 20}),
        budget_(size_t{256} << 20),
        http_(*HttpServer::Create({}, &metrics_)) {
    WriteSecret("token", kToken);
    WriteSecret("secret", std::string(MailServer::kPassword));
    auto config =
        ParseConfig(Settings(folder_, mail), "bench",
                    {.overrides = {absl::StrCat("data_folder=", folder_.path())}, .defaults = {}});
    RAPPORT_CHECK(config.ok(), config.status().ToString());
    config_ = *std::move(config);
    RAPPORT_CHECK(CreateTopics(*log_, {}, kPartitions).ok());
    Register();
    if (merged > 0) {
      AppendOrders("", kOtherTouchpoints);
      for (const char* client : {"absorbed", "survivor"}) AppendOrders(client, merged);
    }
    const ServiceEnv env{.config = &config_,
                         .instance = "1",
                         .all_in_one = true,
                         .log = log_.get(),
                         .topics = {},
                         .metrics = &metrics_,
                         .http = http_.get(),
                         .http_client = &client_,
                         .resources = &resources_,
                         .budget = &budget_};
    for (const StartService& start :
         {StartService(StartIngest), StartService(StartProfiles), StartService(StartRetention),
          StartService(StartPipeline), StartService(StartAlerts), StartService(StartReplay),
          StartService(StartSources)}) {
      auto service = start(env);
      RAPPORT_CHECK(service.ok(), service.status().ToString());
      services_.push_back(*std::move(service));
    }
    RAPPORT_CHECK(http_->Start().ok());
    for (const auto& service : services_) {
      while (!service->Ready().ok()) absl::SleepFor(absl::Milliseconds(5));
    }
  }
  ~Process() {
    http_->Drain(absl::Seconds(5));
    while (!services_.empty()) services_.pop_back();
  }

  EventLog& log() { return *log_; }
  std::string address() const { return http_->address(); }

 private:
  void WriteSecret(const std::string& name, const std::string& secret) {
    std::ofstream(folder_ / name) << secret;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_read);
  }
  // Before anything is folded, so that all are known from the beginning.
  void Register() {
    std::vector<Record> records;
    for (int i = 0; i < kClients; ++i) {
      const auto add = [&](Touchpoint::PayloadCase kind, const char* what) -> Touchpoint {
        return testing::MakeTouchpoint(kind, ClientOf(i), absl::StrCat(what, i), testing::Day(0));
      };
      records.push_back(MakeRecord(add(Touchpoint::kClientRegistered, "registered")));
      Touchpoint phone = add(Touchpoint::kIdentifierLinked, "phone");
      phone.mutable_identifier_linked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_PHONE);
      phone.mutable_identifier_linked()->set_value(PhoneOf(i));
      phone.mutable_identifier_linked()->clear_stakeholder_id();
      records.push_back(MakeRecord(phone));
      Touchpoint mail = add(Touchpoint::kIdentifierLinked, "mail");
      mail.mutable_identifier_linked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_E_MAIL);
      mail.mutable_identifier_linked()->set_value(AddressOf(i));
      mail.mutable_identifier_linked()->clear_stakeholder_id();
      records.push_back(MakeRecord(mail));
    }
    RAPPORT_CHECK(log_->Append("touchpoints", records).ok());
  }

  void AppendOrders(const std::string& client, int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      const std::string whose = client.empty() ? ClientOf(i % kClients) : client;
      records.push_back(MakeRecord(testing::MakeTouchpoint(Touchpoint::kOrderPlaced, whose,
                                                           absl::StrCat("order/", client, i),
                                                           testing::Day(i % 300))));
      if (records.size() < 5000 && i + 1 < count) continue;
      RAPPORT_CHECK(log_->Append("touchpoints", records).ok());
      records.clear();
    }
  }

  const testing::TempFolder folder_;
  std::unique_ptr<EventLog> log_;
  StoreResources resources_;
  CacheBudget budget_;
  Metrics metrics_;
  config::v1::Config config_;
  HttpClient client_;
  std::unique_ptr<HttpServer> http_;
  std::vector<std::unique_ptr<Service>> services_;
};

// Sees calls and mails in the log, asks for the timelines of their clients, and notes when they
// are there.
class Reader {
 public:
  Reader(Process* process, Contacts* contacts) : process_(*process), contacts_(*contacts) {
    for (int i = 0; i < kPartitions; ++i) {
      const auto marks = process_.log().GetWatermarks("touchpoints", Partition(i));
      threads_.emplace_back(
          [this, partition = Partition(i), from = marks->end] { Follow(partition, from); });
    }
  }
  ~Reader() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    MutexLock lock(&mutex_);
    for (std::thread& thread : askers_) thread.join();
  }

 private:
  void Follow(Partition partition, Offset from) {
    const auto reader = *process_.log().OpenReader("touchpoints", partition, from);
    while (!stopping_) {
      const auto records = reader->Read(1000, absl::Milliseconds(100));
      RAPPORT_CHECK(records.ok(), records.status().ToString());
      for (const RecordView& record : *records) {
        Touchpoint touchpoint;
        RAPPORT_CHECK(
            touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())));
        if (touchpoint.has_call_completed()) {
          Ask(touchpoint, touchpoint.call_completed().call_id(), {partition, record.offset});
        } else if (touchpoint.has_email_exchanged()) {
          Ask(touchpoint, touchpoint.email_exchanged().message_id(), {partition, record.offset});
        }
      }
    }
  }
  void Ask(const Touchpoint& touchpoint, const std::string& id, const RecordPosition& position) {
    contacts_.Set(id, &Contacts::Times::appended);
    const std::string event_id = absl::BytesToHexString(touchpoint.event_id());
    const std::string timeline = absl::StrCat(process_.address(), "/v1/clients/",
                                              touchpoint.client_id(), "/timeline?limit=20");
    if (touchpoint.has_email_exchanged() || asked_++ % kAskedEvery == 0) {
      MutexLock lock(&mutex_);
      askers_.emplace_back([this, id, event_id, timeline] { AskAgain(timeline, event_id, id); });
    }
    client_.Send({.url = absl::StrCat(timeline, "&wait_for=", FormatPosition(position))},
                 [this, id, event_id](const absl::StatusOr<HttpAnswer>& answer) {
                   RAPPORT_CHECK(answer.ok() && answer->status == 200,
                                 answer.ok() ? answer->body : answer.status().ToString());
                   RAPPORT_CHECK(absl::StrContains(answer->body, event_id), id);
                   contacts_.Set(id, &Contacts::Times::shown);
                 });
  }

  void AskAgain(const std::string& timeline, const std::string& event_id, const std::string& id) {
    while (true) {
      const auto answer = client_.Fetch({.url = timeline});
      if (answer.ok() && absl::StrContains(answer->body, event_id)) break;
      absl::SleepFor(kAskEvery);
    }
    contacts_.Set(id, &Contacts::Times::found);
  }

  Process& process_;
  Contacts& contacts_;
  HttpClient client_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  std::vector<std::thread> askers_ ABSL_GUARDED_BY(mutex_);
};

HttpCall Callback(const std::string& address, const std::string& call, int client, int state) {
  static constexpr const char* kStatus[kStates] = {"initiated", "ringing", "in-progress",
                                                   "completed"};
  std::vector<std::pair<std::string, std::string>> fields = {
      {"AccountSid", "AC0"},
      {"CallSid", call},
      {"CallStatus", kStatus[state]},
      {"Direction", "inbound"},
      {"From", PhoneOf(client)},
      {"SequenceNumber", absl::StrCat(state)},
      {"Timestamp",
       absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", absl::Now(), absl::UTCTimeZone())},
      {"To", "+4930999111"}};
  if (state + 1 == kStates) fields.insert(fields.begin() + 1, {"CallDuration", "2"});
  const std::string path = "/v1/sources/phone";
  std::string text = kPublicUrl + path;
  std::string body;
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&text, name, value);
    absl::StrAppend(&body, body.empty() ? "" : "&", name, "=",
                    absl::StrReplaceAll(value, {{"+", "%2B"}, {" ", "+"}, {":", "%3A"}}));
  }
  return {.method = "POST",
          .url = address + path,
          .headers = {{"content-type", "application/x-www-form-urlencoded"},
                      {"x-twilio-signature", absl::Base64Escape(HmacSha1(kToken, text))}},
          .body = std::move(body)};
}

void PrintStages(const std::map<std::string, Contacts::Times>& times, bool answered) {
  Millis answer, append, show, find;
  for (const auto& [id, at] : times) {
    if (answered) answer.Add(at.answered - at.sent);
    append.Add(at.appended - at.sent);
    show.Add(at.shown - at.sent);
    if (at.found > absl::UnixEpoch()) find.Add(at.found - at.sent);
  }
  answer.Print("to its answer");
  append.Print("to its touchpoint on disk");
  show.Print("to the client's timeline");
  find.Print("to it, asked for without wait_for");
}

// Sent at their times, however long others take; a delay of the sender counts.
void MeasureCallbacks(Process* process, int seconds) {
  Contacts contacts;
  auto reader = std::make_unique<Reader>(process, &contacts);
  HttpClient sender;
  const int calls = seconds * kCallsApart;
  const int total = kStates * (calls + (kStates - 1) * kCallsApart);
  const absl::Time begin = absl::Now() + absl::Milliseconds(100);
  for (int i = 0; i < total; ++i) {
    const int state = i % kStates;
    const int call = i / kStates - state * kCallsApart;
    const absl::Time at = begin + absl::Seconds(1) * i / kPerSecond;
    absl::SleepFor(at - absl::Now());
    if (call < 0 || call >= calls) continue;
    const std::string id = absl::StrCat("CA", 100'000'000 + call);
    const bool last = state + 1 == kStates;
    if (last) contacts.SetSent(id, at);
    sender.Send(Callback(process->address(), id, call % kClients, state),
                [&contacts, id, last](const absl::StatusOr<HttpAnswer>& answer) {
                  RAPPORT_CHECK(answer.ok() && answer->status == 200,
                                answer.ok() ? answer->body : answer.status().ToString());
                  if (last) contacts.Set(id, &Contacts::Times::answered);
                });
  }
  contacts.Wait(static_cast<size_t>(calls));
  reader.reset();
  std::printf("the last callback of a call, %d calls, %d signed callbacks/s:\n", calls, kPerSecond);
  PrintStages(contacts.times(), /*answered=*/true);
}

void MeasureMails(Process* process, MailServer* server, int count) {
  Contacts contacts;
  auto reader = std::make_unique<Reader>(process, &contacts);
  // It is connected and waits by IDLE.
  absl::SleepFor(absl::Seconds(3));
  for (int i = 0; i < count; ++i) {
    const std::string id = absl::StrCat("m", i, "@client.example");
    const std::string mail =
        absl::StrCat("From: Anna <", AddressOf(i % kClients),
                     ">\r\nTo: info@firm.example\r\nSubject: an offer\r\nMessage-ID: <", id,
                     ">\r\nDate: Mon, 02 Mar 2026 11:00:00 +0100\r\n\r\nHello\r\n");
    contacts.SetSent(id, absl::Now());
    server->Deliver(mail);
    // Not at the same place of every second.
    absl::SleepFor(kBetweenMails + i % 7 * absl::Milliseconds(90));
  }
  contacts.Wait(static_cast<size_t>(count));
  reader.reset();
  std::printf("a mail delivered to dovecot, read by IMAP with IDLE, %d mails:\n", count);
  PrintStages(contacts.times(), /*answered=*/false);
}

HttpAnswer Fetch(HttpClient* client, const HttpCall& call) {
  auto answer = client->Fetch(call);
  RAPPORT_CHECK(answer.ok() && answer->status < 300,
                answer.ok() ? answer->body : answer.status().ToString());
  return *std::move(answer);
}

template <class Message>
Message Read(HttpClient* client, const HttpCall& call) {
  Message message;
  const HttpAnswer answer = Fetch(client, call);
  RAPPORT_CHECK(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok(),
                answer.body);
  return message;
}

// All lines of a timeline.
int64_t CountLines(HttpClient* client, const std::string& url) {
  int64_t lines = 0;
  std::string cursor;
  do {
    const auto page = Read<query::v1::Timeline>(
        client, {.url = absl::StrCat(url, "/timeline?limit=500",
                                     cursor.empty() ? "" : absl::StrCat("&cursor=", cursor))});
    lines += page.touchpoints_size();
    cursor = page.next_cursor();
  } while (!cursor.empty());
  return lines;
}

void MeasureMerge(Process* process, int touchpoints) {
  HttpClient client;
  const std::string clients = process->address() + "/v1/clients/";
  const absl::Time begin = absl::Now();
  const auto accepted = Read<query::v1::MergeAccepted>(
      &client,
      {.method = "POST", .url = clients + "absorbed/merge", .body = R"({"into": "survivor"})"});
  const std::string merge = absl::StrCat(process->address(), "/v1/merges/", accepted.merge_id());
  while (Read<query::v1::Merge>(&client, {.url = merge}).state() != query::v1::MERGE_STATE_DONE) {
    absl::SleepFor(kAskEvery);
  }
  const absl::Duration told = absl::Now() - begin;
  std::string ends;
  for (int i = 0; i < kPartitions; ++i) {
    const auto marks = process->log().GetWatermarks("touchpoints", Partition(i));
    absl::StrAppend(&ends, "&wait_for=", FormatPosition({Partition(i), marks->end - 1}));
  }
  Fetch(&client, {.url = absl::StrCat(clients, "survivor/timeline?limit=1", ends)});
  const absl::Duration shown = absl::Now() - begin;
  RAPPORT_CHECK(CountLines(&client, clients + "survivor") == 2 * touchpoints);
  std::printf(
      "two clients of %d touchpoints each merged, beside %d of others: told anew after %.2f s, in "
      "the timeline after %.2f s\n",
      touchpoints, kOtherTouchpoints, absl::ToDoubleSeconds(told), absl::ToDoubleSeconds(shown));
}

void Run(int seconds, int mails, int merged) {
  std::unique_ptr<MailServer> server;
  if (mails > 0) {
    auto started = MailServer::Start();
    RAPPORT_CHECK(started.ok(), started.status().ToString());
    server = *std::move(started);
  }
  Process process(server.get(), merged);
  if (seconds > 0) MeasureCallbacks(&process, seconds);
  if (mails > 0) MeasureMails(&process, server.get(), mails);
  if (merged > 0) MeasureMerge(&process, merged);
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  int seconds = 20;
  int mails = 20;
  int merged = 10'000;
  const bool read = (argc < 2 || absl::SimpleAtoi(argv[1], &seconds)) &&
                    (argc < 3 || absl::SimpleAtoi(argv[2], &mails)) &&
                    (argc < 4 || absl::SimpleAtoi(argv[3], &merged));
  if (!read || seconds < 0 || mails < 0 || merged < 0) {
    std::fprintf(stderr, "usage: sources_bench [SECONDS [MAILS [TOUCHPOINTS]]]\n");
    return 2;
  }
  rapport::Run(seconds, mails, merged);
}
