#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/retention/settings_file.h"
#include "libs/projections/testing/plain_fold.h"
#include "scenario.pb.h"
#include "tests/scenarios/kpi_player.h"
#include "tests/scenarios/subset.h"

// Runs each *.textproto of this folder against its projection.

namespace rapport {
namespace {

using ::testing::ElementsAreArray;
using tests::v1::Expect;
using tests::v1::Scenario;

constexpr absl::Duration kTick = absl::Hours(1);

// "2025-03-01 14:30" as a value becomes a google.protobuf.Timestamp.
std::string WithTimestamps(const std::string& text) {
  static const std::regex moment(R"re(:\s*"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d))?")re");
  std::string result;
  auto last = text.begin();
  for (std::sregex_iterator match(text.begin(), text.end(), moment), end; match != end; ++match) {
    const auto number = [&](size_t i) {
      return (*match)[i].matched ? std::stoi((*match)[i].str()) : 0;
    };
    const absl::CivilMinute minute(number(1), number(2), number(3), number(4), number(5));
    result.append(last, (*match)[0].first);
    absl::StrAppend(&result, " { seconds: ",
                    absl::ToUnixSeconds(absl::FromCivil(minute, absl::UTCTimeZone())), " }");
    last = (*match)[0].second;
  }
  return result.append(last, text.end());
}

Scenario Read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  Scenario scenario;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(WithTimestamps(text.str()), &scenario))
      << path;
  return scenario;
}

// Plays a scenario on one projection.
template <class P>
class Player {
 public:
  Player(const Scenario& scenario, typename P::Settings settings)
      : scenario_(scenario), settings_(settings), fold_(std::move(settings)) {}

  void Play() {
    for (int i = 0; i < scenario_.steps_size(); ++i) {
      SCOPED_TRACE(absl::StrCat("step ", i + 1));
      const tests::v1::Step& step = scenario_.steps(i);
      if (step.has_given()) Give(step.given());
      if (step.has_time_goes_on_until()) GoOnUntil(FromProto(step.time_goes_on_until()));
      if (step.has_time_jumps_to()) fold_.AdvanceTo(FromProto(step.time_jumps_to()));
      if (step.has_expect()) Check(step.expect());
    }
    EXPECT_TRUE(fold_.dead_letters().empty());
  }

 private:
  void Give(const tests::v1::Given& given) {
    for (int i = 0; i < std::max(1, given.times()); ++i) {
      touchpoint::v1::Touchpoint touchpoint = given.touchpoint();
      const absl::Time at = FromProto(given.at()) + i * given.every_days() * absl::Hours(24);
      ToProto(at, touchpoint.mutable_occurred_at());
      if (touchpoint.client_id().empty()) touchpoint.set_client_id(scenario_.client());
      std::string id = given.id().empty() ? absl::StrCat("no-", ++number_) : given.id();
      id.resize(16, '.');
      touchpoint.set_event_id(id);
      if (!scenario_.without_clock()) GoOnUntil(at);
      fold_.Fold(touchpoint);
    }
  }

  void GoOnUntil(absl::Time until) {
    if (fold_.now() == absl::InfinitePast()) fold_.AdvanceTo(until);
    while (fold_.now() + kTick <= until) fold_.AdvanceTo(fold_.now() + kTick);
  }

  void Check(const Expect& expect) {
    CheckAlerts(expect);
    CheckState(expect);
    CheckRisk(expect);
    CheckTimeline(expect);
    CheckProfile(expect);
    CheckDeals(expect);
    if constexpr (std::is_same_v<P, Kpi>) {
      for (const tests::v1::ExpectedKpi& expected : expect.kpis()) CheckKpi(expected, fold_);
    }
  }

  void CheckAlerts(const Expect& expect) {
    std::vector<alert::v1::AlertEvent> effects;
    for (size_t i = checked_; i < fold_.effects().size(); ++i) {
      const alert::v1::AlertEvent& effect = fold_.effects()[i];
      const bool beside = effect.has_escalated() || effect.has_reminded();
      if (!beside || scenario_.with_escalations_and_reminders()) effects.push_back(effect);
    }
    for (size_t i = 0; i < effects.size(); ++i) {
      const int wanted = static_cast<int>(i);
      if (wanted >= expect.alerts_size()) {
        ADD_FAILURE() << "an alert that is not expected:\n" << effects[i].DebugString();
        continue;
      }
      EXPECT_EQ(WhatIsMissing(expect.alerts(wanted), effects[i]), "") << effects[i].DebugString();
    }
    EXPECT_GE(effects.size(), static_cast<size_t>(expect.alerts_size())) << "alerts are missing";
    checked_ = fold_.effects().size();
  }

  void CheckState(const Expect& expect) {
    const google::protobuf::Message* wanted = nullptr;
    if (expect.has_retention()) wanted = &expect.retention();
    if (expect.has_profile()) wanted = &expect.profile();
    if (expect.has_deal_pipeline()) wanted = &expect.deal_pipeline();
    if (wanted == nullptr) return;
    ASSERT_EQ(wanted->GetDescriptor(), State().GetDescriptor()) << "state of another projection";
    EXPECT_EQ(WhatIsMissing(*wanted, State()), "") << State().DebugString();
  }

