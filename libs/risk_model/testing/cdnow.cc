#include "libs/risk_model/testing/cdnow.h"

#include <array>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "libs/base/check.h"

namespace rapport::risk_model {

std::vector<CdnowClient> ReadCdnow() {
  std::ifstream file(RAPPORT_CDNOW_FILE);
  std::vector<CdnowClient> clients;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    std::array<double, 5> numbers = {};
    RAPPORT_CHECK(fields.size() == numbers.size(), line);
    for (size_t i = 0; i < numbers.size(); ++i) {
      RAPPORT_CHECK(absl::SimpleAtod(fields[i], &numbers[i]), line);
    }
    const auto [repeats, last, weeks, later, value] = numbers;
    clients.push_back({{{repeats, last}, weeks}, {repeats, value}, later == 0});
  }
  return clients;
}

}  // namespace rapport::risk_model
