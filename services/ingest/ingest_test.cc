#include "services/ingest/ingest.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/intake/test_pack.h"
#include "libs/service/http_client.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/samples.h"
#include "rapport/rejected/v1/rejected.pb.h"
#include "rapport/touchpoint/v1/batch.pb.h"
#include "tests/support/faulty_log.h"

namespace rapport {
namespace {

using ::testing::Contains;
using testing::FaultyLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr char kStructured[] = "application/cloudevents+json";
constexpr char kBatch[] = "application/cloudevents-batch+json";

std::string Order(const std::string& id, const std::string& client = "c-1") {
  return absl::StrCat(
      R"({"specversion":"1.0","id":")", id, R"(","source":"shop","subject":")", client,
      R"(","type":"rapport.touchpoint.v1.OrderPlaced","time":"2026-01-02T09:00:00Z","data":)",
      R"({"order_id":"o-1","amount":{"minor_units":12050,"currency_code":"EUR"}}})");
}

std::string IdOf(const std::string& id) { return MakeEventId("shop", id).ToHex(); }

// Holds appends of touchpoints back until told, but not the clock.
class GateLog : public FaultyLog {
 public:
  explicit GateLog(EventLog* log) : FaultyLog(log, 1) {}

  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override {
    if (topic == "touchpoints" && !records[0].partition) {
      MutexLock lock(&mutex_);
      ++waiting_;
      changed_.SignalAll();
      while (closed_) changed_.Wait(&mutex_);
    }
    return FaultyLog::Append(topic, records);
  }
  void Close() {
    MutexLock lock(&mutex_);
    closed_ = true;
  }
  void Open() {
    MutexLock lock(&mutex_);
    closed_ = false;
    changed_.SignalAll();
  }
  // Until so many appends have come.
  void Await(int appends) {
    MutexLock lock(&mutex_);
    while (waiting_ < appends) changed_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

class IngestTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override {
    log_.Open();
    service_.reset();
  }

  static std::unique_ptr<EventLog> NewLog() {
    auto log = NewInMemoryEventLog();
    EXPECT_OK(log->CreateTopic("touchpoints", kPartitions));
    EXPECT_OK(log->CreateTopic("rejected", 1));
    return log;
  }

  void Start() {
    config::v1::Ingest& ingest = *config_.mutable_ingest();
    ingest.set_max_body_bytes(size_t{2} << 20);
    ingest.set_max_batch_events(100);
    ingest.set_max_json_depth(32);
    ingest.set_queue_bytes(65536);
    ingest.set_max_future_ms(300'000);
    config_.mutable_clock()->set_interval_ms(3'600'000);
    ASSERT_OK_AND_ASSIGN(http_, HttpServer::Create({}, &metrics_));
    ServiceEnv env;
    env.config = &config_;
    env.instance = "1";
    env.log = &log_;
    env.metrics = &metrics_;
    env.http = http_.get();
    ASSERT_OK_AND_ASSIGN(service_, StartIngest(env));
    ASSERT_OK(http_->Start());
  }

  HttpAnswer Post(const std::string& type, const std::string& body,
                  std::vector<Header> headers = {}) {
    if (!type.empty()) headers.push_back({"Content-Type", type});
    auto answer = client_.Fetch({.method = "POST",
                                 .url = http_->address() + "/v1/touchpoints",
                                 .headers = std::move(headers),
                                 .body = body});
    EXPECT_OK(answer);
    return answer.ok() ? *std::move(answer) : HttpAnswer();
  }

  // The touchpoints of the log, ticks of the clock left out.
  std::vector<Touchpoint> Written() {
    std::vector<Touchpoint> written;
    for (const std::string& value : Values("touchpoints", kPartitions)) {
      Touchpoint touchpoint;
      EXPECT_TRUE(touchpoint.ParseFromString(value));
      if (!touchpoint.has_clock_advanced()) written.push_back(std::move(touchpoint));
    }
    return written;
  }
  // What the rejected log holds once all is answered: it is written after the answer.
  std::vector<rejected::v1::RejectedRecord> Rejected() {
    service_.reset();
    std::vector<rejected::v1::RejectedRecord> rejected;
    for (const std::string& value : Values("rejected", 1)) {
      EXPECT_TRUE(rejected.emplace_back().ParseFromString(value));
    }
    return rejected;
  }
  std::vector<std::string> Values(const std::string& topic, int partitions) {
    std::vector<std::string> values;
    for (int i = 0; i < partitions; ++i) {
      auto reader = memory_->OpenReader(topic, Partition(i), Offset(0));
      EXPECT_OK(reader);
      for (;;) {
        auto records = (*reader)->Read(1000, absl::ZeroDuration());
        EXPECT_OK(records);
        if (!records.ok() || records->empty()) break;
        for (const RecordView& record : *records) {
          values.emplace_back(record.value.data(), record.value.size());
        }
      }
    }
    return values;
  }

  // A single event that must be refused with 400, naming the field.
  void ExpectRefused(const std::string& type, const std::string& body, const std::string& field,
                     const std::string& reason, std::vector<Header> headers = {}) {
    const HttpAnswer answer = Post(type, body, std::move(headers));
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(absl::StrCat("\"field\":\"", field, "\""))) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(reason)) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("\"code\":3"));
    EXPECT_THAT(Written(), IsEmpty());
  }
  void ExpectOrderRefused(const std::string& from, const std::string& to, const std::string& field,
                          const std::string& reason) {
    const std::string body = absl::StrReplaceAll(Order("1"), {{from, to}});
    ASSERT_NE(body, Order("1"));
    ExpectRefused(kStructured, body, field, reason);
  }

  const std::unique_ptr<EventLog> memory_ = NewLog();
  GateLog log_{memory_.get()};
  config::v1::Config config_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> http_;
  HttpClient client_;
  std::unique_ptr<Service> service_;
};

