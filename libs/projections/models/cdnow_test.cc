#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "libs/projections/models/silence.h"

// The models on real clients: who buys nothing in the 39 weeks after the calibration period?

namespace rapport::models {
namespace {

constexpr double kHorizonWeeks = 39;

struct CdnowClient {
  Repeats repeats;
  double weeks = 0;
  bool silent_later = false;
};

std::vector<CdnowClient> ReadClients() {
  std::ifstream file(RAPPORT_CDNOW_FILE);
  std::vector<CdnowClient> clients;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    CdnowClient& client = clients.emplace_back();
    EXPECT_EQ(fields.size(), 4u) << line;
    EXPECT_TRUE(absl::SimpleAtod(fields[0], &client.repeats.count));
    EXPECT_TRUE(absl::SimpleAtod(fields[1], &client.repeats.last));
    EXPECT_TRUE(absl::SimpleAtod(fields[2], &client.weeks));
    client.silent_later = fields[3] == "0";
  }
  return clients;
}

// The chance that a silent client has a higher score than one that came back; ties count half.
template <class Score>
double Auc(const std::vector<CdnowClient>& clients, const Score& score) {
  double wins = 0;
  double pairs = 0;
  for (const CdnowClient& silent : clients) {
    if (!silent.silent_later) continue;
    const double high = score(silent);
    for (const CdnowClient& back : clients) {
      if (back.silent_later) continue;
      const double low = score(back);
      wins += high > low ? 1 : high == low ? 0.5 : 0;
      ++pairs;
    }
  }
  return wins / pairs;
}

double Silent(const CdnowClient& client) {
  return MbgSilent(kMbgCdnow, client.repeats, client.weeks, kHorizonWeeks);
}

TEST(Cdnow, SilenceRanksAsComputedIndependently) {
  const std::vector<CdnowClient> clients = ReadClients();
  ASSERT_EQ(clients.size(), 2357u);
  EXPECT_NEAR(Auc(clients, Silent), .760, .001);
  // The plain hiatus does as well; the model adds the client's own rhythm and a probability.
  EXPECT_NEAR(Auc(clients, [](const auto& c) { return c.weeks - c.repeats.last; }), .771, .001);
}

TEST(Cdnow, SilenceIsCalibrated) {
  const std::vector<CdnowClient> clients = ReadClients();
  double sum = 0;
  double silent = 0;
  for (const CdnowClient& client : clients) {
    const double error = Silent(client) - (client.silent_later ? 1 : 0);
    sum += error * error;
    silent += client.silent_later ? 1 : 0;
  }
  const double count = static_cast<double>(clients.size());
  EXPECT_NEAR(sum / count, .161, .0005);  // Brier score
  EXPECT_NEAR(silent / count * (1 - silent / count), .206, .0005);
}

TEST(Cdnow, AliveOfBgIsWorseThanChance) {
  constexpr SilenceParameters kBg = {.24259, 4.41353, .79289, 2.42575};
  const auto gone = [&](const CdnowClient& client) {
    return 1 - BgAlive(kBg, client.repeats, client.weeks);
  };
  EXPECT_NEAR(Auc(ReadClients(), gone), .316, .001);
}

}  // namespace
}  // namespace rapport::models