  void CheckRisk(const Expect& expect) {
    if constexpr (std::is_same_v<P, Retention>) {
      const RetentionExplanation now = ExplainRetention(State(), settings_, fold_.now());
      Expect explained;
      std::vector<std::string> codes;
      for (const alert::v1::Reason& reason : now.reasons) {
        *explained.add_reasons() = reason;
        codes.push_back(reason.code());
      }
      if (expect.least_score() > 0) {
        EXPECT_GE(now.score, expect.least_score());
      }
      if (expect.most_score() > 0) {
        EXPECT_LE(now.score, expect.most_score());
      }
      Expect reasons;
      *reasons.mutable_reasons() = expect.reasons();
      EXPECT_EQ(WhatIsMissing(reasons, explained), "") << explained.DebugString();
      for (const std::string& code : expect.no_reasons())
        EXPECT_THAT(codes, ::testing::Not(::testing::Contains(code)));
    }
  }

  void CheckTimeline(const Expect& expect) {
    auto stored = fold_.rows();
    std::sort(stored.begin(), stored.end(),
              [](const auto& a, const auto& b) { return a.sort_key < b.sort_key; });
    Expect rows;
    for (const auto& row : stored) {
      if (row.client_id == scenario_.client()) {
        touchpoint::v1::Touchpoint touchpoint;
        EXPECT_TRUE(touchpoint.ParseFromString(row.value));
        *rows.add_timeline_rows() = TimelineEntryOf(touchpoint);
      }
    }
    Expect wanted;
    *wanted.mutable_timeline_rows() = expect.timeline_rows();
    EXPECT_EQ(WhatIsMissing(wanted, rows), "") << rows.DebugString();
  }

  void CheckProfile(const Expect& expect) {
    if constexpr (std::is_same_v<P, Profile>) {
      const state::v1::ProfileState state = State();
      if (!expect.owner().empty()) {
        EXPECT_EQ(OwnerOf(state), expect.owner());
      }
      if (!expect.has_open()) return;
      std::vector<std::string> commitments, complaints, invoices, stakeholders;
      for (const auto& item : state.commitments())
        if (IsOpen(item)) commitments.push_back(item.commitment_id());
      for (const auto& item : state.complaints())
        if (IsOpen(item)) complaints.push_back(item.complaint_id());
      for (const auto& item : state.invoices())
        if (IsOpen(item)) invoices.push_back(item.invoice_id());
      for (const auto& item : state.stakeholders())
        if (IsPresent(item)) stakeholders.push_back(item.stakeholder_id());
      EXPECT_THAT(commitments, ElementsAreArray(expect.open().commitments()));
      EXPECT_THAT(complaints, ElementsAreArray(expect.open().complaints()));
      EXPECT_THAT(invoices, ElementsAreArray(expect.open().invoices()));
      EXPECT_THAT(stakeholders, ElementsAreArray(expect.open().stakeholders()));
    }
  }

  void CheckDeals(const Expect& expect) {
    if constexpr (std::is_same_v<P, DealPipeline>) {
      if (expect.deals().empty()) return;
      Expect wanted;
      *wanted.mutable_deals() = expect.deals();
      Expect rows;
      const state::v1::DealPipelineState state = State();
      for (const auto& deal : state.deals()) *rows.add_deals() = RowOf(state, deal, {});
      EXPECT_EQ(rows.deals_size(), expect.deals_size()) << rows.DebugString();
      EXPECT_EQ(WhatIsMissing(wanted, rows), "") << rows.DebugString();
    }
  }

  typename P::State State() const { return fold_.StateOf(scenario_.client()); }

  const Scenario& scenario_;
  const typename P::Settings settings_;
  testing::PlainFold<P> fold_;
  size_t checked_ = 0;
  int number_ = 0;
};

RetentionSettings SettingsOf(const Scenario& scenario) {
  if (scenario.model().empty()) return {};
  const auto settings =
      ParseSettings(absl::StrCat("model_version: of the story\n", scenario.model()), "model",
                    RetentionSettings());
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? *settings : RetentionSettings();
}

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(RAPPORT_SCENARIO_FOLDER))
    if (entry.path().extension() == ".textproto") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

class ScenarioTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, Holds) {
  const Scenario scenario = Read(GetParam());
  SCOPED_TRACE(scenario.title());
  ASSERT_FALSE(scenario.title().empty());
  ASSERT_FALSE(scenario.client().empty());
  switch (scenario.projection()) {
    case tests::v1::RETENTION:
      return Player<Retention>(scenario, SettingsOf(scenario)).Play();
    case tests::v1::PROFILE:
      return Player<Profile>(scenario, {}).Play();
    case tests::v1::DEAL_PIPELINE:
      return Player<DealPipeline>(scenario, {}).Play();
    case tests::v1::KPI:
      return Player<Kpi>(scenario, {}).Play();
    default:
      FAIL() << "names no projection";
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioTest, ::testing::ValuesIn(ScenarioFiles()),
                         [](const auto& file) {
                           return std::filesystem::path(file.param).stem().string();
                         });

}  // namespace
}  // namespace rapport
