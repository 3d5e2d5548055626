// What a power cut leaves: the commits up to some moment, all of them and nothing that came later;
// or a state that says that it is damaged, and so is folded anew.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/state_store/state_store.h"
#include "tests/support/power_cut_env.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::PowerCutEnv;
using testing::Random;

constexpr int kClients = 50;
constexpr int kIdsOfACommit = 20;
constexpr char kFolder[] = "/power_cut/p0";

EventId Id(int64_t n) {
  EventId id;
  std::memcpy(id.bytes.data(), &n, sizeof n);
  // As a hash would be.
  id.bytes[15] = static_cast<uint8_t>(n * 37 % 251);
  return id;
}

// The n-th commit: every family that a fold writes, and ids of its own.
void Fill(int64_t n, size_t bytes, Commit* commit) {
  const std::string text = absl::StrCat(n);
  commit->Put(Family::kMeta, "meta", text);
  commit->Put(Family::kState, absl::StrCat("client ", n % kClients), text);
  commit->Put(Family::kRows, absl::StrCat("row ", n), std::string(bytes, 'r'));
  if (n % 7 == 0) commit->Put(Family::kTimers, absl::StrCat("timer ", n % 5), text);
  std::vector<EventId> ids;
  for (int64_t i = 0; i < kIdsOfACommit; ++i) ids.push_back(Id(n * kIdsOfACommit + i));
  commit->AddSeen(ids);
}

int64_t LastCommit(const StateStore& store) {
  int64_t last = 0;
  const auto text = store.Get(Family::kMeta, "meta");
  EXPECT_OK(text.status());
  if (text.ok() && text->has_value()) {
    EXPECT_TRUE(absl::SimpleAtoi(**text, &last));
  }
  return last;
}

// Everything of the commits 1 to `last`, and nothing else.
void ExpectExactly(const StateStore& store, int64_t last, int64_t written) {
  std::map<std::string, std::string> states;
  std::map<std::string, std::string> timers;
  for (int64_t n = 1; n <= last; ++n) {
    states[absl::StrCat("client ", n % kClients)] = absl::StrCat(n);
    if (n % 7 == 0) timers[absl::StrCat("timer ", n % 5)] = absl::StrCat(n);
  }
  const auto stored = [&](Family family) {
    std::map<std::string, std::string> entries;
    EXPECT_OK(store.Scan(family, "", "", [&](absl::string_view key, absl::string_view value) {
      entries.emplace(std::string(key), std::string(value));
      return true;
    }));
    return entries;
  };
  EXPECT_EQ(stored(Family::kState), states);
  EXPECT_EQ(stored(Family::kTimers), timers);
  EXPECT_EQ(stored(Family::kRows).size(), static_cast<size_t>(last));
  for (int64_t id = kIdsOfACommit; id < (written + 1) * kIdsOfACommit; ++id) {
    ASSERT_EQ(*store.SeenBefore(Id(id)), id < (last + 1) * kIdsOfACommit) << "id " << id;
  }
}

TEST(PowerCutTest, WhatIsLeftIsTheStateOfOneMoment) {
  int64_t dropped = 0;
  int64_t taken_back = 0;
  int64_t damaged = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    PowerCutEnv cut;
    StoreResources resources(
        {.memory_bytes = size_t{8} << 20,
         .write_buffer_bytes = random.Chance(30) ? size_t{64} << 10 : size_t{8} << 20,
         .recent_seen_ids = static_cast<size_t>(100 + random.Below(900)),
         .in_memory = true,
         .env = cut.env()});
    // Small ones stay in the write-ahead log, large ones get into files by themselves.
    const size_t bytes = random.Chance(50) ? 10 : 3000;
    const int bulk_percent = random.Chance(30) ? 10 : 0;
    int64_t last = 0;
    for (int life = 0; life < 5; ++life) {
      auto opened = StateStore::Open(kFolder, &resources);
      if (absl::IsDataLoss(opened.status())) {
        ++damaged;
        ASSERT_OK(DestroyStateStore(kFolder, &resources));
        last = 0;
        opened = StateStore::Open(kFolder, &resources);
      }
      ASSERT_OK(opened.status());
      std::unique_ptr<StateStore> store = *std::move(opened);
      const int64_t found = LastCommit(*store);
      ASSERT_LE(found, last);
      if (found < last) ++taken_back;
      ASSERT_NO_FATAL_FAILURE(ExpectExactly(*store, found, last));
      last = found;
      const int64_t until = last + random.Below(120);
      while (last < until) {
        auto commit = random.Chance(bulk_percent) ? store->NewBulkCommit() : store->NewCommit();
        Fill(++last, bytes, commit.get());
        ASSERT_OK(store->Write(std::move(commit)));
      }
      // The process dies, or the machine does.
      if (random.Chance(40)) continue;
      cut.files().PowerOff();
      store.reset();
      cut.files().PowerOn(&random);
    }
    dropped += cut.files().dropped_bytes();
  }
  // What never happens proves nothing.
  EXPECT_GT(dropped, 0);
  EXPECT_GT(taken_back, 15);
  EXPECT_LT(damaged, 8);
}

