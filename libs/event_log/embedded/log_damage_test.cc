// A log whose files are damaged: what is found, what is saved, and what a backup gives back.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/log_backup.h"
#include "libs/event_log/embedded/log_check.h"
#include "libs/event_log/embedded/temp_folder.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;

constexpr int kPartitions = 2;

class LogDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_OK(log_->CreateTopic("t", kPartitions));
    ASSERT_OK(log_->CreateTopic("empty", 1));
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string folder() const { return Path("log"); }
  void Open() { ASSERT_OK_AND_ASSIGN(log_, OpenEmbeddedLog({.folder = folder()})); }

  // Appends `count` times one record to each partition.
  void Append(int count) {
    for (int i = 0; i < count; ++i) {
      std::vector<Record> records;
      for (int partition = 0; partition < kPartitions; ++partition) {
        Record& record = records.emplace_back();
        record.key = absl::StrCat("key", appended_);
        record.value = absl::StrCat(partition, ":", appended_, ":");
        for (int byte = 0; byte < 3000; ++byte) record.value += static_cast<char>(random_());
        record.headers = {{"number", absl::StrCat(appended_)}};
        record.timestamp = absl::FromUnixMillis(1'700'000'000'000 + appended_);
        record.partition = Partition(partition);
      }
      ASSERT_OK(log_->Append("t", records));
      ++appended_;
    }
  }
  // Has what was appended so far written to table files.
  void WriteFiles() {
    ASSERT_OK(CheckpointEmbeddedLog(log_.get(), Path("flushed")));
    fs::remove_all(Path("flushed"));
  }
  // Values by partition, the random bytes left out.
  static std::map<int, std::vector<std::string>> ReadAll(EventLog& log) {
    std::map<int, std::vector<std::string>> values;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const auto marks = log.GetWatermarks("t", Partition(partition));
      EXPECT_OK(marks);
      auto reader = log.OpenReader("t", Partition(partition), marks->begin);
      EXPECT_OK(reader);
      while ((*reader)->position() < marks->end) {
        const auto records = (*reader)->Read(100, absl::ZeroDuration());
        if (!records.ok()) {
          ADD_FAILURE() << records.status();
          return values;
        }
        for (const RecordView& record : *records) {
          const std::string number((*reader)->Headers(record)[0].value);
          EXPECT_EQ(record.key, "key" + number);
          EXPECT_EQ(record.timestamp, absl::FromUnixMillis(1'700'000'000'000 + std::stoi(number)));
          EXPECT_TRUE(absl::StartsWith(record.value, absl::StrCat(partition, ":", number, ":")));
          values[partition].push_back(number);
        }
      }
    }
    return values;
  }
  // The file with this extension that is the largest.
  fs::path Largest(const std::string& extension) const {
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(folder())) {
      if (entry.path().extension() == extension &&
          (largest.empty() || entry.file_size() > fs::file_size(largest))) {
        largest = entry.path();
      }
    }
    return largest;
  }
  static void FlipMiddle(const fs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(fs::file_size(path) / 2);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x55));
    ASSERT_TRUE(file.good()) << path;
  }
  // What is lost is told exactly: all else is there, in its order, in a log that can be written.
  void CheckSalvage(const std::string& damaged_file) {
    ASSERT_OK_AND_ASSIGN(const LogReport report, CheckEmbeddedLog(folder()));
    ASSERT_THAT(report.damages, Not(IsEmpty()));
    EXPECT_THAT(report.damages, Each(Field(&LogReport::Damage::file, EndsWith(damaged_file))));
    ASSERT_THAT(report.lost, Not(IsEmpty()));
    std::map<int, std::set<int64_t>> lost;
    int64_t lost_count = 0;
    for (const LogReport::Lost& range : report.lost) {
      EXPECT_EQ(range.topic, "t");
      EXPECT_LT(range.begin, range.end);
      for (Offset offset = range.begin; offset < range.end; ++offset, ++lost_count) {
        lost[range.partition.value()].insert(offset.value());
      }
    }
    EXPECT_EQ(report.records + lost_count, appended_ * kPartitions);
    EXPECT_LT(lost_count, appended_);
    ASSERT_OK_AND_ASSIGN(const LogReport saved, SalvageEmbeddedLog(folder(), Path("salvaged")));
    EXPECT_EQ(saved.records, report.records);
    EXPECT_EQ(saved.lost.size(), report.lost.size());
    ASSERT_OK_AND_ASSIGN(const auto salvaged, OpenEmbeddedLog({.folder = Path("salvaged")}));
    EXPECT_EQ(salvaged->PartitionCount("empty").value(), 1);
    const auto values = ReadAll(*salvaged);
    for (int partition = 0; partition < kPartitions; ++partition) {
      std::vector<std::string> expected;
      for (int64_t i = 0; i < appended_; ++i) {
        if (!lost[partition].contains(i)) expected.push_back(absl::StrCat(i));
      }
      EXPECT_EQ(values.at(partition), expected);
    }
    EXPECT_OK(salvaged->Append("t", {Record{.key = "more", .value = "more"}}));
    EXPECT_THAT(SalvageEmbeddedLog(folder(), Path("salvaged")),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is there already")));
  }

  const TempFolder folder_;
  std::unique_ptr<EventLog> log_;
  std::mt19937 random_{7};
  int64_t appended_ = 0;
};

