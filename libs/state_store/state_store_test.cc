#include "libs/state_store/state_store.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

EventId Id(int n) {
  EventId id;
  std::memcpy(id.bytes.data(), &n, sizeof n);
  id.bytes[15] = static_cast<uint8_t>(n % 251);
  return id;
}

std::string MakeTempFolder() {
  std::string pattern = (fs::temp_directory_path() / "rapport_store_XXXXXX").string();
  return ::mkdtemp(pattern.data());
}

class StateStoreTest : public ::testing::TestWithParam<bool> {
 protected:
  StateStoreTest() : resources_({.memory_bytes = 64 << 20, .in_memory = GetParam()}) {}
  ~StateStoreTest() override {
    store_.reset();
    fs::remove_all(root_);
  }
  void Open() {
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, StateStore::Open(folder_, &resources_));
  }
  std::unique_ptr<Commit> NewCommit(bool bulk) {
    return bulk ? store_->NewBulkCommit() : store_->NewCommit();
  }

  const std::string root_ = MakeTempFolder();
  const std::string folder_ = root_ + "/p0";
  StoreResources resources_;
  std::unique_ptr<StateStore> store_;
};
INSTANTIATE_TEST_SUITE_P(DiskAndMemory, StateStoreTest, ::testing::Bool(),
                         [](const auto& storage) { return storage.param ? "Memory" : "Disk"; });

TEST_P(StateStoreTest, ACommitIsThereAfterReopening) {
  for (const bool bulk : {false, true}) {
    Open();
    auto commit = NewCommit(bulk);
    const std::string key = bulk ? "bulk" : "batch";
    commit->Put(Family::kState, key, "state");
    commit->Put(Family::kMeta, "meta", key);
    commit->Put(Family::kTimers, key, "");
    commit->AddSeen({Id(bulk ? 1 : 2)});
    ASSERT_OK(store_->Write(std::move(commit)));
    for (int round = 0; round < 2; ++round) {
      EXPECT_THAT(store_->Get(Family::kState, key), IsOk());
      EXPECT_EQ(*store_->Get(Family::kState, key), "state");
      EXPECT_EQ(*store_->Get(Family::kMeta, "meta"), key);
      EXPECT_EQ(*store_->Get(Family::kTimers, key), "");
      EXPECT_EQ(*store_->Get(Family::kIndex, key), std::nullopt);
      EXPECT_EQ(*store_->SeenBefore(Id(bulk ? 1 : 2)), true);
      EXPECT_EQ(*store_->SeenBefore(Id(3)), false);
      Open();
    }
  }
}

TEST_P(StateStoreTest, ABulkCommitThatSettlesIsThereAsAWholeOrNotAtAll) {
  Open();
  const std::string value(size_t{1} << 20, 'v');
  const auto key = [](int i) { return std::string("key") + std::to_string(1000 + i); };
  constexpr int kParts = 3;
  constexpr int kPart = 70;
  for (const bool written : {false, true}) {
    auto commit = NewCommit(/*bulk=*/true);
    for (int part = 0; part < kParts; ++part) {
      // The parts' keys overlap.
      for (int i = 0; i < kPart; ++i) commit->Put(Family::kState, key(i * kParts + part), value);
      commit->AddSeen({Id(1), Id(2 + part)});
      ASSERT_OK(commit->Settle());
    }
    if (written) {
      ASSERT_OK(store_->Write(std::move(commit)));
    }
    commit.reset();
    Open();
    for (int i = 0; i < kParts * kPart; ++i) {
      ASSERT_EQ(store_->Get(Family::kState, key(i))->has_value(), written) << i;
    }
    for (int i = 1; i < 2 + kParts; ++i) EXPECT_EQ(*store_->SeenBefore(Id(i)), written);
  }
}

TEST_P(StateStoreTest, TheLastChangeOfAKeyInACommitCounts) {
  Open();
  for (const bool bulk : {false, true}) {
    auto commit = NewCommit(bulk);
    commit->Put(Family::kState, "a", "first");
    commit->Delete(Family::kState, "a");
    commit->Put(Family::kState, "a", "last");
    commit->Put(Family::kState, "b", "first");
    commit->Delete(Family::kState, "b");
    ASSERT_OK(store_->Write(std::move(commit)));
    EXPECT_EQ(*store_->Get(Family::kState, "a"), "last");
    EXPECT_EQ(*store_->Get(Family::kState, "b"), std::nullopt);
  }
}

