#include "libs/kpi/catalogue.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "libs/kpi/catalogue_specs.h"
#include "libs/serving/query_values.h"
#include "rapport/touchpoint/v1/alert_action.pb.h"
#include "rapport/touchpoint/v1/service.pb.h"

namespace rapport {
namespace {

using enum Measure;
using touchpoint::v1::Kpi;

constexpr size_t kCurrencyLetters = 3;

// "price" of DEAL_LOSS_REASON_PRICE; "" of the zero, and the number itself of what is none.
std::string WordOf(const google::protobuf::EnumDescriptor& type, int32_t number) {
  const google::protobuf::EnumValueDescriptor* const value = type.FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat(number);
  if (number == 0) return "";
  const absl::string_view prefix = absl::StripSuffix(type.value(0)->name(), "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value->name(), prefix));
}

}  // namespace

SubShape ShapeOf(Measure measure) {
  switch (measure) {
    case kOrders:
    case kOrdered:
    case kCancelled:
    case kOrderedNew:
    case kCancelledNew:
    case kReferredAmount:
    case kInvoiced:
    case kReceivables:
      return SubShape::kCurrency;
    case kYearClients:
    case kYearRevenue:
    case kWonAmount:
    case kLostAmount:
    case kOpenAmount:
    case kWeightedAmount:
      return SubShape::kCurrencyAndNumber;
    case kOpenedDeals:
    case kOpenedWon:
    case kOpenedLost:
    case kReachedStage:
    case kWonDeals:
    case kLostDeals:
    case kOpenDeals:
    case kStageDays:
    case kLeftStage:
    case kWonAfterReach:
    case kLostAfterReach:
    case kDaysToWinBucket:
    case kResponseBucket:
    case kComplaints:
    case kComplaintsSettled:
    case kComplaintsRejected:
    case kSettleBucket:
    case kAlertsDismissed:
      return SubShape::kNumber;
    case kOffered:
    case kOfferedAnswered:
    case kAbandoned:
    case kWaitSeconds:
    case kAnsweredWait:
    case kAnsweredInTime:
      return SubShape::kText;
    default:
      return SubShape::kNone;
  }
}

absl::string_view CurrencyOf(Measure measure, absl::string_view sub) {
  switch (ShapeOf(measure)) {
    case SubShape::kCurrency:
      return sub;
    case SubShape::kCurrencyAndNumber:
      // Of open deals a letter stands behind it.
      return PartsOf(sub).text.substr(0, kCurrencyLetters);
    case SubShape::kNone:
    case SubShape::kNumber:
    case SubShape::kText:
      break;
  }
  return "";
}

int32_t NumberOf(Measure measure, absl::string_view sub) {
  const SubShape shape = ShapeOf(measure);
  const bool has_one = shape == SubShape::kNumber || shape == SubShape::kCurrencyAndNumber;
  return has_one ? PartsOf(sub).number : 0;
}

bool IsAmount(Measure measure) {
  const SubShape sub = ShapeOf(measure);
  if (measure == kOrders || measure == kYearClients) return false;
  return sub == SubShape::kCurrency || sub == SubShape::kCurrencyAndNumber;
}

bool KpiSpec::is_money() const {
  return std::any_of(numerator.begin(), numerator.end(),
                     [](const KpiTerm& term) { return IsAmount(term.measure); });
}

std::vector<KpiTerm> KpiSpec::terms() const {
  std::vector<KpiTerm> all;
  const auto add = [&all](const std::vector<KpiTerm>& terms) {
    all.insert(all.end(), terms.begin(), terms.end());
  };
  add(numerator);
  add(denominator);
  add(weight);
  for (const KpiAsideSpec& aside : asides) {
    add(aside.numerator);
    add(aside.denominator);
  }
  return all;
}

std::vector<Measure> KpiSpec::measures() const {
  std::set<Measure> all;
  for (const KpiTerm& term : terms()) all.insert(term.measure);
  return {all.begin(), all.end()};
}

const std::vector<KpiSpec>& AllKpis() {
  static const auto* const all = new std::vector<KpiSpec>(KpiSpecs());
  return *all;
}

absl::StatusOr<const KpiSpec*> FindKpi(absl::string_view code) {
  std::vector<std::string> codes;
  for (const KpiSpec& spec : AllKpis()) {
    if (spec.code == code) return &spec;
    codes.emplace_back(spec.code);
  }
  return absl::NotFoundError(NoSuchWord("kpi", code, codes).message());
}

const KpiSpec* FindKpi(Kpi kpi) {
  if (kpi == Kpi::KPI_UNSPECIFIED) return nullptr;
  const std::vector<KpiSpec>& all = AllKpis();
  const auto spec =
      std::find_if(all.begin(), all.end(), [kpi](const KpiSpec& one) { return one.kpi == kpi; });
  return spec == all.end() ? nullptr : &*spec;
}

query::v1::KpiDefinition ToDefinition(const KpiSpec& spec) {
  query::v1::KpiDefinition told;
  told.set_code(std::string(spec.code));
  told.set_kpi(spec.kpi);
  told.set_name(std::string(spec.name));
  told.set_formula(std::string(spec.formula));
  told.set_unit(spec.unit);
  told.set_better(spec.better);
  told.set_by_agent(spec.by_agent);
  told.set_detail(std::string(spec.detail));
  told.set_error_permille(spec.error_permille());
  told.set_settles_after_days(spec.settles_after_days);
  told.set_moved_by(std::string(spec.moved_by));
  told.set_group(std::string(spec.group));
  return told;
}

std::string DetailName(absl::string_view detail, Measure measure, absl::string_view sub) {
  if (detail == "queue") return std::string(sub);
  const int32_t number = NumberOf(measure, sub);
  if (detail == "month") {
    return number == 0 ? "" : absl::FormatCivilTime(absl::CivilMonth(CivilDayOf(number)));
  }
  if (detail == "stage") return WordOf(*touchpoint::v1::DealStage_descriptor(), number);
  if (detail == "kind") return WordOf(*touchpoint::v1::DealKind_descriptor(), number);
  if (detail == "source") return WordOf(*touchpoint::v1::DealSource_descriptor(), number);
  if (detail == "reason") return WordOf(*touchpoint::v1::DealLossReason_descriptor(), number);
  if (detail == "category") return WordOf(*touchpoint::v1::ComplaintCategory_descriptor(), number);
  if (detail == "dismissal") {
    return WordOf(*touchpoint::v1::AlertDismissalReason_descriptor(), number);
  }
  return "";
}

}  // namespace rapport
