#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/import/importer.h"
#include "libs/mail/mail.h"
#include "libs/mail/mbox.h"
#include "libs/projector/testing/fixture.h"
#include "libs/sources/source_file.h"
#include "libs/telephony/cdr_parser.h"

// How many rows of a CDR file and how many mails are imported in a second of processor time of the
// whole process, from the file to touchpoints on disk in the embedded log, each beside what only
// parsing it, and only appending what became of it, takes; without the projections, which fold them
// at their own speed. Every caller and writer is unknown, and becomes a provisional client.
// RAPPORT_MAIL_CORPUS names a folder of mails.

namespace rapport {
namespace {

constexpr int kCalls = 150'000;
constexpr int kCallers = 20'000;
constexpr int kMails = 6000;
constexpr int kPartitions = 4;
constexpr size_t kBatch = 8192;

// Of the processor, so that other work on the machine does not count.
double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class NobodyIsKnown final : public ClientFinder {
 public:
  absl::Status Resolve(ContactDraft* draft) override {
    if (draft->identifiers.empty()) return absl::InvalidArgumentError("nobody");
    draft->touchpoint.set_client_id(ProvisionalClientId(draft->identifiers.front()));
    return absl::OkStatus();
  }
};

// Calls of one to three rows, as a queue and a ring-all group give them; the number of rows.
int64_t WriteCalls(const std::string& path) {
  std::ofstream file(path);
  int64_t rows = 0;
  for (int i = 0; i < kCalls; ++i) {
    const int64_t at = 1'741'600'000 + i * 7;
    const auto time = [&](int64_t seconds) {
      return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(at + seconds),
                              absl::UTCTimeZone());
    };
    const std::string number = absl::StrCat("0309", 1'000'000 + i % kCallers);
    for (int row = 0; row <= i % 3; ++row) {
      const bool answered = row == i % 3;
      file << absl::StrCat(R"("",")", number, R"(","500","from-trunk","""Caller )", i, R"("" <)",
                           number, R"(>","PJSIP/trunk-)", i, R"(","PJSIP/2)", row + 10, "-", i,
                           R"(","Queue","support,tT,,,120",")", time(0), "\",")
           << absl::StrCat(answered ? absl::StrCat("\"", time(12), "\"") : "", ",\"", time(90),
                           "\",90,", answered ? 78 : 0, ",\"", answered ? "ANSWERED" : "NO ANSWER",
                           R"(","DOCUMENTATION",")", at, ".", i, R"(","","",")", at, ".", i, "\",",
                           rows++, "\n");
    }
  }
  return rows;
}

// The mails of the corpus, again and again, as one mbox; how many.
int64_t WriteMails(const std::string& path) {
  const char* const corpus = std::getenv("RAPPORT_MAIL_CORPUS");
  const std::string folder = corpus == nullptr ? RAPPORT_MAIL_TESTDATA : corpus;
  std::vector<std::string> mails;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".eml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    mails.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  RAPPORT_CHECK(!mails.empty(), "no mails in ", folder);
  std::ofstream file(path, std::ios::binary);
  for (int i = 0; i < kMails; ++i) {
    file << "From MAILER-DAEMON Mon Mar  2 10:00:00 2026\n"
         << mails[static_cast<size_t>(i) % mails.size()] << "\n\n";
  }
  return kMails;
}

config::v1::Source CallCenter() {
  config::v1::Source source;
  source.set_name("pbx");
  source.set_time_zone("Europe/Berlin");
  source.mutable_asterisk_cdr()->set_further_columns("uniqueid,userfield,linkage");
  return source;
}

config::v1::Source Mailbox() {
  config::v1::Source source;
  source.set_name("info");
  source.set_time_zone("UTC");
  source.mutable_maildir()->set_path("/");
  return source;
}

// Seconds of the processor that parsing the file alone takes.
double ParseCalls(const std::string& path) {
  CallSource source{.source = "pbx", .system = "pbx"};
  RAPPORT_CHECK(absl::LoadTimeZone("Europe/Berlin", &source.time_zone), "time zone");
  CdrParser parser(source, {.unique_id = true, .user_field = true, .linkage = true});
  std::ifstream file(path);
  const double begin = CpuSeconds();
  for (std::string line; std::getline(file, line);) {
    RAPPORT_CHECK(parser.Parse(line, {}).ok(), line);
  }
  return CpuSeconds() - begin;
}

