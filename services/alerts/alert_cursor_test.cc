#include "services/alerts/alert_cursor.h"

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AlertCursorTest, IsWrittenAndReadAgain) {
  const AlertCursor cursor{{15, 0, 9'223'372'036'854'775'807}};
  EXPECT_EQ(cursor.ToText(), "0-15.1-0.2-9223372036854775807");
  ASSERT_OK_AND_ASSIGN(const AlertCursor parsed, AlertCursor::Parse(cursor.ToText(), 3));
  EXPECT_EQ(parsed, cursor);
}

TEST(AlertCursorTest, APartitionThatIsNotNamedBeginsAtItsBeginning) {
  ASSERT_OK_AND_ASSIGN(const AlertCursor parsed, AlertCursor::Parse("2-7", 4));
  EXPECT_THAT(parsed.next, ElementsAre(0, 0, 7, 0));
}

TEST(AlertCursorTest, WhatIsWrongIsNamed) {
  for (const char* text : {"", ".", "0", "0-", "-0", "0-1.", ".0-1", "0-+1", "0--1", "0-1x", " 0-1",
                           "0-9223372036854775808", "4294967296-1", "0:1", "0-1,1-2", "a-1"}) {
    EXPECT_THAT(AlertCursor::Parse(text, 2),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no part of a stream")))
        << text;
  }
  EXPECT_THAT(AlertCursor::Parse("2-1", 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "there is no partition 2 of the alerts log, which has 2"));
  EXPECT_THAT(AlertCursor::Parse("1-1.1-2", 2),
              StatusIs(absl::StatusCode::kInvalidArgument, "partition 1 is named twice"));
}

TEST(AlertCursorTest, TellsWhatComesAfterIt) {
  AlertCursor cursor{{0, 5}};
  EXPECT_TRUE(cursor.IsBefore({Partition(1), Offset(5)}));
  EXPECT_FALSE(cursor.IsBefore({Partition(1), Offset(4)}));
  cursor.MoveBehind({Partition(1), Offset(5)});
  EXPECT_EQ(cursor.ToText(), "0-0.1-6");
}

}  // namespace
}  // namespace rapport
