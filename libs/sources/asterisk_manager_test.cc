#include "libs/sources/asterisk_manager.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using ::testing::HasSubstr;

constexpr absl::Duration kDeadline = absl::Seconds(60);

// A manager interface on a free port of the loopback; each step waits for the other side.
class TestManager {
 public:
  TestManager() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    const timeval limit = {60, 0};
    ::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~TestManager() {
    Drop();
    ::close(listener_);
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  void Accept() {
    connection_ = ::accept(listener_, nullptr, nullptr);
    ASSERT_GE(connection_, 0);
    const timeval limit = {60, 0};
    ::setsockopt(connection_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  void Send(const std::string& text) {
    ASSERT_EQ(::send(connection_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Up to the end of a packet; empty when the other side is gone.
  std::string ReadPacket() {
    std::string packet;
    char c;
    while (!absl::EndsWith(packet, "\r\n\r\n") && ::recv(connection_, &c, 1, 0) == 1) {
      packet.push_back(c);
    }
    return packet;
  }
  void Drop() {
    if (connection_ >= 0) ::close(std::exchange(connection_, -1));
  }
  void LogIn() {
    Accept();
    Send("Asterisk Call Manager/9.0.0\r\n");
    EXPECT_THAT(ReadPacket(), HasSubstr("Action: Challenge"));
    Send("Response: Success\r\nChallenge: 42\r\n\r\n");
    EXPECT_THAT(ReadPacket(), HasSubstr("Username: rapport\r\nKey: "));
    Send("Response: Success\r\nMessage: Authentication accepted\r\n\r\n");
  }

 private:
  const int listener_;
  int port_ = 0;
  int connection_ = -1;
};

std::string Abandon(int call) {
  return absl::StrCat("Event: QueueCallerAbandon\r\nQueue: support\r\nUniqueid: ", call,
                      ".1\r\nLinkedid: ", call, ".1\r\nHoldTime: 4\r\n\r\n");
}

class AsteriskManagerTest : public ::testing::Test {
 protected:
  AsteriskManager::Options Options() {
    AsteriskManager::Options options;
    options.address = server_.address();
    options.username = "rapport";
    options.secret = "secret";
    options.source = {.source = "ami", .system = "office"};
    options.append = [this](std::vector<SourceRecord> records) {
      const MutexLock lock(&mutex_);
      if (refusals_ > 0) {
        --refusals_;
        return absl::UnavailableError("full (injected)");
      }
      for (SourceRecord& record : records) records_.push_back(std::move(record));
      changed_.SignalAll();
      return absl::OkStatus();
    };
    options.refuse = [this](std::vector<ManagerProblem> problems) {
      const MutexLock lock(&mutex_);
      for (ManagerProblem& problem : problems) problems_.push_back(std::move(problem));
      changed_.SignalAll();
      return absl::OkStatus();
    };
    options.now = [] { return absl::Now(); };
    options.shortest_pause = absl::Milliseconds(1);
    return options;
  }
  void Start() {
    auto manager = AsteriskManager::Start(Options());
    ASSERT_OK(manager);
    manager_ = *std::move(manager);
  }
  // Waits for so many records.
  std::vector<SourceRecord> Records(size_t count) {
    const absl::Time deadline = absl::Now() + kDeadline;
    const MutexLock lock(&mutex_);
    while (records_.size() < count && absl::Now() < deadline) {
      changed_.WaitFor(&mutex_, absl::Seconds(1));
    }
    EXPECT_EQ(records_.size(), count);
    return records_;
  }

  TestManager server_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<SourceRecord> records_ ABSL_GUARDED_BY(mutex_);
  std::vector<ManagerProblem> problems_ ABSL_GUARDED_BY(mutex_);
  int refusals_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<AsteriskManager> manager_;
};

TEST_F(AsteriskManagerTest, EventsBecomeRecordsAcrossLostConnections) {
  Start();
  EXPECT_THAT(manager_->trouble(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("")));
  server_.LogIn();
  server_.Send(Abandon(1) + "Event: QueueCallerAb");
  EXPECT_EQ(Records(1)[0].call_fact().call_id(), "1.1");
  EXPECT_OK(manager_->trouble());
  // In the middle of an event.
  server_.Drop();
  server_.LogIn();
  server_.Send(Abandon(2));
  const std::vector<SourceRecord> records = Records(3);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_THAT(records[1].gap().description(), HasSubstr("events between "));
  EXPECT_EQ(records[1].gap().system(), "office");
  const auto ended = FromProto(records[1].gap().ended_at());
  EXPECT_LE(FromProto(records[1].gap().began_at()), ended);
  EXPECT_EQ(records[2].call_fact().call_id(), "2.1");
}

TEST_F(AsteriskManagerTest, NothingIsLostWhileTheLogIsFull) {
  {
    const MutexLock lock(&mutex_);
    refusals_ = 5;
  }
  Start();
  server_.LogIn();
  server_.Send(Abandon(1) + Abandon(2));
  EXPECT_EQ(Records(2)[1].call_fact().call_id(), "2.1");
}

TEST_F(AsteriskManagerTest, WhatCannotBeUsedIsTold) {
  Start();
  server_.LogIn();
  server_.Send("Event: Cdr\r\nUniqueID: 5.1\r\n\r\n" + Abandon(1));
  Records(1);
  const absl::Time deadline = absl::Now() + kDeadline;
  const MutexLock lock(&mutex_);
  while (problems_.empty() && absl::Now() < deadline) {
    changed_.WaitFor(&mutex_, absl::Seconds(1));
  }
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_THAT(problems_[0].why, HasSubstr("Cdr: start: "));
  EXPECT_EQ(problems_[0].content, "Event: Cdr\r\nUniqueID: 5.1\r\n");
}

TEST_F(AsteriskManagerTest, ARefusedLoginIsTriedAgainAndTold) {
  Start();
  for (int attempt = 0; attempt < 2; ++attempt) {
    server_.Accept();
    server_.Send("Asterisk Call Manager/9.0.0\r\n");
    server_.ReadPacket();
    server_.Send("Response: Success\r\nChallenge: 42\r\n\r\n");
    server_.ReadPacket();
    server_.Send("Response: Error\r\nMessage: Authentication failed\r\n\r\n");
    EXPECT_EQ(server_.ReadPacket(), "");
    server_.Drop();
  }
  server_.Accept();
  EXPECT_THAT(manager_->trouble(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       absl::StrCat("Asterisk at ", server_.address(),
                                    ": the login was refused: Authentication failed")));
}

TEST_F(AsteriskManagerTest, SilenceIsAskedAboutAndThenGivenUp) {
  AsteriskManager::Options options = Options();
  options.patience = absl::Milliseconds(20);
  auto manager = AsteriskManager::Start(std::move(options));
  ASSERT_OK(manager);
  server_.LogIn();
  EXPECT_EQ(server_.ReadPacket(), "Action: Ping\r\n\r\n");
  // Nothing answers: the connection is given up, and another one made.
  while (!server_.ReadPacket().empty()) {
  }
  server_.Drop();
  server_.LogIn();
}

TEST_F(AsteriskManagerTest, WhatIsWrongWithTheOptions) {
  AsteriskManager::Options options = Options();
  options.address = "localhost";
  EXPECT_THAT(
      AsteriskManager::Start(options).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "address: 'localhost' is not host:port"));
  options = Options();
  options.secret = "a\nb";
  EXPECT_THAT(AsteriskManager::Start(options).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line breaks")));
}

}  // namespace
}  // namespace rapport
