#include "libs/base/sha256.h"

#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace rapport {
namespace {

std::string Hex(absl::string_view text) {
  const auto digest = Sha256(text);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// Of FIPS 180-4.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      << "nothing of the one before is left";
}

TEST(Sha256, EachThreadHasItsOwn) {
  std::string other;
  std::thread thread([&] { other = Hex("abc"); });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Hex("abc"), Hex("abc"));
  thread.join();
  EXPECT_EQ(other, Hex("abc"));
}

}  // namespace
}  // namespace rapport
