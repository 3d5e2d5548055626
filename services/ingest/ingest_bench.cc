// How many touchpoints a second go from HTTP to the embedded log on disk, beside the log's own rate
// and protobuf's JSON parser in the same run. Prints a table; argument: seconds for each line
// (default 5). "/s core" is per second of processor time, that of the bench's client left out.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/intake/cloud_events.h"
#include "libs/intake/json_parser.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/samples.h"
#include "rapport/touchpoint/v1/batch.pb.h"
#include "services/ingest/ingest.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr size_t kBatchEvents = 500;
constexpr int kVariants = 16;

double CpuSeconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Orders (60 %), mails (25 %) and calls (15 %), as a source sends them.
Touchpoint MakeTouchpoint(int number) {
  const int die = number % 20;
  Touchpoint touchpoint = SampleTouchpoint(die < 12   ? Touchpoint::kOrderPlaced
                                           : die < 17 ? Touchpoint::kEmailExchanged
                                                      : Touchpoint::kCallCompleted);
  touchpoint.clear_event_id();
  touchpoint.clear_recorded_at();
  touchpoint.set_client_id(absl::StrCat("client-", number * 7919 % 100'000));
  touchpoint.set_source_event_id(absl::StrCat("bench-", number));
  return touchpoint;
}

std::string Json(const Touchpoint& touchpoint) {
  std::string json;
  RAPPORT_CHECK(google::protobuf::util::MessageToJsonString(touchpoint, &json).ok());
  return json;
}

std::string Structured(const Touchpoint& touchpoint) {
  return absl::StrCat(R"({"specversion":"1.0","id":")", touchpoint.source_event_id(),
                      R"(","source":")", touchpoint.source(), R"(","type":")",
                      absl::string_view(KindFullName(touchpoint.payload_case())), R"(","data":)",
                      Json(touchpoint), "}");
}

std::string Request(const std::string& headers, const std::string& body) {
  return absl::StrCat("POST /v1/touchpoints HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ",
                      body.size(), "\r\n", headers, "\r\n", body);
}

std::string JsonBatch(int first) {
  std::string body = "[";
  for (size_t i = 0; i < kBatchEvents; ++i) {
    absl::StrAppend(&body, i == 0 ? "" : ",", Structured(MakeTouchpoint(first++)));
  }
  return body + "]";
}

std::string ProtobufBatch(int first) {
  touchpoint::v1::TouchpointBatch batch;
  for (size_t i = 0; i < kBatchEvents; ++i) *batch.add_touchpoints() = MakeTouchpoint(first++);
  return batch.SerializeAsString();
}

std::string SingleProtobuf(int number) {
  const Touchpoint touchpoint = MakeTouchpoint(number);
  return Request(absl::StrCat("ce-specversion: 1.0\r\nce-id: ", touchpoint.source_event_id(),
                              "\r\nce-source: ", touchpoint.source(), "\r\nce-type: ",
                              absl::string_view(KindFullName(touchpoint.payload_case())),
                              "\r\nContent-Type: application/protobuf\r\n"),
                 touchpoint.SerializeAsString());
}

// One keep-alive connection: a request, its answer, the next request.
class Connection {
 public:
  Connection(int port, int epoll) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    RAPPORT_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.ptr = this;
    epoll_ctl(epoll, EPOLL_CTL_ADD, socket_, &event);
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(const std::string& request) {
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t count = send(socket_, request.data() + sent, request.size() - sent, 0);
      RAPPORT_CHECK(count > 0, "the server hung up");
      sent += static_cast<size_t>(count);
    }
  }
  // Reads what is there; true when the answer is complete.
  bool Receive() {
    char buffer[65536];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    RAPPORT_CHECK(count > 0, "the server hung up");
    answer_.append(buffer, static_cast<size_t>(count));
    const size_t head = answer_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const size_t length = answer_.find("ontent-Length: ");
    RAPPORT_CHECK(length < head, "an answer without a length: ", answer_);
    size_t bytes = 0;
    const size_t digits = length + 15;
    RAPPORT_CHECK(
        absl::SimpleAtoi(answer_.substr(digits, answer_.find('\r', digits) - digits), &bytes));
    if (answer_.size() < head + 4 + bytes) return false;
    RAPPORT_CHECK(absl::StartsWith(answer_, "HTTP/1.1 202"), answer_.substr(0, 500));
    answer_.clear();
    return true;
  }

 private:
  const int socket_;
  std::string answer_;
};

