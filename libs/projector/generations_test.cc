#include "libs/projector/generations.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;

const ProjectionIdentity kToy = {"toy", 1, "default"};

class GenerationsTest : public ::testing::Test {
 protected:
  Generations Open() {
    auto generations = Generations::Open(folder_ / "toy");
    EXPECT_OK(generations);
    return *std::move(generations);
  }
  bool IsThere(int generation) {
    return fs::exists(folder_ / absl::StrCat("toy/g", generation, "/IDENTITY"));
  }
  // Makes a generation and lets it serve.
  void Serve(Generations& generations, const ProjectionIdentity& identity) {
    ASSERT_OK_AND_ASSIGN(const int number, generations.Create(identity));
    ASSERT_OK(generations.Activate(number));
  }

  const TempFolder folder_;
};

TEST_F(GenerationsTest, ANewFolderHasNone) {
  const Generations generations = Open();
  EXPECT_EQ(generations.current(), std::nullopt);
  EXPECT_EQ(generations.previous(), std::nullopt);
  EXPECT_EQ(generations.Unfinished(kToy), std::nullopt);
  EXPECT_THAT(generations.IdentityOf(1), StatusIs(absl::StatusCode::kNotFound, HasSubstr("g1")));
}

TEST_F(GenerationsTest, TheOneBeforeStaysAndOlderOnesGo) {
  Generations generations = Open();
  for (int i = 0; i < 3; ++i) Serve(generations, kToy);
  EXPECT_EQ(generations.current(), 3);
  EXPECT_EQ(generations.previous(), 2);
  EXPECT_FALSE(IsThere(1));
  EXPECT_TRUE(IsThere(2));
  const Generations again = Open();
  EXPECT_EQ(again.current(), 3);
  EXPECT_EQ(again.previous(), 2);
  ASSERT_OK_AND_ASSIGN(const ProjectionIdentity identity, again.IdentityOf(3));
  EXPECT_EQ(identity, kToy);
  EXPECT_EQ(again.PartitionFolder(3, Partition(5)), folder_ / "toy/g3/p5");
}

TEST_F(GenerationsTest, RollbackGoesBackAndForth) {
  Generations generations = Open();
  Serve(generations, kToy);
  EXPECT_THAT(generations.Rollback(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no earlier generation")));
  Serve(generations, kToy);
  ASSERT_OK(generations.Rollback());
  EXPECT_EQ(Open().current(), 1);
  EXPECT_EQ(Open().previous(), 2);
  ASSERT_OK(generations.Rollback());
  EXPECT_EQ(Open().current(), 2);
}

TEST_F(GenerationsTest, ARebuildThatWasCutOffIsFound) {
  Generations generations = Open();
  Serve(generations, kToy);
  ASSERT_OK_AND_ASSIGN(const int begun, generations.Create(kToy));
  EXPECT_EQ(Open().Unfinished(kToy), begun);
  // Begun for other code: of no use.
  EXPECT_EQ(Open().Unfinished({"toy", 2, "default"}), std::nullopt);
  EXPECT_EQ(Open().Unfinished({"toy", 1, "other"}), std::nullopt);
  ASSERT_OK(generations.Activate(begun));
  EXPECT_EQ(Open().Unfinished(kToy), std::nullopt);
}

TEST_F(GenerationsTest, WhatWasRolledBackIsNoUnfinishedRebuild) {
  Generations generations = Open();
  Serve(generations, kToy);
  Serve(generations, kToy);
  ASSERT_OK(generations.Rollback());
  EXPECT_EQ(generations.Unfinished(kToy), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const int next, generations.Create(kToy));
  EXPECT_EQ(next, 3);
}

TEST_F(GenerationsTest, ADamagedPointerIsToldWithWhatToDo) {
  {
    Generations generations = Open();
    Serve(generations, kToy);
  }
  std::ofstream(folder_ / "toy/CURRENT") << "many";
  EXPECT_THAT(Generations::Open(folder_ / "toy"),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("toy/CURRENT holds 'many'"),
                                                          HasSubstr("write the number"))));
  std::ofstream(folder_ / "toy/CURRENT") << "1\n";
  std::ofstream(folder_ / "toy/g1/IDENTITY") << "{";
  EXPECT_THAT(Open().IdentityOf(1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("g1/IDENTITY does not parse")));
}

TEST_F(GenerationsTest, WhichServesAndWhichServedIsOneFile) {
  Generations generations = Open();
  for (int i = 0; i < 2; ++i) Serve(generations, kToy);
  const auto content = [&] {
    std::ifstream in(folder_ / "toy/CURRENT");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(content(), "2\nprevious 1\n");
  EXPECT_FALSE(fs::exists(folder_ / "toy/PREVIOUS"));
  ASSERT_OK(generations.Rollback());
  EXPECT_EQ(content(), "1\nprevious 2\n");
  for (const char* damaged : {"1\nprevious\n", "1\nprevious many\n", "1\n2\n", "\n"}) {
    std::ofstream(folder_ / "toy/CURRENT") << damaged;
    EXPECT_THAT(Generations::Open(folder_ / "toy"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("write the number")));
  }
}

TEST_F(GenerationsTest, TheTwoFilesOfAnEarlierVersionAreRead) {
  for (int i = 0; i < 2; ++i) {
    Generations generations = Open();
    Serve(generations, kToy);
  }
  std::ofstream(folder_ / "toy/CURRENT") << "2\n";
  EXPECT_EQ(Open().previous(), std::nullopt);
  std::ofstream(folder_ / "toy/PREVIOUS") << "1\n";
  Generations generations = Open();
  EXPECT_EQ(generations.current(), 2);
  EXPECT_EQ(generations.previous(), 1);
  // As if it had died before it removed the one that it has no use for any more.
  ASSERT_OK(generations.Rollback());
  std::ofstream(folder_ / "toy/PREVIOUS") << "1\n";
  EXPECT_EQ(Open().current(), 1);
  EXPECT_EQ(Open().previous(), 2);
}

TEST_F(GenerationsTest, DamagedStoresAreKeptSideBySide) {
  StoreResources resources({.memory_bytes = size_t{1} << 20});
  for (int i = 1; i <= 2; ++i) {
    fs::create_directories(folder_ / "p0");
    std::ofstream(folder_ / "p0/file") << i;
    ASSERT_OK(SetAside(folder_ / "p0", &resources, "a test"));
    EXPECT_TRUE(fs::exists(folder_ / absl::StrCat("p0.set-aside-", i, "/file")));
    EXPECT_FALSE(fs::exists(folder_ / "p0"));
  }
  EXPECT_THAT(SetAside(folder_ / "p0", &resources, "a test"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("(a test)")));
}

}  // namespace
}  // namespace rapport
