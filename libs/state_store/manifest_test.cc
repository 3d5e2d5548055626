#include "libs/state_store/manifest.h"

#include <string>

#include "gtest/gtest.h"

namespace rapport {
namespace {

std::string Record(char type, size_t length) {
  std::string record = "crc_";
  record += static_cast<char>(length & 0xff);
  record += static_cast<char>(length >> 8);
  record += type;
  if (type > 4) record += "log#";
  return record + std::string(length, 'x');
}

TEST(ManifestTest, AWholeRecordMayEndTheFile) {
  EXPECT_FALSE(EndsWithinRecord(""));
  EXPECT_FALSE(EndsWithinRecord(Record(1, 0)));
  EXPECT_FALSE(EndsWithinRecord(Record(1, 300) + Record(5, 20)));
  // Allocated ahead.
  EXPECT_FALSE(EndsWithinRecord(Record(1, 300) + std::string(100, '\0')));
}

TEST(ManifestTest, APartOfARecordIsFound) {
  const std::string whole = Record(1, 300) + Record(1, 40) + Record(5, 40);
  for (size_t size = 1; size < whole.size(); ++size) {
    const bool at_end = size == 307 || size == 354;
    EXPECT_EQ(EndsWithinRecord(whole.substr(0, size)), !at_end) << size;
  }
}

TEST(ManifestTest, RecordsGoOnInTheNextBlock) {
  const std::string first = Record(2, 32768 - 7);
  EXPECT_TRUE(EndsWithinRecord(first));
  EXPECT_TRUE(EndsWithinRecord(first + Record(3, 32768 - 7)));
  EXPECT_FALSE(EndsWithinRecord(first + Record(4, 10)));
  // Three bytes of padding at the end of the block.
  const std::string padded = Record(1, 32768 - 7 - 3) + std::string(3, '\0');
  EXPECT_FALSE(EndsWithinRecord(padded));
  EXPECT_FALSE(EndsWithinRecord(padded + Record(1, 10)));
  EXPECT_TRUE(EndsWithinRecord(padded + Record(1, 10).substr(0, 12)));
}

}  // namespace
}  // namespace rapport
