// Rows of a CDR file parsed and put together on one core, beside only finding where lines end, and
// what the parts cost.

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/telephony/call_collector.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/csv_row.h"

namespace rapport {
namespace {

constexpr int kCalls = 100'000;
constexpr int kRounds = 3;

// Calls of one to three rows, as a queue and a ring-all group give them.
std::string MakeFile() {
  std::string file;
  int64_t sequence = 0;
  for (int i = 0; i < kCalls; ++i) {
    const int64_t at = 1'741'600'000 + i * 7;
    const auto time = [&](int64_t seconds) {
      return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(at + seconds),
                              absl::UTCTimeZone());
    };
    const std::string number = absl::StrCat("0309", 1'000'000 + i);
    for (int row = 0; row <= i % 3; ++row) {
      const bool answered = row == i % 3;
      absl::StrAppend(&file, R"("",")", number, R"(","500","from-trunk","""Caller )", i, R"("" <)",
                      number, R"(>","PJSIP/trunk-)", i, R"(","PJSIP/2)", row + 10, "-", i,
                      R"(","Queue","support,tT,,,120",")", time(0), "\",");
      absl::StrAppend(&file, answered ? absl::StrCat("\"", time(12), "\"") : "", ",\"", time(90),
                      "\",90,", answered ? 78 : 0, ",\"", answered ? "ANSWERED" : "NO ANSWER",
                      R"(","DOCUMENTATION",")", at, ".", i, R"(","","",")", at, ".", i, "\",",
                      sequence++, "\n");
    }
  }
  return file;
}

// Of the processor, so that other work on the machine does not count.
double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The fewest seconds that it took.
template <class Work>
double Fastest(const Work& work) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = CpuSeconds();
    work();
    best = std::min(best, CpuSeconds() - begin);
  }
  return best;
}

template <class Each>
void EachLine(absl::string_view file, const Each& each) {
  while (!file.empty()) {
    const size_t end = file.find('\n');
    each(file.substr(0, end));
    file.remove_prefix(end + 1);
  }
}

void Run() {
  const std::string file = MakeFile();
  int64_t rows = 0;
  EachLine(file, [&](absl::string_view) { ++rows; });
  CallSource source{.source = "pbx", .system = "office"};
  RAPPORT_CHECK(absl::LoadTimeZone("Europe/Berlin", &source.time_zone), "time zone");
  const CdrLayout layout{.unique_id = true, .user_field = true, .linkage = true};

  size_t bytes = 0;
  const double lines =
      Fastest([&] { EachLine(file, [&](absl::string_view line) { bytes += line.size(); }); });
  std::vector<absl::string_view> fields;
  std::vector<std::string> unquoted;
  const double split = Fastest([&] {
    EachLine(file, [&](absl::string_view line) {
      RAPPORT_CHECK(SplitCsvRow(line, &fields, &unquoted).ok(), "row");
      bytes += fields.size();
    });
  });
  CdrParser parser(source, layout);
  const double parse = Fastest([&] {
    EachLine(file, [&](absl::string_view line) {
      const auto record = parser.Parse(line, {});
      RAPPORT_CHECK(record.ok(), "row");
      bytes += record->record_id().size();
    });
  });
  int64_t calls = 0;
  const double import = Fastest([&] {
    calls = 0;
    CallCollector whole({.is_ours = [](absl::string_view number) { return number.size() < 5; }},
                        [&](const CollectedCall&) {
                          ++calls;
                          return absl::OkStatus();
                        });
    EachLine(file, [&](absl::string_view line) {
      const auto leg = parser.ParseLeg(line);
      RAPPORT_CHECK(leg.ok() && whole.Add(leg->call_id, leg->leg, 0).ok(), "row");
    });
    RAPPORT_CHECK(whole.Finish().ok(), "end");
  });
  RAPPORT_CHECK(calls == kCalls && bytes > 0, "calls");
  fmt::print("{} rows of {} calls, {} bytes each\n", rows, calls,
             file.size() / static_cast<size_t>(rows));
  fmt::print("{:<32}{:>14}{:>22}\n", "", "rows/s", "of splitting lines");
  const auto print = [&](absl::string_view what, double seconds) {
    fmt::print("{:<32}{:>14.0f}{:>22.4f}\n", std::string(what), static_cast<double>(rows) / seconds,
               lines / seconds);
  };
  print("split into lines", lines);
  print("split into columns", split);
  print("parsed into facts", parse);
  print("parsed and put together", import);
}

}  // namespace
}  // namespace rapport

int main() { rapport::Run(); }
