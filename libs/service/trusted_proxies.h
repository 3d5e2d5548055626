#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/ip/network_v4.hpp"
#include "boost/asio/ip/network_v6.hpp"
#include "libs/service/http.h"

namespace rapport {

// The proxies whose word about a request's origin counts: X-Forwarded-For and X-Forwarded-Proto.
// Anybody else could write there what they like.
class TrustedProxies {
 public:
  TrustedProxies() = default;
  // Networks such as "10.0.0.0/8" or "::1/128"; InvalidArgument names one that is none.
  static absl::StatusOr<TrustedProxies> Parse(const std::vector<std::string>& networks);

  // Puts what a trusted proxy says in the place of what the connection says, which stands in
  // `secure` and `client_address`. The client is the right-most address that is no trusted
  // proxy, or the left-most when all are; what cannot be read changes nothing.
  void Apply(HttpRequest* request) const {
    if (!v4_.empty() || !v6_.empty()) Believe(request);
  }

 private:
  void Believe(HttpRequest* request) const;
  bool Has(const boost::asio::ip::address& address) const;

  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

// An IPv4 address that came in as one of IPv6 ("::ffff:10.0.0.1") as what it is.
boost::asio::ip::address Unmapped(const boost::asio::ip::address& address);

}  // namespace rapport
