#include "libs/mail/imap_follower.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/imap_recorder.h"
#include "libs/web_hook_check/hashes.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/mail_server.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Mail(int number, size_t bytes = 10) {
  return absl::StrCat("From: jo@example.com\r\nMessage-ID: <", number, "@example.com>\r\n\r\n",
                      std::string(bytes, 'x'), "\r\n");
}

class ImapFollowerTest : public ::testing::Test {
 protected:
  void Serve(absl::string_view settings = "") {
    auto server = MailServer::Start(settings);
    ASSERT_OK(server);
    server_ = *std::move(server);
  }
  ImapSettings Settings(int port) const {
    return {.address = absl::StrCat("127.0.0.1:", port),
            .security = ImapSecurity::kPlain,
            .username = std::string(MailServer::kUser),
            .secret = [] { return std::string(MailServer::kPassword); },
            .least_backoff = absl::Milliseconds(10),
            .most_backoff = absl::Milliseconds(100)};
  }
  ImapSettings Settings() const { return Settings(server_->port()); }
  void Follow(const ImapSettings& settings, const source::v1::ImapCursor& cursor = {}) {
    follower_ = ImapFollower::Start(settings, cursor, recorder_.Events());
  }

  std::unique_ptr<MailServer> server_;
  ImapRecorder recorder_;
  std::unique_ptr<ImapFollower> follower_;
};

TEST_F(ImapFollowerTest, ReadsWhatIsThereAndWhatComesAndMarksNothing) {
  Serve();
  for (int i = 1; i <= 3; ++i) server_->Deliver(Mail(i));
  Follow(Settings());
  recorder_.AwaitMessages(3);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  server_->Deliver(Mail(4));
  const auto kept = recorder_.AwaitMessages(4);
  ASSERT_THAT(kept, SizeIs(4));
  int number = 0;
  for (const auto& [key, message] : kept) {
    EXPECT_EQ(message.bytes, Mail(++number));
    EXPECT_EQ(message.size, static_cast<int64_t>(Mail(number).size()));
    EXPECT_GT(message.internal_date, absl::Now() - absl::Hours(1));
  }
  EXPECT_THAT(recorder_.gaps(), IsEmpty());
  follower_.reset();
  // A mail is moved to cur/ when it is no longer recent, and gets a flag when it was read.
  const auto files = server_->Files();
  EXPECT_THAT(files, SizeIs(4));
  for (const auto& [name, content] : files) {
    EXPECT_EQ(name.substr(0, 4), "new/") << name;
    EXPECT_EQ(name.find(','), std::string::npos) << name;
  }
}

TEST_F(ImapFollowerTest, GoesOnFromItsCursor) {
  Serve();
  for (int i = 1; i <= 3; ++i) server_->Deliver(Mail(i));
  Follow(Settings());
  recorder_.AwaitMessages(3);
  follower_.reset();
  server_->Deliver(Mail(4));
  Follow(Settings(), recorder_.cursor());
  recorder_.AwaitMessages(4);
  EXPECT_EQ(recorder_.kept_again(), 0);
}

TEST_F(ImapFollowerTest, FollowsSeveralFolders) {
  Serve();
  server_->Deliver(Mail(1));
  server_->Deliver(Mail(2), "Sent \"old\" \\ items");
  ImapSettings settings = Settings();
  settings.folders = {"INBOX", "Sent \"old\" \\ items"};
  Follow(settings);
  recorder_.AwaitMessages(2);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk, 2));
  server_->Deliver(Mail(3), "Sent \"old\" \\ items");
  server_->Deliver(Mail(4));
  recorder_.AwaitMessages(4);
  EXPECT_THAT(recorder_.cursor().folders(), SizeIs(2));
}