TEST_F(IngestTest, OneEventIsAnsweredWithItsIdAndPlace) {
  const HttpAnswer answer = Post(kStructured, Order("1"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.HeaderValue("content-type"), "application/json");
  EXPECT_THAT(answer.body, StartsWith(absl::StrCat("{\"id\":\"", IdOf("1"), "\",\"position\":\"")));
  const auto written = Written();
  ASSERT_THAT(written, SizeIs(1));
  EXPECT_EQ(written[0].client_id(), "c-1");
  EXPECT_EQ(written[0].source_event_id(), "1");
  // The place is where it stands.
  const std::vector<std::string> place =
      absl::StrSplit(answer.body.substr(answer.body.find("position") + 11), absl::ByAnyChar(":\""));
  auto reader = memory_->OpenReader("touchpoints", Partition(std::stoi(place[0])),
                                    Offset(std::stoll(place[1])));
  ASSERT_OK(reader);
  ASSERT_OK_AND_ASSIGN(const auto records, (*reader)->Read(1, absl::ZeroDuration()));
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].key, "c-1");
  EXPECT_THAT(metrics_.Text(), HasSubstr("rapport_touchpoints_in_total{kind=\"order_placed\"} 1"));
}

TEST_F(IngestTest, BinaryModeTakesJsonAndProtobuf) {
  const std::vector<Header> headers = {
      {"ce-specversion", "1.0"}, {"ce-id", "caf%C3%A9"},
      {"ce-source", "shop"},     {"ce-type", "rapport.touchpoint.v1.MeetingHeld"},
      {"ce-subject", "c-1"},     {"ce-time", "2026-01-02T09:00:00Z"}};
  Touchpoint touchpoint;
  touchpoint.mutable_meeting_held()->set_place("fair");
  EXPECT_EQ(Post("application/json", R"({"place":"fair"})", headers).status, 202);
  EXPECT_EQ(Post("application/protobuf", touchpoint.SerializeAsString(), headers).status, 202);
  const auto written = Written();
  ASSERT_THAT(written, SizeIs(2));
  EXPECT_EQ(written[0].event_id(), written[1].event_id());
  EXPECT_EQ(written[0].source_event_id(), "caf\xc3\xa9");
  EXPECT_EQ(written[1].meeting_held().place(), "fair");
}

