// kill -9 at random moments: a child process appends from several threads and reports over a pipe
// what was acknowledged; the parent kills it, opens the log, and compares. RAPPORT_KILLS sets the
// number of kills (default 20), RAPPORT_SEED the seed, which is printed.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "libs/base/check.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/temp_folder.h"
#include "rocksdb/write_buffer_manager.h"

namespace rapport {
namespace {

constexpr char kTopic[] = "t";
constexpr int kPartitions = 3;
constexpr int kThreads = 4;
constexpr uint32_t kMaxBatch = 40;
// The child's file descriptor for acknowledgements.
constexpr int kPipe = 3;

// Names one record: the parent can tell from it what the whole record has to be.
struct RecordName {
  uint32_t round, thread, batch, index, batch_size;
  auto operator<=>(const RecordName&) const = default;
};
struct Acknowledgement {
  RecordName name;
  int32_t partition;
  int64_t offset;
};
static_assert(sizeof(Acknowledgement) * kMaxBatch <= 4096 /* PIPE_BUF: written as a whole */);

Record MakeRecord(const RecordName& name) {
  std::mt19937 random(name.round * 7919 + name.thread * 104729 + name.batch * 31 + name.index);
  Record record;
  record.key = absl::StrCat("client ", random() % 1000);
  const size_t padding = random() % 16 == 0 ? random() % 30'000 : random() % 300;
  record.value = absl::StrCat(name.round, " ", name.thread, " ", name.batch, " ", name.index, " ",
                              name.batch_size, " ");
  while (record.value.size() < padding) {
    record.value.push_back(static_cast<char>('a' + random() % 26));
  }
  record.headers = {{"index", absl::StrCat(name.index)}};
  record.timestamp = absl::FromUnixMillis(1700000000000 + name.batch);
  return record;
}

RecordName NameOf(absl::string_view value) {
  const std::vector<absl::string_view> parts = absl::StrSplit(value, absl::MaxSplits(' ', 5));
  RecordName name = {};
  RAPPORT_CHECK(
      parts.size() == 6 && absl::SimpleAtoi(parts[0], &name.round) &&
          absl::SimpleAtoi(parts[1], &name.thread) && absl::SimpleAtoi(parts[2], &name.batch) &&
          absl::SimpleAtoi(parts[3], &name.index) && absl::SimpleAtoi(parts[4], &name.batch_size),
      "a strange value: ", value.substr(0, 100));
  return name;
}

std::unique_ptr<EventLog> Open(const std::string& folder) {
  // So small that files are written, and kills hit that, all the time.
  auto log = OpenEmbeddedLog(
      {.folder = folder, .write_buffers = std::make_shared<rocksdb::WriteBufferManager>(1 << 20)});
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  return *std::move(log);
}

void AppendForEver(EventLog* log, uint32_t round, uint32_t thread) {
  std::mt19937 random(round * kThreads + thread);
  for (uint32_t batch = 0;; ++batch) {
    const uint32_t size = 1 + random() % kMaxBatch;
    std::vector<Record> records;
    for (uint32_t index = 0; index < size; ++index) {
      records.push_back(MakeRecord({round, thread, batch, index, size}));
    }
    const auto positions = log->Append(kTopic, records);
    RAPPORT_CHECK(positions.ok(), positions.status().ToString());
    std::vector<Acknowledgement> acknowledgements;
    for (uint32_t index = 0; index < size; ++index) {
      acknowledgements.push_back({{round, thread, batch, index, size},
                                  (*positions)[index].partition.value(),
                                  (*positions)[index].offset.value()});
    }
    const size_t bytes = size * sizeof(Acknowledgement);
    RAPPORT_CHECK(write(kPipe, acknowledgements.data(), bytes) == static_cast<ssize_t>(bytes));
  }
}

int RunChild(const std::string& folder, uint32_t round) {
  const auto log = Open(folder);
  const absl::Status created = log->CreateTopic(kTopic, kPartitions);
  RAPPORT_CHECK(created.ok(), created.ToString());
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] { AppendForEver(log.get(), round, thread); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

uint32_t FromEnvironment(const char* name, uint32_t otherwise) {
  const char* const text = std::getenv(name);
  uint32_t value = otherwise;
  RAPPORT_CHECK(text == nullptr || absl::SimpleAtoi(text, &value), name, " is no number: ", text);
  return value;
}

class CrashTest : public testing::Test {
 protected:
  using Place = std::pair<int32_t, int64_t>;

  // A process that appends; what it was told to be safe comes out of `acknowledgements`.
  struct Child {
    pid_t pid;
    int acknowledgements;
  };
  Child Start(uint32_t round) {
    int ends[2];
    RAPPORT_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    const std::string round_text = absl::StrCat(round);
    const pid_t child = fork();
    RAPPORT_CHECK(child >= 0);
    if (child == 0) {
      // A program anew: threads of this one are not there after fork.
      if (ends[1] == kPipe) {
        fcntl(kPipe, F_SETFD, 0);
      } else {
        dup2(ends[1], kPipe);
      }
      execl("/proc/self/exe", "crash_test", "--child", folder_.path().c_str(), round_text.c_str(),
            nullptr);
      _exit(127);
    }
    close(ends[1]);
    return {child, ends[0]};
  }
  void WaitForKilled(const Child& child) {
    close(child.acknowledgements);
    int status = 0;
    ASSERT_EQ(waitpid(child.pid, &status, 0), child.pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the child ended by itself, with status " << status;
  }

  // Kills a child `time` after its start or its first acknowledgement; keeps what it was told to be
  // safe.
  void AppendAndKill(uint32_t round, bool from_start, std::chrono::microseconds time) {
    const Child child = Start(round);
    if (!from_start) {
      pollfd first = {.fd = child.acknowledgements, .events = POLLIN, .revents = 0};
      ASSERT_EQ(poll(&first, 1, 60'000), 1) << "the child appends nothing";
    }
    const auto until = std::chrono::steady_clock::now() + time;
    bool killed = false;
    std::string bytes;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (!killed && left.count() <= 0) {
        kill(child.pid, SIGKILL);
        killed = true;
      }
      pollfd waiting = {.fd = child.acknowledgements, .events = POLLIN, .revents = 0};
      const int count = poll(&waiting, 1, killed ? -1 : static_cast<int>(left.count()) + 1);
      if (count == 0) continue;
      char buffer[65536];
      const ssize_t got = read(child.acknowledgements, buffer, sizeof buffer);
      ASSERT_GE(got, 0);
      if (got == 0) break;
      bytes.append(buffer, static_cast<size_t>(got));
    }
    ASSERT_NO_FATAL_FAILURE(WaitForKilled(child));
    ASSERT_EQ(bytes.size() % sizeof(Acknowledgement), 0u);
    for (size_t at = 0; at < bytes.size(); at += sizeof(Acknowledgement)) {
      Acknowledgement acknowledgement;
      std::memcpy(&acknowledgement, bytes.data() + at, sizeof acknowledgement);
      ASSERT_TRUE(acknowledged_
                      .emplace(Place(acknowledgement.partition, acknowledgement.offset),
                               acknowledgement.name)
                      .second)
          << "acknowledged twice: " << acknowledgement.partition << "/" << acknowledgement.offset;
    }
  }

  // Reads the log from what has been checked already (or from its start) and compares.
  void Check(bool from_start) {
    const auto start = std::chrono::steady_clock::now();
    const auto log = Open(folder_.path());
    opening_ms_.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
    if (!log->PartitionCount(kTopic).ok()) {
      ASSERT_TRUE(acknowledged_.empty());
      return;
    }
    std::map<std::array<uint32_t, 3>, std::pair<uint32_t, uint32_t>> batches;  // found, of
    for (int32_t i = 0; i < kPartitions; ++i) {
      const int64_t from = from_start ? 0 : checked_[i];
      const auto reader = log->OpenReader(kTopic, Partition(i), Offset(from));
      ASSERT_OK(reader);
      auto expected = acknowledged_.lower_bound(Place(i, from));
      for (int64_t offset = from;;) {
        const auto records = (*reader)->Read(10'000, absl::ZeroDuration());
        ASSERT_OK(records);
        if (records->empty()) break;
        for (const RecordView& view : *records) {
          ASSERT_EQ(view.offset, Offset(offset));
          const RecordName name = NameOf(view.value);
          const Record record = MakeRecord(name);
          ASSERT_TRUE(view.value == record.value && view.key == record.key &&
                      view.timestamp == record.timestamp &&
                      (*reader)->Headers(view) == record.headers)
              << "partition " << i << ", offset " << offset;
          auto& [found, of] = batches[{name.round, name.thread, name.batch}];
          ++found;
          of = name.batch_size;
          if (expected != acknowledged_.end() && expected->first == Place(i, offset)) {
            ASSERT_EQ(expected->second, name) << "partition " << i << ", offset " << offset;
            ++expected;
          }
          ++offset;
        }
        checked_[i] = offset;
      }
      ASSERT_TRUE(expected == acknowledged_.end() || expected->first.first > i)
          << "lost: partition " << i << ", offset " << expected->first.second;
    }
    for (const auto& [batch, counts] : batches) {
      ASSERT_EQ(counts.first, counts.second) << "round " << batch[0] << ", thread " << batch[1]
                                             << ", batch " << batch[2] << " is there in part";
    }
  }

  const TempFolder folder_;
  std::map<Place, RecordName> acknowledged_;
  std::map<int32_t, int64_t> checked_;
  std::vector<double> opening_ms_;
};

TEST_F(CrashTest, WhatIsAcknowledgedSurvivesAKill) {
  const uint32_t kills = FromEnvironment("RAPPORT_KILLS", 20);
  const uint32_t seed = FromEnvironment("RAPPORT_SEED", 1);
  std::mt19937 random(seed);
  for (uint32_t round = 0; round < kills; ++round) {
    SCOPED_TRACE(absl::StrCat("RAPPORT_SEED=", seed, ", kill ", round));
    // Some kills come while the log is being opened.
    const bool from_start = random() % 4 == 0;
    const std::chrono::microseconds time(random() % (from_start ? 50'000 : 250'000));
    ASSERT_NO_FATAL_FAILURE(AppendAndKill(round, from_start, time));
    ASSERT_NO_FATAL_FAILURE(Check(/*from_start=*/false));
  }
  ASSERT_NO_FATAL_FAILURE(Check(/*from_start=*/true));
  EXPECT_GT(acknowledged_.size(), kills) << "too little was appended to test anything";
  std::sort(opening_ms_.begin(), opening_ms_.end());
  std::printf("seed %u: %u kills, %zu records acknowledged, none lost; reopened in %.0f ms (p99)\n",
              seed, kills, acknowledged_.size(), opening_ms_[opening_ms_.size() * 99 / 100]);
}

TEST_F(CrashTest, TwoProcessesCannotShareALog) {
  const Child child = Start(0);
  char c;
  ASSERT_EQ(read(child.acknowledgements, &c, 1), 1);
  EXPECT_THAT(OpenEmbeddedLog({.folder = folder_.path()}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::AllOf(testing::HasSubstr(folder_.path()),
                                      testing::HasSubstr("another process has it open"))));
  kill(child.pid, SIGKILL);
  ASSERT_NO_FATAL_FAILURE(WaitForKilled(child));
  EXPECT_OK(OpenEmbeddedLog({.folder = folder_.path()}));
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  uint32_t round;
  if (argc == 4 && absl::string_view(argv[1]) == "--child" && absl::SimpleAtoi(argv[3], &round)) {
    return rapport::RunChild(argv[2], round);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
