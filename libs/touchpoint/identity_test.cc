#include "libs/touchpoint/identity.h"

#include <string>

#include "gmock/gmock.h"

namespace rapport {
namespace {

// Golden: made by an implementation of identity.h's text in another language. Written logs hold
// these ids, so none of them may ever change.
TEST(MakeEventId, GoldenVectors) {
  EXPECT_EQ(MakeEventId("crm-berlin", "call/4711").ToHex(), "e28758a005f326aa6f90b1792070ad6b");
  EXPECT_EQ(MakeEventId("", "").ToHex(), "af5570f5a1810b7af78caf4bc70a660f");
  EXPECT_EQ(MakeEventId("b\xC3\xBCro", "Nr. 7 \xC3\xBC").ToHex(),
            "e467cb17820c60d430b6fa3e9abef90c");
}

TEST(MakeEventId, TheBorderBetweenTheTwoPartsCounts) {
  EXPECT_EQ(MakeEventId("a", "bc").ToHex(), "b534ce16ac9c8b36823f39a395ce8e0e");
  EXPECT_EQ(MakeEventId("ab", "c").ToHex(), "f2939f903016e5bb29b1e4a61cdbd376");
}

}  // namespace
}  // namespace rapport
