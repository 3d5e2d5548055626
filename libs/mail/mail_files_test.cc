#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/maildir.h"
#include "libs/mail/mbox.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MailFilesTest : public ::testing::Test {
 protected:
  MailFilesTest() {
    std::string path = fs::temp_directory_path() / "rapport-mail-files-XXXXXX";
    folder_ = mkdtemp(path.data());
  }
  ~MailFilesTest() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& content) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  static std::vector<std::string> ReadAll(const std::string& path) {
    std::vector<std::string> mails;
    auto reader = OpenMails(path);
    EXPECT_OK(reader);
    if (!reader.ok()) return mails;
    while (true) {
      auto mail = (*reader)->Next();
      EXPECT_OK(mail);
      if (!mail.ok() || !mail->has_value()) return mails;
      mails.push_back((*mail)->bytes);
    }
  }
  // The names of what a poll hands over.
  std::vector<std::string> Poll(MaildirFollower* follower, size_t most = 100) {
    std::vector<std::string> names;
    const auto taken = follower->Poll(
        most,
        [&names](const MaildirMessage& message) {
          names.push_back(message.name);
          return absl::OkStatus();
        },
        [this](const std::string& name, const absl::Status& why) {
          skipped_.push_back(absl::StrCat(name, ": ", why.message()));
        });
    EXPECT_OK(taken);
    EXPECT_EQ(taken.value_or(0), names.size());
    return names;
  }

  fs::path folder_;
  std::vector<std::string> skipped_;
};

TEST_F(MailFilesTest, MboxIsSplitAndUnescaped) {
  EXPECT_THAT(ReadAll(Write("in.mbox",
                            "From jo@example.com Mon Aug  3 10:12:00 2026\n"
                            "Subject: a\n\n>From here\n>>From there\n> From\nFrom x 10:12\n\n"
                            "From now on, nothing.\n\n"
                            "From jo@example.com Mon Aug  3 10:13:00 2026\r\n"
                            "Subject: b\r\n\r\nlast\r\n\r\n")),
              ElementsAre("Subject: a\n\nFrom here\n>From there\n> From\nFrom x 10:12\n\n"
                          "From now on, nothing.\n",
                          "Subject: b\r\n\r\nlast\r\n"));
  EXPECT_THAT(ReadAll(Write("one.mbox", "From x 10:12\n")), ElementsAre(""));
}

TEST_F(MailFilesTest, LongLinesAndLongMailsOfAnMboxAreBounded) {
  const std::string line(300'000, 'x');
  EXPECT_THAT(ReadAll(Write("lines.mbox", absl::StrCat("From x 10:12\n", line, "From y 10:12\n\n",
                                                       "From z 10:12\nb"))),
              ElementsAre(line + "From y 10:12\n", "b"));
  const std::string large(MailReader::kMaxMailBytes + 10, 'y');
  const std::string path =
      Write("large.mbox", absl::StrCat("From x 10:12\n", large, "\n\nFrom z 10:12\nb"));
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMails(path));
  ASSERT_OK_AND_ASSIGN(const auto mail, reader->Next());
  EXPECT_THAT(mail->bytes, SizeIs(MailReader::kMaxMailBytes));
  EXPECT_GT(mail->size, static_cast<int64_t>(large.size()));
  EXPECT_EQ(mail->place, "large.mbox, byte 0");
  ASSERT_OK_AND_ASSIGN(const auto next, reader->Next());
  EXPECT_EQ(next->bytes, "b");
}

