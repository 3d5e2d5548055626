#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/identity/identifier.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// Which phone numbers are ours.
class OwnNumbers {
 public:
  OwnNumbers() = default;
  // Beginnings of numbers in E.164 form.
  explicit OwnNumbers(std::vector<std::string> prefixes) : prefixes_(std::move(prefixes)) {}
  // `e164`: a number in normal form.
  bool Has(absl::string_view e164) const;

 private:
  std::vector<std::string> prefixes_;
};

// Which e-mail addresses are ours.
class OwnDomains {
 public:
  OwnDomains() = default;
  // In lower case.
  explicit OwnDomains(absl::btree_set<std::string> domains) : domains_(std::move(domains)) {}
  // Whether an address in normal form is in one of the domains or below it.
  bool Has(absl::string_view e_mail) const;

 private:
  absl::btree_set<std::string> domains_;
};

// How numbers and addresses are read, and which are ours.
struct IdentityRules {
  NormalForms forms;
  OwnNumbers own_numbers;
  OwnDomains own_domains;
  // What our people dial before a number to get an outside line; digits.
  std::vector<std::string> outside_line_prefixes;
  // A number that one of our people dialled, without that; a view into it.
  absl::string_view WithoutOutsideLine(absl::string_view dialled) const;
  // An identifier that so many clients have identifies nobody.
  int shared_by_clients = 4;
};

// From the configuration, whose defaults are filled in. InvalidArgument names the setting: a region
// that does not exist, a number of ours that does not begin with "+".
absl::StatusOr<IdentityRules> MakeIdentityRules(const config::v1::Identity& config);

}  // namespace rapport
