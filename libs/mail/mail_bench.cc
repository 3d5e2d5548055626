// How many mails one core reads and makes touchpoints of, beside reading their bytes alone.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "libs/base/check.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_contact.h"

namespace rapport {
namespace {

std::vector<std::filesystem::path> Paths() {
  const char* const corpus = std::getenv("RAPPORT_MAIL_CORPUS");
  const std::string folder = corpus == nullptr ? RAPPORT_MAIL_TESTDATA : corpus;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".eml") paths.push_back(entry.path());
  }
  RAPPORT_CHECK(!paths.empty(), "no mails in ", folder);
  return paths;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void Count(benchmark::State& state, size_t mails, size_t bytes) {
  const auto rounds = static_cast<int64_t>(state.iterations());
  state.SetItemsProcessed(rounds * static_cast<int64_t>(mails));
  state.SetBytesProcessed(rounds * static_cast<int64_t>(bytes));
}

void BM_ReadBytes(benchmark::State& state) {
  const auto paths = Paths();
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const auto& path : paths) bytes += ReadFile(path).size();
  }
  Count(state, paths.size(), bytes);
}
BENCHMARK(BM_ReadBytes);

void BM_ReadParseMap(benchmark::State& state) {
  const auto paths = Paths();
  const MailContactSettings settings{
      .source = "office",
      .is_own = [](absl::string_view address) { return absl::EndsWith(address, "@ours.example"); },
      .agent_of = [](absl::string_view) { return std::string(); }};
  const MailPlace place{"info@ours.example", "INBOX", absl::FromUnixSeconds(1'785'750'000)};
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const auto& path : paths) {
      const std::string file = ReadFile(path);
      bytes += file.size();
      const auto mail = ParseMail(file);
      RAPPORT_CHECK(mail.ok(), mail.status().ToString());
      std::vector<MailContact> contact = MakeMailContacts(*mail, place, settings);
      benchmark::DoNotOptimize(contact);
    }
  }
  Count(state, paths.size(), bytes);
}
BENCHMARK(BM_ReadParseMap);

}  // namespace
}  // namespace rapport
