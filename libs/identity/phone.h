#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

struct PhoneRules {
  // Region of numbers without a country code, ISO 3166-1 alpha-2.
  std::string default_region = "DE";
  // Numbers of so many digits or fewer are extensions of ours.
  int extension_digits = 5;
  bool operator==(const PhoneRules&) const = default;
};

// The number in E.164 form, "+4930123456", of what a telephone system or a person wrote: with or
// without country code, "tel:" and SIP addresses, Asterisk's caller ids ("Anna" <0301234>). An
// extension behind it ("ext. 12") is dropped. That the number has a possible length is checked, and
// not that its range is in use, since plans change faster than libraries.
//   NotFound         withheld: the caller's number is not shown ("anonymous", empty, ...)
//   OutOfRange       an extension, or another number too short to be a client's
//   InvalidArgument  no phone number
absl::StatusOr<std::string> NormalizePhone(absl::string_view text, const PhoneRules& rules);

// Whether libphonenumber knows the region.
bool IsPhoneRegion(absl::string_view region);

}  // namespace rapport
