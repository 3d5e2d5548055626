// Damage in the state's folders, which appears while nobody looks: it is found, the damaged store
// is set aside with a message, the state is rebuilt from the log, and no alert is sent twice.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/log.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"
#include "rocksdb/options.h"
#include "rocksdb/sst_file_reader.h"
#include "rocksdb/table_properties.h"
#include "tests/faults/history.h"
#include "tests/faults/host.h"

namespace rapport::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<fs::path> FilesWith(const fs::path& folder, const std::string& part) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (absl::StrContains(entry.path().filename().string(), part)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Flips bits in the first `bytes` of the file.
void FlipBytes(const fs::path& path, std::streamoff bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::streamoff at = 8; at < bytes; at += 16) {
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x55));
  }
}

// Whose entries a file has.
std::string FamilyOf(const fs::path& sst) {
  rocksdb::SstFileReader reader{rocksdb::Options()};
  RAPPORT_CHECK(reader.Open(sst.string()).ok());
  return reader.GetTableProperties()->column_family_name;
}

void Truncate(const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); }

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogSink([this](LogLevel, absl::string_view line) {
      MutexLock lock(&mutex_);
      lines_.emplace_back(line);
    });
    Open();
    Append(1);
    ASSERT_OK(host_->CatchUp());
    // In files rather than in the write-ahead log alone: as a rebuild leaves it.
    ASSERT_OK_AND_ASSIGN(Projector * projector, host_->Find("retention"));
    ASSERT_OK(Rebuild(*projector, {}).status());
    host_.reset();
  }
  void TearDown() override {
    host_.reset();
    SetLogSink(nullptr);
  }

  void Open() { ASSERT_OK_AND_ASSIGN(host_, EmbeddedHost::Open(HostOptions(data_.path()))); }
  // Of partition 0 of retention.
  fs::path Store() const { return fs::path(data_.path()) / "state/retention/g2/p0"; }
  void Append(int part) {
    HistoryOptions options;
    options.seed = static_cast<uint64_t>(part);
    options.client_count = 60;
    options.touchpoint_count = 3000;
    options.start += absl::Hours(24 * 400) * part;
    options.tick = absl::Hours(48);
    ASSERT_OK(AppendAll(host_->log(), host_->topics().touchpoints, host_->partition_count(),
                        NumberedHistory(options, static_cast<uint64_t>(part))));
  }

  void ExpectRebuilt() {
    ASSERT_OK(host_->CatchUp());
    EXPECT_THAT(FilesWith(Store().parent_path(), "p0.set-aside-"), SizeIs(1));
    {
      MutexLock lock(&mutex_);
      EXPECT_THAT(lines_, Contains(HasSubstr("state set aside as " + Store().string())));
    }
    int64_t alerts = 0;
    EXPECT_THAT(CompareHost(*host_, &alerts), IsEmpty());
    EXPECT_GT(alerts, 0);
    ASSERT_OK_AND_ASSIGN(const VerifyResult verified, host_->VerifyProjection("retention", {}));
    EXPECT_TRUE(verified.equal());
  }

  const TempFolder data_;
  std::unique_ptr<EmbeddedHost> host_;
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(DamageTest, WhatOpeningFindsIsSetAside) {
  struct Case {
    const char* file;
    std::function<void(const fs::path&)> damage;
  };
  const Case kCases[] = {
      {".sst", Truncate},
      {".sst", [](const fs::path& path) { fs::remove(path); }},
      {"MANIFEST", Truncate},
      {"MANIFEST", [](const fs::path& path) { FlipBytes(path, 200); }},
      {"CURRENT", [](const fs::path& path) { fs::remove(path); }},
      {"CURRENT", [](const fs::path& path) { std::ofstream(path) << "garbage"; }},
  };
  int number = 0;
  for (const Case& c : kCases) {
    SCOPED_TRACE(absl::StrCat("case ", ++number, ": ", c.file));
    const std::vector<fs::path> files = FilesWith(Store(), c.file);
    ASSERT_FALSE(files.empty());
    c.damage(files.back());
    ASSERT_NO_FATAL_FAILURE(Open());
    ASSERT_NO_FATAL_FAILURE(ExpectRebuilt());
    host_.reset();
    // The next damage is the first again.
    for (const fs::path& aside : FilesWith(Store().parent_path(), "set-aside"))
      fs::remove_all(aside);
    MutexLock lock(&mutex_);
    lines_.clear();
  }
}

TEST_F(DamageTest, WhatOnlyAReadFindsIsSetAsideWhileItRuns) {
  int damaged = 0;
  for (const fs::path& file : FilesWith(Store(), ".sst")) {
    if (FamilyOf(file) != "state") continue;
    FlipBytes(file, 100);
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  ASSERT_NO_FATAL_FAILURE(Open());
  ASSERT_OK(host_->CatchUp());
  EXPECT_THAT(FilesWith(Store().parent_path(), "set-aside"), IsEmpty());
  Append(2);
  ASSERT_NO_FATAL_FAILURE(ExpectRebuilt());
}

TEST_F(DamageTest, ADamagedPointerToTheGenerationIsToldWithWhatToDo) {
  const std::string pointer = data_.path() + "/state/retention/CURRENT";
  std::ofstream(pointer) << "nonsense";
  EXPECT_THAT(
      EmbeddedHost::Open(HostOptions(data_.path())),
      StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr(pointer), HasSubstr("'nonsense'"),
                                                  HasSubstr("write the number N"))));
}

}  // namespace
}  // namespace rapport::testing