// On a disk, with files that somebody harms.
class LogsOnDiskTest : public ::testing::Test {
 protected:
  ~LogsOnDiskTest() override { fs::remove_all(root_); }
  void Open() {
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, StateStore::Open(folder_, &resources_));
  }
  void Write(int64_t commits, size_t bytes) {
    for (int64_t i = 0; i < commits; ++i) {
      auto commit = store_->NewCommit();
      Fill(++last_, bytes, commit.get());
      ASSERT_OK(store_->Write(std::move(commit)));
    }
  }
  // Those that hold anything, the oldest first.
  std::vector<fs::path> Logs() const {
    std::vector<fs::path> logs;
    for (const auto& file : fs::directory_iterator(folder_)) {
      if (file.path().extension() == ".log" && file.file_size() > 0) logs.push_back(file.path());
    }
    std::sort(logs.begin(), logs.end());
    return logs;
  }

  const std::string root_ = [] {
    std::string pattern = (fs::temp_directory_path() / "rapport_logs_XXXXXX").string();
    return std::string(::mkdtemp(pattern.data()));
  }();
  const std::string folder_ = root_ + "/p0";
  StoreResources resources_{{.memory_bytes = size_t{128} << 20,
                             .write_buffer_bytes = size_t{32} << 20,
                             .recent_seen_ids = 200'000}};
  std::unique_ptr<StateStore> store_;
  int64_t last_ = 0;
};

TEST_F(LogsOnDiskTest, IdsAheadOfThePositionAreDamage) {
  ASSERT_NO_FATAL_FAILURE(Open());
  Write(13'500, 100);  // 270,000 ids: sorted into a file once
  store_.reset();
  const std::vector<fs::path> logs = Logs();
  ASSERT_EQ(logs.size(), 1);
  fs::resize_file(logs[0], fs::file_size(logs[0]) / 2);
  EXPECT_THAT(StateStore::Open(folder_, &resources_),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("its files hold what came with commit 10001, and its write-ahead "
                                 "logs end with commit")));
}

TEST_F(LogsOnDiskTest, OnlyTheEndOfTheNewestLogMayBeMissing) {
  const std::map<std::string, std::function<void(const fs::path&)>> kHarms = {
      {"removed", [](const fs::path& log) { fs::remove(log); }},
      {"emptied", [](const fs::path& log) { fs::resize_file(log, 0); }},
      {"cut off", [](const fs::path& log) { fs::resize_file(log, fs::file_size(log) / 2); }}};
  constexpr size_t kLives = 4;
  ASSERT_NO_FATAL_FAILURE(Open());
  for (size_t life = 0; life < kLives; ++life) {
    Write(50, 100);
    ASSERT_NO_FATAL_FAILURE(Open());
  }
  store_.reset();
  // The last one holds what opening notes alone.
  const std::vector<fs::path> logs = Logs();
  ASSERT_EQ(logs.size(), kLives + 1);
  for (const auto& [harm, how] : kHarms) {
    for (size_t i = 0; i < kLives; ++i) {
      SCOPED_TRACE(absl::StrCat("log ", i, " ", harm));
      const fs::path copy = fs::path(root_) / "copy";
      fs::copy(folder_, copy);
      how(copy / logs[i].filename());
      if (const auto store = StateStore::Open(copy, &resources_); store.ok()) {
        // RocksDB stops at a record that is cut off, whatever comes behind it.
        EXPECT_EQ(harm, "cut off");
        ExpectExactly(**store, LastCommit(**store), last_);
      } else {
        EXPECT_THAT(store, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("copy")));
      }
      fs::remove_all(copy);
    }
    const fs::path copy = fs::path(root_) / "copy";
    fs::copy(folder_, copy);
    how(copy / logs.back().filename());
    ASSERT_OK_AND_ASSIGN(const auto store, StateStore::Open(copy, &resources_));
    ExpectExactly(*store, last_, last_);
    fs::remove_all(copy);
  }
  ASSERT_NO_FATAL_FAILURE(Open());
  ExpectExactly(*store_, last_, last_);
}

TEST_F(LogsOnDiskTest, LogsThatAreInFilesAreNotMissed) {
  ASSERT_NO_FATAL_FAILURE(Open());
  for (int life = 0; life < 4; ++life) {
    Write(900, 60'000);
    ASSERT_NO_FATAL_FAILURE(Open());
    ExpectExactly(*store_, last_, last_);
  }
}

}  // namespace
}  // namespace rapport
