#include "libs/sources/file_follower.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/check.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FileFollowerTest : public ::testing::Test {
 protected:
  FileFollowerTest() {
    std::string pattern = (fs::temp_directory_path() / "rapport_follower_XXXXXX").string();
    RAPPORT_CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    path_ = pattern + "/Master.csv";
  }
  ~FileFollowerTest() override { fs::remove_all(folder_); }

  void Append(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }
  FileFollower Follow(const state::v1::FileCursor& cursor = {}) {
    return FileFollower({.path = path_, .cursor = cursor, .rotation_grace = absl::Seconds(5)});
  }
  // The texts of what is new; the cursor afterwards stands in cursor_, a gap in gap_.
  std::vector<std::string> Read(FileFollower& follower, size_t max_bytes = 1 << 20) {
    absl::StatusOr<FollowedLines> found = follower.Read(max_bytes, now_);
    EXPECT_OK(found.status());
    std::vector<std::string> texts;
    for (const FollowedLine& line : found->lines) texts.push_back(line.text);
    cursor_ = found->cursor;
    if (found->gap) gap_ = *found->gap;
    return texts;
  }
  void Later(absl::Duration by) { now_ += by; }

  fs::path folder_;
  std::string path_;
  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
  state::v1::FileCursor cursor_;
  std::string gap_;
};

// A file that has long been as it is gets no more than a look; whatever happens to it is seen.
TEST_F(FileFollowerTest, AFileThatRestedIsReadOn) {
  const auto rest = [&](FileFollower& follower) {
    fs::last_write_time(path_, fs::file_time_type::clock::now() - std::chrono::hours(1));
    for (int i = 0; i < 3; ++i) EXPECT_THAT(Read(follower), IsEmpty());
  };
  FileFollower follower = Follow();
  Append(path_, "one\n");
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  rest(follower);
  Append(path_, "two\nthr");
  EXPECT_THAT(Read(follower), ElementsAre("two"));
  rest(follower);
  EXPECT_EQ(cursor_.offset(), 8);
  fs::rename(path_, path_ + ".1");
  Append(path_ + ".1", "ee\n");
  EXPECT_THAT(Read(follower), ElementsAre("three"));
  Append(path_, "four\n");
  EXPECT_THAT(Read(follower), IsEmpty());
  Later(absl::Seconds(5));
  EXPECT_THAT(Read(follower), ElementsAre("four"));
  rest(follower);
  // Emptied, and as long as it was.
  std::ofstream(path_, std::ios::trunc) << "five\n";
  EXPECT_THAT(Read(follower), ElementsAre("five"));
}

TEST_F(FileFollowerTest, WaitsForTheFileAndForTheEndOfALine) {
  FileFollower follower = Follow();
  const std::string missing = path_ + " does not exist yet; it is read as soon as it does";
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(follower.Read(1 << 20, now_).status(),
                StatusIs(absl::StatusCode::kNotFound, missing));
  }
  Append(path_, "one\r\ntw");
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  EXPECT_EQ(follower.lag_bytes(), 2);
  Append(path_, "o\nthree\n");
  EXPECT_THAT(Read(follower), ElementsAre("two", "three"));
  EXPECT_EQ(follower.lag_bytes(), 0);
  EXPECT_THAT(Read(follower), IsEmpty());
}

TEST_F(FileFollowerTest, TellsThatWhatHasTheNameIsNoFile) {
  fs::create_directory(path_);
  FileFollower follower = Follow();
  EXPECT_THAT(follower.Read(1 << 20, now_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, path_ + " is no file, but a folder"));
  fs::remove(path_);
  Append(path_, "one\n");
  EXPECT_THAT(Read(follower), ElementsAre("one"));
}

TEST_F(FileFollowerTest, GoesOnFromItsCursor) {
  Append(path_, "one\ntwo\nthr");
  FileFollower first = Follow();
  EXPECT_THAT(Read(first), ElementsAre("one", "two"));
  Append(path_, "ee\n");
  FileFollower second = Follow(cursor_);
  EXPECT_THAT(Read(second), ElementsAre("three"));
  EXPECT_EQ(gap_, "");
}

// The one who comes after has been told of an empty file, which is renamed by then.
TEST_F(FileFollowerTest, AFileThatWasEmptyIsFoundUnderItsNextName) {
  FileFollower first = Follow();
  Append(path_, "one\n");
  EXPECT_THAT(Read(first), ElementsAre("one"));
  fs::rename(path_, path_ + ".2");
  Append(path_, "");
  EXPECT_THAT(Read(first), IsEmpty());
  Later(absl::Seconds(5));
  EXPECT_THAT(Read(first), IsEmpty());
  Append(path_, "two\n");
  fs::rename(path_, path_ + ".1");
  Append(path_, "three\n");
  FileFollower second = Follow(cursor_);
  std::vector<std::string> all;
  for (int i = 0; i < 4; ++i) {
    for (std::string& text : Read(second)) all.push_back(std::move(text));
    Later(absl::Seconds(5));
  }
  EXPECT_THAT(all, ElementsAre("two", "three"));
  EXPECT_EQ(gap_, "");
}

TEST_F(FileFollowerTest, ALineHasTheSamePlaceHoweverItIsRead) {
  Append(path_, "one\ntwo\n");
  FileFollower first = Follow();
  const auto all = first.Read(1 << 20, now_);
  ASSERT_OK(all.status());
  FileFollower second = Follow();
  Append(path_, "three\n");
  const auto again = second.Read(1 << 20, now_);
  ASSERT_OK(again.status());
  EXPECT_EQ(all->lines[1].offset, 4);
  EXPECT_EQ(all->lines[1].file_id, again->lines[1].file_id);
  EXPECT_EQ(all->lines[1].offset, again->lines[1].offset);
}

