#include "libs/identity/identity_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

absl::btree_set<std::string> Domains(const google::protobuf::RepeatedPtrField<std::string>& from) {
  absl::btree_set<std::string> domains;
  for (const std::string& domain : from) domains.insert(NormalizeDomain(domain));
  return domains;
}

// "+49 (30) 123" as "+4930123"; empty when it is no beginning of a number in E.164 form.
std::string Prefix(absl::string_view text) {
  std::string prefix;
  for (const char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c == '+' && prefix.empty())) {
      prefix += c;
    } else if (!absl::StrContains(" ()-./", c)) {
      return "";
    }
  }
  return prefix.size() > 1 && prefix.front() == '+' ? prefix : "";
}

}  // namespace

bool OwnNumbers::Has(absl::string_view e164) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(),
                     [e164](const std::string& prefix) { return absl::StartsWith(e164, prefix); });
}

bool OwnDomains::Has(absl::string_view e_mail) const {
  absl::string_view domain = DomainOf(e_mail);
  while (!domain.empty()) {
    if (domains_.contains(domain)) return true;
    const size_t dot = domain.find('.');
    domain = dot == absl::string_view::npos ? absl::string_view() : domain.substr(dot + 1);
  }
  return false;
}

absl::string_view IdentityRules::WithoutOutsideLine(absl::string_view dialled) const {
  for (const std::string& prefix : outside_line_prefixes) {
    const absl::string_view rest = dialled.substr(std::min(prefix.size(), dialled.size()));
    // A shorter one is an extension, or an emergency number that begins so.
    if (absl::StartsWith(dialled, prefix) &&
        rest.size() > static_cast<size_t>(forms.phone.extension_digits)) {
      return rest;
    }
  }
  return dialled;
}

absl::StatusOr<IdentityRules> MakeIdentityRules(const config::v1::Identity& config) {
  IdentityRules rules;
  if (config.has_default_region()) rules.forms.phone.default_region = config.default_region();
  if (!IsPhoneRegion(rules.forms.phone.default_region)) {
    return absl::InvalidArgumentError(absl::StrCat("identity.default_region: '",
                                                   rules.forms.phone.default_region,
                                                   "' is no region such as DE, GB or US"));
  }
  if (config.has_extension_digits()) {
    rules.forms.phone.extension_digits = static_cast<int>(config.extension_digits());
  }
  if (config.has_shared_by_clients()) {
    rules.shared_by_clients = static_cast<int>(config.shared_by_clients());
  }
  rules.forms.e_mail.plus_tag_domains = Domains(config.plus_tag_domains());
  rules.forms.e_mail.dotless_domains = Domains(config.dotless_domains());
  for (const std::string& prefix : config.outside_line_prefixes()) {
    if (prefix.empty() || !std::all_of(prefix.begin(), prefix.end(), absl::ascii_isdigit)) {
      return absl::InvalidArgumentError(absl::StrCat("identity.outside_line_prefixes: '", prefix,
                                                     "' is not made of digits, such as 0 or 9"));
    }
    rules.outside_line_prefixes.push_back(prefix);
  }
  std::vector<std::string> numbers;
  for (const std::string& number : config.own_numbers()) {
    numbers.push_back(Prefix(number));
    if (numbers.back().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("identity.own_numbers: '", number,
                                                     "' does not begin with + and a country code"));
    }
  }
  rules.own_numbers = OwnNumbers(std::move(numbers));
  rules.own_domains = OwnDomains(Domains(config.own_domains()));
  return rules;
}

}  // namespace rapport
