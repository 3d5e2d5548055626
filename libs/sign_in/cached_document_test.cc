#include "libs/sign_in/cached_document.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr char kTooEarly[] =
    "the last attempt failed, and it is too early for the next one: no answer";

// A cache of numbers whose reads the test answers.
struct World {
  absl::Time now = absl::FromUnixSeconds(1'900'000'000);
  std::vector<std::function<void(absl::StatusOr<int>)>> reads;
  CachedDocument<int> cache{[this] { return now; },
                            [this](auto done) { reads.push_back(std::move(done)); }};
  std::vector<absl::StatusOr<int>> answers;

  CachedDocument<int>::Done Done() {
    return [this](absl::StatusOr<std::shared_ptr<const int>> answer) {
      answers.push_back(answer.ok() ? absl::StatusOr<int>(**answer) : answer.status());
    };
  }
  void Get() { cache.Get(Done()); }
  void GetNewer() { cache.GetNewer(Done()); }
  // Answers the one read that is under way, and says what came of it.
  std::vector<absl::StatusOr<int>> Answer(absl::StatusOr<int> answer) {
    EXPECT_THAT(reads, SizeIs(1));
    std::exchange(reads, {})[0](std::move(answer));
    return std::exchange(answers, {});
  }
  // What was answered without a read.
  std::vector<absl::StatusOr<int>> Answered() {
    EXPECT_THAT(reads, SizeIs(0));
    return std::exchange(answers, {});
  }
};

MATCHER_P(IsOkAndIs, value, "") { return arg.ok() && *arg == value; }
auto Failed(const char* message) { return StatusIs(absl::StatusCode::kUnavailable, message); }
absl::Status NoAnswer() { return absl::UnavailableError("no answer"); }

TEST(CachedDocumentTest, IsReadOnceForAllWhoWait) {
  World world;
  world.Get();
  world.Get();
  world.GetNewer();
  EXPECT_THAT(world.Answer(1), ElementsAre(IsOkAndIs(1), IsOkAndIs(1), IsOkAndIs(1)));
  world.now += absl::Minutes(59);
  world.Get();
  EXPECT_THAT(world.Answered(), ElementsAre(IsOkAndIs(1)));
  world.now += absl::Minutes(1);
  world.Get();
  EXPECT_THAT(world.Answer(2), ElementsAre(IsOkAndIs(2)));
}

TEST(CachedDocumentTest, IsReadAgainAfterPausesThatGrow) {
  World world;
  for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60}) {
    world.Get();
    EXPECT_THAT(world.Answer(NoAnswer()), ElementsAre(Failed("no answer")));
    world.now += absl::Seconds(seconds) - absl::Milliseconds(1);
    world.Get();
    EXPECT_THAT(world.Answered(), ElementsAre(Failed(kTooEarly)));
    world.now += absl::Milliseconds(1);
  }
  world.Get();
  EXPECT_THAT(world.Answer(1), ElementsAre(IsOkAndIs(1)));
}

TEST(CachedDocumentTest, ServesForADayWhatCannotBeReadAnew) {
  World world;
  world.Get();
  world.Answer(1);
  world.now += absl::Hours(23);
  world.Get();
  EXPECT_THAT(world.Answer(NoAnswer()), ElementsAre(IsOkAndIs(1)));
  world.Get();
  EXPECT_THAT(world.Answered(), ElementsAre(IsOkAndIs(1)));
  world.now += absl::Hours(1);
  world.Get();
  EXPECT_THAT(world.Answer(NoAnswer()), ElementsAre(Failed("no answer")));
  world.Get();
  EXPECT_THAT(world.Answered(), ElementsAre(Failed(kTooEarly)));
}

TEST(CachedDocumentTest, ANewerOneIsReadEachTenSecondsAtMost) {
  World world;
  world.Get();
  world.Answer(1);
  world.now += absl::Seconds(9);
  world.GetNewer();
  EXPECT_THAT(world.Answered(), ElementsAre(IsOkAndIs(1)));
  world.now += absl::Seconds(1);
  world.GetNewer();
  EXPECT_THAT(world.Answer(NoAnswer()), ElementsAre(Failed("no answer")));
  // Whoever misses something is told that it could not be read; the others have what they need.
  world.now += absl::Seconds(9);
  world.GetNewer();
  EXPECT_THAT(world.Answered(), ElementsAre(Failed(kTooEarly)));
  world.Get();
  EXPECT_THAT(world.Answered(), ElementsAre(IsOkAndIs(1)));
  world.now += absl::Seconds(1);
  world.GetNewer();
  EXPECT_THAT(world.Answer(2), ElementsAre(IsOkAndIs(2)));
}

TEST(CachedDocumentTest, IsReadAgainWhenTheClockWasSetBack) {
  World world;
  world.Get();
  world.Answer(1);
  world.now -= absl::Hours(48);
  world.Get();
  EXPECT_THAT(world.Answer(2), ElementsAre(IsOkAndIs(2)));
}

}  // namespace
}  // namespace rapport