TEST_F(FileFollowerTest, ReadsARenamedFileToItsEndBeforeItsSuccessor) {
  Append(path_, "one\ntw");
  FileFollower follower = Follow();
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  fs::rename(path_, path_ + ".1");
  Append(path_, "four\n");
  // The writer still has the renamed file open.
  EXPECT_THAT(Read(follower), IsEmpty());
  Append(path_ + ".1", "o\nthree\n");
  EXPECT_THAT(Read(follower), ElementsAre("two", "three"));
  Later(absl::Seconds(6));
  EXPECT_THAT(Read(follower), ElementsAre("four"));
  EXPECT_EQ(gap_, "");
}

TEST_F(FileFollowerTest, HalfALineAtTheEndOfARotatedFileIsALineInTheEnd) {
  Append(path_, "one\ntw");
  FileFollower follower = Follow();
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  fs::rename(path_, path_ + ".1");
  Append(path_, "three\n");
  EXPECT_THAT(Read(follower), IsEmpty());
  Later(absl::Seconds(6));
  EXPECT_THAT(Read(follower), ElementsAre("tw"));
  EXPECT_THAT(Read(follower), ElementsAre("three"));
}

TEST_F(FileFollowerTest, FindsTheFileUnderItsNewNameAfterARestartAndThoseBetween) {
  Append(path_, "one\ntwo\n");
  FileFollower first = Follow();
  EXPECT_THAT(Read(first, 1), ElementsAre("one", "two"));
  Append(path_, "three\n");
  fs::rename(path_, path_ + ".2");
  Append(path_ + ".1", "four\n");
  fs::last_write_time(path_ + ".1",
                      fs::last_write_time(path_ + ".2") + std::chrono::milliseconds(1));
  Append(path_, "five\n");
  FileFollower second = Follow(cursor_);
  EXPECT_THAT(Read(second), ElementsAre("three"));
  EXPECT_THAT(Read(second), IsEmpty());
  Later(absl::Seconds(6));
  EXPECT_THAT(Read(second), ElementsAre("four"));
  EXPECT_THAT(Read(second), IsEmpty());
  Later(absl::Seconds(6));
  EXPECT_THAT(Read(second), ElementsAre("five"));
  EXPECT_EQ(gap_, "");
}

TEST_F(FileFollowerTest, ReadsTheRestOfATruncatedFileFromItsCopy) {
  Append(path_, "one\n");
  FileFollower follower = Follow();
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  Append(path_, "two\n");
  fs::copy_file(path_, path_ + ".1");
  fs::resize_file(path_, 0);
  Append(path_, "three and so long that it is longer than before\n");
  EXPECT_THAT(Read(follower), ElementsAre("two"));
  Later(absl::Seconds(6));
  EXPECT_THAT(Read(follower), ElementsAre("three and so long that it is longer than before"));
  EXPECT_EQ(gap_, "");
}

TEST_F(FileFollowerTest, TellsWhenTheFileWasTakenAwayBeforeItWasRead) {
  Append(path_, "one\n");
  FileFollower first = Follow();
  EXPECT_THAT(Read(first), ElementsAre("one"));
  fs::remove(path_);
  Append(path_, "two\n");
  FileFollower second = Follow(cursor_);
  EXPECT_THAT(Read(second), ElementsAre("two"));
  EXPECT_EQ(gap_, path_ +
                      ": the file that had been read up to byte 4 is not there any more under any "
                      "name (deleted, overwritten or compressed); what was written to it later, if "
                      "anything was, may have been missed");
}

// As logrotate does with copytruncate and compress.
TEST_F(FileFollowerTest, NothingIsMissingOfAFileThatWasReadToItsEndAndEmptied) {
  Append(path_, "one\n");
  FileFollower follower = Follow();
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  EXPECT_THAT(Read(follower), IsEmpty());
  fs::copy_file(path_, path_ + ".1.gz");
  fs::resize_file(path_, 0);
  Append(path_, "two\n");
  EXPECT_THAT(Read(follower), ElementsAre("two"));
  EXPECT_EQ(gap_, "");
  // What came while nobody looked is not known.
  Later(absl::Minutes(1));
  std::ofstream(path_, std::ios::trunc) << "three\n";
  EXPECT_THAT(Read(follower), ElementsAre("three"));
  EXPECT_THAT(gap_, ::testing::HasSubstr("may have been missed"));
}

TEST_F(FileFollowerTest, TellsWhatIsKnownToBeMissing) {
  Append(path_, "one\ntw");
  FileFollower follower = Follow();
  EXPECT_THAT(Read(follower), ElementsAre("one"));
  EXPECT_EQ(cursor_.size_seen(), 6);
  std::ofstream(path_, std::ios::trunc) << "three\n";
  EXPECT_THAT(Read(follower), ElementsAre("three"));
  EXPECT_THAT(gap_, ::testing::HasSubstr("it had at least 2 bytes more, which were not read"));
}

TEST_F(FileFollowerTest, CutsALineWithoutEnd) {
  Append(path_, std::string(5000, 'x'));
  FileFollower follower({.path = path_, .max_line_bytes = 4096});
  EXPECT_THAT(Read(follower, 100), ElementsAre(std::string(4096, 'x')));
}

}  // namespace
}  // namespace rapport
