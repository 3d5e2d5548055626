#include "libs/event_log/embedded/storage.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport::embedded {
namespace {

TEST(StorageTest, ErrorsSayWhatToDo) {
  using rocksdb::Status;
  EXPECT_OK(FromRocks(Status::OK(), "appending"));
  EXPECT_THAT(FromRocks(Status::NoSpace("disk"), "appending"),
              StatusIs(absl::StatusCode::kUnavailable, testing::HasSubstr("appending: ")));
  EXPECT_THAT(FromRocks(Status::Corruption("checksum"), "reading"),
              StatusIs(absl::StatusCode::kDataLoss, "reading: Corruption: checksum"));
  EXPECT_THAT(FromRocks(Status(Status::IOError("disk"), Status::kFatalError), "appending"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "appending: IO error: disk; restart the process when the disk is well"));
}

TEST(StorageTest, KeysSortAsTheirOffsets) {
  EXPECT_LT(BlockKey(Offset(255)), BlockKey(Offset(256)));
  Offset offset;
  ASSERT_TRUE(ParseBlockKey(BlockKey(Offset(int64_t{1} << 40)), &offset));
  EXPECT_EQ(offset, Offset(int64_t{1} << 40));
  EXPECT_FALSE(ParseBlockKey("1234567", &offset));
  EXPECT_FALSE(ParseBlockKey("123456789", &offset));
}

}  // namespace
}  // namespace rapport::embedded