TEST_P(StateStoreTest, SeenIdsOutliveTheirMoveFromMemoryToAFile) {
  Open();
  constexpr int kIds = 600'000;  // more than two moves
  std::vector<EventId> block;
  for (int i = 0; i < kIds; ++i) {
    block.push_back(Id(i));
    if (block.size() < 50'000) continue;
    auto commit = store_->NewCommit();
    commit->AddSeen(block);
    ASSERT_OK(store_->Write(std::move(commit)));
    block.clear();
  }
  Open();
  for (int i = 0; i < kIds; i += 997) EXPECT_EQ(*store_->SeenBefore(Id(i)), true) << i;
  for (int i = kIds; i < kIds + 1000; ++i) EXPECT_EQ(*store_->SeenBefore(Id(i)), false) << i;
}

TEST_P(StateStoreTest, ScansInKeyOrderWithinBounds) {
  Open();
  auto commit = store_->NewCommit();
  for (const char* key : {"b", "a", "d", "c"}) commit->Put(Family::kRows, key, key);
  ASSERT_OK(store_->Write(std::move(commit)));
  const auto scan = [&](absl::string_view begin, absl::string_view end, size_t limit) {
    std::string keys;
    EXPECT_OK(
        store_->Scan(Family::kRows, begin, end, [&](absl::string_view key, absl::string_view) {
          keys.append(key.data(), key.size());
          return keys.size() < limit;
        }));
    return keys;
  };
  EXPECT_EQ(scan("", "", 9), "abcd");
  EXPECT_EQ(scan("b", "d", 9), "bc");
  EXPECT_EQ(scan("bb", "", 1), "c");
}

TEST_P(StateStoreTest, TheDigestCoversWhatFollowsFromTheLog) {
  Open();
  auto commit = store_->NewCommit();
  commit->Put(Family::kState, "k", "v");
  commit->Put(Family::kRows, "r", "w");
  commit->Put(Family::kMeta, "meta", "position");
  commit->Put(Family::kOutbox, "effect", "bytes");
  ASSERT_OK(store_->Write(std::move(commit)));
  Digest expected = Digest::OfEntry(static_cast<uint8_t>(Family::kState), "k", "v");
  expected += Digest::OfEntry(static_cast<uint8_t>(Family::kRows), "r", "w");
  EXPECT_EQ(*store_->ComputeDigest(), expected);
}

TEST(StateStoreOnDiskTest, ASecondOpenerIsRefused) {
  const std::string root = MakeTempFolder();
  StoreResources resources({.memory_bytes = 16 << 20});
  ASSERT_OK_AND_ASSIGN(auto store, StateStore::Open(root + "/p0", &resources));
  EXPECT_THAT(StateStore::Open(root + "/p0", &resources),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another process")));
  store.reset();
  fs::remove_all(root);
}

TEST(StateStoreOnDiskTest, ACheckpointIsACopyOfItsMoment) {
  const std::string root = MakeTempFolder();
  StoreResources resources({.memory_bytes = 16 << 20});
  {
    ASSERT_OK_AND_ASSIGN(auto store, StateStore::Open(root + "/p0", &resources));
    auto commit = store->NewCommit();
    commit->Put(Family::kState, "k", "then");
    ASSERT_OK(store->Write(std::move(commit)));
    ASSERT_OK(store->Checkpoint(root + "/copy"));
    commit = store->NewCommit();
    commit->Put(Family::kState, "k", "later");
    ASSERT_OK(store->Write(std::move(commit)));
    ASSERT_OK_AND_ASSIGN(auto copy, StateStore::Open(root + "/copy", &resources));
    EXPECT_EQ(*copy->Get(Family::kState, "k"), "then");
  }
  fs::remove_all(root);
}

// Each way in which a folder can be damaged must be told at opening, never taken for an empty one.
TEST(StateStoreOnDiskTest, DamageIsToldAtOpening) {
  const auto truncate_half = [](const fs::path& path) {
    fs::resize_file(path, fs::file_size(path) / 2);
  };
  const struct {
    const char* extension;
    std::function<void(const fs::path&)> damage;
  } kCases[] = {{".sst", truncate_half},
                {".sst", [](const fs::path& path) { fs::remove(path); }},
                {"MANIFEST", [](const fs::path& path) { fs::resize_file(path, 7); }},
                {"CURRENT", [](const fs::path& path) { fs::remove(path); }},
                {"CURRENT", [](const fs::path& path) { std::ofstream(path) << "garbage"; }}};
  for (const auto& c : kCases) {
    const std::string root = MakeTempFolder();
    StoreResources resources({.memory_bytes = 16 << 20});
    {
      ASSERT_OK_AND_ASSIGN(auto store, StateStore::Open(root + "/p0", &resources));
      auto commit = store->NewBulkCommit();
      for (int i = 0; i < 5000; ++i) commit->Put(Family::kState, absl::StrCat("k", i), "value");
      ASSERT_OK(store->Write(std::move(commit)));
    }
    int damaged = 0;
    for (const auto& file : fs::directory_iterator(root + "/p0")) {
      const std::string name = file.path().filename().string();
      if (name.find(c.extension) != std::string::npos && damaged++ == 0) c.damage(file.path());
    }
    ASSERT_EQ(damaged > 0, true) << c.extension;
    EXPECT_THAT(StateStore::Open(root + "/p0", &resources),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(root)))
        << c.extension;
    fs::remove_all(root);
  }
}

TEST(StateStoreOnDiskTest, AStoreWhoseMakingWasCutOffIsMadeAnew) {
  const std::string root = MakeTempFolder();
  StoreResources resources({.memory_bytes = 16 << 20});
  fs::create_directories(root + "/p0");
  std::ofstream(root + "/p0/MANIFEST-000001") << "its first half";
  EXPECT_OK(StateStore::Open(root + "/p0", &resources));
  EXPECT_OK(StateStore::Open(root + "/p0", &resources));
  fs::remove_all(root);
}

}  // namespace
}  // namespace rapport
