#include "services/rapport/figure_text.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

// Four decimals at most, without zeros at the end.
std::string KpiNumberText(double value) {
  std::string text = absl::StrFormat("%.4f", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string KpiValueText(const std::optional<double>& value, query::v1::KpiUnit unit,
                         absl::string_view currency_code) {
  if (!value) return "-";
  switch (unit) {
    case query::v1::KPI_UNIT_PERCENT:
      return absl::StrCat(KpiNumberText(*value), " %");
    case query::v1::KPI_UNIT_MONEY:
      return FormatAmount(std::llround(*value), currency_code);
    case query::v1::KPI_UNIT_MONEY_PER_DAY:
      return absl::StrCat(FormatAmount(std::llround(*value), currency_code), " a day");
    case query::v1::KPI_UNIT_MILLISECONDS:
      return absl::FormatDuration(absl::Milliseconds(std::llround(*value)));
    case query::v1::KPI_UNIT_DAYS:
      return absl::StrCat(KpiNumberText(*value), " days");
    default:
      return KpiNumberText(*value);
  }
}

absl::StatusOr<Json> CallForJson(Api& api, const std::string& method, const std::string& path,
                                 const std::string& content_type, std::string body) {
  RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer,
                           api.Call(method, path, content_type, std::move(body)));
  RAPPORT_RETURN_IF_ERROR(ErrorOf(answer));
  Json json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::DataLossError("the answer is no JSON");
  return json;
}

}  // namespace rapport
