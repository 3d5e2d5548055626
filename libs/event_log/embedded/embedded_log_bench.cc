// Appends to and reads from the embedded log on disk, beside what the disk and memory give for the
// same bytes in the same run. Prints a table; argument: the number of events (default 2,000,000).

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/event_log/embedded/embedded_log.h"

namespace rapport {
namespace {

constexpr int kPartitions = 4;
constexpr size_t kValueBytes = 270;
constexpr char kTopic[] = "touchpoints";

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// As compressible as touchpoints are: random ids, words from a small vocabulary, numbers.
std::vector<Record> MakeRecords(size_t count, bool headers) {
  static constexpr const char* kWords[] = {"order",   "placed", "call",      "answered", "invoice",
                                           "shipped", "client", "complaint", "settled",  "meeting"};
  std::mt19937_64 random(7);
  std::vector<Record> records(count);
  for (size_t i = 0; i < count; ++i) {
    Record& record = records[i];
    record.key = absl::StrCat("client-", random() % 500'000);
    record.timestamp = absl::FromUnixMillis(1'700'000'000'000 + static_cast<int64_t>(i));
    record.value.reserve(kValueBytes + 16);
    while (record.value.size() < kValueBytes) {
      const uint64_t bits = random();
      record.value.append(reinterpret_cast<const char*>(&bits), sizeof bits);
      absl::StrAppend(&record.value, kWords[random() % 10], " ", bits % 1000);
    }
    record.value.resize(kValueBytes);
    if (headers) {
      record.headers = {{"ce_id", absl::StrCat(absl::Hex(random()), absl::Hex(random()))},
                        {"ce_type", "rapport.touchpoint.v1.OrderPlaced"},
                        {"ce_source", "back-office/orders"},
                        {"ce_subject", record.key},
                        {"content-type", "application/protobuf"}};
    }
  }
  return records;
}

class Bench {
 public:
  explicit Bench(size_t events) : events_(events) {
    std::string folder = (std::filesystem::temp_directory_path() / "log-bench-XXXXXX").string();
    RAPPORT_CHECK(mkdtemp(folder.data()) != nullptr, "no temporary folder");
    folder_ = folder;
  }
  ~Bench() { std::filesystem::remove_all(folder_); }

  void Run() {
    fmt::print("{} events of {} bytes, {} partitions, fsync after each append\n\n", events_,
               kValueBytes, kPartitions);
    fmt::print("{:<44}{:>12}{:>10}{:>14}{:>8}\n", "", "events/s", "MB/s", "ceiling ev/s", "ratio");
    for (const bool headers : {false, true}) {
      const auto records = MakeRecords(std::min<size_t>(events_, 100'000), headers);
      const char* const with = headers ? ", 5 headers" : "";
      for (const size_t batch : {500, 5000}) {
        const double ceiling = RawAppend(records, batch);
        Print(fmt::format("append, 1 thread, batches of {}{}", batch, with),
              Append(records, batch, 1), ceiling);
      }
      Print(fmt::format("append, 4 threads, batches of 500{}", with), Append(records, 500, 4),
            RawAppend(records, 500));
      const double read_ceiling = RawRead();
      const double read = Read();
      Print(fmt::format("read, 1 thread{}, of a raw file read", with), read, read_ceiling);
      Print(fmt::format("read, 1 thread{}, of a copy in memory", with), read, Copy(records));
      Print(fmt::format("poll, 1 thread{}, of a raw file read", with), Poll(), read_ceiling);
    }
    Latency();
  }

 private:
  class FromStart : public PartitionListener {
    absl::StatusOr<Offset> OnAssigned(Partition) override { return Offset(0); }
    void OnRevoked(Partition, bool) override {}
  };

  void Print(const std::string& what, double rate, double ceiling) const {
    fmt::print("{:<44}{:>12.0f}{:>10.0f}{:>14.0f}{:>8.2f}\n", what, rate, rate * kValueBytes / 1e6,
               ceiling, rate / ceiling);
    std::fflush(stdout);
  }

  std::unique_ptr<EventLog> Open() const {
    auto log = OpenEmbeddedLog({.folder = folder_ + "/log"});
    RAPPORT_CHECK(log.ok(), log.status().ToString());
    return *std::move(log);
  }

  double Append(const std::vector<Record>& records, size_t batch, int threads) {
    log_.reset();
    std::filesystem::remove_all(folder_ + "/log");
    log_ = Open();
    RAPPORT_CHECK(log_->CreateTopic(kTopic, kPartitions).ok());
    const double seconds = SecondsOf([&] {
      std::vector<std::thread> workers;
      for (int worker = 0; worker < threads; ++worker) {
        workers.emplace_back([&] {
          const size_t share = events_ / static_cast<size_t>(threads);
          for (size_t done = 0; done < share; done += batch) {
            const size_t from = done % (records.size() - batch + 1);
            const auto appended =
                log_->Append(kTopic, absl::MakeSpan(records).subspan(from, batch));
            RAPPORT_CHECK(appended.ok(), appended.status().ToString());
          }
        });
      }
      for (std::thread& worker : workers) worker.join();
    });
    return static_cast<double>(events_) / seconds;
  }

  // The same bytes as plain writes, each followed by fdatasync.
  double RawAppend(const std::vector<Record>& records, size_t batch) {
    std::string bytes;
    for (size_t i = 0; i < batch; ++i) {
      absl::StrAppend(&bytes, records[i].key, records[i].value);
      for (const Header& header : records[i].headers) {
        absl::StrAppend(&bytes, header.name, header.value);
      }
    }
    RAPPORT_CHECK(batch > 0);
    raw_record_bytes_ = bytes.size() / batch;
    const int file = open(RawFile().c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    RAPPORT_CHECK(file >= 0, "opening ", RawFile());
    const double seconds = SecondsOf([&] {
      for (size_t done = 0; done < events_; done += batch) {
        RAPPORT_CHECK(write(file, bytes.data(), bytes.size()) ==
                      static_cast<ssize_t>(bytes.size()));
        RAPPORT_CHECK(fdatasync(file) == 0);
      }
    });
    close(file);
    return static_cast<double>(events_) / seconds;
  }

  double RawRead() const {
    const int file = open(RawFile().c_str(), O_RDONLY);
    RAPPORT_CHECK(file >= 0, "opening ", RawFile());
    std::vector<char> buffer(1 << 20);
    size_t total = 0;
    const double seconds = SecondsOf([&] {
      for (ssize_t got; (got = read(file, buffer.data(), buffer.size())) > 0;) {
        total += static_cast<size_t>(got);
      }
    });
    close(file);
    return static_cast<double>(total) / static_cast<double>(raw_record_bytes_) / seconds;
  }

  // Copying each record's value, from memory that the caches don't hold.
  double Copy(const std::vector<Record>& records) const {
    std::vector<char> buffer(kValueBytes);
    size_t copied = 0;
    const double seconds = SecondsOf([&] {
      for (; copied < events_; copied += records.size()) {
        for (const Record& record : records) {
          std::memcpy(buffer.data(), record.value.data(), record.value.size());
          asm volatile("" : : "r"(buffer.data()) : "memory");
        }
      }
    });
    return static_cast<double>(copied) / seconds;
  }

  double Read() {
    size_t count = 0, bytes = 0;
    const double seconds = SecondsOf([&] {
      for (int i = 0; i < kPartitions; ++i) {
        auto reader = log_->OpenReader(kTopic, Partition(i), Offset(0));
        RAPPORT_CHECK(reader.ok());
        for (;;) {
          const auto records = (*reader)->Read(5000, absl::ZeroDuration());
          RAPPORT_CHECK(records.ok(), records.status().ToString());
          if (records->empty()) break;
          count += records->size();
          for (const RecordView& record : *records) bytes += record.value.size();
        }
      }
    });
    RAPPORT_CHECK(count == events_ && bytes == events_ * kValueBytes, "read ", count, " events");
    return static_cast<double>(count) / seconds;
  }

  double Poll() {
    size_t count = 0;
    FromStart listener;
    auto subscription = log_->Subscribe(kTopic, {.group = "bench", .member = "one"}, &listener);
    RAPPORT_CHECK(subscription.ok());
    const double seconds = SecondsOf([&] {
      while (count < events_) {
        const auto batch = (*subscription)->Poll(5000, absl::Seconds(1));
        RAPPORT_CHECK(batch.ok(), batch.status().ToString());
        count += batch->records.size();
      }
    });
    return static_cast<double>(count) / seconds;
  }

  // Opening again with a full log, and single records.
  void Latency() {
    log_.reset();
    const double reopen = SecondsOf([&] { log_ = Open(); });
    const auto records = MakeRecords(1, false);
    constexpr int kRounds = 200;
    const double one = SecondsOf([&] {
      for (int i = 0; i < kRounds; ++i) RAPPORT_CHECK(log_->Append(kTopic, records).ok());
    });
    fmt::print("\nopening the log again: {:.0f} ms; one record, appended and on disk: {:.2f} ms\n",
               reopen * 1e3, one * 1e3 / kRounds);
    log_.reset();
  }

  std::string RawFile() const { return folder_ + "/raw"; }

  const size_t events_;
  std::string folder_;
  std::unique_ptr<EventLog> log_;
  size_t raw_record_bytes_ = 0;
};

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  size_t events = 2'000'000;
  if (argc > 2 || (argc == 2 && (!absl::SimpleAtoi(argv[1], &events) || events < 20'000))) {
    fmt::print(stderr, "usage: {} [EVENTS, at least 20000]\n", argv[0]);
    return 2;
  }
  events -= events % 20'000;  // whole batches, whatever their size and the number of threads
  rapport::Bench(events).Run();
  return 0;
}
