#include "libs/service/trusted_proxies.h"

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

class TrustedProxiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(proxies_, TrustedProxies::Parse({"10.0.0.0/8", "192.0.2.7/32", "::1/128",
                                                          "2001:db8:1::/48"}));
  }

  // "https 192.0.2.1": what a request that came from `peer` over plain HTTP becomes.
  std::string Origin(const std::string& peer, std::vector<Header> headers) {
    HttpRequest request;
    request.client_address = peer;
    request.headers = std::move(headers);
    proxies_.Apply(&request);
    return (request.secure ? "https " : "http ") + request.client_address;
  }
  std::string ClientOf(const std::string& peer, const std::string& forwarded_for) {
    return Origin(peer, {{"x-forwarded-for", forwarded_for}}).substr(5);
  }

  TrustedProxies proxies_;
};

TEST_F(TrustedProxiesTest, OthersAreNotBelieved) {
  EXPECT_EQ(
      Origin("203.0.113.5", {{"x-forwarded-for", "198.51.100.1"}, {"x-forwarded-proto", "https"}}),
      "http 203.0.113.5");
  EXPECT_EQ(ClientOf("192.0.2.8", "198.51.100.1"), "192.0.2.8");
  EXPECT_EQ(ClientOf("2001:db8:2::1", "198.51.100.1"), "2001:db8:2::1");
  proxies_ = TrustedProxies();
  EXPECT_EQ(ClientOf("10.0.0.1", "198.51.100.1"), "10.0.0.1");
}

TEST_F(TrustedProxiesTest, TheirClientIsTheRightMostStranger) {
  EXPECT_EQ(
      Origin("10.0.0.1", {{"x-forwarded-for", "198.51.100.1"}, {"x-forwarded-proto", "https"}}),
      "https 198.51.100.1");
  EXPECT_EQ(ClientOf("::1", "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(ClientOf("2001:db8:1::9", "2001:db8:2::1"), "2001:db8:2::1");
  // What the client itself wrote stands to the left of what the proxy saw.
  EXPECT_EQ(ClientOf("10.0.0.1", "1.1.1.1, 198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "nonsense, 198.51.100.1"), "198.51.100.1");
  // A chain of two proxies, and of three in two headers.
  EXPECT_EQ(ClientOf("10.0.0.1", "1.1.1.1,198.51.100.1 , 192.0.2.7"), "198.51.100.1");
  EXPECT_EQ(Origin("10.0.0.1", {{"x-forwarded-for", "1.1.1.1, 198.51.100.1, 10.9.9.9"},
                                {"x-forwarded-for", "192.0.2.7"}}),
            "http 198.51.100.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3") << "all are proxies";
  EXPECT_EQ(ClientOf("10.0.0.1", "198.51.100.1, ::ffff:10.0.0.2"), "198.51.100.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "198.51.100.1:4711"), "198.51.100.1");
  EXPECT_EQ(ClientOf("10.0.0.1", "[2001:db8:2::1]:4711"), "2001:db8:2::1");
}

TEST_F(TrustedProxiesTest, WhatCannotBeReadChangesNothing) {
  for (const char* const value :
       {"", "unknown", "198.51.100.1, ", "198.51.100.1, 10.0.0", "1.2.3.256", "[2001:db8:2::1",
        "198.51.100.1;10.0.0.2", "0x7f000001"}) {
    EXPECT_EQ(Origin("10.0.0.1", {{"x-forwarded-for", value}, {"x-forwarded-proto", "https"}}),
              "http 10.0.0.1")
        << value;
  }
  EXPECT_EQ(Origin("10.0.0.1", {{"x-forwarded-proto", "httpsx"}}), "http 10.0.0.1");
  EXPECT_EQ(Origin("10.0.0.1", {{"x-forwarded-proto", ""}}), "http 10.0.0.1");
  EXPECT_EQ(Origin("10.0.0.1", {}), "http 10.0.0.1");
}

TEST_F(TrustedProxiesTest, TheSchemeIsThatOfTheClient) {
  const auto secure = [this](const std::string& forwarded_for, const std::string& scheme) {
    return Origin("10.0.0.1", {{"x-forwarded-for", forwarded_for}, {"x-forwarded-proto", scheme}});
  };
  EXPECT_EQ(Origin("10.0.0.1", {{"x-forwarded-proto", "HTTPS"}}), "https 10.0.0.1");
  // Of two proxies that both add to it, and of one that writes it anew.
  EXPECT_EQ(secure("198.51.100.1, 10.0.0.2", "https, http"), "https 198.51.100.1");
  EXPECT_EQ(secure("198.51.100.1, 10.0.0.2", "https"), "https 198.51.100.1");
  // What the client wrote itself does not count.
  EXPECT_EQ(secure("198.51.100.1", "https, http"), "http 198.51.100.1");
  EXPECT_EQ(secure("198.51.100.1, 10.0.0.2", "https, http, http"), "http 198.51.100.1");
}

TEST_F(TrustedProxiesTest, WhatIsNoNetworkIsRefused) {
  for (const char* const value : {"", "10.0.0.1", "10.0.0.0/33", "10.0.0/8", "::1", "::1/129",
                                  "proxy.example.com/32", "10.0.0.0/-1", "10.0.0.0/8 "}) {
    EXPECT_THAT(TrustedProxies::Parse({"10.0.0.0/8", value}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(std::string("has '") + value + "', which is no network")))
        << value;
  }
}

}  // namespace
}  // namespace rapport
