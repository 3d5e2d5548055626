#include "tests/compatibility/proto_rules.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "tests/compatibility/descriptor_walk.h"
#include "tests/compatibility/parse_protos.h"

// First the product's own protos against every rule, then each rule on a small proto that breaks
// it, so that no rule can be one that never fails.

namespace rapport {
namespace {

using ::google::protobuf::FileDescriptorSet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ProductProtos : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(set_, ReadDescriptorSet(RAPPORT_DESCRIPTOR_SET));
    ASSERT_GE(FilesOf(set_).size(), 10u) << "the descriptor set misses files";
  }
  FileDescriptorSet set_;
};

TEST_F(ProductProtos, StandInTheFolderOfTheirPackage) {
  EXPECT_THAT(CheckPackages(set_), IsEmpty());
}
TEST_F(ProductProtos, KeepTheAreasApart) { EXPECT_THAT(CheckImports(set_), IsEmpty()); }
TEST_F(ProductProtos, NameEnumValuesAfterTheEnum) { EXPECT_THAT(CheckEnums(set_), IsEmpty()); }
TEST_F(ProductProtos, CommentEverything) { EXPECT_THAT(CheckComments(set_), IsEmpty()); }
TEST_F(ProductProtos, HoldMomentsAsTimestamps) { EXPECT_THAT(CheckTimes(set_), IsEmpty()); }
TEST_F(ProductProtos, NameRepeatedFieldsInThePlural) { EXPECT_THAT(CheckPlurals(set_), IsEmpty()); }
TEST_F(ProductProtos, NameEventsInThePastTense) { EXPECT_THAT(CheckEvents(set_), IsEmpty()); }
TEST_F(ProductProtos, WriteNoFloats) { EXPECT_THAT(CheckExactNumbers(set_), IsEmpty()); }

TEST(PackageRule, NamesFilesOutsideTheirFolder) {
  const FileDescriptorSet set = ParseProtos({
      {"rapport/touchpoint/v1/good.proto", "syntax = \"proto3\"; package rapport.touchpoint.v1;"},
      {"rapport/alert/v1/bad.proto", "syntax = \"proto3\"; package rapport.alert.v2;"},
      {"rapport/alert/latest/a.proto", "syntax = \"proto3\"; package rapport.alert.latest;"},
      {"rapport/state/v1/old.proto", "syntax = \"proto2\"; package rapport.state.v1;"},
  });
  EXPECT_THAT(
      CheckPackages(set),
      ElementsAre("rapport/alert/v1/bad.proto: package is rapport.alert.v2, must be that of its "
                  "folder, rapport.alert.v1",
                  "rapport/alert/latest/a.proto: must stand at rapport/<area>/v<N>/<name>.proto",
                  "rapport/state/v1/old.proto: must be proto3"));
}

TEST(ImportRule, NamesAreasThatMayNotKnowEachOther) {
  const FileDescriptorSet set = ParseProtos({
      {"rapport/touchpoint/v1/t.proto", "syntax = \"proto3\"; package rapport.touchpoint.v1;"},
      {"rapport/state/v1/s.proto",
       "syntax = \"proto3\"; package rapport.state.v1; import \"rapport/touchpoint/v1/t.proto\";"},
      {"rapport/query/v1/q.proto",
       "syntax = \"proto3\"; package rapport.query.v1; import \"rapport/state/v1/s.proto\";"},
      {"rapport/misc/v1/m.proto", "syntax = \"proto3\"; package rapport.misc.v1;"},
  });
  EXPECT_THAT(CheckImports(set),
              ElementsAre("rapport/query/v1/q.proto: imports rapport/state/v1/s.proto, but query "
                          "may not know state",
                          "rapport/misc/v1/m.proto: there is no area \"misc\"; name it and whom it "
                          "may know in CheckImports"));
}

TEST(EnumRule, NamesValuesWithoutThePrefixAndAnotherZero) {
  const FileDescriptorSet set = ParseProtoBody(R"(
    enum DealStage { DEAL_STAGE_UNSPECIFIED = 0; DEAL_STAGE_WON = 1; }
    enum Colour { COLOUR_RED = 0; GREEN = 1; }
    message M { enum Inner { INNER_UNSPECIFIED = 0; OTHER = 1; } }
  )");
  EXPECT_THAT(CheckEnums(set),
              ElementsAre("rapport.touchpoint.v1.Colour: first value is COLOUR_RED = 0, must be "
                          "COLOUR_UNSPECIFIED = 0",
                          "rapport.touchpoint.v1.Colour: value GREEN must begin with COLOUR_",
                          "rapport.touchpoint.v1.M.Inner: value OTHER must begin with INNER_"));
}

