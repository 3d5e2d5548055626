#include "libs/service/http_target.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;
using ::testing::Pair;

TEST(HttpTargetTest, EncodesAllThatMeansSomethingElsewhere) {
  EXPECT_EQ(PercentEncode("azAZ09-._~:"), "azAZ09-._~:");
  EXPECT_EQ(PercentEncode("a b+c/d?e&f=g%h#"), "a%20b%2Bc%2Fd%3Fe%26f%3Dg%25h%23");
  EXPECT_EQ(PercentEncode("\xc3\xa4\n"), "%C3%A4%0A");
  EXPECT_EQ(PercentEncode(""), "");
}

TEST(HttpTargetTest, WhatIsEncodedIsReadAsItWas) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_THAT(PercentDecode(PercentEncode(all)), Optional(Eq(all)));
  const std::string target = "/clients/" + PercentEncode(all) + "?name=" + PercentEncode(all);
  const auto read = ParseTarget(target);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->path, "/clients/" + all);
  EXPECT_THAT(read->query, ElementsAre(Pair("name", all)));
}

TEST(HttpTargetTest, APlusIsASpaceInQueriesAlone) {
  EXPECT_THAT(PercentDecode("a+b"), Optional(Eq("a+b")));
  EXPECT_THAT(PercentDecode("a+b", /*plus_is_space=*/true), Optional(Eq("a b")));
}

TEST(HttpTargetTest, WhatIsNoEncodingIsRefused) {
  for (const char* wrong : {"%", "%4", "%4g", "a%"}) {
    EXPECT_EQ(PercentDecode(wrong), std::nullopt) << wrong;
    EXPECT_FALSE(ParseTarget(std::string("/") + wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(ParseTarget("clients").has_value());
}

}  // namespace
}  // namespace rapport
