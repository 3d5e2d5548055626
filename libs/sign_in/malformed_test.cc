#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/sign_in/id_token.h"
#include "libs/sign_in/key_set.h"
#include "libs/sign_in/provider.h"

// What comes from outside is cut off, changed, nested and large: it is refused, and nothing else
// happens.

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kChanges = 20'000;
constexpr char kIssuer[] = "https://login.example";
constexpr char kClaims[] =
    R"({"iss":"https://login.example","sub":"anna","aud":["rapport"],"exp":2000000000,)"
    R"("iat":1900000000,"nonce":"n","email":"anna@firm.example","groups":["sales"]})";
constexpr char kDiscovery[] =
    R"({"issuer":"https://login.example","authorization_endpoint":"https://login.example/a?b=c",)"
    R"("token_endpoint":"https://login.example/t","jwks_uri":"https://login.example:8443/k",)"
    R"("token_endpoint_auth_methods_supported":["client_secret_post"]})";

// A public key, and what it verifies: kClaims signed by ES256.
constexpr char kKeySet[] = R"({"keys":[{"kty":"EC","kid":"ec","crv":"P-256",)"
                           R"("x":"1q0RbATHqjyXt4YQRduFoXZ_BLf9Udxz0IUPxsqj9js",)"
                           R"("y":"9MItd0OKudhzkmHacw8o225NgxhRnAVmfIyI_wbbLPs"}]})";
constexpr char kHeader[] = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0";
constexpr char kSignature[] =
    "taXmEE8n80D0YzwX7J6zeESuusMltpdmg00vLaU7VW3"
    "4rDk7Vk4r_C8y-ofBSXcHfrcqvUOmjkEP5HI0jWdKxw";

std::string Token() {
  return absl::StrCat(kHeader, ".", absl::WebSafeBase64Escape(kClaims), ".", kSignature);
}

IdTokenRules Rules() {
  IdTokenRules rules;
  rules.issuer = kIssuer;
  rules.client_id = "rapport";
  rules.nonce = "n";
  rules.groups_claim = "groups";
  rules.now = absl::FromUnixSeconds(1'900'000'000);
  rules.skew = absl::Seconds(60);
  return rules;
}

absl::StatusOr<std::string> Verified(const std::string& token,
                                     const std::vector<SigningKey>& keys) {
  RAPPORT_ASSIGN_OR_RETURN(const SignedToken parsed, SignedToken::Parse(token));
  RAPPORT_ASSIGN_OR_RETURN(const SigningKey key, parsed.FindKey(keys));
  return parsed.Verify(key);
}

// Each prefix of the text, and kChanges texts in which a few bytes are others.
void ForEachChange(const std::string& text, const std::function<void(const std::string&)>& check) {
  for (size_t size = 0; size < text.size(); ++size) check(text.substr(0, size));
  std::mt19937 random(4711);
  for (int i = 0; i < kChanges; ++i) {
    std::string changed = text;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const size_t at = random() % changed.size();
      switch (random() % 4) {
        case 0:
          changed[at] = static_cast<char>(random());
          break;
        case 1:
          changed[at] = text[random() % text.size()];
          break;
        case 2:
          changed.erase(at, 1 + random() % 4);
          break;
        default:
          changed.insert(at, text.substr(random() % text.size(), 1 + random() % 8));
      }
      if (changed.empty()) break;
    }
    if (changed != text) check(changed);
  }
}

TEST(MalformedTest, ChangedTokensSayNothingElse) {
  ASSERT_OK_AND_ASSIGN(const std::vector<SigningKey> keys, ParseKeySet(kKeySet));
  ASSERT_THAT(keys, SizeIs(1));
  ASSERT_OK_AND_ASSIGN(const std::string claims, Verified(Token(), keys));
  ASSERT_EQ(claims, kClaims);
  ASSERT_OK(CheckIdToken(claims, Rules()));
  ForEachChange(Token(), [&keys](const std::string& token) {
    const absl::StatusOr<std::string> said = Verified(token, keys);
    // Several spellings of base64url can stand for one signature.
    if (said.ok()) {
      EXPECT_EQ(*said, kClaims) << token;
    } else {
      EXPECT_TRUE(absl::IsPermissionDenied(said.status()) || absl::IsNotFound(said.status()))
          << said.status();
    }
  });
}

TEST(MalformedTest, ChangedClaimsAreOfTheirTypesOrRefused) {
  ForEachChange(kClaims, [](const std::string& text) {
    const absl::StatusOr<IdTokenClaims> claims = CheckIdToken(text, Rules());
    if (claims.ok()) {
      EXPECT_FALSE(claims->person.subject.empty());
    } else {
      EXPECT_TRUE(absl::IsPermissionDenied(claims.status())) << claims.status();
    }
  });
}

