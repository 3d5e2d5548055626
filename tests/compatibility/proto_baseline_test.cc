#include "tests/compatibility/proto_baseline.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "tests/compatibility/descriptor_walk.h"
#include "tests/compatibility/parse_protos.h"
#include "tests/compatibility/proto_compatibility.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;

class Baseline : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "rapport_baseline_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    baseline_ = folder_ / "baseline.binpb";
  }
  void TearDown() override { fs::remove_all(folder_); }

  absl::Status Compare(absl::string_view body, bool renew) {
    const std::string current = folder_ / "current.binpb";
    std::ofstream(current, std::ios::binary) << ParseProtoBody(body).SerializeAsString();
    return CompareWithBaseline(current, baseline_, renew);
  }
  void ExpectBaselineIs(absl::string_view body) {
    EXPECT_EQ(ReadFile(baseline_).value(), BaselineOf(ParseProtoBody(body)).SerializeAsString());
  }

  fs::path folder_;
  std::string baseline_;
};

TEST_F(Baseline, IsMadeWhenThereIsNone) {
  EXPECT_OK(Compare("message M { int32 a = 1; }", /*renew=*/true));
  ExpectBaselineIs("message M { int32 a = 1; }");
}

TEST_F(Baseline, IsNeededToCompareOnly) {
  EXPECT_THAT(Compare("message M {}", /*renew=*/false),
              StatusIs(absl::StatusCode::kNotFound, EndsWith("cannot open " + baseline_)));
}

TEST_F(Baseline, IsRenewedByACompatibleChangeWhenAsked) {
  ASSERT_OK(Compare("message M { int32 a = 1; }", /*renew=*/true));
  EXPECT_OK(Compare("message M { int32 a = 1; int32 b = 2; }", /*renew=*/false));
  ExpectBaselineIs("message M { int32 a = 1; }");
  EXPECT_OK(Compare("message M { int32 a = 1; int32 b = 2; }", /*renew=*/true));
  ExpectBaselineIs("message M { int32 a = 1; int32 b = 2; }");
}

TEST_F(Baseline, StaysAsItIsBeforeAnIncompatibleChange) {
  ASSERT_OK(Compare("message M { int32 a = 1; }", /*renew=*/true));
  for (const bool renew : {false, true}) {
    EXPECT_THAT(Compare("message M { bool a = 1; }", renew),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         EndsWith("\nrapport.touchpoint.v1.M.a: type changed from TYPE_INT32 to "
                                  "TYPE_BOOL")));
    ExpectBaselineIs("message M { int32 a = 1; }");
  }
}

TEST_F(Baseline, IsNotReplacedWhenItCannotBeRead) {
  std::ofstream(baseline_) << "\xff";
  EXPECT_THAT(
      Compare("message M {}", /*renew=*/true),
      StatusIs(absl::StatusCode::kDataLoss, EndsWith("is no serialized FileDescriptorSet")));
  EXPECT_EQ(ReadFile(baseline_).value(), "\xff");
}

}  // namespace
}  // namespace rapport