double ParseMails(const std::string& path) {
  const auto mails = OpenMails(path);
  RAPPORT_CHECK(mails.ok(), mails.status().ToString());
  const double begin = CpuSeconds();
  while (true) {
    const auto mail = (*mails)->Next();
    RAPPORT_CHECK(mail.ok(), mail.status().ToString());
    if (!mail->has_value()) break;
    RAPPORT_CHECK(ParseMail((*mail)->bytes).ok(), "mail");
  }
  return CpuSeconds() - begin;
}

// Seconds of the processor that appending all touchpoints of `from` to another log takes.
double AppendAgain(EventLog* from) {
  std::vector<Record> records;
  for (int i = 0; i < kPartitions; ++i) {
    const auto marks = from->GetWatermarks("touchpoints", Partition(i));
    const auto reader = from->OpenReader("touchpoints", Partition(i), Offset(0));
    RAPPORT_CHECK(marks.ok() && reader.ok(), "the log");
    while ((*reader)->position() < marks->end) {
      const auto views = (*reader)->Read(kBatch, absl::ZeroDuration());
      RAPPORT_CHECK(views.ok(), views.status().ToString());
      for (const RecordView& view : *views) {
        records.push_back({.key = std::string(view.key),
                           .value = std::string(view.value),
                           .headers = (*reader)->Headers(view),
                           .timestamp = view.timestamp,
                           .partition = Partition(i)});
      }
    }
  }
  const testing::TempFolder folder;
  const auto log = *OpenEmbeddedLog({.folder = folder / "log"});
  RAPPORT_CHECK(log->CreateTopic("touchpoints", kPartitions).ok(), "topic");
  const double begin = CpuSeconds();
  for (absl::Span<const Record> rest = records; !rest.empty();) {
    const auto batch = rest.subspan(0, kBatch);
    RAPPORT_CHECK(log->Append("touchpoints", batch).ok(), "append");
    rest.remove_prefix(batch.size());
  }
  return CpuSeconds() - begin;
}

void Import(const char* what, int64_t items, const config::v1::Source& source,
            const std::string& path, double parsing) {
  const testing::TempFolder folder;
  const auto log = *OpenEmbeddedLog({.folder = folder / "log"});
  for (const char* const topic : {"touchpoints", "rejected"}) {
    RAPPORT_CHECK(log->CreateTopic(topic, kPartitions).ok(), topic);
  }
  config::v1::Sources config;
  config.mutable_identity()->set_default_region("DE");
  config.mutable_identity()->add_own_domains("ours.example");
  const auto rules = MakeIdentityRules(config.identity());
  RAPPORT_CHECK(rules.ok(), rules.status().ToString());
  const auto agents = AgentDirectory::Create(config, rules->forms.e_mail);
  RAPPORT_CHECK(agents.ok(), agents.status().ToString());
  NobodyIsKnown clients;
  ImportFile file{.path = path};
  file.open = [&](const std::string& opened, absl::Time now) {
    return OpenSourceFile(source, opened,
                          {.rules = &*rules, .agents = &*agents, .clients = &clients, .now = now});
  };
  const absl::Time start = absl::Now();
  const double begin = CpuSeconds();
  const auto summary = ImportFiles(log.get(), {file}, {.now = absl::Now()});
  const double took = CpuSeconds() - begin;
  const double wall = absl::ToDoubleSeconds(absl::Now() - start);
  RAPPORT_CHECK(summary.ok(), summary.status().ToString());
  const double appending = AppendAgain(log.get());
  const auto count = static_cast<double>(items);
  fmt::print(
      "{} {} imported as {} touchpoints: {:.0f} {}/s core, {:.0f} {}/s wall; {:.2f} x parsing them "
      "alone ({:.0f}/s core), {:.2f} x appending their touchpoints alone ({:.0f}/s core)\n",
      items, what, summary->touchpoints, count / took, what, count / wall, what, parsing / took,
      count / parsing, appending / took, count / appending);
}

void Run() {
  const testing::TempFolder folder;
  const std::string calls = folder / "Master.csv";
  const int64_t rows = WriteCalls(calls);
  Import("rows", rows, CallCenter(), calls, ParseCalls(calls));
  const std::string mbox = folder / "mails.mbox";
  const int64_t mails = WriteMails(mbox);
  Import("mails", mails, Mailbox(), mbox, ParseMails(mbox));
}

}  // namespace
}  // namespace rapport

int main() { rapport::Run(); }
