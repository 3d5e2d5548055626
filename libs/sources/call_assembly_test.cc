#include "libs/sources/call_assembly.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/sources/open_calls.h"
#include "libs/sources/source_ledger.h"
#include "libs/telephony/call_record.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/queue_log_parser.h"
#include "libs/touchpoint/identity.h"
#include "tests/support/faulty_log.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

constexpr char kTopic[] = "sources";
const absl::Time kStart = absl::FromUnixSeconds(1'741'600'000);

// Keeps what was written; fails by order, before or after.
class KeepingSink : public ContactSink {
 public:
  absl::Status Write(absl::Span<const OfferedContact> contacts, RefusedContacts* refused) override {
    if (random() % 100 < fails_before) return absl::UnavailableError("before (injected)");
    for (size_t i = 0; i < contacts.size(); ++i) {
      written.push_back(contacts[i]);
      if (contacts[i].draft.touchpoint.source_event_id() == refuses) refused->insert(i);
    }
    if (random() % 100 < fails_after) return absl::UnavailableError("after (injected)");
    return absl::OkStatus();
  }

  std::mt19937 random{3};
  unsigned fails_before = 0;
  unsigned fails_after = 0;
  std::string refuses;  // source_event_id
  std::vector<OfferedContact> written;
};

// A call through the queue: taken after 20 s, talked for 60 s. Ids and numbers differ with `i`.
std::vector<SourceRecord> QueuedCall(int i) {
  const int64_t at = absl::ToUnixSeconds(kStart) + i * 100;
  const std::string id = absl::StrCat(at, ".", i);
  const std::string number = absl::StrCat("0309000", 1000 + i);
  const auto local = [](int64_t seconds) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(seconds),
                            absl::UTCTimeZone());
  };
  const std::string row = absl::StrCat(
      R"("",")", number, R"(","500","in","","PJSIP/trunk-1","PJSIP/201-2","Queue","support,t",")",
      local(at), R"(",")", local(at), R"(",")", local(at + 80),
      R"(",80,80,"ANSWERED","DOCUMENTATION",")", id, R"(","","",")", id, R"(",)", i);
  const CallSource source{.source = "pbx", .system = "office"};
  CdrParser parser(source, {.unique_id = true, .user_field = true, .linkage = true});
  std::vector<SourceRecord> records;
  const auto add = [&](absl::StatusOr<SourceRecord> record) {
    EXPECT_OK(record);
    if (record.ok()) records.push_back(*std::move(record));
  };
  const std::vector<std::string> lines = {
      absl::StrCat(at, "|", id, "|support|NONE|ENTERQUEUE||", number, "|1"),
      absl::StrCat(at + 20, "|", id, "|support|Bert|CONNECT|20|", at + 15, ".", i, "9|4"),
      absl::StrCat(at + 80, "|", id, "|support|Bert|COMPLETEAGENT|20|60|1")};
  for (size_t line = 0; line < lines.size(); ++line) {
    add(ParseQueueLogLine(lines[line], "f", i * 1000 + static_cast<int64_t>(line), source, kStart));
  }
  add(parser.Parse(row, kStart));
  return records;
}

SourceRecord Status(int sequence, source::v1::CallPhase phase, absl::Time at, int seconds = 0) {
  SourceRecord record;
  record.set_source("twilio");
  record.set_record_id(absl::StrCat("CA1:", sequence));
  record.mutable_call_fact()->set_system("cloud");
  record.mutable_call_fact()->set_call_id("CA1");
  auto* status = record.mutable_call_fact()->mutable_status();
  status->set_sequence(sequence);
  ToProto(at, status->mutable_at());
  status->set_phase(phase);
  if (phase == source::v1::CALL_PHASE_ENDED) {
    status->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  }
  status->set_direction(touchpoint::v1::DIRECTION_INBOUND);
  status->set_from("+4930900001");
  status->set_to("+49305550");
  status->set_duration_seconds(seconds);
  return record;
}

