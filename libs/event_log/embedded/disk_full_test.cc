// A full disk, on a small file system in memory that only this process sees.

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/log.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/temp_folder.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// Why there is no mount namespace of our own; empty when there is one.
std::string no_namespace;

void WriteTo(const char* file, const std::string& text) { std::ofstream(file) << text; }

void EnterMountNamespace() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  // Who may not mount may do so as the root of a user namespace.
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      no_namespace = absl::StrCat("unshare: ", std::strerror(errno));
      return;
    }
    WriteTo("/proc/self/setgroups", "deny");
    WriteTo("/proc/self/uid_map", absl::StrCat("0 ", user, " 1"));
    WriteTo("/proc/self/gid_map", absl::StrCat("0 ", group, " 1"));
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    no_namespace = absl::StrCat("making mounts private: ", std::strerror(errno));
  }
}

Record RandomRecord(uint32_t seed) {
  std::mt19937 random(seed);
  Record record;
  record.partition = Partition(static_cast<int32_t>(seed % 2));
  record.value.resize(20'000);
  for (char& c : record.value) c = static_cast<char>(random());
  return record;
}

class DiskFullTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!no_namespace.empty()) GTEST_SKIP() << "cannot mount a file system: " << no_namespace;
    if (mount("tmpfs", disk_.path().c_str(), "tmpfs", 0, "size=96m") != 0) {
      GTEST_SKIP() << "cannot mount a file system: " << std::strerror(errno);
    }
    mounted_ = true;
    SetLogSink([this](LogLevel, absl::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override {
    SetLogSink(nullptr);
    log_.reset();
    if (mounted_) {
      EXPECT_EQ(umount(disk_.path().c_str()), 0);
    }
  }

  std::string folder() const { return disk_.path() + "/log"; }
  std::string ballast() const { return disk_.path() + "/ballast"; }

  // Takes up to `bytes` of room.
  void TakeRoom(size_t bytes) {
    std::ofstream file(ballast(), std::ios::binary);
    const std::string chunk(64 << 10, 'b');
    for (size_t done = 0; done < bytes && file; done += chunk.size()) {
      file.write(chunk.data(), static_cast<std::streamsize>(chunk.size())).flush();
    }
  }
  void MakeRoom() { fs::remove(ballast()); }

  void Open() { ASSERT_OK_AND_ASSIGN(log_, OpenEmbeddedLog({.folder = folder()})); }

  absl::Status AppendTwo() {
    const std::vector<Record> records = {RandomRecord(appended_), RandomRecord(appended_ + 1)};
    const auto positions = log_->Append("t", records);
    if (!positions.ok()) return positions.status();
    EXPECT_EQ((*positions)[0], (RecordPosition{Partition(0), Offset(appended_ / 2)}));
    EXPECT_EQ((*positions)[1], (RecordPosition{Partition(1), Offset(appended_ / 2)}));
    appended_ += 2;
    return absl::OkStatus();
  }
  absl::Status AppendUntilFull() {
    for (int i = 0; i < 10'000; ++i) {
      if (absl::Status status = AppendTwo(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Exactly what was acknowledged is there.
  void Check() {
    for (const Partition partition : {Partition(0), Partition(1)}) {
      ASSERT_EQ(log_->GetWatermarks("t", partition).value().end, Offset(appended_ / 2));
      ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader("t", partition, Offset(0)));
      while (reader->position() < Offset(appended_ / 2)) {
        ASSERT_OK_AND_ASSIGN(const auto records, reader->Read(100, absl::ZeroDuration()));
        ASSERT_FALSE(records.empty());
        for (const RecordView& record : records) {
          const auto seed = static_cast<uint32_t>(record.offset.value() * 2 + partition.value());
          ASSERT_TRUE(record.value == RandomRecord(seed).value)
              << partition << "/" << record.offset;
        }
      }
    }
  }

  const TempFolder disk_;
  bool mounted_ = false;
  std::unique_ptr<EventLog> log_;
  uint32_t appended_ = 0;
  std::vector<std::string> lines_;
};

TEST_F(DiskFullTest, AppendsGoOnWhenThereIsRoomAgain) {
  Open();
  ASSERT_OK(log_->CreateTopic("t", 2));
  for (int round = 0; round < 3; ++round) {
    lines_.clear();
    TakeRoom((64 - 16 * round) << 20);
    const auto full = StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(folder()), HasSubstr("No space left on device")));
    ASSERT_THAT(AppendUntilFull(), full);
    ASSERT_THAT(AppendTwo(), full);
    ASSERT_THAT(AppendTwo(), full);
    Check();
    ASSERT_EQ(lines_.size(), 1u) << "one line per outage:\n" << absl::StrJoin(lines_, "\n");
    EXPECT_THAT(lines_[0], HasSubstr("No space left on device"));
    MakeRoom();
    ASSERT_OK(AppendTwo());
    ASSERT_OK(AppendTwo());
    ASSERT_EQ(lines_.size(), 2u);
    EXPECT_THAT(lines_[1], HasSubstr("takes appends again"));
    Check();
  }
  log_.reset();
  Open();
  Check();
  ASSERT_OK(AppendTwo());
  Check();
}

TEST_F(DiskFullTest, ALogClosedOnAFullDiskOpensWhenThereIsRoom) {
  Open();
  ASSERT_OK(log_->CreateTopic("t", 2));
  TakeRoom(64 << 20);
  ASSERT_EQ(AppendUntilFull().code(), absl::StatusCode::kUnavailable);
  log_.reset();
  MakeRoom();
  Open();
  Check();
  ASSERT_OK(AppendTwo());
  Check();
}

TEST_F(DiskFullTest, ATopicIsCreatedWhenThereIsRoomAgain) {
  Open();
  ASSERT_OK(log_->CreateTopic("t", 2));
  TakeRoom(64 << 20);
  ASSERT_EQ(AppendUntilFull().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(log_->CreateTopic("u", 3),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("creating topic u")));
  EXPECT_EQ(log_->PartitionCount("u").status().code(), absl::StatusCode::kNotFound);
  MakeRoom();
  ASSERT_OK(log_->CreateTopic("u", 3));
  ASSERT_OK(AppendTwo());
  log_.reset();
  Open();
  EXPECT_EQ(log_->PartitionCount("u").value(), 3);
  Check();
}

TEST_F(DiskFullTest, ALogCannotBeOpenedOnAFullDisk) {
  TakeRoom(200 << 20);
  EXPECT_THAT(OpenEmbeddedLog({.folder = folder()}),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(folder()), HasSubstr("No space left on device"))));
  MakeRoom();
  Open();
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  // Before there are other threads, which would stay in the old one.
  rapport::EnterMountNamespace();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
