#include "tests/faults/pbx_sender.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "tests/faults/people.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int64_t kFirstCall = 1772442000;  // 2026-03-02 09:00 UTC
constexpr char kSystem[] = "office";

// One row of the CDR file: what differs from call to call.
struct Row {
  std::string from;
  std::string to = "300102";
  std::string channel = "PJSIP/trunk-00000001";
  std::string to_channel;
  std::string application;
  int64_t start = 0;   // unix s, as all times
  int64_t answer = 0;  // 0: never
  int64_t end = 0;
  std::string disposition = "ANSWERED";
  std::string unique_id;
  std::string linked_id;
  int64_t sequence = 0;
};

std::string TimeText(int64_t unix_seconds) {
  if (unix_seconds == 0) return "";
  return absl::FormatTime("\"%Y-%m-%d %H:%M:%S\"", absl::FromUnixSeconds(unix_seconds),
                          absl::UTCTimeZone());
}

std::string RowText(const Row& row) {
  return absl::StrCat(
      absl::Substitute(R"("","$0","$1","trunk-in","""$0"" <$0>","$2","$3","$4","$5")", row.from,
                       row.to, row.channel, row.to_channel, row.application,
                       row.application == "Queue" ? "support,tT,,,120" : ""),
      ",", TimeText(row.start), ",", TimeText(row.answer), ",", TimeText(row.end), ",",
      row.end - row.start, ",", row.answer == 0 ? 0 : row.end - row.answer,
      absl::Substitute(R"(,"$0","DOCUMENTATION","$1","","","$2",$3)", row.disposition,
                       row.unique_id, row.linked_id, row.sequence));
}

}  // namespace

GrowingFile::GrowingFile(std::string path)
    : path_(std::move(path)), file_(path_, std::ios::app | std::ios::binary) {}

void GrowingFile::Write(absl::string_view line, Random& random) {
  const std::string text = absl::StrCat(line, "\n");
  const absl::string_view rest = text;
  const auto place = [&] { return static_cast<size_t>(random.Below(std::ssize(text))); };
  std::vector<size_t> cuts = {0, place(), place(), text.size()};
  if (random.Chance(50)) cuts = {0, text.size()};
  if (rotate_) cuts = {0, text.size() / 2, text.size()};
  std::sort(cuts.begin(), cuts.end());
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    file_ << rest.substr(cuts[i], cuts[i + 1] - cuts[i]) << std::flush;
    if (i == 0 && rotate_) {
      std::filesystem::rename(path_, absl::StrCat(path_, "-", ++rotations_));
    }
  }
  if (!rotate_) return;
  file_ = std::ofstream(path_, std::ios::app | std::ios::binary);
  rotate_ = false;
}

PbxSender::PbxSender(const std::string& cdr_path, const std::string& queue_path, uint64_t seed,
                     SentContacts* sent)
    : sent_(sent), cdr_(cdr_path), queue_log_(queue_path), random_(seed) {
  thread_ = std::thread([this] { Run(); });
}

void PbxSender::Stop() {
  wait_.Stop();
  if (thread_.joinable()) thread_.join();
}

void PbxSender::Run() {
  while (wait_.For(absl::Milliseconds(5 + random_.Below(60)))) {
    // Rows of several calls come mixed, those of each file in their order.
    std::vector<Lines> calls;
    for (int64_t i = 1 + random_.Below(3); i > 0; --i) calls.push_back(MakeCall());
    while (!calls.empty()) {
      const auto call = calls.begin() + random_.Below(std::ssize(calls));
      if (call->empty()) {
        calls.erase(call);
        continue;
      }
      const auto [file, line] = call->front();
      call->erase(call->begin());
      file->Write(line, random_);
    }
  }
}

