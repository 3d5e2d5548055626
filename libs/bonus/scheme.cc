#include "libs/bonus/scheme.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "rapport/config/v1/bonus.pb.h"

namespace rapport {
namespace {

constexpr int64_t kOne = 1'000'000;
constexpr size_t kMostProblems = 20;

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string text;
};

// Nothing but digits with at most one point, so that "1e3", " 1" and "-1" are none.
std::optional<Millionths> ParseMillionths(const std::string& text) {
  constexpr size_t kMostDigits = 9;
  constexpr size_t kDecimals = 6;
  const size_t point = std::min(text.find('.'), text.size());
  const std::string whole = text.substr(0, point);
  std::string rest = point == text.size() ? "" : text.substr(point + 1);
  const auto digits = [](const std::string& part) {
    return std::all_of(part.begin(), part.end(),
                       [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  };
  if (whole.empty() || whole.size() > kMostDigits || rest.size() > kDecimals || !digits(whole) ||
      !digits(rest) || (point < text.size() && rest.empty())) {
    return std::nullopt;
  }
  rest.resize(kDecimals, '0');
  Millionths number{.text = text};
  if (!absl::SimpleAtoi(whole + rest, &number.value)) return std::nullopt;
  return number;
}

std::string TextOf(int64_t millionths) {
  std::string text = absl::StrFormat("%d.%06d", millionths / kOne, millionths % kOne);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// Reads one scheme, and gathers all that is wrong with it.
class SchemeReader {
 public:
  SchemeReader(const config::v1::BonusScheme& proto, const BonusKpiFinder& find_kpi,
               std::vector<std::string>* problems)
      : proto_(proto), find_kpi_(find_kpi), problems_(problems) {}

  BonusScheme Read() {
    scheme_.name = proto_.name();
    place_ = absl::StrCat("scheme '", proto_.name(), "'");
    if (proto_.name().empty()) Wrong("has no name; give it one, such as 'sellers-2026'");
    ReadDays();
    ReadPeriod();
    scheme_.people.assign(proto_.people().begin(), proto_.people().end());
    scheme_.units.assign(proto_.units().begin(), proto_.units().end());
    if (scheme_.people.empty() && scheme_.units.empty()) {
      Wrong("is for nobody; name people or units");
    }
    scheme_.currency = proto_.currency_code();
    if (CurrencyDigits(scheme_.currency) < 0) {
      Wrong(absl::StrCat("currency_code '", scheme_.currency,
                         "' is not an ISO 4217 code such as EUR, GBP or USD"));
      return std::move(scheme_);
    }
    scheme_.base = OptionalAmount("base", proto_.base());
    scheme_.floor = OptionalAmount("floor", proto_.floor());
    scheme_.cap = OptionalAmount("cap", proto_.cap());
    CheckLimits(scheme_.floor, scheme_.cap);
    if (proto_.rules().empty()) Wrong("has no rules");
    for (const config::v1::BonusRule& rule : proto_.rules()) ReadRule(rule);
    WarnOfShape();
    return std::move(scheme_);
  }

 private:
  void Wrong(absl::string_view what) {
    if (problems_->size() < kMostProblems) problems_->push_back(absl::StrCat(place_, ": ", what));
  }

  void ReadDays() {
    if (!absl::ParseCivilTime(proto_.from(), &scheme_.from)) {
      Wrong(absl::StrCat("from is '", proto_.from(), "'; write a day, such as 2026-01-01"));
    }
    if (proto_.to().empty()) return;
    absl::CivilDay to;
    if (!absl::ParseCivilTime(proto_.to(), &to)) {
      Wrong(absl::StrCat("to is '", proto_.to(), "'; write a day, such as 2027-01-01"));
    } else if (to <= scheme_.from) {
      Wrong(absl::StrCat("to, ", proto_.to(), ", is not after from, ", proto_.from()));
    } else {
      scheme_.to = to;
    }
  }

  void ReadPeriod() {
    for (const BonusPeriod period :
         {BonusPeriod::kMonth, BonusPeriod::kQuarter, BonusPeriod::kYear}) {
      if (proto_.period() != BonusPeriodName(period)) continue;
      scheme_.period = period;
      return;
    }
    Wrong(absl::StrCat("period is '", proto_.period(), "'; there are: month, quarter, year"));
  }

  int64_t Amount(absl::string_view field, const std::string& text) {
    const absl::StatusOr<Money> money = ParseMoney(text, scheme_.currency);
    if (!money.ok()) {
      Wrong(absl::StrCat(field, ": ", money.status().message()));
      return 0;
    }
    if (money->minor_units < 0) Wrong(absl::StrCat(field, " is '", text, "', below 0"));
    return money->minor_units;
  }
  std::optional<int64_t> OptionalAmount(absl::string_view field, const std::string& text) {
    if (text.empty()) return std::nullopt;
    return Amount(field, text);
  }
  Millionths Number(absl::string_view field, const std::string& text) {
    const std::optional<Millionths> number = ParseMillionths(text);
    if (number) return *number;
    Wrong(absl::StrCat(field, " is '", text,
                       "'; write a number from 0 on with at most 6 decimals, such as 0.25"));
    return {};
  }
  std::optional<Millionths> OptionalNumber(absl::string_view field, const std::string& text) {
    if (text.empty()) return std::nullopt;
    return Number(field, text);
  }

  void CheckLimits(const std::optional<int64_t>& floor, const std::optional<int64_t>& cap) {
    if (floor && cap && *floor > *cap) {
      Wrong(absl::StrCat("floor, ", FormatMoney(*floor, scheme_.currency), ", is above cap, ",
                         FormatMoney(*cap, scheme_.currency)));
    }
  }

  std::optional<BonusKpi> Kpi(const std::string& code) {
    const absl::StatusOr<BonusKpi> kpi = find_kpi_(code);
    if (!kpi.ok()) {
      Wrong(kpi.status().message());
      return std::nullopt;
    }
    if (!kpi->person_moves) {
      Warn(query::v1::BONUS_WARNING_KIND_KPI_NOT_THEIRS, code,
           absl::StrCat("'", code,
                        "' cannot be moved by one person; pay for what they can move themselves"));
    }
    return *kpi;
  }

  void Warn(query::v1::BonusWarningKind kind, const std::string& kpi, const std::string& text) {
    query::v1::BonusWarning& warning = scheme_.warnings.emplace_back();
    warning.set_kind(kind);
    warning.set_scheme(scheme_.name);
    warning.set_rule(rule_);
    warning.set_kpi(kpi);
    warning.set_text(text);
  }

  void ReadRule(const config::v1::BonusRule& proto) {
    BonusRule rule;
    rule.name = rule_ = proto.name();
    const std::string around = place_;
    place_ = absl::StrCat(around, ", rule '", proto.name(), "'");
    if (proto.name().empty()) Wrong("has no name");
    if (!rule_names_.insert(proto.name()).second) Wrong("stands there twice; rename one");
    rule.floor = OptionalAmount("floor", proto.floor());
    rule.cap = OptionalAmount("cap", proto.cap());
    CheckLimits(rule.floor, rule.cap);
    switch (proto.rule_case()) {
      case config::v1::BonusRule::kThreshold:
        rule.pays = Read(proto.threshold());
        break;
      case config::v1::BonusRule::kPercentage:
        rule.pays = Read(proto.percentage());
        break;
      case config::v1::BonusRule::kMatrix:
        rule.pays = Read(proto.matrix());
        break;
      case config::v1::BonusRule::kStagePoints:
        rule.pays = Read(proto.stage_points());
        break;
      case config::v1::BonusRule::kContest:
        rule.pays = Read(proto.contest());
        break;
      case config::v1::BonusRule::RULE_NOT_SET:
        Wrong("pays for nothing; there are: threshold, percentage, matrix, stage_points, contest");
    }
    place_ = around;
    rule_.clear();
    scheme_.rules.push_back(std::move(rule));
  }

  ThresholdRule Read(const config::v1::BonusThreshold& proto) {
    ThresholdRule rule{.kpi = proto.kpi(), .bonus = Amount("bonus", proto.bonus())};
    if (Kpi(proto.kpi())) {
      Warn(
          query::v1::BONUS_WARNING_KIND_CLIFF, proto.kpi(),
          absl::StrCat("all or nothing: just short of the plan of '", proto.kpi(),
                       "' it pays 0, and at the plan ", FormatMoney(rule.bonus, scheme_.currency)));
    }
    return rule;
  }

  PercentageRule Read(const config::v1::BonusPercentage& proto) {
    const std::optional<BonusKpi> kpi = Kpi(proto.kpi());
    if (kpi && kpi->unit != query::v1::KPI_UNIT_MONEY) {
      Wrong(absl::StrCat("'", proto.kpi(),
                         "' is no money; a percentage is of money, such as 'revenue'"));
    }
    return {.kpi = proto.kpi(),
            .percent = Number("percent", proto.percent()),
            .beyond_plan = proto.beyond_plan()};
  }

  MatrixRule Read(const config::v1::BonusMatrix& proto) {
    MatrixRule rule{.bonus = Amount("bonus", proto.bonus())};
    std::set<std::string> seen;
    int64_t sum = 0;
    for (const config::v1::BonusMatrixRow& row : proto.rows()) {
      if (!seen.insert(row.kpi()).second) {
        Wrong(absl::StrCat("'", row.kpi(), "' stands there twice; make one row of them"));
      }
      const std::optional<BonusKpi> kpi = Kpi(row.kpi());
      MatrixRow& read = rule.rows.emplace_back();
      read.kpi = row.kpi();
      read.weight = Number("weight", row.weight());
      read.least_percent = OptionalNumber("least_percent", row.least_percent());
      read.most_percent = OptionalNumber("most_percent", row.most_percent());
      if (read.least_percent && read.most_percent &&
          read.least_percent->value > read.most_percent->value) {
        Wrong(absl::StrCat("'", row.kpi(), "': least_percent, ", row.least_percent(),
                           ", is above most_percent, ", row.most_percent()));
      }
      sum += read.weight.value;
      if (kpi) WarnOfRow(*kpi, rule, read);
    }
    if (sum != kOne) {
      Wrong(absl::StrCat("the weights sum to ", TextOf(sum), ", and must sum to 1: ",
                         sum < kOne ? absl::StrCat(TextOf(kOne - sum), " is missing")
                                    : absl::StrCat(TextOf(sum - kOne), " is too much")));
    }
    return rule;
  }

  void WarnOfRow(const BonusKpi& kpi, const MatrixRule& rule, const MatrixRow& row) {
    const std::string part =
        absl::StrCat(row.weight.text, " of ", FormatMoney(rule.bonus, scheme_.currency));
    if (kpi.better == query::v1::KPI_DIRECTION_DOWN) {
      Warn(query::v1::BONUS_WARNING_KIND_CLIFF, row.kpi,
           absl::StrCat("'", row.kpi, "' is good when low: at its plan it pays ", part,
                        ", and just above it 0"));
    } else if (row.least_percent && row.least_percent->value > 0) {
      Warn(query::v1::BONUS_WARNING_KIND_CLIFF, row.kpi,
           absl::StrCat("just short of ", row.least_percent->text, " % of the plan of '", row.kpi,
                        "' it pays 0, and there ", row.least_percent->text, " % of ", part));
    }
  }

  StagePointsRule Read(const config::v1::BonusStagePoints& proto) {
    StagePointsRule rule{.per_point = Amount("per_point", proto.per_point())};
    if (proto.stages().empty()) Wrong("has no stages");
    std::set<int> seen;
    for (const config::v1::BonusStage& stage : proto.stages()) {
      const std::string name = touchpoint::v1::DealStage_Name(stage.stage());
      if (stage.stage() == touchpoint::v1::DEAL_STAGE_UNSPECIFIED ||
          stage.stage() == touchpoint::v1::DEAL_STAGE_LOST) {
        Wrong(absl::StrCat("stage ", name, " is none that is paid for"));
      }
      if (!seen.insert(stage.stage()).second) {
        Wrong(absl::StrCat("stage ", name, " stands there twice"));
      }
      if (stage.points() <= 0) {
        Wrong(absl::StrCat("points of ", name, " are ", stage.points(), "; they must be above 0"));
      }
      rule.points.emplace_back(stage.stage(), stage.points());
    }
    return rule;
  }

  ContestRule Read(const config::v1::BonusContest& proto) {
    Kpi(proto.kpi());
    ContestRule rule{.kpi = proto.kpi()};
    if (proto.prizes().empty()) Wrong("has no prizes");
    for (const std::string& prize : proto.prizes()) {
      rule.prizes.push_back(Amount("prizes", prize));
    }
    if (!std::is_sorted(rule.prizes.rbegin(), rule.prizes.rend())) {
      Wrong(absl::StrCat("the prizes ", absl::StrJoin(proto.prizes(), ", "),
                         " grow with the rank; the first one is the first rank's"));
    }
    return rule;
  }

  // Of the scheme as a whole.
  void WarnOfShape() {
    const std::optional<int64_t> variable =
        OptionalAmount("variable_at_plan", proto_.variable_at_plan());
    if (proto_.goal() == config::v1::BONUS_GOAL_RELATIONS && variable && scheme_.base &&
        *variable > *scheme_.base) {
      const double share = 100.0 * static_cast<double>(*variable) /
                           (static_cast<double>(*variable) + static_cast<double>(*scheme_.base));
      Warn(query::v1::BONUS_WARNING_KIND_RELATIONS_MOSTLY_VARIABLE, "",
           absl::StrFormat("the goal is relations, and %.1f %% of the pay depends on results; for "
                           "relations most of it should be fixed",
                           share));
    }
    if (proto_.value_takes_months() < 0) {
      Wrong(absl::StrCat("value_takes_months is ", proto_.value_takes_months(), ", below 0"));
    } else if (proto_.value_takes_months() > MonthsOf(scheme_.period)) {
      Warn(query::v1::BONUS_WARNING_KIND_HORIZON_TOO_SHORT, "",
           absl::StrCat("a ", BonusPeriodName(scheme_.period), " is over before the work shows, ",
                        "which takes ", proto_.value_takes_months(), " months"));
    }
  }

  const config::v1::BonusScheme& proto_;
  const BonusKpiFinder& find_kpi_;
  std::vector<std::string>* const problems_;
  BonusScheme scheme_;
  std::string place_;
  std::string rule_;
  std::set<std::string> rule_names_;
};

}  // namespace

absl::string_view BonusPeriodName(BonusPeriod period) {
  switch (period) {
    case BonusPeriod::kMonth:
      return "month";
    case BonusPeriod::kQuarter:
      return "quarter";
    case BonusPeriod::kYear:
      return "year";
  }
  return "";
}

int MonthsOf(BonusPeriod period) {
  constexpr int kQuarter = 3;
  constexpr int kYear = 12;
  if (period == BonusPeriod::kMonth) return 1;
  return period == BonusPeriod::kQuarter ? kQuarter : kYear;
}

absl::StatusOr<BonusSchemes> BonusSchemes::Parse(absl::string_view name, const std::string& text,
                                                 const BonusKpiFinder& find_kpi) {
  config::v1::BonusSchemes proto;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, &proto)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.text));
  }
  BonusSchemes schemes;
  std::vector<std::string> problems;
  std::set<std::string> names;
  for (const config::v1::BonusScheme& one : proto.schemes()) {
    if (!names.insert(one.name()).second) {
      problems.push_back(absl::StrCat("scheme '", one.name(), "' stands there twice; rename one"));
    }
    schemes.schemes_.push_back(SchemeReader(one, find_kpi, &problems).Read());
  }
  if (proto.schemes().empty()) problems.emplace_back("there is no scheme in it");
  if (!problems.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", absl::StrJoin(problems, "; ")));
  }
  return schemes;
}

