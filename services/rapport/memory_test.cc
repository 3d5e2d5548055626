#include <sys/resource.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rapport/cli_fixture.h"

// Commands that may have little memory. Apart from their other tests, since the address sanitizer
// itself takes terabytes of addresses.

namespace rapport {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using MemoryTest = testing::CliFixture;

TEST_F(MemoryTest, ThatThereIsTooLittleIsTold) {
  for (const rlim_t mebibytes : {40, 80, 120, 160, 200, 240, 280, 320, 400, 500}) {
    most_memory_ = mebibytes << 20;
    const Outcome outcome = Run({"at-risk"});
    EXPECT_THAT(outcome.exit_code, AnyOf(0, 3, 127)) << mebibytes << " MiB\n" << outcome.err;
    if (outcome.exit_code != 0) {
      EXPECT_THAT(outcome.err, Not(IsEmpty())) << mebibytes << " MiB";
    }
  }
}

}  // namespace
}  // namespace rapport
