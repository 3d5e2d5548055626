// Appends to and reads from a real broker on this machine, beside bare librdkafka loops over the
// same records in the same run. Prints a table; argument: the number of events (default 1,000,000).

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fmt/format.h"
#include "librdkafka/rdkafka.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/test_broker.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

constexpr int kPartitions = 4;
constexpr size_t kValueBytes = 270;
constexpr size_t kAtOnce = 20'000;
constexpr char kTopic[] = "touchpoints";
constexpr char kFullName[] = "test.touchpoints";

using Clock = std::chrono::steady_clock;

std::vector<Record> MakeRecords(size_t count) {
  std::vector<Record> records(count);
  for (size_t i = 0; i < count; ++i) {
    touchpoint::v1::Touchpoint touchpoint;
    touchpoint.set_event_id(absl::StrCat(absl::Hex(i, absl::kZeroPad16)));
    touchpoint.set_client_id(absl::StrCat("client-", i * 7919 % 500'000));
    const absl::Time at = absl::FromUnixMillis(1'700'000'000'000 + static_cast<int64_t>(i));
    ToProto(at, touchpoint.mutable_occurred_at());
    ToProto(at, touchpoint.mutable_recorded_at());
    touchpoint.set_source("bench");
    touchpoint.set_source_event_id(absl::StrCat("order-", i));
    touchpoint.set_owner_id("owner-12");
    touchpoint.mutable_order_placed()->set_order_id(absl::StrCat("order-", i));
    while (touchpoint.ByteSizeLong() + 16 < kValueBytes) {
      touchpoint.add_stakeholder_ids(absl::StrCat("stakeholder-", i % 100));
    }
    records[i].key = touchpoint.client_id();
    records[i].value = touchpoint.SerializeAsString();
    records[i].timestamp = at;
    records[i].headers = {{"ce_id", absl::StrCat(absl::Hex(i))},
                          {"ce_type", "rapport.touchpoint.v1.OrderPlaced"},
                          {"ce_source", "bench"},
                          {"ce_subject", records[i].key},
                          {"content-type", "application/protobuf"}};
  }
  return records;
}

// What is done with each record as it is read.
class Sink {
 public:
  explicit Sink(bool parse) : parse_(parse) {}
  void Take(const void* data, size_t size) {
    if (parse_) RAPPORT_CHECK(touchpoint_.ParseFromArray(data, static_cast<int>(size)));
    ++count_;
  }
  size_t count() const { return count_; }

 private:
  const bool parse_;
  touchpoint::v1::Touchpoint touchpoint_;
  size_t count_ = 0;
};

// Events per second from the first records on, which leaves out connecting.
double RateOf(size_t events, const Sink& sink, const std::function<void()>& read_some) {
  while (sink.count() == 0) read_some();
  const size_t before = sink.count();
  const auto start = Clock::now();
  while (sink.count() < events) read_some();
  return static_cast<double>(sink.count() - before) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

class Bench {
 public:
  explicit Bench(size_t events) : events_(events) {
    auto cluster = KafkaCluster::Start(1);
    RAPPORT_CHECK(cluster.ok(), cluster.status().ToString());
    cluster_ = *std::move(cluster);
    options_ = TestOptions(cluster_->bootstrap_servers());
    auto log = NewKafkaEventLog(options_);
    RAPPORT_CHECK(log.ok(), log.status().ToString());
    log_ = *std::move(log);
  }

  void Run() {
    RAPPORT_CHECK(log_->CreateTopic(kTopic, kPartitions).ok());
    fmt::print("{} events of {} bytes with 5 headers, {} partitions, one broker on this machine\n",
               events_, kValueBytes, kPartitions);
    fmt::print("{:<44}{:>12}{:>14}{:>8}\n", "", "events/s", "bare loop", "ratio");
    const std::vector<Record> records = MakeRecords(100'000);
    const double bare_append = BareAppend(records);
    Print("append, 1 thread, batches of 1000", Append(records, 1), bare_append);
    Print("append, 4 threads, batches of 1000", Append(records, 4), bare_append);
    for (const bool parse : {false, true}) {
      const char* const what = parse ? ", parsed" : "";
      // Twice, since the first to come finds a colder broker.
      const double bare = std::max(BareRead(parse), BareRead(parse));
      Print(absl::StrCat("read one partition", what), std::max(Read(parse), Read(parse)), bare);
      Print(absl::StrCat("poll 4 partitions", what), Poll(parse), bare);
    }
  }

 private:
  class FromStart : public PartitionListener {
    absl::StatusOr<Offset> OnAssigned(Partition) override { return Offset(0); }
    void OnRevoked(Partition, bool) override {}
  };

  static void Print(const std::string& what, double rate, double ceiling) {
    fmt::print("{:<44}{:>12.0f}{:>14.0f}{:>8.2f}\n", what, rate, ceiling, rate / ceiling);
    std::fflush(stdout);
  }

  double Append(const std::vector<Record>& records, int threads) {
    constexpr size_t kBatch = 1000;
    const auto start = Clock::now();
    std::vector<std::thread> workers;
    for (int worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&] {
        const size_t share = events_ / static_cast<size_t>(threads);
        for (size_t done = 0; done < share; done += kBatch) {
          const size_t from = done % (records.size() - kBatch + 1);
          const auto appended = log_->Append(kTopic, absl::MakeSpan(records).subspan(from, kBatch));
          RAPPORT_CHECK(appended.ok(), appended.status().ToString());
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return static_cast<double>(events_) /
           std::chrono::duration<double>(Clock::now() - start).count();
  }

  // Without positions, headers or waiting for anything but the end.
  double BareAppend(const std::vector<Record>& records) {
    kafka::ClientEvents events;
    auto producer = kafka::NewClient(options_, kafka::ClientKind::kProducer, {}, &events);
    RAPPORT_CHECK(producer.ok(), producer.status().ToString());
    const kafka::Topic topic(rd_kafka_topic_new(producer->get(), kFullName, nullptr));
    const auto start = Clock::now();
    for (size_t i = 0; i < events_; ++i) {
      const Record& record = records[i % records.size()];
      while (rd_kafka_produce(topic.get(), static_cast<int>(i) % kPartitions, RD_KAFKA_MSG_F_COPY,
                              const_cast<char*>(record.value.data()), record.value.size(),
                              record.key.data(), record.key.size(), nullptr) != 0) {
        rd_kafka_poll(producer->get(), 5);
      }
      if (i % 1000 == 0) rd_kafka_poll(producer->get(), 0);
    }
    RAPPORT_CHECK(rd_kafka_flush(producer->get(), 60'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return static_cast<double>(events_) /
           std::chrono::duration<double>(Clock::now() - start).count();
  }

  size_t InFirstPartition() {
    const auto watermarks = log_->GetWatermarks(kTopic, Partition(0));
    RAPPORT_CHECK(watermarks.ok(), watermarks.status().ToString());
    return static_cast<size_t>(watermarks->end.value());
  }

  double Read(bool parse) {
    auto reader = log_->OpenReader(kTopic, Partition(0), Offset(0));
    RAPPORT_CHECK(reader.ok(), reader.status().ToString());
    Sink sink(parse);
    return RateOf(InFirstPartition(), sink, [&] {
      const auto batch = (*reader)->Read(kAtOnce, absl::Seconds(1));
      RAPPORT_CHECK(batch.ok(), batch.status().ToString());
      for (const RecordView& view : *batch) sink.Take(view.value.data(), view.value.size());
    });
  }

  double BareRead(bool parse) {
    kafka::ClientEvents events;
    auto client = kafka::NewClient(options_, kafka::ClientKind::kReader, {}, &events);
    RAPPORT_CHECK(client.ok(), client.status().ToString());
    const kafka::Topic topic(rd_kafka_topic_new(client->get(), kFullName, nullptr));
    const kafka::Queue queue(rd_kafka_queue_new(client->get()));
    RAPPORT_CHECK(rd_kafka_consume_start_queue(topic.get(), 0, 0, queue.get()) == 0);
    std::vector<rd_kafka_message_t*> messages(kAtOnce);
    Sink sink(parse);
    const double rate = RateOf(InFirstPartition(), sink, [&] {
      const ssize_t count =
          rd_kafka_consume_batch_queue(queue.get(), 10, messages.data(), messages.size());
      for (ssize_t i = 0; i < count; ++i) {
        rd_kafka_message_t* const message = messages[static_cast<size_t>(i)];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) sink.Take(message->payload, message->len);
        rd_kafka_message_destroy(message);
      }
    });
    rd_kafka_consume_stop(topic.get(), 0);
    return rate;
  }

  double Poll(bool parse) {
    FromStart listener;
    auto member = log_->Subscribe(
        kTopic, {.group = absl::StrCat("bench-", parse), .member = "bench"}, &listener);
    RAPPORT_CHECK(member.ok(), member.status().ToString());
    Sink sink(parse);
    const double rate = RateOf(events_ * 3, sink, [&] {
      const auto batch = (*member)->Poll(kAtOnce, absl::Seconds(1));
      RAPPORT_CHECK(batch.ok(), batch.status().ToString());
      for (const RecordView& view : batch->records) sink.Take(view.value.data(), view.value.size());
    });
    RAPPORT_CHECK((*member)->Close().ok());
    return rate;
  }

  const size_t events_;
  std::unique_ptr<KafkaCluster> cluster_;
  KafkaLogOptions options_;
  std::unique_ptr<EventLog> log_;
};

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  size_t events = 1'000'000;
  if (argc > 2 || (argc == 2 && (!absl::SimpleAtoi(argv[1], &events) || events < 100'000))) {
    fmt::print(stderr, "usage: {} [EVENTS, at least 100000]\n", argv[0]);
    return 2;
  }
  rapport::Bench(events).Run();
  return 0;
}