absl::StatusOr<BonusSchemes> BonusSchemes::Load(const std::string& path,
                                                const BonusKpiFinder& find_kpi) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  text << file.rdbuf();
  if (file.bad()) return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be read"));
  return Parse(path, text.str(), find_kpi);
}

BonusSchemes BonusSchemes::AtAllTimes() const {
  BonusSchemes schemes = *this;
  for (BonusScheme& scheme : schemes.schemes_) {
    scheme.from = absl::CivilDay();
    scheme.to = std::nullopt;
  }
  return schemes;
}

const BonusScheme* BonusSchemes::Find(absl::string_view person,
                                      const std::vector<std::string>& units, BonusPeriod period,
                                      absl::CivilDay first) const {
  const BonusScheme* found = nullptr;
  // Whether it names the person, and since when it holds.
  std::tuple<bool, absl::CivilDay> rank;
  for (const BonusScheme& scheme : schemes_) {
    if (scheme.period != period || scheme.from > first || (scheme.to && *scheme.to <= first)) {
      continue;
    }
    const bool by_name =
        std::find(scheme.people.begin(), scheme.people.end(), person) != scheme.people.end();
    const bool by_unit = std::find_first_of(scheme.units.begin(), scheme.units.end(), units.begin(),
                                            units.end()) != scheme.units.end();
    if (!by_name && !by_unit) continue;
    const std::tuple<bool, absl::CivilDay> other(by_name, scheme.from);
    if (found != nullptr && other <= rank) continue;
    found = &scheme;
    rank = other;
  }
  return found;
}

}  // namespace rapport
