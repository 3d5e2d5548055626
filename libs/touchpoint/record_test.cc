#include "libs/touchpoint/record.h"

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/samples.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using touchpoint::v1::Touchpoint;

TEST(MakeRecord, IsACloudEventInKafkaBinaryMode) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kOrderPlaced);
  touchpoint.mutable_occurred_at()->set_nanos(500'000'000);
  const Record record = MakeRecord(touchpoint);
  EXPECT_EQ(record.key, "c-1");
  EXPECT_EQ(record.value, touchpoint.SerializeAsString());
  EXPECT_EQ(record.timestamp, absl::FromUnixSeconds(1767340860));
  EXPECT_EQ(record.partition, std::nullopt);
  EXPECT_THAT(
      record.headers,
      ElementsAre(Header{"ce_specversion", "1.0"},
                  Header{"ce_id", "30313233343536373839616263646566"},
                  Header{"ce_type", "rapport.touchpoint.v1.OrderPlaced"},
                  Header{"ce_source", "crm-berlin"}, Header{"ce_time", "2026-01-02T08:00:00.5Z"},
                  Header{"content-type", "application/protobuf"}, Header{"ce_subject", "c-1"}));
}

TEST(MakeRecord, MemoryUsedAgainKeepsNothing) {
  Record record = MakeRecord(SampleTouchpoint(Touchpoint::kOrderPlaced));
  Touchpoint other = SampleTouchpoint(Touchpoint::kDeadLetterSkipped);
  other.clear_client_id();
  for (const Touchpoint& touchpoint :
       {other, SampleTouchpoint(Touchpoint::kCallCompleted), other}) {
    MakeRecord(touchpoint, &record);
    const Record fresh = MakeRecord(touchpoint);
    EXPECT_EQ(record.key, fresh.key);
    EXPECT_EQ(record.value, fresh.value);
    EXPECT_EQ(record.headers, fresh.headers);
    EXPECT_EQ(record.timestamp, fresh.timestamp);
    EXPECT_EQ(record.partition, fresh.partition);
  }
}

TEST(MakeRecord, TimesAreWrittenAsAbslDoes) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kOrderPlaced);
  for (const int64_t seconds :
       {int64_t{0}, int64_t{951826332}, int64_t{1709164800}, int64_t{4102444799},
        int64_t{-62135596801}, int64_t{253402300800}}) {
    for (const int32_t nanos : {0, 1, 120'000'000, 999'999'999}) {
      touchpoint.mutable_occurred_at()->set_seconds(seconds);
      touchpoint.mutable_occurred_at()->set_nanos(nanos);
      EXPECT_EQ(MakeRecord(touchpoint).headers[4].value,
                absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", FromProto(touchpoint.occurred_at()),
                                 absl::UTCTimeZone()));
    }
  }
}

TEST(MakeRecord, WhatBelongsToNoClientHasAPartition) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kDeadLetterSkipped);
  touchpoint.clear_client_id();
  EXPECT_EQ(MakeRecord(touchpoint).partition, Partition(3));
  for (const Header& header : MakeRecord(touchpoint).headers) EXPECT_NE(header.name, "ce_subject");

  touchpoint = SampleTouchpoint(Touchpoint::kDeadLetterRetried);
  touchpoint.clear_client_id();
  EXPECT_EQ(MakeRecord(touchpoint).partition, Partition(3));

  touchpoint = SampleTouchpoint(Touchpoint::kTargetSet);
  touchpoint.clear_client_id();
  EXPECT_EQ(MakeRecord(touchpoint).partition, Partition(0));
}

TEST(MakeClockRecord, IsAValidTouchpointOfItsPartition) {
  const absl::Time now = absl::FromUnixSeconds(1767312000);
  const Record record = MakeClockRecord(now, Partition(3));
  EXPECT_EQ(record.key, "");
  EXPECT_EQ(record.partition, Partition(3));
  EXPECT_EQ(record.timestamp, now);

  Touchpoint touchpoint;
  ASSERT_OK(ParseTouchpoint(record.value, &touchpoint));
  EXPECT_OK(ValidateTouchpoint(touchpoint));
  EXPECT_EQ(FromProto(touchpoint.clock_advanced().now()), now);
  EXPECT_EQ(touchpoint.event_id(), MakeEventId("rapport/clock", "3/2026-01-02T00:00:00Z").view());
}

}  // namespace
}  // namespace rapport
