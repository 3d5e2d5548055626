#include "libs/base/folded_words.h"

#include "gmock/gmock.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FoldedWords, AreFoundHoweverTheyAreWritten) {
  EXPECT_THAT(FoldedWords("Żabka Polska Sp. z o.o."),
              ElementsAre("zabka", "polska", "sp", "z", "o", "o"));
  EXPECT_THAT(FoldedWords("ООО \"Ромашка\""), ElementsAre("ооо", "ромашка"));
  EXPECT_THAT(FoldedWords("Подъёмный Йод"), ElementsAre("подъемныи", "иод"));
  EXPECT_THAT(FoldedWords("Łódź Øre Đorđe Straße Ærø"),
              ElementsAre("lodz", "ore", "dorde", "strasse", "aero"));
  EXPECT_THAT(FoldedWords("ΟΔΥΣΣΕΥΣ Οδυσσεύς Άγιος"), ElementsAre("οδυσσευσ", "οδυσσευσ", "αγιοσ"));
  EXPECT_THAT(FoldedWords("ISTANBUL İstanbul ısı"), ElementsAre("istanbul", "istanbul", "isi"));
  EXPECT_THAT(FoldedWords("Ĺuboš e\xCC\x81t\xC3\xA9"), ElementsAre("lubos", "ete"));
  EXPECT_THAT(FoldedWords("ＦＵＬＬ ﬁrm"), ElementsAre("full", "firm"));
}

TEST(FoldedWords, AreRunsOfLettersAndDigits) {
  EXPECT_THAT(FoldedWords("O'Brien & Sons (2nd)-Ltd."),
              ElementsAre("o", "brien", "sons", "2nd", "ltd"));
  EXPECT_THAT(FoldedWords("anna@firm.example"), ElementsAre("anna", "firm", "example"));
  EXPECT_THAT(FoldedWords("  "), IsEmpty());
  EXPECT_THAT(FoldedWords(""), IsEmpty());
  EXPECT_THAT(FoldedWords("«—»"), IsEmpty());
  EXPECT_THAT(FoldedWords("a\xFF\xFE"
                          "b"),
              ElementsAre("a", "b"));
  EXPECT_THAT(FoldedWords("日本 電気"), ElementsAre("日本", "電気"));
  EXPECT_THAT(FoldedWords("हिन्दी"), ElementsAre(FoldedWords("हिन्दी").front()));
}

TEST(FoldedWords, AllThatAreWantedHaveToBeThere) {
  const std::vector<std::string> words = FoldedWords("Anna Maria Berg");
  EXPECT_TRUE(BeginWith(words, FoldedWords("berg AN")));
  EXPECT_TRUE(BeginWith(words, {}));
  EXPECT_FALSE(BeginWith(words, FoldedWords("anna otto")));
  EXPECT_FALSE(BeginWith(words, FoldedWords("nna")));
}

}  // namespace
}  // namespace rapport