TEST_F(ImapFollowerTest, AnotherUidValidityMeansReadingAgain) {
  Serve();
  for (int i = 1; i <= 3; ++i) server_->Deliver(Mail(i));
  Follow(Settings());
  recorder_.AwaitMessages(3);
  const uint32_t before = recorder_.cursor().folders(0).uid_validity();
  ASSERT_OK(server_->ChangeUidValidity());
  EXPECT_THAT(recorder_.AwaitMessages(6), SizeIs(6));
  EXPECT_EQ(recorder_.cursor().folders(0).uid_validity(), before + 1);
  EXPECT_EQ(recorder_.kept_again(), 0);
}

TEST_F(ImapFollowerTest, AConnectionThatIsCutInAMessageLosesNothing) {
  Serve();
  constexpr int kMails = 20;
  for (int i = 1; i <= kMails; ++i) server_->Deliver(Mail(i, 100'000));
  CuttingProxy proxy(server_->port());
  proxy.CutAfter(250'000);
  ImapSettings settings = Settings(proxy.port());
  settings.batch_bytes = 300'000;
  Follow(settings);
  const auto kept = recorder_.AwaitMessages(kMails);
  ASSERT_THAT(kept, SizeIs(kMails));
  int number = 0;
  for (const auto& [key, message] : kept) EXPECT_EQ(message.bytes, Mail(++number, 100'000));
  EXPECT_GE(proxy.connections(), 2);
  EXPECT_TRUE(recorder_.in_order());
  EXPECT_THAT(recorder_.AwaitState(absl::StatusCode::kUnavailable),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("folder INBOX: the mail server")));
  // And again while it waits.
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  proxy.CutNow();
  server_->Deliver(Mail(kMails + 1));
  recorder_.AwaitMessages(kMails + 1);
  EXPECT_EQ(recorder_.kept_again(), 0);
}

TEST_F(ImapFollowerTest, WhatTheCallerCouldNotKeepComesAgain) {
  Serve();
  for (int i = 1; i <= 5; ++i) server_->Deliver(Mail(i));
  recorder_.Refuse(3);
  ImapSettings settings = Settings();
  settings.batch_messages = 2;
  Follow(settings);
  EXPECT_THAT(recorder_.AwaitMessages(5), SizeIs(5));
  EXPECT_EQ(recorder_.kept_again(), 0);
  EXPECT_THAT(recorder_.AwaitState(absl::StatusCode::kUnavailable, 3),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the disk is full")));
}

TEST_F(ImapFollowerTest, OfALargeMessageOnlyTheBeginningIsRead) {
  Serve();
  server_->Deliver(Mail(1, 50'000));
  server_->Deliver(Mail(2));
  ImapSettings settings = Settings();
  settings.max_message_bytes = 40'000;
  settings.cut_bytes = 1'000;
  Follow(settings);
  const auto kept = recorder_.AwaitMessages(2);
  const ImapMessage& large = kept.begin()->second;
  EXPECT_EQ(large.bytes, Mail(1, 50'000).substr(0, 1'000));
  EXPECT_EQ(large.size, static_cast<int64_t>(Mail(1, 50'000).size()));
  EXPECT_EQ(kept.rbegin()->second.bytes, Mail(2));
}

TEST_F(ImapFollowerTest, UidsThatAreGoneAreNoGaps) {
  Serve();
  for (int i = 1; i <= 3; ++i) server_->Deliver(Mail(i));
  Follow(Settings());
  recorder_.AwaitMessages(3);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  follower_.reset();
  const std::string folder = server_->FolderPath();
  std::filesystem::remove(absl::StrCat(folder, "/", std::next(server_->Files().begin())->first));
  server_->Deliver(Mail(4));
  ImapRecorder recorder;
  follower_ = ImapFollower::Start(Settings(), {}, recorder.Events());
  EXPECT_THAT(recorder.AwaitMessages(3), SizeIs(3));
  EXPECT_THAT(recorder.gaps(), IsEmpty());
  follower_.reset();
}

TEST_F(ImapFollowerTest, UidsThatWentBeforeTheyCouldBeReadAreAGap) {
  Serve();
  server_->Deliver(Mail(1));
  Follow(Settings());
  recorder_.AwaitMessages(1);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  follower_.reset();
  for (int i = 2; i <= 4; ++i) server_->Deliver(Mail(i));
  {
    // Another one sees them, so that they have UIDs.
    ImapRecorder other;
    const auto follower = ImapFollower::Start(Settings(), {}, other.Events());
    EXPECT_THAT(other.AwaitMessages(4), SizeIs(4));
  }
  const std::map<std::string, std::string> files = server_->Files();
  for (const char* const gone : {"<2@", "<3@"}) {
    const auto file = std::find_if(files.begin(), files.end(), [gone](const auto& kept) {
      return absl::StrContains(kept.second, gone);
    });
    ASSERT_NE(file, files.end());
    std::filesystem::remove(absl::StrCat(server_->FolderPath(), "/", file->first));
  }
  ImapRecorder recorder;
  follower_ = ImapFollower::Start(Settings(), recorder_.cursor(), recorder.Events());
  EXPECT_THAT(recorder.AwaitMessages(1), SizeIs(1));
  EXPECT_THAT(recorder.gaps(), ElementsAre("INBOX 2 and 1 more"));
  follower_.reset();
}

TEST_F(ImapFollowerTest, AMessageThatTheServerDoesNotGiveIsAGap) {
  Serve();
  for (int i = 1; i <= 3; ++i) server_->Deliver(Mail(i));
  const std::string broken =
      absl::StrCat(server_->FolderPath(), "/", std::next(server_->Files().begin())->first);
  std::filesystem::permissions(broken, std::filesystem::perms::none);
  Follow(Settings());
  EXPECT_THAT(recorder_.AwaitMessages(2), SizeIs(2));
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  // This server hangs up at such a message.
  EXPECT_THAT(recorder_.AwaitState(absl::StatusCode::kAborted),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("the mail server hangs up")));
  EXPECT_THAT(recorder_.gaps(), ElementsAre("INBOX 2"));
  EXPECT_EQ(recorder_.cursor().folders(0).next_uid(), 4U);
}

// A token as RFC 7519 describes it, under the key of the test.
std::string Token(absl::string_view user, absl::string_view key) {
  const auto part = [](absl::string_view text) { return absl::WebSafeBase64Escape(text); };
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  const std::string text = absl::StrCat(part(R"({"alg":"HS256","typ":"JWT"})"), ".",
                                        part(absl::StrCat(R"({"sub":")", user, R"(","iat":)",
                                                          now - 60, R"(,"exp":)", now + 600, "}")));
  return absl::StrCat(text, ".", part(HmacSha256(key, text)));
}

TEST_F(ImapFollowerTest, LogsInWithAToken) {
  std::string keys = std::filesystem::temp_directory_path() / "rapport-mail-keys-XXXXXX";
  ASSERT_NE(mkdtemp(keys.data()), nullptr);
  std::filesystem::permissions(keys, std::filesystem::perms(0755));
  std::filesystem::create_directories(keys + "/default/HS256");
  constexpr absl::string_view kKey = "a key of the test";
  std::ofstream(keys + "/default/HS256/default") << absl::Base64Escape(kKey);
  std::ofstream(keys + "/oauth2") << "introspection_mode = local\nusername_attribute = sub\n"
                                  << "local_validation_key_dict = fs:posix:prefix=" << keys
                                  << "/\n";
  Serve(
      absl::StrCat("auth_mechanisms = plain xoauth2\npassdb "
                   "{\n  driver = oauth2\n",
                   "  mechanisms = xoauth2\n  args = ", keys, "/oauth2\n}\n"));
  server_->Deliver(Mail(1));
  ImapSettings settings = Settings();
  settings.authentication = ImapAuthentication::kXoauth2;
  // The first token is refused; the secret is asked for again.
  auto asked = std::make_shared<int>(0);
  settings.secret = [asked, kKey] {
    return Token(MailServer::kUser, (*asked)++ == 0 ? "another key" : kKey);
  };
  Follow(settings);
  EXPECT_THAT(recorder_.AwaitMessages(1), SizeIs(1));
  EXPECT_THAT(recorder_.AwaitState(absl::StatusCode::kFailedPrecondition),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("cannot connect")));
  follower_.reset();
  std::filesystem::remove_all(keys);
}

TEST_F(ImapFollowerTest, AServerWithoutIdleIsAsked) {
  Serve("imap_capability = IMAP4rev1 LITERAL+\n");
  ImapSettings settings = Settings();
  settings.poll_interval = absl::Milliseconds(20);
  Follow(settings);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  server_->Deliver(Mail(1));
  EXPECT_THAT(recorder_.AwaitMessages(1), SizeIs(1));
}

TEST_F(ImapFollowerTest, IdleIsRenewed) {
  Serve();
  CuttingProxy proxy(server_->port());
  ImapSettings settings = Settings(proxy.port());
  settings.idle_renewal = absl::Milliseconds(20);
  Follow(settings);
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  for (int i = 1; i <= 5; ++i) {
    server_->Deliver(Mail(i));
    recorder_.AwaitMessages(static_cast<size_t>(i));
  }
  EXPECT_EQ(proxy.connections(), 1);
}

TEST_F(ImapFollowerTest, TlsAndStartTls) {
  Serve();
  server_->Deliver(Mail(1));
  ImapSettings settings = Settings(server_->tls_port());
  settings.security = ImapSecurity::kTls;
  settings.ca_file = server_->ca_file();
  Follow(settings);
  EXPECT_THAT(recorder_.AwaitMessages(1), SizeIs(1));
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  // Until it is told by IDLE inside TLS.
  server_->Deliver(Mail(2));
  EXPECT_THAT(recorder_.AwaitMessages(2), SizeIs(2));
  follower_.reset();

  ImapRecorder recorder;
  settings.address = absl::StrCat("localhost:", server_->port());
  settings.security = ImapSecurity::kStartTls;
  follower_ = ImapFollower::Start(settings, {}, recorder.Events());
  EXPECT_THAT(recorder.AwaitMessages(2), SizeIs(2));
  follower_.reset();
}

TEST_F(ImapFollowerTest, WhatTheServerOrTheSettingsRefuseIsTold) {
  Serve();
  ImapSettings settings = Settings(server_->tls_port());
  settings.security = ImapSecurity::kTls;
  Follow(settings);
  EXPECT_THAT(recorder_.AwaitState(absl::StatusCode::kFailedPrecondition),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("cannot connect"), HasSubstr("certificate"))));
  const auto refused = [this](const ImapSettings& changed) {
    ImapRecorder recorder;
    follower_ = ImapFollower::Start(changed, {}, recorder.Events());
    const absl::Status status = recorder.AwaitState(absl::StatusCode::kFailedPrecondition);
    follower_.reset();
    return std::string(status.message());
  };
  settings = Settings();
  settings.secret = [] { return std::string("wrong"); };
  EXPECT_THAT(refused(settings), HasSubstr("as anna"));
  settings = Settings();
  settings.folders = {"Nowhere"};
  EXPECT_THAT(refused(settings), HasSubstr("the folder \"Nowhere\" cannot be opened"));
  settings.folders = {"A\r\nB"};
  EXPECT_THAT(refused(settings), HasSubstr("has a control character"));
  settings = Settings();
  settings.address = "127.example.com:143";
  EXPECT_THAT(refused(settings), HasSubstr("would show the password"));
}

TEST_F(ImapFollowerTest, AServerThatIsAwayIsTriedAgain) {
  Serve();
  Follow(Settings());
  EXPECT_OK(recorder_.AwaitState(absl::StatusCode::kOk));
  server_->Deliver(Mail(1));
  recorder_.AwaitMessages(1);
  ASSERT_OK(server_->Restart());
  server_->Deliver(Mail(2));
  EXPECT_THAT(recorder_.AwaitMessages(2), SizeIs(2));
  EXPECT_EQ(recorder_.kept_again(), 0);
}

}  // namespace
}  // namespace rapport