PbxSender::Lines PbxSender::MakeCall() {
  const int64_t number = calls_++;
  const Person person(static_cast<int>(random_.Below(Person::kCount)));
  const int64_t begin = kFirstCall + 60 * number;
  const int64_t talk = 1 + random_.Below(900);
  const std::string id = absl::StrCat(begin, ".", number);
  Row row{.from = person.dialled, .start = begin, .unique_id = id, .linked_id = id};
  Touchpoint expected;
  touchpoint::v1::CallCompleted& call = *expected.mutable_call_completed();
  call.set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  call.set_talk_seconds(static_cast<int32_t>(talk));
  std::vector<Row> rows;
  std::vector<std::string> steps;
  const auto step = [&](int64_t after, absl::string_view text) {
    steps.push_back(absl::StrCat(begin + after, "|", id, "|support|", text));
  };
  switch (random_.Below(5)) {
    case 0:  // somebody answers
      row.to_channel = "SIP/201-0000000b";
      row.application = "Dial";
      row.answer = begin + 5;
      row.end = row.answer + talk;
      rows = {row};
      call.set_wait_seconds(5);
      expected.set_agent_id("ben");
      break;
    case 1:  // to a queue, which is answered after a while
      row.to_channel = "PJSIP/201-00000002";
      row.application = "Queue";
      row.answer = begin;
      row.end = begin + 22 + talk;
      rows = {row};
      step(2, absl::StrCat("NONE|ENTERQUEUE||", person.dialled, "|1"));
      step(12, "Bert Cole|RINGNOANSWER|5000");
      step(22, absl::StrCat("Bert Cole|CONNECT|20|", begin + 18, ".", number, "9|4"));
      step(22 + talk, absl::StrCat("Bert Cole|COMPLETECALLER|20|", talk, "|1"));
      call.set_queue("support");
      call.set_wait_seconds(20);
      expected.set_agent_id("ben");
      break;
    case 2:  // to a queue, and gives up
      row.application = "Queue";
      row.answer = begin;
      row.end = begin + 45;
      rows = {row};
      step(0, absl::StrCat("NONE|ENTERQUEUE||", person.dialled, "|1"));
      step(45, "NONE|ABANDON|1|1|45");
      call.set_queue("support");
      call.set_outcome(touchpoint::v1::CALL_OUTCOME_ABANDONED);
      call.set_wait_seconds(45);
      call.set_talk_seconds(0);
      break;
    case 3:  // passed on to somebody else
      row.to_channel = "SIP/201-00000008";
      row.application = "Dial";
      row.answer = begin + 4;
      row.end = row.answer + 30;
      row.sequence = 1;
      rows = {row, row};
      rows[1].to_channel = "SIP/202-00000009";
      rows[1].start = rows[1].answer = row.end;
      rows[1].end = row.end + talk;
      rows[1].sequence = 2;
      call.set_wait_seconds(4);
      call.set_talk_seconds(static_cast<int32_t>(30 + talk));
      call.set_transfer_count(1);
      expected.set_agent_id("eva");
      break;
    default:  // somebody answers behind a local channel, whose leg has an id of its own
      row.to_channel = "Local/ch1@Delay-00000006;1";
      row.application = "Dial";
      row.answer = row.end = begin + 6;
      row.sequence = 1;
      rows = {row, row, row};
      rows[1].unique_id = absl::StrCat(begin, ".", number, "2");
      rows[1].channel = "Local/ch1@Delay-00000006;2";
      rows[1].to_channel = "SIP/201-00000012";
      rows[1].sequence = 2;
      rows[2].to_channel = "SIP/201-00000012";
      rows[2].start = rows[2].answer = begin + 6;
      rows[2].end = begin + 6 + talk;
      rows[2].sequence = 3;
      call.set_wait_seconds(6);
      expected.set_agent_id("ben");
  }
  expected.set_source(kSystem);
  expected.set_source_event_id(absl::StrCat("call/", id));
  ToProto(absl::FromUnixSeconds(begin), expected.mutable_occurred_at());
  call.set_client_phone(person.phone);
  sent_->Add(person.caller, ContactLine(expected));

  Lines lines;
  for (const Row& leg : rows) lines.emplace_back(&cdr_, RowText(leg));
  const auto at = lines.begin() + random_.Below(std::ssize(lines) + 1);
  std::vector<std::pair<GrowingFile*, std::string>> told;
  for (const std::string& text : steps) told.emplace_back(&queue_log_, text);
  sent_->Count("pbx", std::ssize(rows));
  // Lines that tell nothing of a call; the ringing of somebody who does not answer is a step.
  int64_t skipped = 0;
  if (random_.Chance(10)) {
    told.emplace_back(&queue_log_, absl::StrCat(begin, "|NONE|support|Bert Cole|PAUSE|lunch"));
    ++skipped;
  }
  if (!told.empty()) sent_->Count("queues", std::ssize(told), skipped);
  lines.insert(at, told.begin(), told.end());
  return lines;
}

}  // namespace rapport::testing