TEST_F(IngestTest, TheExamplesOfTheReadmeAreTaken) {
  EXPECT_EQ(Post(kStructured, R"({
  "specversion": "1.0", "id": "order/4711", "source": "shop",
  "type": "rapport.touchpoint.v1.OrderPlaced",
  "subject": "c-1", "time": "2026-01-02T09:00:00Z",
  "data": {"order_id": "4711", "amount": {"minor_units": 12050, "currency_code": "EUR"}}})")
                .status,
            202);
  EXPECT_EQ(Post("application/json", R"({"outcome": "CALL_OUTCOME_ANSWERED", "talk_seconds": 300})",
                 {{"ce-specversion", "1.0"},
                  {"ce-id", "call/7"},
                  {"ce-source", "pbx"},
                  {"ce-type", "rapport.touchpoint.v1.CallCompleted"},
                  {"ce-subject", "c-1"},
                  {"ce-time", "2026-01-02T10:00:00+01:00"}})
                .status,
            202);
}

TEST_F(IngestTest, ABatchIsAnsweredItemByItem) {
  const HttpAnswer answer =
      Post(kBatch,
           absl::StrCat("[", Order("1", "a"), ",", absl::StrReplaceAll(Order("2"), {{"EUR", "XX"}}),
                        ",", Order("3", "b"), "]"));
  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(answer.body,
              StartsWith(absl::StrCat("{\"accepted\":2,\"rejected\":1,\"results\":[{\"id\":\"",
                                      IdOf("1"), "\",\"position\":\"")));
  EXPECT_THAT(answer.body, HasSubstr("\"field\":\"order_placed.amount.currency_code\""));
  EXPECT_THAT(answer.body, HasSubstr(IdOf("3")));
  EXPECT_THAT(Written(), SizeIs(2));
  const auto rejected = Rejected();
  ASSERT_THAT(rejected, SizeIs(1));
  EXPECT_EQ(rejected[0].source(), "shop");
  EXPECT_THAT(rejected[0].reason(), StartsWith("order_placed.amount.currency_code: 'XX'"));
  EXPECT_THAT(rejected[0].content(), HasSubstr("\"id\":\"2\""));
}

TEST_F(IngestTest, ABatchOfGoodOnesIs202AndOfBadOnes400) {
  EXPECT_EQ(Post(kBatch, absl::StrCat("[", Order("1"), ",", Order("2"), "]")).status, 202);
  EXPECT_EQ(Post(kBatch, "[]").status, 202);
  EXPECT_THAT(Written(), SizeIs(2));
  const HttpAnswer answer = Post(kBatch, "[1,{}]");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, StartsWith("{\"accepted\":0,\"rejected\":2,\"results\":[{\"error\":{"));
  EXPECT_THAT(answer.body, HasSubstr("\"field\":\"specversion\""));
  EXPECT_THAT(Written(), SizeIs(2));
}

TEST_F(IngestTest, AProtobufBatchIsTaken) {
  touchpoint::v1::TouchpointBatch batch;
  for (const Touchpoint& sample : SampleTouchpoints()) {
    // What we alone write.
    if (sample.has_clock_advanced() || sample.has_clock_corrected() ||
        sample.has_history_reopened() || sample.has_history_closed()) {
      continue;
    }
    *batch.add_touchpoints() = sample;
    batch.mutable_touchpoints()->rbegin()->clear_event_id();
  }
  const HttpAnswer answer = Post("application/x-protobuf", batch.SerializeAsString());
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_THAT(Written(), SizeIs(batch.touchpoints_size()));
}

TEST_F(IngestTest, PackedBodiesAreTaken) {
  EXPECT_EQ(Post(kStructured, PackGzip(Order("1")), {{"Content-Encoding", "gzip"}}).status, 202);
  EXPECT_EQ(Post(kStructured, PackZstd(Order("2")), {{"Content-Encoding", "zstd"}}).status, 202);
  EXPECT_THAT(Written(), SizeIs(2));
}

