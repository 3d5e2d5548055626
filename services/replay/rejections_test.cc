#include "services/replay/rejections.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGood[] =
    R"({"specversion":"1.0","id":"7","source":"desk","type":"rapport.touchpoint.v1.PortalUsed",)"
    R"("subject":"anna","time":"2026-01-02T10:00:00Z",)"
    R"("data":{"channel":"CHANNEL_PORTAL","portal_used":{"action":"login"}}})";

class RejectionsTest : public ::testing::Test {
 protected:
  RejectionsTest() {
    for (const char* topic : {"touchpoints", "rejected"}) EXPECT_OK(log_->CreateTopic(topic, 2));
  }

  void Reject(int partition, const std::string& content, const std::string& file = "") {
    rejected::v1::RejectedRecord rejected;
    rejected.set_content(content);
    rejected.set_file(file);
    rejected.set_line(file.empty() ? 0 : 12);
    Record record;
    record.value = rejected.SerializeAsString();
    record.partition = Partition(partition);
    ASSERT_OK(log_->Append("rejected", {record}));
  }

  std::vector<std::string> Contents(const RejectionPage& page) {
    std::vector<std::string> contents;
    for (const Rejection& rejection : page.rejections) {
      contents.push_back(rejection.record.content());
    }
    return contents;
  }

  int64_t TouchpointCount() {
    int64_t count = 0;
    for (int i = 0; i < 2; ++i) {
      const auto marks = log_->GetWatermarks("touchpoints", Partition(i));
      EXPECT_OK(marks);
      count += marks->end.value();
    }
    return count;
  }

  const std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
  const Rejections rejections_{log_.get(), LogTopics{}, 2};
};

TEST_F(RejectionsTest, ListsPageByPage) {
  for (const char* content : {"a", "b", "c"}) Reject(0, content);
  for (const char* content : {"d", "e"}) Reject(1, content);
  std::vector<std::string> all;
  RecordPosition from{Partition(0), Offset(0)};
  std::vector<size_t> sizes;
  for (;;) {
    ASSERT_OK_AND_ASSIGN(const RejectionPage page, rejections_.List(from, 2));
    for (const std::string& content : Contents(page)) all.push_back(content);
    sizes.push_back(page.rejections.size());
    if (!page.next) break;
    from = *page.next;
  }
  EXPECT_THAT(all, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
}

TEST_F(RejectionsTest, AnEmptyLogHasAnEmptyList) {
  ASSERT_OK_AND_ASSIGN(const RejectionPage page, rejections_.List({Partition(0), Offset(0)}, 10));
  EXPECT_EQ(page.rejections.size(), 0u);
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(RejectionsTest, OffersAgainWhatWasRefused) {
  Reject(1, kGood);
  ASSERT_OK_AND_ASSIGN(const Retried retried,
                       rejections_.Retry({Partition(1), Offset(0)}, "", absl::Now()));
  EXPECT_EQ(retried.event_id.size(), 32u);
  EXPECT_EQ(TouchpointCount(), 1);
}

TEST_F(RejectionsTest, WhatIsRefusedAgainIsNotWritten) {
  Reject(0, R"({"specversion":"1.0","id":"7"})");
  EXPECT_THAT(rejections_.Retry({Partition(0), Offset(0)}, "", absl::Now()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("source")));
  EXPECT_EQ(TouchpointCount(), 0);
  ASSERT_OK(rejections_.Retry({Partition(0), Offset(0)}, kGood, absl::Now()));
  EXPECT_EQ(TouchpointCount(), 1);
}

TEST_F(RejectionsTest, ARowOfAFileIsMendedInTheFile) {
  Reject(0, "1,anna,yesterday", "orders.csv");
  EXPECT_THAT(rejections_.Retry({Partition(0), Offset(0)}, "", absl::Now()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "it is line 12 of orders.csv; mend it there and import the file again, "
                       "which counts the rest once"));
}

TEST_F(RejectionsTest, APlaceThatIsNotThereIsToldSo) {
  EXPECT_THAT(rejections_.Find({Partition(1), Offset(3)}).status(),
              StatusIs(absl::StatusCode::kNotFound, "nothing stands at 1:3 of the rejected log"));
}

}  // namespace
}  // namespace rapport
