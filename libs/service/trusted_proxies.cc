#include "libs/service/trusted_proxies.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport {
namespace {

namespace ip = boost::asio::ip;
using ErrorCode = boost::system::error_code;

// The values of all headers of this name, in their order.
std::vector<absl::string_view> ValuesOf(const HttpRequest& request, absl::string_view name) {
  std::vector<absl::string_view> values;
  for (const Header& header : request.headers) {
    if (header.name != name) continue;
    for (const absl::string_view value : absl::StrSplit(header.value, ',')) {
      values.push_back(absl::StripAsciiWhitespace(value));
    }
  }
  return values;
}

// "192.0.2.1", "2001:db8::1"; some proxies write "192.0.2.1:5555" or "[2001:db8::1]:5555".
ip::address ParseAddress(absl::string_view text, ErrorCode& error) {
  if (absl::StartsWith(text, "[") && absl::StrContains(text, ']')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  return Unmapped(ip::make_address(std::string(text), error));
}

}  // namespace

ip::address Unmapped(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

absl::StatusOr<TrustedProxies> TrustedProxies::Parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& network : networks) {
    ErrorCode error;
    if (absl::StrContains(network, ':')) {
      proxies.v6_.push_back(ip::make_network_v6(network, error).canonical());
    } else {
      proxies.v4_.push_back(ip::make_network_v4(network, error).canonical());
    }
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("http.trusted_proxies has '", network,
                       "', which is no network; write such as 10.0.0.0/8 or ::1/128"));
    }
  }
  return proxies;
}

bool TrustedProxies::Has(const ip::address& address) const {
  if (address.is_v4()) {
    return std::any_of(v4_.begin(), v4_.end(), [&address](const ip::network_v4& network) {
      return ip::network_v4(address.to_v4(), network.prefix_length()).canonical() == network;
    });
  }
  return std::any_of(v6_.begin(), v6_.end(), [&address](const ip::network_v6& network) {
    return ip::network_v6(address.to_v6(), network.prefix_length()).canonical() == network;
  });
}

void TrustedProxies::Believe(HttpRequest* request) const {
  ErrorCode error;
  const ip::address peer = ip::make_address(request->client_address, error);
  if (error || !Has(peer)) return;
  const std::vector<absl::string_view> hops = ValuesOf(*request, "x-forwarded-for");
  // Counted from the right, as proxies add to both headers there.
  size_t client_hop = 0;
  for (size_t i = 0; i < hops.size(); ++i) {
    const ip::address address = ParseAddress(hops[hops.size() - 1 - i], error);
    if (error) return;
    client_hop = i;
    if (!Has(address)) break;
  }
  const std::vector<absl::string_view> schemes = ValuesOf(*request, "x-forwarded-proto");
  if (!schemes.empty()) {
    const size_t from_right = std::min(client_hop, schemes.size() - 1);
    request->secure |= absl::EqualsIgnoreCase(schemes[schemes.size() - 1 - from_right], "https");
  }
  if (!hops.empty()) {
    request->client_address = ParseAddress(hops[hops.size() - 1 - client_hop], error).to_string();
  }
}

}  // namespace rapport
