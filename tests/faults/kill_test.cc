// kill -9 at random moments: a child opens a data folder, appends from several threads and reports
// what was acknowledged; the parent kills it and starts the next one on the same folder.
// RAPPORT_KILLS sets the number of kills (default 200), RAPPORT_SEED the seed, which is printed.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"
#include "tests/faults/host.h"
#include "tests/faults/kill_history.h"

namespace rapport::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::IsEmpty;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = otherwise;
  RAPPORT_CHECK(text == nullptr || absl::SimpleAtoi(text, &value), name, " is no number: ", text);
  return value;
}

// When a child is killed: so long after this many reports, counted from the start or from when it
// serves.
struct Moment {
  bool serving = false;
  int64_t reports = 0;
  std::chrono::microseconds then{0};
};

Moment RandomMoment(Random& random) {
  Moment moment;
  switch (random.Below(5)) {
    case 0:  // while it opens
      moment.then = std::chrono::microseconds(random.Below(120'000));
      break;
    case 1:  // when it has just opened
      moment.reports = 1 + random.Below(3);
      break;
    default:
      moment.serving = true;
      moment.reports = random.Below(20);
      moment.then = std::chrono::microseconds(random.Below(20'000));
  }
  return moment;
}

class KillTest : public ::testing::Test {
 protected:
  // Starts a child, kills it at its moment, and keeps what it reported.
  void RunAndKill(int round, const Moment& moment) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const steady_clock::time_point start = steady_clock::now();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (ends[1] == kReportPipe) {
        ::fcntl(kReportPipe, F_SETFD, 0);
      } else {
        ::dup2(ends[1], kReportPipe);
      }
      ::execl(RAPPORT_KILL_CHILD, "kill_child", folder_.path().c_str(), absl::StrCat(seed_).c_str(),
              absl::StrCat(round).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    int64_t reports = 0;
    bool counting = !moment.serving;
    std::optional<steady_clock::time_point> kill_at;
    bool killed = false;
    for (;;) {
      if (!kill_at && counting && reports >= moment.reports)
        kill_at = steady_clock::now() + moment.then;
      if (kill_at && !killed && steady_clock::now() >= *kill_at) {
        ::kill(child, SIGKILL);
        killed = true;
      }
      timespec wait = {.tv_sec = 60, .tv_nsec = 0};
      if (kill_at && !killed) {
        const auto left = std::max<int64_t>(0, (*kill_at - steady_clock::now()).count());
        wait = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
      }
      pollfd waiting = {.fd = ends[0], .events = POLLIN, .revents = 0};
      if (::ppoll(&waiting, 1, &wait, nullptr) == 0) {
        ASSERT_TRUE(kill_at) << "the child does nothing";
        continue;
      }
      KillReport report;
      const ssize_t got = ::read(ends[0], &report, sizeof report);
      if (got == 0) break;
      ASSERT_EQ(got, static_cast<ssize_t>(sizeof report));
      if (counting) ++reports;
      counting |= report.what == KillReport::kServing;
      Keep(report, round, steady_clock::now() - start);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the child ended by itself, status " << status;
  }

  void Keep(const KillReport& report, int round, steady_clock::duration since_start) {
    switch (report.what) {
      case KillReport::kOpen:
        open_.push_back(since_start);
        return;
      case KillReport::kServing:
        serving_.push_back(since_start);
        return;
      case KillReport::kAppended: {
        int64_t& count = acknowledged_[{round, report.appender}];
        count = std::max(count, report.count);
      }
    }
  }

  void ExpectNothingLost(EventLog& log, const std::string& topic, int partitions) {
    std::set<std::string> ids;
    for (int i = 0; i < partitions; ++i) {
      ForEachRecord(log, topic, Partition(i), [&](const RecordView& record) {
        touchpoint::v1::Touchpoint touchpoint;
        ASSERT_TRUE(
            touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())));
        ids.insert(touchpoint.event_id());
      });
    }
    int64_t count = 0;
    for (const auto& [who, acknowledged] : acknowledged_) {
      const auto history = KillHistory(seed_, who.first, who.second);
      for (int64_t i = 0; i < acknowledged; ++i) {
        const auto& touchpoint = history[static_cast<size_t>(i)];
        if (touchpoint.has_clock_advanced()) continue;
        ++count;
        ASSERT_EQ(ids.count(touchpoint.event_id()), 1u)
            << "lost: touchpoint " << i << " of appender " << who.second << " in round "
            << who.first;
      }
    }
    std::printf("%lld touchpoints acknowledged, none lost\n", static_cast<long long>(count));
    EXPECT_GT(count, std::ssize(acknowledged_)) << "too little was appended to test anything";
  }

  static void PrintTimes(const char* what, std::vector<steady_clock::duration> times) {
    if (times.empty()) return;
    std::sort(times.begin(), times.end());
    const auto at = [&](size_t percent) {
      const auto time = times[std::min(times.size() - 1, times.size() * percent / 100)];
      return std::chrono::duration<double, std::milli>(time).count();
    };
    std::printf("from the start of the process until %s: p50 %.0f ms, p99 %.0f ms (%zu times)\n",
                what, at(50), at(99), times.size());
  }

  const uint64_t seed_ = FromEnvironment("RAPPORT_SEED", 1);
  const TempFolder folder_;
  // By round and appender.
  std::map<std::pair<int, int>, int64_t> acknowledged_;
  std::vector<steady_clock::duration> open_;
  std::vector<steady_clock::duration> serving_;
};

TEST_F(KillTest, NothingIsLostAndNothingCountsTwice) {
  const int kills = static_cast<int>(FromEnvironment("RAPPORT_KILLS", 200));
  Random random(seed_);
  for (int round = 0; round < kills; ++round) {
    SCOPED_TRACE(absl::StrCat("RAPPORT_SEED=", seed_, ", kill ", round));
    ASSERT_NO_FATAL_FAILURE(RunAndKill(round, RandomMoment(random)));
  }
  SCOPED_TRACE(absl::StrCat("RAPPORT_SEED=", seed_));
  PrintTimes("the host is open", open_);
  PrintTimes("all projections can be read", serving_);
  ASSERT_OK_AND_ASSIGN(const auto host, EmbeddedHost::Open(HostOptions(folder_.path())));
  ASSERT_OK(host->CatchUp());
  ASSERT_NO_FATAL_FAILURE(
      ExpectNothingLost(host->log(), host->topics().touchpoints, host->partition_count()));
  int64_t alerts = 0;
  EXPECT_THAT(CompareHost(*host, &alerts), IsEmpty());
  std::printf("seed %llu: %d kills, %lld alerts, each sent once\n",
              static_cast<unsigned long long>(seed_), kills, static_cast<long long>(alerts));
  EXPECT_GT(alerts, kills / 10) << "too few alerts to test anything";
}

}  // namespace
}  // namespace rapport::testing
