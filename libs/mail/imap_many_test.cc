// A mailbox as people really have them: thousands of mails, read while the connection breaks.

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/imap_follower.h"
#include "libs/mail/imap_recorder.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/mail_server.h"

namespace rapport {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kMails = 10'000;

std::string Mail(int number) {
  return absl::StrCat("From: jo@example.com\r\nMessage-ID: <", number, "@example.com>\r\n\r\n",
                      std::string(static_cast<size_t>(number) % 2'000, 'x'), "\r\n");
}

ImapSettings Settings(int port) {
  return {.address = absl::StrCat("127.0.0.1:", port),
          .security = ImapSecurity::kPlain,
          .username = std::string(MailServer::kUser),
          .secret = [] { return std::string(MailServer::kPassword); },
          .least_backoff = absl::Milliseconds(10),
          .most_backoff = absl::Milliseconds(100)};
}

TEST(ImapMany, EveryMailIsReadOnceAlthoughTheConnectionBreaks) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<MailServer> server, MailServer::Start());
  for (int i = 1; i <= kMails; ++i) server->Deliver(Mail(i));
  CuttingProxy proxy(server->port());
  ImapRecorder recorder;
  const absl::Time begin = absl::Now();
  std::unique_ptr<ImapFollower> follower =
      ImapFollower::Start(Settings(proxy.port()), {}, recorder.Events());
  for (size_t kept = 1; kept < kMails; kept += 2'000) {
    recorder.AwaitMessages(kept);
    proxy.CutAfter(500'000);
  }
  const auto kept = recorder.AwaitMessages(kMails);
  std::printf("%d mails in %s over %d connections\n", kMails,
              absl::FormatDuration(absl::Now() - begin).c_str(), proxy.connections());
  ASSERT_THAT(kept, SizeIs(kMails));
  int number = 0;
  for (const auto& [key, message] : kept) ASSERT_EQ(message.bytes, Mail(++number));
  EXPECT_EQ(recorder.kept_again(), 0);
  EXPECT_TRUE(recorder.in_order());
  EXPECT_THAT(recorder.gaps(), IsEmpty());
  EXPECT_GE(proxy.connections(), 4);
  follower.reset();
  const auto files = server->Files();
  ASSERT_THAT(files, SizeIs(kMails));
  for (const auto& [name, content] : files) EXPECT_EQ(name.substr(0, 4), "new/") << name;
}

}  // namespace
}  // namespace rapport