// What the ledger counts of all sources.
query::v1::SourceLedger Total(EventLog* log) {
  SourceLedger ledger;
  const absl::StatusOr<int> partitions = log->PartitionCount(kTopic);
  EXPECT_OK(partitions);
  for (int i = 0; i < partitions.value_or(0); ++i) {
    const auto reader = log->OpenReader(kTopic, Partition(i), Offset(0));
    EXPECT_OK(reader);
    for (bool any = true; any;) {
      const auto views = (*reader)->Read(1000, absl::ZeroDuration());
      EXPECT_OK(views);
      any = views.ok() && !views->empty();
      for (const RecordView& view : any ? *views : absl::Span<const RecordView>()) {
        SourceRecord record;
        EXPECT_TRUE(record.ParseFromArray(view.value.data(), static_cast<int>(view.value.size())));
        ledger.Count(record, Partition(i), view.offset);
      }
    }
  }
  query::v1::SourceLedger total;
  for (const query::v1::SourceLedger& shown : ledger.Show(kStart)) {
    total.set_received(total.received() + shown.received());
    total.set_duplicates(total.duplicates() + shown.duplicates());
    total.set_written(total.written() + shown.written());
    total.set_pending(total.pending() + shown.pending());
    total.set_skipped(total.skipped() + shown.skipped());
    total.set_rejected(total.rejected() + shown.rejected());
    total.set_late(total.late() + shown.late());
  }
  return total;
}

class CallAssemblyTest : public ::testing::Test {
 protected:
  CallAssemblyTest() : real_log_(NewInMemoryEventLog()), log_(real_log_.get(), 5) {}

  void CreateTopic(int partitions) { ASSERT_OK(real_log_->CreateTopic(kTopic, partitions)); }

  void Append(const std::vector<SourceRecord>& records) {
    std::vector<Record> encoded;
    for (SourceRecord record : records) {
      ToProto(now_, record.mutable_received_at());
      const auto& fact = record.call_fact();
      encoded.push_back({.key = CallKey(fact.system(), fact.call_id()),
                         .value = record.SerializeAsString(),
                         .timestamp = now_});
    }
    ASSERT_OK(real_log_->Append(kTopic, encoded).status());
  }

  std::unique_ptr<CallAssembly> Open(const std::string& member = "one") {
    CallAssembly::Options options;
    options.member = member;
    options.rules.timeout = [](absl::string_view) { return absl::Hours(4); };
    options.rules.queue_steps_expected = [](absl::string_view system) {
      return system == "office";
    };
    options.now = [this] { return now_; };
    config::v1::Sources config;
    config::v1::Agent* agent = config.add_agents();
    agent->set_agent_id("bert");
    agent->add_extensions("201");
    auto agents = AgentDirectory::Create(config, {});
    EXPECT_OK(agents);
    options.agents = *agents;
    auto assembly = CallAssembly::Open(&log_, &sink_, std::move(options));
    EXPECT_OK(assembly);
    return assembly.ok() ? *std::move(assembly) : nullptr;
  }

  // Until nothing is left to be read or decided on at this time.
  void Settle(CallAssembly* assembly) {
    for (int quiet = 0; quiet < 100;) {
      const size_t before = sink_.written.size();
      ASSERT_OK(assembly->Step(absl::ZeroDuration()));
      quiet = sink_.written.size() == before ? quiet + 1 : 0;
    }
  }

  // What readers keep: of each event id, one; and how often it was corrected.
  std::map<std::string, Touchpoint> Kept() const {
    std::map<std::string, Touchpoint> kept;
    for (const OfferedContact& contact : sink_.written) {
      const Touchpoint& touchpoint = contact.draft.touchpoint;
      const auto [it, added] = kept.emplace(touchpoint.source_event_id(), touchpoint);
      if (!added) {
        EXPECT_EQ(it->second.ShortDebugString(), touchpoint.ShortDebugString());
      }
    }
    return kept;
  }

  absl::Time now_ = kStart;
  const std::unique_ptr<EventLog> real_log_;
  testing::FaultyLog log_;
  KeepingSink sink_;
};

