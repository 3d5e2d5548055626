// Runs a fuzz target over the files of its corpus, whose folder is the argument, and over each of
// them cut off and with bytes turned over.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace rapport {
namespace {

constexpr size_t kVariants = 64;

std::string& CorpusFolder() {
  static auto* const folder = new std::string;
  return *folder;
}

// A copy of its own size, so that the address sanitizer sees what is read beyond its end.
void RunTarget(const std::string& input) {
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

TEST(Corpus, EveryInputIsTakenOrRefused) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CorpusFolder())) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(file)), {});
    RunTarget(input);
    const size_t step = input.size() / kVariants + 1;
    for (size_t i = 0; i < input.size(); i += step) {
      RunTarget(input.substr(0, i));
      std::string damaged = input;
      damaged[i] = static_cast<char>(~damaged[i]);
      RunTarget(damaged);
    }
    ++inputs;
  }
  EXPECT_GT(inputs, 0) << "no corpus in " << CorpusFolder();
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2) rapport::CorpusFolder() = argv[1];
  return RUN_ALL_TESTS();
}
