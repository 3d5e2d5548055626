#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"

namespace rapport {
namespace {

using nlohmann::json;
using testing::CliFixture;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::ReadFile;
using testing::UpFixture;

constexpr char kSample[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz";
constexpr char kSampleMapping[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto";

class ModelCliTest : public UpFixture {
 protected:
  void SetUp() override {
    EXPECT_EQ(Run({"import", kSample, "--map", kSampleMapping}).exit_code, 0);
  }
  std::string Model(const std::string& name, const std::string& text) {
    return folder_.Write(name, text);
  }
};

// Fitted on what was before a day, judged on what came after it.
TEST_F(ModelCliTest, AModelIsFittedJudgedComparedAndPublished) {
  const std::string file = folder_.path() + "/firm.model";
  const json fit =
      RunJson({"model", "fit", "--version", "firm-1", "--out", file, "--until", "2011-09-09"});
  EXPECT_EQ(fit["model_version"], "firm-1");
  EXPECT_GT(fit["weights"][1], 0);
  EXPECT_LT(fit["weights"][2], 0);
  // Of this shop it cannot be told who has left (models.md); that is noticed.
  EXPECT_EQ(fit["silence_fitted"], false);
  EXPECT_THAT(ReadFile(file), HasSubstr("model_version: firm-1\n"));
  EXPECT_THAT(ReadFile(file), HasSubstr("to 2011-09-08"));

  const std::string plot = folder_.path() + "/plot.svg";
  const json judged = RunJson({"model", "evaluate", file, "--at", "2011-09-09", "--plot", plot});
  ASSERT_EQ(judged["scores"].size(), 5u);
  EXPECT_EQ(judged["scores"][0]["score"], "firm-1");
  EXPECT_EQ(judged["scores"][2]["score"], "recency");
  EXPECT_GT(judged["scores"][0]["auc"], judged["scores"][2]["auc"]);
  EXPECT_LT(judged["scores"][0]["brier"], 0.23);
  EXPECT_EQ(judged["scores"][0]["tenths"].size(), 10u);
  EXPECT_THAT(ReadFile(plot), HasSubstr("firm-1, Brier"));

  const json compared = RunJson({"model", "compare", file});
  EXPECT_EQ(compared["after"], "firm-1");
  EXPECT_GT(compared["differences"].size(), 0u);

  EXPECT_EQ(RunJson({"model", "publish", file})["in_force"], true);
  EXPECT_THAT(Run({"model", "show"}).out, HasSubstr("model_version: firm-1\n"));
  EXPECT_EQ(RunJson({"model", "compare", file})["differences"].size(), 0u);
  const json alerts = RunJson({"alerts"});
  const json& list = alerts.contains("alerts") ? alerts["alerts"] : alerts;
  ASSERT_GT(list.size(), 0u);
  EXPECT_EQ(list[0]["model_version"], "firm-1");
  // What is shown is what is stored: both folds have the same model.
  EXPECT_EQ(RunJson({"verify", "retention"})["equal"], true);
}

TEST_F(ModelCliTest, RulesStandSideBySide) {
  const std::string calm = Model("calm.model", "model_version: calm\nraise_points: 700\n");
  const json report = RunJson({"backtest", "--rules", calm, "--rules", Model("same.model", "")});
  ASSERT_EQ(report["rules"].size(), 2u);
  EXPECT_EQ(report["rules"][0]["model_version"], "calm");
  EXPECT_EQ(report["rules"][1]["model_version"], "mbg-3");
  EXPECT_LT(report["rules"][0]["alerts"], report["rules"][1]["alerts"]);
  EXPECT_GT(report["rules"][0]["pauses"]["right"], report["rules"][1]["pauses"]["right"]);
  EXPECT_GT(report["rules"][1]["pauses"]["right"], report["rules"][1]["stopwatch"]["right"]);
  // The live ones are as they were.
  EXPECT_THAT(Run({"model", "show"}).out, HasSubstr("model_version: mbg-3\n"));
}

TEST_F(ModelCliTest, TellsWhatWouldHaveKeptAnAlertAway) {
  const json at_risk = RunJson({"at-risk", "--limit", "1"});
  const json told = RunJson({"backtest", "--client", at_risk["clients"][0]["client_id"]});
  ASSERT_GT(told["what_if"].size(), 0u);
  EXPECT_EQ(Run({"backtest", "--client", "nobody"}).exit_code, 3);
}

TEST_F(ModelCliTest, AWrongFileIsRefusedWithItsLineAndChangesNothing) {
  const std::string wrong = Model("wrong.model", "model_version: w\nraise_points: 400\n");
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"model", "publish", wrong}, {"backtest", "--rules", wrong}, {"model", "show", wrong}}) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.exit_code, 2) << command[0];
    EXPECT_THAT(outcome.err,
                HasSubstr("wrong.model:2: clear_points is 430 and raise_points is 400"));
  }
  EXPECT_THAT(Run({"model", "show"}).out, HasSubstr("model_version: mbg-3\n"));
  EXPECT_THAT(Run({"model", "publish", "missing.model"}).err,
              HasSubstr("there is no model file missing.model"));
  const Outcome early =
      Run({"model", "fit", "--version", "a", "--out", wrong, "--until", "2011-02-01"});
  EXPECT_THAT(early.err, HasSubstr("the history goes from 2010-12-01 to 2011-01-31"));
  EXPECT_THAT(Run({"model", "evaluate", "--at", "2011-12-01"}).err,
              HasSubstr("choose a day up to 2011-09-09"));
  EXPECT_THAT(Run({"backtest", "--from", "2011"}).err, HasSubstr("--from is '2011'"));
}

// It reads a copy of the log, and the model takes hold at the next start.
TEST_F(ModelCliTest, GoesOnBesideARunningOne) {
  Up();
  EXPECT_GT(RunJson({"backtest"})["rules"][0]["alerts"], 100);
  const auto at_risk = [this] { return RunJson({"at-risk", "--limit", "0"})["clients"].size(); };
  const size_t before = at_risk();
  const std::string file =
      Model("calm.model",
            "model_version: calm\nraise_points: 860\nclear_points: 850\nhigh_points: 870\n");
  EXPECT_EQ(RunJson({"model", "publish", file})["in_force"], false);
  EXPECT_EQ(at_risk(), before);
  EXPECT_EQ(Stop(), 0);
  Up();
  EXPECT_LT(at_risk(), before);
}

}  // namespace
}  // namespace rapport