TEST_F(MailFilesTest, FoldersAndSingleFiles) {
  EXPECT_THAT(ReadAll(Write("single", "Subject: a\n\n")), ElementsAre("Subject: a\n\n"));
  Write("mails/b.eml", "b");
  Write("mails/a.eml", "a");
  Write("mails/c.txt", "c");
  EXPECT_THAT(ReadAll(folder_ / "mails"), ElementsAre("a", "b"));
  Write("box/new/2.host", "two");
  Write("box/cur/1.host:2,S", "one");
  Write("box/tmp/3.host", "three");
  EXPECT_THAT(ReadAll(folder_ / "box"), ElementsAre("one", "two"));
  EXPECT_THAT(OpenMails(folder_ / "none").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no ")));
}

TEST_F(MailFilesTest, AMaildirIsReadOnceAndLeftAsItIs) {
  Write("box/new/2.host", "two");
  Write("box/cur/1.host:2,S", "one");
  MaildirFollower follower(folder_ / "box", {});
  EXPECT_THAT(Poll(&follower), ElementsAre("1.host", "2.host"));
  EXPECT_THAT(Poll(&follower), IsEmpty());
  Write("box/new/3.host", "three");
  // A mail program read the second one meanwhile.
  fs::rename(folder_ / "box/new/2.host", folder_ / "box/cur/2.host:2,S");
  EXPECT_THAT(Poll(&follower), ElementsAre("3.host"));
  EXPECT_TRUE(fs::exists(folder_ / "box/new/3.host"));

  MaildirFollower again(folder_ / "box", follower.cursor());
  EXPECT_THAT(Poll(&again), IsEmpty());
  fs::remove(folder_ / "box/cur/1.host:2,S");
  Write("box/new/4.host", "four");
  EXPECT_THAT(Poll(&again), ElementsAre("4.host"));
  EXPECT_THAT(again.cursor().read_names(), SizeIs(3));
}

TEST_F(MailFilesTest, AFolderThatRestsIsNotListed) {
  const std::string file = Write("box/new/1.host", "one");
  fs::create_directories(folder_ / "box/cur");
  const auto before = fs::file_time_type::clock::now() - std::chrono::hours(1);
  const auto rest = [&] {
    fs::last_write_time(folder_ / "box/new", before);
    fs::last_write_time(folder_ / "box/cur", before);
  };
  rest();
  MaildirFollower follower(folder_ / "box", {});
  EXPECT_THAT(Poll(&follower, 0), IsEmpty());  // not all was read
  EXPECT_THAT(Poll(&follower), ElementsAre("1.host"));
  Write("box/new/2.host", "two");
  rest();
  EXPECT_THAT(Poll(&follower), IsEmpty());
  Write("box/new/3.host", "three");
  EXPECT_THAT(Poll(&follower), ElementsAre("2.host", "3.host"));
}

TEST_F(MailFilesTest, MailsThatWereNotTakenComeAgain) {
  for (const char* const name : {"1", "2", "3"}) Write(absl::StrCat("box/new/", name), name);
  fs::create_directories(folder_ / "box/cur");
  MaildirFollower follower(folder_ / "box", {});
  const auto full = [](const MaildirMessage& message) {
    return message.name == "2" ? absl::UnavailableError("the disk is full") : absl::OkStatus();
  };
  EXPECT_THAT(follower.Poll(100, full, nullptr),
              StatusIs(absl::StatusCode::kUnavailable, "the disk is full"));
  EXPECT_THAT(Poll(&follower, 1), ElementsAre("2"));
  EXPECT_THAT(Poll(&follower), ElementsAre("3"));
}

TEST_F(MailFilesTest, WhatCannotBeReadIsTold) {
  MaildirFollower none(folder_ / "none", {});
  EXPECT_THAT(none.Poll(1, nullptr, nullptr),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("/none/new cannot be read")));
  fs::create_directories(folder_ / "box/new/1.host");  // no file
  fs::create_directories(folder_ / "box/cur");
  MaildirFollower follower(folder_ / "box", {});
  EXPECT_THAT(Poll(&follower), IsEmpty());
  EXPECT_THAT(skipped_, ElementsAre(HasSubstr("1.host cannot be read")));
  EXPECT_THAT(Poll(&follower), IsEmpty());
  EXPECT_THAT(skipped_, SizeIs(1));
}

}  // namespace
}  // namespace rapport
