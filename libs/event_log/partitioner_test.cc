#include "libs/event_log/partitioner.h"

#include <utility>

#include "gtest/gtest.h"

namespace rapport {
namespace {

// The vectors of Kafka's own UtilsTest.testMurmur2.
TEST(PartitionerTest, Murmur2IsKafkas) {
  const std::pair<const char*, int32_t> kVectors[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [key, hash] : kVectors) {
    EXPECT_EQ(static_cast<int32_t>(Murmur2(key)), hash) << key;
  }
}

// By an independent implementation: the tail's bytes are unsigned, and it may be the whole key.
TEST(PartitionerTest, ShortKeysAndHighBytes) {
  EXPECT_EQ(static_cast<int32_t>(Murmur2("")), 275646681);
  EXPECT_EQ(static_cast<int32_t>(Murmur2("\xff\xfe\xfd")), 998637092);
}

TEST(PartitionerTest, PartitionDropsTheSignAndTakesTheRemainder) {
  // -973932308 & 0x7fffffff = 1173551340; 479470107 is positive already.
  EXPECT_EQ(PartitionOf("21", 12), Partition(1173551340 % 12));
  EXPECT_EQ(PartitionOf("abc", 12), Partition(479470107 % 12));
  EXPECT_EQ(PartitionOf("abc", 1), Partition(0));
}

// Plans are written into partition 0, whatever an empty key would come to.
TEST(PartitionerTest, WhatIsOfNoClientStandsInTheFirst) {
  EXPECT_NE(PartitionOf("", 4), Partition(0));
  EXPECT_EQ(PartitionOfClient("", 4), Partition(0));
  EXPECT_EQ(PartitionOfClient("abc", 12), PartitionOf("abc", 12));
}

}  // namespace
}  // namespace rapport
