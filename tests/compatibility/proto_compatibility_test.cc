#include "tests/compatibility/proto_compatibility.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "tests/compatibility/descriptor_walk.h"
#include "tests/compatibility/parse_protos.h"

namespace rapport {
namespace {

using ::google::protobuf::FileDescriptorSet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReleasedProtos, ReadEveryRecordAsBefore) {
  ASSERT_OK_AND_ASSIGN(const FileDescriptorSet released,
                       ReadDescriptorSet(RAPPORT_COMPATIBILITY_FOLDER "/baseline.binpb"));
  ASSERT_OK_AND_ASSIGN(const FileDescriptorSet current, ReadDescriptorSet(RAPPORT_DESCRIPTOR_SET));
  ASSERT_GE(MessagesOf(released).size(), 60u) << "the baseline misses messages";
  EXPECT_THAT(Incompatibilities(released, current), IsEmpty());
}

// What the rules say of a change from one text to another.
std::vector<std::string> Change(absl::string_view released, absl::string_view current) {
  return Incompatibilities(BaselineOf(ParseProtoBody(released)), ParseProtoBody(current));
}

const std::string kM = "rapport.touchpoint.v1.M";
const std::string kE = "rapport.touchpoint.v1.E";

TEST(Compatibility, LetsAdditionsAndReservedDeletionsPass) {
  EXPECT_THAT(Change("message M { int32 a = 1; oneof o { int32 b = 2; } reserved 9; }"
                     "enum E { E_UNSPECIFIED = 0; E_A = 1; }",
                     "message M { reserved 1, 5 to 20; reserved 'a'; oneof o { int32 b = 2;"
                     "  int32 c = 3; } optional int32 d = 4; } message N {}"
                     "enum E { reserved 1; reserved 'E_A'; E_UNSPECIFIED = 0; E_B = 2; }"),
              IsEmpty());
}

TEST(Compatibility, NamesATagThatHasAnotherMeaning) {
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { int32 b = 1; }"),
              ElementsAre(kM + ".a: tag 1 is now named b; a new meaning needs a new tag"));
}

TEST(Compatibility, NamesAChangedType) {
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { int64 a = 1; }"),
              ElementsAre(kM + ".a: type changed from TYPE_INT32 to TYPE_INT64"));
  EXPECT_THAT(Change("message A {} message B {} message M { A a = 1; B b = 2; }",
                     "message A {} message B {} message M { B a = 1; B b = 2; }"),
              ElementsAre(kM + ".a: type changed from rapport.touchpoint.v1.A to "
                               "rapport.touchpoint.v1.B"));
  EXPECT_THAT(
      Change("message M { map<string, int32> a = 1; }", "message M { map<string, bool> a = 1; }"),
      ElementsAre(kM + ".AEntry.value: type changed from TYPE_INT32 to TYPE_BOOL"));
}

TEST(Compatibility, NamesAChangedLabelPresenceOrOneof) {
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { repeated int32 a = 1; }"),
              ElementsAre(kM + ".a: changed between single and repeated"));
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { optional int32 a = 1; }"),
              ElementsAre(kM + ".a: changed between optional and always present"));
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { oneof o { int32 a = 1; } }"),
              ElementsAre(kM + ".a: moved from oneof \"\" to oneof \"o\""));
}

TEST(Compatibility, NamesADeletionThatIsNotReserved) {
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M {}"),
              ElementsAre(kM + ".a: was deleted, but its number 1 is not reserved",
                          kM + ".a: was deleted, but its name \"a\" is not reserved"));
  EXPECT_THAT(Change("message M { int32 a = 1; }", "message M { reserved 1; }"),
              ElementsAre(kM + ".a: was deleted, but its name \"a\" is not reserved"));
  EXPECT_THAT(Change("enum E { E_UNSPECIFIED = 0; E_A = 1; }", "enum E { E_UNSPECIFIED = 0; }"),
              ElementsAre(kE + ".E_A: was deleted, but its number 1 is not reserved",
                          kE + ".E_A: was deleted, but its name \"E_A\" is not reserved"));
}

TEST(Compatibility, NamesAReservationThatWasTakenBack) {
  EXPECT_THAT(Change("message M { reserved 3 to 5; reserved 'a'; }",
                     "message M { reserved 3, 5; int32 a = 4; }"),
              ElementsAre(kM + ": numbers 3 to 5 are no longer reserved",
                          kM + ": name \"a\" is no longer reserved"));
  EXPECT_THAT(Change("enum E { reserved 2 to 3; E_UNSPECIFIED = 0; }",
                     "enum E { reserved 2; E_UNSPECIFIED = 0; }"),
              ElementsAre(kE + ": numbers 2 to 3 are no longer reserved"));
}

TEST(Compatibility, NamesAnEnumValueThatHasAnotherMeaning) {
  EXPECT_THAT(
      Change("enum E { E_UNSPECIFIED = 0; E_A = 1; }", "enum E { E_UNSPECIFIED = 0; E_B = 1; }"),
      ElementsAre(kE + ".E_A: number 1 is now named E_B; a new meaning needs a new number"));
}

TEST(Compatibility, NamesADeletedRecordButNotAMessageThatWasOnlyAPart) {
  EXPECT_THAT(Change("message M { M parent = 1; } message N {}", "message N {}"),
              ElementsAre(kM + ": the message was deleted, but records of it may be stored"));
  EXPECT_THAT(Change("message Part { int32 a = 1; } message M { Part part = 1; }",
                     "message M { reserved 1; reserved 'part'; }"),
              IsEmpty());
}

TEST(Compatibility, BaselineHoldsNoComments) {
  const FileDescriptorSet baseline = BaselineOf(ParseProtoBody("message M {}  // a comment"));
  for (const auto& file : baseline.file()) EXPECT_FALSE(file.has_source_code_info());
}

}  // namespace
}  // namespace rapport