class Bench {
 public:
  explicit Bench(absl::Duration length) : length_(length) {
    std::string folder = (std::filesystem::temp_directory_path() / "ingest-bench-XXXXXX").string();
    RAPPORT_CHECK(mkdtemp(folder.data()) != nullptr, "no temporary folder");
    folder_ = folder;
    auto log = OpenEmbeddedLog({.folder = folder_});
    RAPPORT_CHECK(log.ok(), log.status().ToString());
    log_ = *std::move(log);
    for (const char* const topic : {"touchpoints", "rejected", "beside"}) {
      RAPPORT_CHECK(log_->CreateTopic(topic, kPartitions).ok());
    }
    StartService();
  }
  ~Bench() {
    service_.reset();
    http_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Run() {
    fmt::print("{:<58}{:>12}{:>12}\n", "", "events/s", "/s core");
    std::vector<std::string> json_bodies;
    std::vector<std::string> json;
    std::vector<std::string> protobuf;
    std::vector<std::string> singles;
    for (int i = 0; i < kVariants; ++i) {
      json_bodies.push_back(JsonBatch(i * static_cast<int>(kBatchEvents)));
      json.push_back(
          Request("Content-Type: application/cloudevents-batch+json\r\n", json_bodies.back()));
      protobuf.push_back(Request("Content-Type: application/x-protobuf\r\n",
                                 ProtobufBatch(i * static_cast<int>(kBatchEvents))));
    }
    for (int i = 0; i < 1000; ++i) singles.push_back(SingleProtobuf(i));
    fmt::print("one event: {} bytes of JSON, {} of protobuf\n",
               json_bodies[0].size() / kBatchEvents, MakeTouchpoint(0).ByteSizeLong());
    Post("JSON batches of 500, 8 connections", json, 8, kBatchEvents);
    Post("protobuf batches of 500, 8 connections", protobuf, 8, kBatchEvents);
    Post("single protobuf events, 64 connections", singles, 64, 1);
    AppendAlone();
    DecodeAlone(json_bodies);
    ParseAlone();
  }

 private:
  void StartService() {
    config::v1::Ingest& ingest = *config_.mutable_ingest();
    ingest.set_max_body_bytes(8 << 20);
    ingest.set_max_batch_events(10'000);
    ingest.set_max_json_depth(32);
    ingest.set_queue_bytes(64 << 20);
    ingest.set_max_future_ms(300'000);
    config_.mutable_clock()->set_interval_ms(60'000);
    auto http = HttpServer::Create({}, &metrics_);
    RAPPORT_CHECK(http.ok(), http.status().ToString());
    http_ = *std::move(http);
    ServiceEnv env;
    env.config = &config_;
    env.instance = "1";
    env.log = log_.get();
    env.metrics = &metrics_;
    env.http = http_.get();
    auto service = StartIngest(env);
    RAPPORT_CHECK(service.ok(), service.status().ToString());
    service_ = *std::move(service);
    RAPPORT_CHECK(http_->Start().ok());
  }

  static void Print(const std::string& what, double events, double seconds, double cpu) {
    fmt::print("{:<58}{:>12.0f}{:>12.0f}\n", what, events / seconds, events / cpu);
    std::fflush(stdout);
  }

  // Calls `step`, which returns the events it did, until the time is over.
  void Measure(const std::string& what, const std::function<size_t()>& step) const {
    const absl::Time begin = absl::Now();
    const double cpu = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
    double events = 0;
    while (absl::Now() - begin < length_) events += static_cast<double>(step());
    Print(what, events, absl::ToDoubleSeconds(absl::Now() - begin),
          CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }

  void Post(const std::string& what, const std::vector<std::string>& requests, int connections,
            size_t events_each) const {
    const int epoll = epoll_create1(0);
    std::vector<std::unique_ptr<Connection>> all;
    size_t next = 0;
    for (int i = 0; i < connections; ++i) {
      all.push_back(std::make_unique<Connection>(http_->port(), epoll));
      all.back()->Send(requests[next++ % requests.size()]);
    }
    const absl::Time begin = absl::Now();
    const double process = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
    const double client = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
    double events = 0;
    std::vector<epoll_event> ready(64);
    while (absl::Now() - begin < length_) {
      const int count = epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), 1000);
      for (int i = 0; i < count; ++i) {
        auto* const connection = static_cast<Connection*>(ready[static_cast<size_t>(i)].data.ptr);
        if (!connection->Receive()) continue;
        events += static_cast<double>(events_each);
        connection->Send(requests[next++ % requests.size()]);
      }
    }
    const double client_cpu = CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - client;
    Print(what, events, absl::ToDoubleSeconds(absl::Now() - begin),
          CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - process - client_cpu);
    close(epoll);
  }

  void AppendAlone() const {
    std::vector<Record> records;
    for (size_t i = 0; i < 8 * kBatchEvents; ++i) {
      Touchpoint touchpoint = MakeTouchpoint(static_cast<int>(i));
      touchpoint.set_event_id(std::string(16, 'x'));
      ToProto(absl::Now(), touchpoint.mutable_recorded_at());
      records.push_back(MakeRecord(touchpoint));
    }
    for (const size_t batch : {kBatchEvents, records.size()}) {
      Measure(fmt::format("the log alone: append of {} records, 1 thread", batch), [&] {
        const auto positions = log_->Append("beside", absl::MakeSpan(records).subspan(0, batch));
        RAPPORT_CHECK(positions.ok(), positions.status().ToString());
        return batch;
      });
    }
  }

  void DecodeAlone(const std::vector<std::string>& bodies) const {
    CloudEventDecoder decoder({});
    IntakeBatch batch;
    const std::vector<Header> no_headers;
    size_t next = 0;
    Measure("the decoder alone: JSON batches to records", [&] {
      IntakeRequest request{.content_type = "application/cloudevents-batch+json",
                            .headers = &no_headers,
                            .body = bodies[next++ % bodies.size()]};
      RAPPORT_CHECK(decoder.Decode(&request, absl::Now(), &batch).ok());
      return batch.events.size();
    });
  }

  void ParseAlone() const {
    std::vector<std::string> texts;
    for (int i = 0; i < 1000; ++i) texts.push_back(Json(MakeTouchpoint(i)));
    JsonParser parser(32);
    Touchpoint touchpoint;
    Measure("the decoder alone: JSON to Touchpoint", [&] {
      for (std::string& text : texts) {
        simdjson::dom::element tree;
        Problem problem;
        touchpoint.Clear();
        RAPPORT_CHECK(parser.Parse(&text, &tree, &problem) &&
                      DecodeJson(tree, &touchpoint, &problem));
      }
      return texts.size();
    });
    Measure("protobuf's JSON parser: JSON to Touchpoint", [&] {
      for (const std::string& text : texts) {
        touchpoint.Clear();
        RAPPORT_CHECK(google::protobuf::util::JsonStringToMessage(text, &touchpoint).ok());
      }
      return texts.size();
    });
  }

  const absl::Duration length_;
  std::string folder_;
  std::unique_ptr<EventLog> log_;
  config::v1::Config config_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<Service> service_;
};

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  int seconds = 5;
  RAPPORT_CHECK(argc < 2 || absl::SimpleAtoi(argv[1], &seconds), "argument: seconds for each line");
  rapport::Bench(absl::Seconds(seconds)).Run();
}