TEST_F(IngestTest, BadEventsAreRefusedByFieldAndNothingIsWritten) {
  ExpectRefused(kStructured, "{\"id\":", "body", "is not JSON");
  ExpectRefused(kStructured, "[]", "body", "is no CloudEvent");
  ExpectRefused("application/json", "{}", "specversion", "is required");
  ExpectOrderRefused("\"1.0\"", "\"0.3\"", "specversion", "send 1.0");
  ExpectOrderRefused("OrderPlaced", "OrderPlcaed", "type", "is no kind of touchpoint");
  ExpectOrderRefused("12050", "\"many\"", "order_placed.amount.minor_units", "is no integer");
  ExpectOrderRefused("\"o-1\"", "17", "order_placed.order_id", "is a number, not a string");
  ExpectOrderRefused("\"subject\":\"c-1\",", "", "client_id", "is required");
  ExpectOrderRefused("2026-01-02", "2090-01-02", "occurred_at", "ahead of the clock here");
  ExpectOrderRefused("o-1", std::string(1 << 20, 'x'), "order_placed.order_id",
                     "is 1048576 bytes long; at most 256 are kept");
  ExpectOrderRefused("\"o-1\"", std::string(31, '[') + std::string(31, ']'),
                     "order_id" + absl::StrReplaceAll(std::string(14, '#'), {{"#", "[0]"}}) + "...",
                     "is nested deeper than 32 levels");
  ExpectOrderRefused("o-1", "\xc3\x28", "order_id", "is not UTF-8");
  ExpectRefused(kStructured, "not gzip", "body", "is no gzip as content-encoding says",
                {{"Content-Encoding", "gzip"}});
  ExpectRefused(kBatch, "{}", "body", "is not an array");
  ExpectRefused("application/x-protobuf", "\xff\xff\xff", "body",
                "is no serialised TouchpointBatch");
  // Written behind the answers, by several threads: in any order.
  std::vector<std::string> contents;
  for (const auto& rejected : Rejected()) contents.push_back(rejected.content());
  EXPECT_THAT(contents, SizeIs(15));
  EXPECT_THAT(contents, Contains("{\"id\":"));
  EXPECT_THAT(contents, Contains(SizeIs(65536)));
  EXPECT_THAT(metrics_.Text(), HasSubstr("rapport_ingest_refused_total{reason=\"event\"} 12"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("rapport_ingest_refused_total{reason=\"body\"} 3"));
}

TEST_F(IngestTest, TooMuchIs413) {
  const std::string large(size_t{3} << 20, ' ');
  EXPECT_EQ(Post(kStructured, large).status, 413);
  EXPECT_EQ(Post(kStructured, PackGzip(large), {{"Content-Encoding", "gzip"}}).status, 413);
  EXPECT_EQ(Post(kStructured, PackZstd(large), {{"Content-Encoding", "zstd"}}).status, 413);
  std::string batch = "[" + Order("1");
  for (int i = 0; i < 100; ++i) batch += ",{}";
  const HttpAnswer answer = Post(kBatch, batch + "]");
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("has more than 100 events"));
  EXPECT_THAT(Written(), IsEmpty());
  EXPECT_THAT(Rejected(), IsEmpty());
}

