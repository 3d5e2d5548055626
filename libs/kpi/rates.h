#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/config/v1/service.pb.h"
#include "rapport/query/v1/kpi.pb.h"

namespace rapport {

// The firm's table of rates: what other currencies are worth in its reporting currency from which
// day on. Decimal numbers are reckoned with exactly; amounts are rounded to minor units, half away
// from zero.
class KpiRates {
 public:
  // Every currency stays its own.
  KpiRates() = default;
  // InvalidArgument names the rate that is wrong.
  static absl::StatusOr<KpiRates> Of(const config::v1::Kpis& section);

  // ISO 4217 code; empty: every currency stays its own.
  const std::string& reporting_currency() const { return reporting_; }
  // An amount of a day in the reporting currency. FailedPrecondition names the currency and the day
  // for which there is no rate.
  absl::StatusOr<int64_t> Convert(int64_t minor_units, absl::string_view currency,
                                  int32_t day) const;
  // Days on which a rate begins to hold, rising.
  std::vector<int32_t> Changes() const;
  // All rates, for readers of what was reckoned with them.
  std::vector<query::v1::KpiRate> ToMessages() const;

 private:
  struct Rate {
    std::string text;
    int64_t mantissa = 0;
    int digits = 0;  // behind the decimal point
  };
  std::string reporting_;
  std::map<std::string, std::map<int32_t, Rate>> rates_;  // by currency and first day
};

}  // namespace rapport