TEST_F(CallAssemblyTest, TheFactsOfACallBecomeOneContact) {
  CreateTopic(1);
  const auto assembly = Open();
  Append(QueuedCall(0));
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, IsEmpty()) << "more may follow at once";
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1));
  const OfferedContact& contact = sink_.written[0];
  EXPECT_EQ(contact.source, "pbx");
  EXPECT_EQ(contact.skipped_because, "");
  EXPECT_THAT(contact.draft.identifiers,
              ElementsAre(Identifier{touchpoint::v1::IDENTIFIER_KIND_PHONE,
                                     "+49309000100"
                                     "0"}));
  const Touchpoint& touchpoint = contact.draft.touchpoint;
  EXPECT_EQ(touchpoint.source(), "office");
  EXPECT_EQ(touchpoint.source_event_id(), "call/1741600000.0");
  EXPECT_EQ(FromProto(touchpoint.occurred_at()), kStart);
  EXPECT_EQ(touchpoint.direction(), touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_EQ(touchpoint.agent_id(), "bert");
  EXPECT_EQ(touchpoint.call_completed().ShortDebugString(),
            "queue: \"support\" wait_seconds: 20 talk_seconds: 60 outcome: CALL_OUTCOME_ANSWERED "
            "client_phone: \"+493090001000\" call_id: \"1741600000.0\"");
}

TEST_F(CallAssemblyTest, WhatIsReceivedAgainChangesNothing) {
  CreateTopic(2);
  auto assembly = Open();
  Append(QueuedCall(0));
  Append(QueuedCall(0));
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1));
  Append(QueuedCall(0));
  now_ += absl::Minutes(1);
  Settle(assembly.get());
  ASSERT_OK(assembly->Close());
  assembly = Open();
  Append(QueuedCall(0));
  now_ += absl::Minutes(1);
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, SizeIs(1));
  EXPECT_EQ(assembly->calls(), 1u);
  now_ += absl::Hours(7);
  Settle(assembly.get());
  EXPECT_EQ(assembly->calls(), 0u) << "forgotten after the correction window";
}

TEST_F(CallAssemblyTest, AnIncompleteCallIsWrittenAfterItsTimeOutAndCorrectedLater) {
  CreateTopic(1);
  auto assembly = Open();
  const std::vector<SourceRecord> call = QueuedCall(0);
  Append({call[0], call[1]});
  now_ += absl::Hours(4) - absl::Seconds(1);
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, IsEmpty());
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1));
  const Touchpoint first = sink_.written[0].draft.touchpoint;
  EXPECT_TRUE(first.call_completed().incomplete());
  EXPECT_EQ(first.call_completed().talk_seconds(), 0);

  // Another takes over before the rest comes.
  ASSERT_OK(assembly->Close());
  assembly = Open("two");
  now_ += absl::Minutes(5);
  Append({call[2], call[3]});
  now_ += absl::Seconds(1);
  const absl::Time decided = now_;
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(2));
  const Touchpoint& correction = sink_.written[1].draft.touchpoint;
  EXPECT_EQ(correction.source_event_id(),
            absl::StrCat("call/1741600000.0/correction/", absl::ToUnixMicros(decided)));
  EXPECT_EQ(correction.touchpoint_corrected().revision(), absl::ToUnixMicros(decided));
  EXPECT_THAT(sink_.written[1].draft.identifiers, SizeIs(1));
  Touchpoint corrected;
  ASSERT_TRUE(corrected.ParseFromString(correction.touchpoint_corrected().correction()));
  EXPECT_EQ(corrected.event_id(), MakeEventId("office", "call/1741600000.0").view());
  EXPECT_FALSE(corrected.call_completed().incomplete());
  EXPECT_EQ(corrected.call_completed().talk_seconds(), 60);
  EXPECT_EQ(corrected.source_event_id(), first.source_event_id());
}

// The rest of a call may come between the look that decides on it and the decision's record: the
// call is whole then, and so must be what is told of it.
TEST_F(CallAssemblyTest, ADecisionIsCorrectedThatFactsCameBefore) {
  OpenCalls calls({.is_ours = [](absl::string_view) { return false; },
                   .timeout = [](absl::string_view) { return absl::Hours(4); },
                   .queue_steps_expected = [](absl::string_view) { return true; }});
  const std::vector<SourceRecord> call = QueuedCall(0);
  calls.Apply(call[0], Offset(0), kStart);
  const std::vector<source::v1::CallDecided> early = calls.TakeDue(kStart + absl::Hours(4));
  ASSERT_THAT(early, SizeIs(1));
  EXPECT_TRUE(early[0].incomplete());
  for (int i = 1; i < 4; ++i) calls.Apply(call[static_cast<size_t>(i)], Offset(i), kStart);
  SourceRecord record;
  *record.mutable_call_decided() = early[0];
  const std::optional<DecidedCall> decided = calls.Apply(record, Offset(4), kStart);
  ASSERT_TRUE(decided.has_value());
  EXPECT_TRUE(decided->assembled.complete);

  const std::vector<source::v1::CallDecided> late = calls.TakeDue(kStart + absl::Hours(4));
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_FALSE(late[0].incomplete());
  EXPECT_EQ(late[0].revision(), 1);
  *record.mutable_call_decided() = late[0];
  EXPECT_FALSE(calls.Apply(record, Offset(5), kStart).has_value()) << "nothing new to be written";
  EXPECT_THAT(calls.TakeDue(kStart + absl::Hours(4)), IsEmpty());
}