TEST(MalformedTest, ChangedDocuments) {
  ForEachChange(kDiscovery, [](const std::string& text) {
    const absl::StatusOr<Provider> provider = ParseProvider(text, kIssuer);
    if (provider.ok()) {
      EXPECT_OK(CheckEndpoint(provider->token_endpoint));
    } else {
      EXPECT_TRUE(absl::IsFailedPrecondition(provider.status())) << provider.status();
    }
  });
  ForEachChange(kKeySet, [](const std::string& text) {
    const absl::StatusOr<std::vector<SigningKey>> keys = ParseKeySet(text);
    if (!keys.ok()) {
      EXPECT_TRUE(absl::IsFailedPrecondition(keys.status())) << keys.status();
      return;
    }
    // A key that is on no curve, or another one.
    const absl::StatusOr<std::string> said = Verified(Token(), *keys);
    if (said.ok()) {
      EXPECT_EQ(*said, kClaims);
    }
  });
}

TEST(MalformedTest, DeepAndLarge) {
  constexpr auto kRefused = absl::StatusCode::kPermissionDenied;
  constexpr auto kFailed = absl::StatusCode::kFailedPrecondition;
  const std::string deep = absl::StrCat("{\"a\":", std::string(20'000, '['));
  EXPECT_THAT(CheckIdToken(deep, Rules()),
              StatusIs(kRefused, "the ID token: the JSON is nested deeper than 32 levels"));
  EXPECT_THAT(SignedToken::Parse(absl::StrCat(absl::WebSafeBase64Escape(deep), ".YQ.YQ")),
              StatusIs(kRefused, HasSubstr("its header: the JSON is nested deeper than 32")));
  EXPECT_THAT(SignedToken::Parse(std::string((size_t{64} << 10) + 1, 'a')),
              StatusIs(kRefused, "the ID token: it has 65537 bytes; at most 65536 are taken"));
  EXPECT_THAT(ParseProvider(deep, kIssuer), StatusIs(kFailed, HasSubstr("nested deeper")));
  EXPECT_THAT(ParseKeySet(deep), StatusIs(kFailed, HasSubstr("nested deeper")));
  std::string many = "{\"keys\":[{}";
  for (int i = 0; i < 100; ++i) many += ",{}";
  EXPECT_THAT(ParseKeySet(many + "]}"),
              StatusIs(kFailed, "the key set: it has 101 keys; at most 100 are taken"));
  EXPECT_THAT(CheckIdToken("{\"iss\":\"\xFF\"}", Rules()),
              StatusIs(kRefused, "the ID token: it is no JSON object"));
  EXPECT_THAT(CheckIdToken("", Rules()), StatusIs(kRefused, "the ID token: it is no JSON object"));
}

TEST(MalformedTest, KeysThatAreOfNoUse) {
  const std::string modulus = absl::WebSafeBase64Escape(std::string(256, '\x81'));
  const auto keys = [](const std::string& key) {
    const absl::StatusOr<std::vector<SigningKey>> read =
        ParseKeySet(absl::StrCat("{\"keys\":[", key, "]}"));
    EXPECT_OK(read);
    return read.ok() ? read->size() : 99;
  };
  const std::string rsa = absl::StrCat(R"("kty":"RSA","e":"AQAB","n":")", modulus, "\"");
  EXPECT_EQ(keys(absl::StrCat("{", rsa, "}")), 1u);
  EXPECT_EQ(keys(absl::StrCat("{", rsa, R"(,"use":"sig","alg":"PS256","kid":"a"})")), 1u);
  EXPECT_EQ(keys(absl::StrCat("{", rsa, R"(,"use":"enc"})")), 0u);
  EXPECT_EQ(keys(R"({"kty":"oct","k":"c2VjcmV0"})"), 0u);
  EXPECT_EQ(keys(R"({"kty":"EC","crv":"P-521","x":"YQ","y":"YQ"})"), 0u);
  EXPECT_EQ(keys(R"({"kty":"RSA","e":"AQAB","n":"YQ"})"), 0u);
  EXPECT_EQ(keys(absl::StrCat(R"({"kty":"RSA","e":"AQABAQAB","n":")", modulus, "\"}")), 0u);
  EXPECT_EQ(keys(absl::StrCat(R"({"kty":"RSA","e":"AQAB","n":")",
                              absl::WebSafeBase64Escape(std::string(1025, '\x81')), "\"}")),
            0u);
}

TEST(MalformedTest, Endpoints) {
  for (const char* const url :
       {"https://login.example", "https://login.example:8443/realms/a/", "https://[2001:db8::1]/",
        "http://127.0.0.1:9000", "http://localhost/a", "http://[::1]:80/a?b=c"}) {
    EXPECT_OK(CheckEndpoint(url)) << url;
  }
  for (const char* const url : {"",
                                "https://",
                                "https:///a",
                                "https://:80",
                                "https://a:",
                                "https://a:b",
                                "https://a b",
                                "https://a\\b",
                                "https://a@b",
                                "https://a/#b",
                                "https://[::1",
                                "https://[]/",
                                "ftp://a",
                                "HTTPS://a",
                                "javascript:alert(1)",
                                "https://a/\xC3\xA9",
                                "http://login.example",
                                "http://127.0.0.1.example",
                                "http://127.0.0.1@login.example",
                                "http://localhost.example",
                                "http://[::2]/"}) {
    EXPECT_THAT(CheckEndpoint(url),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not")))
        << url;
  }
}

}  // namespace
}  // namespace rapport