TEST_F(LogDamageTest, NothingIsWrongWithALogThatIsWell) {
  Append(100);
  WriteFiles();
  Append(50);
  log_.reset();
  ASSERT_OK_AND_ASSIGN(const LogReport report, CheckEmbeddedLog(folder()));
  EXPECT_TRUE(report.IsWell());
  EXPECT_EQ(report.records, 300);
  EXPECT_GT(report.files, 0);
  EXPECT_THAT(CheckEmbeddedLog(Path("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no log")));
  // It changed nothing.
  Open();
  EXPECT_EQ(ReadAll(*log_)[1].size(), 150u);
}

TEST_F(LogDamageTest, AFlippedByteOfATableFileCostsItsBlock) {
  Append(300);
  WriteFiles();
  Append(50);
  log_.reset();
  const fs::path damaged = Largest(".sst");
  FlipMiddle(damaged);
  CheckSalvage(damaged.filename().string());
}

TEST_F(LogDamageTest, ATableFileThatIsNoneCostsWhatWasInIt) {
  Append(20);
  WriteFiles();
  Append(100);
  WriteFiles();
  Append(100);
  WriteFiles();
  log_.reset();
  const fs::path damaged = Largest(".sst");
  // The end of the file tells where all else is.
  std::ofstream(damaged, std::ios::in | std::ios::out | std::ios::binary | std::ios::ate)
      .seekp(-60, std::ios::end)
      .write(std::string(60, 'x').data(), 60);
  CheckSalvage(damaged.filename().string());
}

TEST_F(LogDamageTest, AFlippedByteOfTheWriteAheadLogCostsWhatWasAppendedTogether) {
  Append(100);
  WriteFiles();
  Append(100);
  log_.reset();
  const fs::path damaged = Largest(".log");
  FlipMiddle(damaged);
  EXPECT_THAT(OpenEmbeddedLog({.folder = folder()}),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(folder()), HasSubstr("`rapport log check`"))));
  CheckSalvage(damaged.filename().string());
}

TEST_F(LogDamageTest, ABackupGivesTheLogBack) {
  Append(200);
  const auto back_up = [this](const std::string& name) {
    EXPECT_OK(CheckpointEmbeddedLog(log_.get(), Path(name)));
    auto backup = BackUpEmbeddedLog(Path(name), Path("backup"), 2);
    fs::remove_all(Path(name));
    return backup;
  };
  ASSERT_OK_AND_ASSIGN(const LogBackup first, back_up("c1"));
  EXPECT_EQ(first.number, 1u);
  EXPECT_THAT(first.new_bytes, Gt(200 * kPartitions * 3000));
  Append(10);
  ASSERT_OK_AND_ASSIGN(const LogBackup second, back_up("c2"));
  EXPECT_EQ(second.number, 2u);
  EXPECT_THAT(second.bytes, Gt(210 * kPartitions * 3000));
  EXPECT_THAT(second.new_bytes, Lt(first.new_bytes / 4));
  // Later ones are not in it.
  Append(10);
  ASSERT_OK_AND_ASSIGN(const LogBackup restored, RestoreEmbeddedLog(Path("backup"), Path("back")));
  EXPECT_EQ(restored.number, 2u);
  EXPECT_THAT(RestoreEmbeddedLog(Path("backup"), Path("back")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("there is something in")));
  {
    ASSERT_OK_AND_ASSIGN(const auto log, OpenEmbeddedLog({.folder = Path("back")}));
    const auto values = ReadAll(*log);
    const auto original = ReadAll(*log_);
    for (int partition = 0; partition < kPartitions; ++partition) {
      ASSERT_EQ(values.at(partition).size(), 210u);
      EXPECT_TRUE(std::equal(values.at(partition).begin(), values.at(partition).end(),
                             original.at(partition).begin()));
    }
    EXPECT_OK(log->Append("t", {Record{.key = "more", .value = "more"}}));
  }
  ASSERT_OK_AND_ASSIGN(const LogBackup third, back_up("c3"));
  EXPECT_EQ(third.number, 3u);
  // A damaged backup is not taken for one.
  for (const auto& entry : fs::recursive_directory_iterator(Path("backup"))) {
    if (entry.path().extension() == ".sst") FlipMiddle(entry.path());
  }
  EXPECT_THAT(RestoreEmbeddedLog(Path("backup"), Path("again")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("backup 3")));
  EXPECT_THAT(RestoreEmbeddedLog(Path("none"), Path("again")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no backup")));
}

}  // namespace
}  // namespace rapport
