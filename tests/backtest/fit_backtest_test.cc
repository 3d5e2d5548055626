// The models of silence fitted to the clients of a real shop (UCI Online Retail, CC BY 4.0:
// deploy/import/online_retail_sample.csv.gz). Wholesale clients come back after months of silence,
// so that their orders do not tell who has left: the fit has to notice.

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/import/mapping_file.h"
#include "libs/import/try_import.h"
#include "libs/projections/rhythm.h"
#include "libs/risk_model/silence_fit.h"

namespace rapport {
namespace {

using models::SilenceModel;
using risk_model::ClientHistory;
using risk_model::SilenceFit;

// Up to the last day of the history, in weeks.
std::vector<ClientHistory> Histories() {
  auto mapping = MappingFile::Load(RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto");
  EXPECT_OK(mapping);
  std::vector<MappingFile> mappings;
  mappings.push_back(*std::move(mapping));
  auto tried = TryImport({RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz"}, mappings);
  EXPECT_OK(tried);
  std::map<std::string, std::set<int32_t>> order_days;
  int32_t end = 0;
  for (const touchpoint::v1::Touchpoint& touchpoint : tried->touchpoints) {
    const int32_t day = DayOf(touchpoint.occurred_at().seconds());
    end = std::max(end, day);
    if (touchpoint.has_order_placed()) order_days[touchpoint.client_id()].insert(day);
  }
  std::vector<ClientHistory> histories;
  for (const auto& [client, days] : order_days) {
    const int32_t first = *days.begin();
    histories.push_back({{static_cast<double>(days.size() - 1), (*days.rbegin() - first) / 7.0},
                         (end - first) / 7.0});
  }
  return histories;
}

TEST(FitBacktest, OrdersOfWholesaleClientsDoNotTellWhoHasLeft) {
  const std::vector<ClientHistory> clients = Histories();
  for (const SilenceModel model : {SilenceModel::kBgNbd, SilenceModel::kMbgNbd}) {
    ASSERT_OK_AND_ASSIGN(const SilenceFit fit, risk_model::FitSilence(model, clients));
    std::cout << "  " << fit.explanation << "\n";
    EXPECT_TRUE(fit.degenerate);
    EXPECT_GT(fit.mean_alive, .98);
    EXPECT_THAT(fit.explanation, ::testing::HasSubstr("keep the parameters used so far"));
  }
}

}  // namespace
}  // namespace rapport