TEST_F(CallAssemblyTest, ALagNeverMakesACallIncomplete) {
  CreateTopic(1);
  const std::vector<SourceRecord> call = QueuedCall(0);
  for (const SourceRecord& record : call) {
    Append({record});
    now_ += absl::Hours(3);
  }
  now_ += absl::Hours(100);
  const auto assembly = Open();
  log_.set_faults({.read_short = 90});
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1));
  EXPECT_FALSE(sink_.written[0].draft.touchpoint.call_completed().incomplete());
}

TEST_F(CallAssemblyTest, StatesOutOfOrderBecomeOneCallAtOnce) {
  CreateTopic(1);
  const auto assembly = Open();
  Append({Status(3, source::v1::CALL_PHASE_ENDED, kStart + absl::Seconds(70), 60)});
  Append({Status(1, source::v1::CALL_PHASE_RINGING, kStart + absl::Seconds(1)),
          Status(0, source::v1::CALL_PHASE_STARTED, kStart),
          Status(2, source::v1::CALL_PHASE_ANSWERED, kStart + absl::Seconds(10))});
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1)) << "no time had to pass";
  EXPECT_EQ(sink_.written[0].draft.touchpoint.call_completed().ShortDebugString(),
            "wait_seconds: 10 talk_seconds: 60 outcome: CALL_OUTCOME_ANSWERED "
            "client_phone: \"+4930900001\" call_id: \"CA1\"");
  EXPECT_EQ(FromProto(sink_.written[0].draft.touchpoint.occurred_at()), kStart);
}

TEST_F(CallAssemblyTest, AStateThatTheEndOvertookIsWaitedForAMoment) {
  CreateTopic(1);
  const auto assembly = Open();
  const SourceRecord started = Status(0, source::v1::CALL_PHASE_STARTED, kStart);
  const SourceRecord answered =
      Status(1, source::v1::CALL_PHASE_ANSWERED, kStart + absl::Seconds(10));
  const SourceRecord ended =
      Status(2, source::v1::CALL_PHASE_ENDED, kStart + absl::Seconds(70), 60);
  Append({started, ended});
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, IsEmpty());
  Append({answered});
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, SizeIs(1)) << "all of it is there";

  // One that never comes holds up nothing.
  std::vector<SourceRecord> other = {started, ended};
  for (SourceRecord& record : other) record.mutable_call_fact()->set_call_id("CA2");
  Append(other);
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, SizeIs(1));
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, SizeIs(2));
}

TEST_F(CallAssemblyTest, CallsAmongOurselvesAndWithNobodyAreCountedAndNotWritten) {
  CreateTopic(1);
  const auto assembly = Open();
  std::vector<SourceRecord> call = QueuedCall(0);
  for (SourceRecord& record : call) {
    if (record.call_fact().has_leg()) record.mutable_call_fact()->mutable_leg()->set_from("201");
  }
  Append(call);
  call = QueuedCall(1);
  for (SourceRecord& record : call) {
    auto* fact = record.mutable_call_fact();
    if (fact->has_leg()) fact->mutable_leg()->set_from("anonymous");
  }
  Append(call);
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(2));
  EXPECT_EQ(sink_.written[0].skipped_because, "a call among ourselves");
  EXPECT_EQ(sink_.written[1].skipped_because, "no number of the other side is known");
}