TEST_F(IngestTest, UnknownTypesAre415) {
  EXPECT_EQ(Post("text/csv", "a,b").status, 415);
  EXPECT_EQ(Post("application/cloudevents+avro", "x").status, 415);
  EXPECT_EQ(Post("application/json; charset=utf-16", "{}").status, 415);
  const HttpAnswer answer = Post(kStructured, Order("1"), {{"Content-Encoding", "br"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_THAT(answer.body, HasSubstr("send gzip, zstd or none"));
  EXPECT_THAT(Written(), IsEmpty());
}

TEST_F(IngestTest, ALogThatIsAwayIs503AndTheRetryIsTaken) {
  ASSERT_OK(service_->Ready());
  log_.set_faults({.append_before = 100});
  const HttpAnswer answer = Post(kStructured, Order("1"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.HeaderValue("retry-after"), "1");
  EXPECT_EQ(service_->Ready().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Post(kBatch, absl::StrCat("[", Order("2"), ",{}]")).status, 503);
  EXPECT_THAT(Written(), IsEmpty());
  // What is wrong is told even so.
  EXPECT_EQ(Post(kStructured, "{}").status, 400);
  log_.set_faults({});
  EXPECT_EQ(Post(kStructured, Order("1")).status, 202);
  EXPECT_OK(service_->Ready());
  EXPECT_THAT(Written(), SizeIs(1));
}

TEST_F(IngestTest, WhatWasWrittenUnseenIsTheSameEventOnRetry) {
  log_.set_faults({.append_after = 100});
  EXPECT_EQ(Post(kStructured, Order("1")).status, 503);
  log_.set_faults({});
  EXPECT_EQ(Post(kStructured, Order("1")).status, 202);
  EXPECT_EQ(Post(kStructured, Order("1")).status, 202);
  std::set<std::string> ids;
  for (const Touchpoint& touchpoint : Written()) ids.insert(touchpoint.event_id());
  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(IngestTest, AQueueThatIsFullIs503) {
  log_.Close();
  std::vector<std::thread> senders;
  // Four threads hold one each; what fits into 64 KiB waits.
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([this, i] {
      EXPECT_EQ(Post(kStructured, Order(absl::StrCat(i)) + std::string(15'000, ' ')).status, 202);
    });
    log_.Await(i + 1);
  }
  const HttpAnswer answer = Post(kStructured, Order("5") + std::string(15'000, ' '));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.HeaderValue("retry-after"), "1");
  EXPECT_THAT(answer.body, HasSubstr("ingest.queue_bytes"));
  log_.Open();
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(Post(kStructured, Order("5")).status, 202);
  EXPECT_THAT(Written(), SizeIs(5));
}

TEST_F(IngestTest, StoppingAnswersWhatWaits) {
  log_.Close();
  std::thread sender([this] { EXPECT_EQ(Post(kStructured, Order("1")).status, 202); });
  log_.Await(1);
  std::thread opener([this] { log_.Open(); });
  service_.reset();
  sender.join();
  opener.join();
  EXPECT_THAT(Written(), SizeIs(1));
  EXPECT_EQ(Post(kStructured, Order("2")).status, 503);
}

TEST_F(IngestTest, ManySendersLoseNothingThatGot2xx) {
  log_.set_faults({.append_before = 10, .append_after = 10, .append_in_part = 10});
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 8; ++sender) {
    senders.emplace_back([this, sender] {
      HttpClient client;
      for (int i = 0; i < 20; ++i) {
        const std::string a = Order(absl::StrCat(sender, "/", i, "a"), absl::StrCat("c-", i));
        const std::string b = Order(absl::StrCat(sender, "/", i, "b"), absl::StrCat("c-", i));
        for (int tries = 0; tries < 100; ++tries) {
          const auto answer = client.Fetch({.method = "POST",
                                            .url = http_->address() + "/v1/touchpoints",
                                            .headers = {{"Content-Type", kBatch}},
                                            .body = absl::StrCat("[", a, ",", b, "]")});
          ASSERT_OK(answer);
          if (answer->status == 202) break;
          ASSERT_EQ(answer->status, 503);
        }
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  std::set<std::string> ids;
  for (const Touchpoint& touchpoint : Written()) ids.insert(touchpoint.event_id());
  EXPECT_THAT(ids, SizeIs(8 * 20 * 2));
  EXPECT_GT(log_.faults_so_far(), 0);
}

TEST_F(IngestTest, TheClockTicks) {
  // The first tick is written at once, and more than one of it is not awaited.
  auto reader = memory_->OpenReader("touchpoints", Partition(0), Offset(0));
  ASSERT_OK(reader);
  ASSERT_OK_AND_ASSIGN(const auto records, (*reader)->Read(1, absl::Seconds(60)));
  ASSERT_THAT(records, SizeIs(1));
  Touchpoint touchpoint;
  ASSERT_TRUE(touchpoint.ParseFromArray(records[0].value.data(),
                                        static_cast<int>(records[0].value.size())));
  EXPECT_TRUE(touchpoint.has_clock_advanced());
}

}  // namespace
}  // namespace rapport
