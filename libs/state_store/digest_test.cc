#include "libs/state_store/digest.h"

#include "gtest/gtest.h"

namespace rapport {
namespace {

TEST(DigestTest, IsFrozen) {
  EXPECT_EQ(Digest::OfEntry(1, "client", "state").ToHex(), "523965273c4b4ce7cb23d12b647faaac");
  EXPECT_EQ(Digest().ToHex(), "00000000000000000000000000000000");
}

TEST(DigestTest, DoesNotDependOnOrderAndUndoesWhatItAdded) {
  const Digest a = Digest::OfEntry(1, "a", "1");
  const Digest b = Digest::OfEntry(1, "b", "2");
  Digest ab = a, ba = b;
  ab += b;
  ba += a;
  EXPECT_EQ(ab, ba);
  ab -= a;
  EXPECT_EQ(ab, b);
  ab -= b;
  EXPECT_EQ(ab, Digest());
}

TEST(DigestTest, TellsFamilyKeyAndValueApart) {
  const Digest entry = Digest::OfEntry(1, "ab", "c");
  EXPECT_NE(entry, Digest::OfEntry(2, "ab", "c"));
  EXPECT_NE(entry, Digest::OfEntry(1, "a", "bc"));
  EXPECT_NE(entry, Digest::OfEntry(1, "ab", "d"));
}

TEST(DigestTest, RoundTripsThroughBytes) {
  const Digest digest = Digest::OfEntry(3, "k", "v");
  EXPECT_EQ(Digest::FromBytes(digest.ToBytes()), digest);
  EXPECT_EQ(Digest::FromBytes("short"), Digest());
}

}  // namespace
}  // namespace rapport
