#include "libs/intake/body.h"

#include <string>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/intake/test_pack.h"

namespace rapport {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::StartsWith;

constexpr size_t kLimit = 200'000;

absl::Status Unpack(const std::string& encoding, std::string* body) {
  return UnpackBody(encoding, kLimit, body);
}

TEST(BodyTest, UnpacksWhatWasPacked) {
  const std::string text = std::string(100'000, 'a') + "tail";
  for (std::string encoding : {"gzip", "zstd", "GZIP", " zstd ", "x-gzip"}) {
    std::string body = encoding.find("std") != std::string::npos ? PackZstd(text) : PackGzip(text);
    EXPECT_OK(Unpack(encoding, &body)) << encoding;
    EXPECT_EQ(body, text) << encoding;
  }
  for (const std::string encoding : {"", "identity"}) {
    std::string body = text;
    EXPECT_OK(Unpack(encoding, &body));
    EXPECT_EQ(body, text);
  }
}

TEST(BodyTest, UnpacksNothingAndSeveralParts) {
  for (const auto& [encoding, pack] :
       {std::pair("gzip", &PackGzip), std::pair("zstd", &PackZstd)}) {
    std::string body = pack("");
    EXPECT_OK(Unpack(encoding, &body));
    EXPECT_EQ(body, "");
    body = pack("one ") + pack("two");
    EXPECT_OK(Unpack(encoding, &body));
    EXPECT_EQ(body, "one two");
  }
}

TEST(BodyTest, HoldsTheLimitToTheByte) {
  for (const auto& [encoding, pack] :
       {std::pair("gzip", &PackGzip), std::pair("zstd", &PackZstd)}) {
    std::string body = pack(std::string(kLimit, 'a'));
    EXPECT_OK(Unpack(encoding, &body));
    EXPECT_EQ(body.size(), kLimit);
    body = pack(std::string(kLimit + 1, 'a'));
    EXPECT_THAT(Unpack(encoding, &body),
                StatusIs(StatusCode::kOutOfRange, "body: more than 200000 bytes come out of it"));
  }
  std::string plain(kLimit + 1, 'a');
  EXPECT_THAT(Unpack("", &plain), StatusIs(StatusCode::kOutOfRange, HasSubstr("200000")));
}

TEST(BodyTest, ABombIsRefusedBeforeItIsUnpacked) {
  std::string bomb = PackGzip(std::string(size_t{64} << 20, '\0'));
  ASSERT_LT(bomb.size(), kLimit);
  EXPECT_THAT(Unpack("gzip", &bomb), StatusIs(StatusCode::kOutOfRange, HasSubstr("200000")));
}

TEST(BodyTest, TellsWhatIsDamagedOrCutOff) {
  const std::string text(5000, 'q');
  for (const auto& [encoding, pack] :
       {std::pair("gzip", &PackGzip), std::pair("zstd", &PackZstd)}) {
    const std::string packed = pack(text);
    for (size_t size = 0; size < packed.size(); ++size) {
      std::string cut = packed.substr(0, size);
      EXPECT_THAT(Unpack(encoding, &cut),
                  StatusIs(StatusCode::kInvalidArgument, StartsWith("body: ")))
          << encoding << " " << size;
    }
    std::string damaged = packed;
    damaged[packed.size() / 2] ^= 0x55;
    EXPECT_THAT(Unpack(encoding, &damaged),
                StatusIs(StatusCode::kInvalidArgument, StartsWith("body: is no ")));
    std::string plain = text;
    EXPECT_THAT(Unpack(encoding, &plain),
                StatusIs(StatusCode::kInvalidArgument, StartsWith("body: is no ")));
    EXPECT_EQ(plain, text);
  }
}

TEST(BodyTest, RefusesOtherEncodings) {
  std::string body = "x";
  EXPECT_THAT(Unpack("br", &body),
              StatusIs(StatusCode::kUnimplemented,
                       "content-encoding: 'br' is not supported; send gzip, zstd or none"));
  EXPECT_THAT(Unpack("gzip, zstd", &body), StatusIs(StatusCode::kUnimplemented, HasSubstr("zstd")));
}

}  // namespace
}  // namespace rapport
