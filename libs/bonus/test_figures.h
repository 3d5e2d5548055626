#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "libs/bonus/scheme.h"
#include "libs/bonus/statement.h"

// KPIs and figures that a test makes up.

namespace rapport {

inline absl::StatusOr<BonusKpi> FindTestKpi(absl::string_view code) {
  using namespace query::v1;  // NOLINT(google-build-using-namespace): values of enums
  static const std::map<std::string, BonusKpi, std::less<>> kpis = {
      {"revenue", {KPI_UNIT_MONEY, KPI_DIRECTION_UP, true}},
      {"new_clients", {KPI_UNIT_COUNT, KPI_DIRECTION_UP, true}},
      {"commitments_kept_on_time", {KPI_UNIT_PERCENT, KPI_DIRECTION_UP, true}},
      {"complaints_settled", {KPI_UNIT_PERCENT, KPI_DIRECTION_UP, true}},
      {"inaccurate_information", {KPI_UNIT_COUNT, KPI_DIRECTION_DOWN, true}},
      {"service_level", {KPI_UNIT_PERCENT, KPI_DIRECTION_UP, false}},
  };
  const auto found = kpis.find(std::string(code));
  if (found != kpis.end()) return found->second;
  return absl::NotFoundError(absl::StrCat("there is no KPI '", code, "'"));
}

class TestFigures final : public BonusFigures {
 public:
  using Ratio = BonusFigure::Ratio;

  void Set(const std::string& person, const std::string& kpi, Ratio fact,
           std::optional<int64_t> plan = std::nullopt) {
    BonusFigure& figure = figures_[{person, kpi}];
    figure.known = figure.reported = fact;
    figure.plan = plan;
    figure.shown.set_value(static_cast<double>(fact.numerator) /
                           static_cast<double>(fact.denominator));
    if (plan) figure.shown.mutable_plan()->set_value(static_cast<double>(*plan));
    const absl::StatusOr<BonusKpi> known = FindTestKpi(kpi);
    if (!known.ok()) return;
    figure.unit = known->unit;
    figure.better = known->better;
  }
  void Report(const std::string& person, const std::string& kpi, Ratio fact) {
    figures_[{person, kpi}].reported = fact;
  }
  void SetSegment(const std::string& person, touchpoint::v1::Segment segment) {
    segments_[person] = segment;
  }

  absl::StatusOr<BonusFigure> Of(const std::string& person, const std::string& kpi,
                                 const std::string& currency) override {
    return figures_[{person, kpi}];
  }
  absl::StatusOr<BonusFigure> Reached(const std::string& person,
                                      touchpoint::v1::DealStage stage) override {
    return figures_[{person, touchpoint::v1::DealStage_Name(stage)}];
  }
  absl::StatusOr<touchpoint::v1::Segment> MainSegment(const std::string& person) override {
    return segments_[person];
  }

 private:
  std::map<std::pair<std::string, std::string>, BonusFigure> figures_;
  std::map<std::string, touchpoint::v1::Segment> segments_;
};

// A scheme in EUR of one rule, for anna.
inline std::string SchemeOf(const std::string& rule, const std::string& rest = "") {
  return absl::StrCat("schemes { name: 'sellers' from: '2026-01-01' people: 'anna' people: 'ben' ",
                      "people: 'clara' period: 'month' currency_code: 'EUR' ", rest,
                      " rules { name: 'rule' ", rule, " } }");
}

}  // namespace rapport