TEST(CommentRule, NamesWhateverHasNone) {
  const FileDescriptorSet set = ParseProtoBody(R"(
    // Has one.
    message Good {
      // Has one.
      optional int32 first = 1;
      int32 second = 2;  // beside it
      // Has one.
      map<string, string> labels = 3;
    }

    // Stands apart, and so belongs to nothing.

    message Bad {
      int32 first = 1;
      oneof choice {
        // Has one.
        int32 second = 2;
      }
      message Inner {}
      enum Kind { KIND_UNSPECIFIED = 0; }
    }
  )");
  EXPECT_THAT(CheckComments(set), ElementsAre("rapport.touchpoint.v1.Bad: no comment",
                                              "rapport.touchpoint.v1.Bad.choice: no comment",
                                              "rapport.touchpoint.v1.Bad.Inner: no comment",
                                              "rapport.touchpoint.v1.Bad.first: no comment",
                                              "rapport.touchpoint.v1.Bad.Kind: no comment"));
}

TEST(TimeRule, NamesMomentsThatAreNumbersOrTexts) {
  const FileDescriptorSet set = ParseProtoBody(R"(
    message M {
      google.protobuf.Timestamp due_at = 1;
      int32 wait_seconds = 2;
      int64 created_at = 3;
      string now = 4;
      int64 start_time = 5;
      int64 micros_since_epoch = 6;
      repeated int64 order_times = 7;
      int32 owner_epoch = 8;
      string category = 9;
    }
  )");
  const std::string text = ": names a moment, so it must be a google.protobuf.Timestamp";
  EXPECT_THAT(CheckTimes(set), ElementsAre("rapport.touchpoint.v1.M.created_at" + text,
                                           "rapport.touchpoint.v1.M.now" + text,
                                           "rapport.touchpoint.v1.M.start_time" + text,
                                           "rapport.touchpoint.v1.M.micros_since_epoch" + text,
                                           "rapport.touchpoint.v1.M.order_times" + text));
}

TEST(PluralRule, NamesRepeatedFieldsInTheSingular) {
  const FileDescriptorSet set = ParseProtoBody(R"(
    message M {
      repeated string lines = 1;
      repeated string address = 2;
      repeated string agent_id = 3;
      map<string, int32> counts_by_channel = 4;
      map<string, int32> count_by_channel = 5;
      repeated int32 counts_by_hour = 6;
      string status = 7;
    }
  )");
  const std::string text = ": is repeated, so its name must be plural";
  EXPECT_THAT(CheckPlurals(set), ElementsAre("rapport.touchpoint.v1.M.address" + text,
                                             "rapport.touchpoint.v1.M.agent_id" + text,
                                             "rapport.touchpoint.v1.M.count_by_channel" + text,
                                             "rapport.touchpoint.v1.M.counts_by_hour" + text));
}

TEST(EventRule, NamesKindsThatAreNoPastTenseOrHaveAnotherFieldName) {
  const FileDescriptorSet set = ParseProtoBody(R"(
    message DealWon {}
    message OrderPlaced {}
    message CustomerNeed {}
    message PlaceOrder {}
    message Touchpoint {
      PlaceOrder not_an_event = 9;
      oneof payload {
        DealWon deal_won = 1;
        CustomerNeed customer_need = 2;
        PlaceOrder place_order = 3;
        OrderPlaced ordered = 4;
      }
      oneof other { PlaceOrder elsewhere = 5; }
    }
  )");
  const std::string text = " must be in the past tense; if it is, say so in IsPastTense";
  EXPECT_THAT(
      CheckEvents(set),
      ElementsAre("rapport.touchpoint.v1.Touchpoint.customer_need: CustomerNeed" + text,
                  "rapport.touchpoint.v1.Touchpoint.place_order: PlaceOrder" + text,
                  "rapport.touchpoint.v1.Touchpoint.ordered: must be named after OrderPlaced"));
}

TEST(ExactNumberRule, NamesFloatsInTheLogsAlone) {
  const FileDescriptorSet set = ParseProtos({
      {"rapport/touchpoint/v1/t.proto",
       "syntax = \"proto3\"; package rapport.touchpoint.v1;"
       "message M { int64 minor_units = 1; double amount = 2; repeated float scores = 3; }"},
      {"rapport/query/v1/q.proto",
       "syntax = \"proto3\"; package rapport.query.v1; message Q { double probability = 1; }"},
  });
  const std::string text =
      ": what is written to a log has no floating-point numbers; use an integer with its unit in "
      "the name";
  EXPECT_THAT(CheckExactNumbers(set), ElementsAre("rapport.touchpoint.v1.M.amount" + text,
                                                  "rapport.touchpoint.v1.M.scores" + text));
}

}  // namespace
}  // namespace rapport