TEST_F(CallAssemblyTest, TheLedgerTellsWhatWasRefusedOrSkipped) {
  CreateTopic(1);
  auto assembly = Open();
  std::vector<SourceRecord> among_ourselves = QueuedCall(1);
  for (SourceRecord& record : among_ourselves) {
    if (record.call_fact().has_leg()) record.mutable_call_fact()->mutable_leg()->set_from("201");
  }
  const std::vector<SourceRecord> refused = QueuedCall(2);
  sink_.refuses = absl::StrCat("call/", refused[0].call_fact().call_id());
  // Whoever died before the outcome was in the log leaves it to who comes next.
  for (int times = 0; times < 2; ++times) {
    Append(QueuedCall(0));
    Append(among_ourselves);
    Append(refused);
    now_ += absl::Seconds(1);
    Settle(assembly.get());
    const query::v1::SourceLedger total = Total(real_log_.get());
    EXPECT_EQ(total.received(), 12 * (times + 1));
    EXPECT_EQ(total.duplicates(), 12 * times);
    EXPECT_EQ(total.written(), 4);
    EXPECT_EQ(total.skipped(), 4);
    EXPECT_EQ(total.rejected(), 4);
    EXPECT_EQ(total.pending(), 0);
    ASSERT_OK(assembly->Close());
    assembly = Open("two");
  }
}

TEST_F(CallAssemblyTest, OutcomesAreToldThatTheLogDidNotTake) {
  CreateTopic(1);
  const auto assembly = Open();
  std::vector<SourceRecord> call = QueuedCall(0);
  sink_.refuses = absl::StrCat("call/", call[0].call_fact().call_id());
  Append(call);
  now_ += absl::Seconds(1);
  // Reads the facts, and decides.
  ASSERT_OK(assembly->Step(absl::ZeroDuration()));
  log_.set_faults({.append_before = 100});
  ASSERT_THAT(assembly->Step(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kUnavailable, ::testing::_));
  ASSERT_THAT(sink_.written, SizeIs(1));
  log_.set_faults({});
  Settle(assembly.get());
  EXPECT_THAT(sink_.written, SizeIs(1)) << "it is not offered again";
  EXPECT_EQ(Total(real_log_.get()).rejected(), 4);
  EXPECT_EQ(Total(real_log_.get()).written(), 0);
}

TEST_F(CallAssemblyTest, FactsThatChangeNothingAreCountedSoon) {
  CreateTopic(1);
  auto assembly = Open();
  Append(QueuedCall(0));
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  // The same leg, as another source of the system tells it.
  std::vector<SourceRecord> again = QueuedCall(0);
  again[3].set_source("ami");
  again[3].set_record_id("ami/1");
  Append({again[3]});
  Settle(assembly.get());
  EXPECT_EQ(Total(real_log_.get()).pending(), 1);
  now_ += absl::Seconds(1);
  Settle(assembly.get());
  EXPECT_EQ(Total(real_log_.get()).pending(), 0);
  EXPECT_EQ(Total(real_log_.get()).written(), 5);
  EXPECT_THAT(sink_.written, SizeIs(1));
  // Nothing is told twice, by whoever takes over either.
  ASSERT_OK(assembly->Close());
  assembly = Open("two");
  ASSERT_OK_AND_ASSIGN(const Watermarks before, real_log_->GetWatermarks(kTopic, Partition(0)));
  Settle(assembly.get());
  ASSERT_OK_AND_ASSIGN(const Watermarks after, real_log_->GetWatermarks(kTopic, Partition(0)));
  EXPECT_EQ(after, before);
  EXPECT_THAT(sink_.written, SizeIs(1));
}

TEST_F(CallAssemblyTest, AFactAfterTheCorrectionWindowIsCountedAsLate) {
  CreateTopic(1);
  const auto assembly = Open();
  const std::vector<SourceRecord> call = QueuedCall(0);
  Append({call[0], call[1], call[2]});
  now_ += absl::Hours(5);
  Settle(assembly.get());
  ASSERT_THAT(sink_.written, SizeIs(1));
  now_ += absl::Hours(7);
  Settle(assembly.get());
  ASSERT_EQ(assembly->calls(), 0u);
  Append({call[3]});
  now_ += absl::Hours(5);
  Settle(assembly.get());
  const query::v1::SourceLedger total = Total(real_log_.get());
  EXPECT_EQ(total.written(), 3);
  EXPECT_EQ(total.late(), 1);
  EXPECT_EQ(total.pending(), 0);
}

