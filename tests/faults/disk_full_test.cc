// A full disk under the whole host, and under its state alone, on small file systems in memory that
// only this process sees.

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/log.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"
#include "tests/faults/history.h"
#include "tests/faults/host.h"

namespace rapport::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Why there is no mount namespace of our own; empty when there is one.
std::string no_namespace;

class DiskFullTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!no_namespace.empty()) GTEST_SKIP() << "cannot mount a file system: " << no_namespace;
    // The same outage is told again with each try.
    SetLogSink([](LogLevel, absl::string_view) {});
  }
  void TearDown() override {
    host_.reset();
    for (const std::string& folder : mounted_) EXPECT_EQ(::umount(folder.c_str()), 0);
    SetLogSink(nullptr);
  }

  // An empty file system of so many MiB at `folder`.
  void Mount(const std::string& folder, int size) {
    fs::create_directories(folder);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, absl::StrCat("size=", size, "m").c_str()) !=
        0) {
      GTEST_SKIP() << "cannot mount a file system: " << std::strerror(errno);
    }
    mounted_.insert(mounted_.begin(), folder);
  }
  // All that is left there, but for so many bytes.
  void TakeRoom(const std::string& folder, size_t but_for) {
    std::ofstream file(folder + "/ballast", std::ios::binary | std::ios::app);
    const std::string chunk(64 << 10, 'b');
    while (file && fs::space(folder).available > but_for)
      file.write(chunk.data(), 64 << 10).flush();
  }
  void MakeRoom(const std::string& folder) { fs::remove(folder + "/ballast"); }

  void Open() { ASSERT_OK_AND_ASSIGN(host_, EmbeddedHost::Open(HostOptions(data_.path()))); }

  // Appends another part of a history; counts the parts that were acknowledged as a whole.
  absl::Status AppendPart() {
    HistoryOptions options;
    options.seed = static_cast<uint64_t>(parts_);
    options.client_count = 600;
    options.touchpoint_count = 1000;
    options.start += absl::Hours(24 * 60) * parts_;
    options.length = absl::Hours(24 * 60);
    options.tick = absl::Hours(24);
    options.silence = absl::ZeroDuration();
    RAPPORT_RETURN_IF_ERROR(AppendAll(host_->log(), host_->topics().touchpoints,
                                      host_->partition_count(),
                                      NumberedHistory(options, static_cast<uint64_t>(parts_))));
    ++parts_;
    return absl::OkStatus();
  }
  // With a try about each ten seconds, at the longest.
  void CatchUpInTime() {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    absl::Status status;
    do {
      status = host_->CatchUp();
    } while (absl::IsUnavailable(status) && absl::Now() < deadline);
    ASSERT_OK(status);
  }
  void ExpectExact() {
    int64_t alerts = 0;
    EXPECT_THAT(CompareHost(*host_, &alerts), IsEmpty());
    EXPECT_GT(alerts, 0);
    // A full disk is no damage.
    for (const auto& entry : fs::recursive_directory_iterator(data_.path() + "/state")) {
      EXPECT_THAT(entry.path().filename().string(), ::testing::Not(HasSubstr("damaged")));
    }
  }

  const TempFolder data_;
  std::vector<std::string> mounted_;
  std::unique_ptr<EmbeddedHost> host_;
  int parts_ = 0;
};

TEST_F(DiskFullTest, TheHostGoesOnWhenThereIsRoomAgain) {
  Mount(data_.path(), 160);
  if (IsSkipped()) return;
  Open();
  for (int round = 0; round < 2; ++round) {
    absl::Status full;
    for (int i = 0; i < 100 && full.ok(); ++i) {
      // Again and again, since RocksDB gives back what it took in advance.
      TakeRoom(data_.path(), 1 << 20);
      full = AppendPart();
    }
    ASSERT_THAT(full, StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(data_.path()), HasSubstr("No space left"))));
    MakeRoom(data_.path());
    // The same part again: what of it had been written counts once.
    ASSERT_OK(AppendPart());
    ASSERT_NO_FATAL_FAILURE(CatchUpInTime());
  }
  host_.reset();
  Open();
  ASSERT_NO_FATAL_FAILURE(CatchUpInTime());
  ExpectExact();
}

TEST_F(DiskFullTest, StatesStandStillAndGoOnWhenThereIsRoomAgain) {
  const std::string state = data_.path() + "/state";
  Mount(state, 64);
  if (IsSkipped()) return;
  Open();
  ASSERT_OK(AppendPart());
  ASSERT_NO_FATAL_FAILURE(CatchUpInTime());
  for (int round = 0; round < 2; ++round) {
    absl::Status full;
    for (int i = 0; i < 100 && full.ok(); ++i) {
      TakeRoom(state, 0);
      // The log has room.
      ASSERT_OK(AppendPart());
      full = host_->CatchUp();
    }
    ASSERT_THAT(full, StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(state), HasSubstr("No space left"))));
    MakeRoom(state);
    ASSERT_NO_FATAL_FAILURE(CatchUpInTime());
  }
  ExpectExact();
}

void EnterMountNamespace() {
  const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
  if (::unshare(flags) != 0) {
    no_namespace = absl::StrCat("unshare: ", std::strerror(errno));
  } else if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    no_namespace = absl::StrCat("making mounts private: ", std::strerror(errno));
  }
}

}  // namespace
}  // namespace rapport::testing

int main(int argc, char** argv) {
  // Before there are other threads, which would stay in the old one.
  rapport::testing::EnterMountNamespace();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
