#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "libs/backtest/judge.h"
#include "libs/base/status_matchers.h"
#include "libs/risk_model/logistic.h"

// Who ends the contract, by logistic regression over what stands in it: IBM's Telco customer churn,
// 7,043 clients of whom 26.5 % left. It has no licence that would let it stand here, so it is read
// where RAPPORT_DATA_SETS names the folder that holds it.

namespace rapport::risk_model {
namespace {

using Row = std::vector<std::string>;

constexpr char kFile[] = "/telco_churn/WA_Fn-UseC_-Telco-Customer-Churn.csv";
constexpr char kLeft[] = "Churn";

std::vector<Row> ReadRows(const std::string& path) {
  std::ifstream file(path);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(file, line)) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    rows.push_back(absl::StrSplit(line, ','));
  }
  return rows;
}

// Numbers as they are, and beside the months their logarithm, since the first ones matter most;
// every other column as one fact for each of its values but the first.
Examples ExamplesOf(const std::vector<Row>& rows) {
  const Row& names = rows.front();
  const std::set<std::string> numbers = {"tenure", "MonthlyCharges", "TotalCharges"};
  std::vector<std::set<std::string>> values(names.size());
  size_t left = 0;
  size_t facts = 0;
  for (size_t c = 1; c < names.size(); ++c) {
    if (names[c] == kLeft) {
      left = c;
    } else if (numbers.contains(names[c])) {
      facts += names[c] == "tenure" ? 2 : 1;
    } else {
      for (size_t i = 1; i < rows.size(); ++i) values[c].insert(rows[i][c]);
      facts += values[c].size() - 1;
    }
  }
  Examples examples(facts);
  for (size_t i = 1; i < rows.size(); ++i) {
    std::vector<double> row;
    for (size_t c = 1; c < names.size(); ++c) {
      if (c == left) continue;
      if (numbers.contains(names[c])) {
        double number = 0;  // where nothing was charged yet, the file has a blank
        EXPECT_TRUE(absl::SimpleAtod(rows[i][c], &number) || rows[i][c] == " ") << rows[i][c];
        row.push_back(number);
        if (names[c] == "tenure") row.push_back(std::log1p(number));
        continue;
      }
      for (auto value = std::next(values[c].begin()); value != values[c].end(); ++value) {
        row.push_back(rows[i][c] == *value ? 1 : 0);
      }
    }
    examples.Add(row, rows[i][left] == "Yes", i);
  }
  return examples;
}

TEST(Telco, TheChanceOfLeavingRanksAndIsCalibratedAsPublished) {
  const char* const folder = std::getenv("RAPPORT_DATA_SETS");
  if (folder == nullptr) GTEST_SKIP() << "RAPPORT_DATA_SETS names no folder with telco_churn";
  const std::vector<Row> rows = ReadRows(std::string(folder) + kFile);
  ASSERT_EQ(rows.size(), 7044u);
  const Examples examples = ExamplesOf(rows);
  ASSERT_OK_AND_ASSIGN(const std::vector<backtest::Forecast> forecasts, CrossValidate(examples, 5));
  const double auc = backtest::Auc(forecasts);
  const double brier = backtest::Brier(forecasts);
  std::cout << absl::StrFormat("  %d facts, 5 parts: AUC %.4f, Brier %.4f\n", examples.facts(), auc,
                               brier);
  EXPECT_GE(auc, .845);
  EXPECT_LE(brier, .136);
  for (const backtest::CalibrationRow& row : backtest::Calibration(forecasts, 10)) {
    std::cout << absl::StrFormat("  %4d clients  told %.3f  left %.3f  (%+.1f errors)\n", row.count,
                                 row.chance, row.happened, row.Errors());
    EXPECT_LE(std::abs(row.Errors()), 3) << "told " << row.chance;
  }
}

}  // namespace
}  // namespace rapport::risk_model