TEST_F(CallAssemblyTest, TwoMembersShareTheCallsAndTakeOver) {
  CreateTopic(4);
  const auto one = Open("one");
  const auto two = Open("two");
  int calls = 0;
  const auto append = [&] {
    for (int i = 0; i < 40; ++i) Append(QueuedCall(calls++));
    now_ += absl::Seconds(1);
  };
  append();
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(one->Step(absl::ZeroDuration()));
    ASSERT_OK(two->Step(absl::ZeroDuration()));
  }
  EXPECT_THAT(Kept(), SizeIs(40));
  EXPECT_GT(one->calls(), 0u);
  EXPECT_GT(two->calls(), 0u);
  append();
  ASSERT_OK(one->Step(absl::ZeroDuration()));
  ASSERT_OK(one->Close());
  Settle(two.get());
  EXPECT_THAT(Kept(), SizeIs(80));
  EXPECT_EQ(two->calls(), 80u);
}

// The log and the sink fail by chance, before and after they have done their work, and the process
// dies at random moments. Every call is written, always with the same content, and never corrected.
TEST_F(CallAssemblyTest, EveryCallOnceWhateverFails) {
  constexpr int kRounds = 60;
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const std::unique_ptr<EventLog> real = NewInMemoryEventLog();
    ASSERT_OK(real->CreateTopic(kTopic, 3));
    testing::FaultyLog faulty(real.get(), seed);
    faulty.set_faults({.append_before = 5,
                       .append_after = 5,
                       .append_in_part = 5,
                       .read_fails = 5,
                       .read_short = 20,
                       .look_fails = 5});
    KeepingSink sink;
    sink.fails_before = 10;
    sink.fails_after = 10;
    std::mt19937 random(seed);
    CallAssembly::Options options;
    options.member = "one";
    options.rules.timeout = [](absl::string_view) { return absl::Hours(4); };
    options.rules.queue_steps_expected = [](absl::string_view) { return true; };
    options.rules.correction_window = absl::Seconds(5);
    options.now = [this] { return now_; };
    std::unique_ptr<CallAssembly> assembly;
    int calls = 0;
    bool dies = true;
    const auto step = [&](absl::Duration patience) {
      if (dies && random() % 15 == 0) assembly.reset();
      if (assembly == nullptr) {
        auto opened = CallAssembly::Open(&faulty, &sink, options);
        if (!opened.ok()) return;
        assembly = *std::move(opened);
      }
      const absl::Status status = assembly->Step(patience);
      if (!status.ok()) {
        ASSERT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, ::testing::_));
      }
    };
    for (int round = 0; round < kRounds; ++round) {
      std::vector<Record> encoded;
      for (int i = 0; i < 5; ++i) {
        for (SourceRecord record : QueuedCall(calls)) {
          ToProto(now_, record.mutable_received_at());
          encoded.push_back({.key = CallKey("office", record.call_fact().call_id()),
                             .value = record.SerializeAsString(),
                             .timestamp = now_});
        }
        ++calls;
      }
      ASSERT_OK(real->Append(kTopic, encoded).status());
      now_ += absl::Milliseconds(400);
      for (int i = 0; i < 12; ++i) step(absl::ZeroDuration());
    }
    now_ += absl::Seconds(2);
    faulty.set_faults({});
    sink.fails_before = sink.fails_after = 0;
    dies = false;
    // The log tries again by itself what failed, after a while.
    query::v1::SourceLedger total;
    for (int i = 0; i < 3000 && total.written() < calls * 4; ++i) {
      for (int j = 0; j < 100; ++j) step(absl::ZeroDuration());
      step(absl::Milliseconds(10));
      total = Total(real.get());
    }
    EXPECT_EQ(total.received(), calls * 4);
    EXPECT_EQ(total.written(), calls * 4);
    EXPECT_EQ(total.pending(), 0);
    sink_.written = sink.written;
    const std::map<std::string, Touchpoint> kept = Kept();
    ASSERT_THAT(kept, SizeIs(calls));
    for (const auto& [id, touchpoint] : kept) {
      ASSERT_EQ(touchpoint.call_completed().talk_seconds(), 60) << id;
      ASSERT_FALSE(touchpoint.call_completed().incomplete()) << id;
    }
  }
}

}  // namespace
}  // namespace rapport
