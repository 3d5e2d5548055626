#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/sign_in/open_id.h"
#include "libs/sign_in/test_open_id.h"
#include "nlohmann/json.hpp"

// Against a provider that does what no certified one does.

namespace rapport {
namespace {

using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Encoded(const json& value) { return absl::WebSafeBase64Escape(value.dump()); }

// The provider of a plan, and a client of it whose clock stands still until a test moves it.
struct Forged {
  explicit Forged(
      const json& plan = json::object(),
      const std::function<void(OpenIdOptions&)>& change = [](OpenIdOptions&) {}) {
    OpenIdOptions options;
    issuer = options.issuer = absl::StrCat(ProviderAddress(), "/forged/", Encoded(plan));
    options.client_id = "rapport";
    options.client_secret = "the client's secret";
    options.redirect_uri = std::string(kRedirectUri);
    options.now = [now = now] { return *now; };
    change(options);
    absl::StatusOr<std::unique_ptr<OpenIdClient>> created =
        OpenIdClient::Create(std::move(options), &TestHttp());
    EXPECT_OK(created);
    client = *std::move(created);
  }

  // What a right ID token for this sign-in says.
  json Claims(const PendingSignIn& pending) const {
    const int64_t seconds = absl::ToUnixSeconds(*now);
    return {{"iss", issuer},         {"sub", "anna"},
            {"aud", "rapport"},      {"iat", seconds},
            {"exp", seconds + 300},  {"nonce", pending.nonce},
            {"name", "Anna Keller"}, {"email", "anna@firm.example"},
            {"groups", {"sales"}}};
  }

  // A sign-in whose code has the provider answer by `recipe`. No message may have a secret in it.
  absl::StatusOr<Identity> SignIn(const std::function<void(json& recipe)>& change) {
    RAPPORT_ASSIGN_OR_RETURN(const OpenIdClient::SignInStart start, BeginSignIn(*client));
    json recipe = {{"claims", Claims(start.pending)}};
    change(recipe);
    const std::string code = Encoded(recipe);
    absl::StatusOr<Identity> identity =
        FinishSignIn(*client, start.pending, {{"state", start.pending.state}, {"code", code}});
    const std::string message(identity.status().message());
    for (const std::string& secret :
         {start.pending.state, start.pending.nonce, start.pending.code_verifier, code,
          Encoded(recipe["claims"]), std::string("the client's secret")}) {
      EXPECT_THAT(message, Not(HasSubstr(secret)));
    }
    return identity;
  }

  std::shared_ptr<absl::Time> now =
      std::make_shared<absl::Time>(absl::FromUnixSeconds(1'900'000'000));
  std::string issuer;
  std::unique_ptr<OpenIdClient> client;
};

absl::Status Right(Forged& provider) {
  return provider.SignIn([](json&) {}).status();
}

TEST(OpenIdForgedTest, TheForgerCanDoItRight) {
  Forged provider;
  ASSERT_OK_AND_ASSIGN(const Identity identity, provider.SignIn([](json&) {}));
  EXPECT_EQ(identity.subject, "anna");
  EXPECT_EQ(identity.e_mail, "anna@firm.example");
  EXPECT_FALSE(identity.e_mail_verified);
  EXPECT_EQ(identity.name, "Anna Keller");
  EXPECT_THAT(identity.groups, ElementsAre("sales"));
  EXPECT_EQ(identity.refresh_token, "");
  for (const json& changed : {json{{"claims", {{"aud", {"rapport", "other"}}, {"azp", "rapport"}}}},
                              json{{"claims", {{"email_verified", "true"}, {"nbf", 0}}}},
                              json{{"key", "ec"}}, json{{"header", {{"alg", "PS256"}}}},
                              // The hash of "access".
                              json{{"claims", {{"at_hash", "oFYf1knNtrqnhAVfBRuteQ"}}}}}) {
    EXPECT_OK(provider.SignIn([&changed](json& recipe) { recipe.merge_patch(changed); }))
        << changed;
  }
}

struct Case {
  std::string name;
  std::function<void(json& recipe)> change;
  std::string message;
  absl::StatusCode code = absl::StatusCode::kPermissionDenied;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class OpenIdRefusalTest : public ::testing::TestWithParam<Case> {};

TEST_P(OpenIdRefusalTest, IsRefused) {
  Forged provider;
  EXPECT_THAT(provider.SignIn(GetParam().change),
              StatusIs(GetParam().code, HasSubstr(GetParam().message)));
}

std::function<void(json&)> Claim(const std::string& name, const json& value) {
  return [name, value](json& recipe) { recipe["claims"][name] = value; };
}
std::function<void(json&)> NoClaim(const std::string& name) {
  return [name](json& recipe) { recipe["claims"].erase(name); };
}
// A time as so many seconds after now.
std::function<void(json&)> Time(const std::string& name, int64_t seconds) {
  return [name, seconds](json& recipe) {
    recipe["claims"][name] = recipe["claims"]["iat"].get<int64_t>() + seconds;
  };
}
std::function<void(json&)> Recipe(const json& patch) {
  return [patch](json& recipe) { recipe.update(patch); };
}
// Another spelling of a signed token's parts, by the test itself.
std::function<void(json&)> Token(const std::string& token) { return Recipe({{"token", token}}); }

INSTANTIATE_TEST_SUITE_P(
    Claims, OpenIdRefusalTest,
    ::testing::Values(
        Case{"Issuer", Claim("iss", "https://other.example"),
             "the ID token: iss is 'https://other.example', and the configured issuer 'http://"},
        Case{"NoIssuer", NoClaim("iss"), "the ID token: iss is ''"},
        Case{"IssuerIsNoText", Claim("iss", 7), "the ID token: iss is not a text"},
        Case{"Audience", Claim("aud", "other"),
             "the ID token: aud is ['other'], and this client 'rapport'"},
        Case{"Audiences", Claim("aud", {"other", "third"}), "aud is ['other', 'third'], and"},
        Case{"NoAudience", NoClaim("aud"), "the ID token: aud is [], and"},
        Case{"AudienceIsNoText", Claim("aud", {{"a", 1}}), "aud is not a list of texts"},
        Case{"NoPartyOfSeveral", Claim("aud", {"rapport", "other"}),
             "azp is '' where aud is ['rapport', 'other'], and this client 'rapport'"},
        Case{"Party", Claim("azp", "other"), "azp is 'other' where aud is ['rapport']"},
        Case{"Expired", Time("exp", -61), "the ID token: it has expired: exp is 20"},
        Case{"NoExpiry", NoClaim("exp"), "the ID token: it has no exp"},
        Case{"ExpiryIsNoTime", Claim("exp", "tomorrow"), "the ID token: exp is no time"},
        Case{"ExpiryIsNegative", Claim("exp", -1), "exp is no time"},
        Case{"ExpiryIsHuge", Claim("exp", 1e300), "exp is no time"},
        Case{"NotYetValid", Time("nbf", 120), "the ID token: it is not valid yet: nbf is 20"},
        Case{"FromTheFuture", Time("iat", 120), "the ID token: it is from the future: iat is 20"},
        Case{"NoIssueTime", NoClaim("iat"), "the ID token: it has no iat"},
        Case{"Nonce", Claim("nonce", "another"),
             "the ID token: nonce is not the one that this sign-in was begun with"},
        Case{"NoNonce", NoClaim("nonce"), "the ID token: it has no nonce"},
        Case{"NoSubject", NoClaim("sub"), "the ID token: sub has 0 bytes; it must have 1 to 255"},
        Case{"LongSubject", Claim("sub", std::string(256, 'a')), "sub has 256 bytes"},
        Case{"GroupsAreNoTexts", Claim("groups", {1, 2}), "groups is not a list of texts"},
        Case{"MailIsNoText", Claim("email", {{"a", "b"}}), "the ID token: email is not a text"},
        Case{"AccessTokenHash", Claim("at_hash", "another"),
             "at_hash is not that of the access token which came with it"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Signatures, OpenIdRefusalTest,
    ::testing::Values(
        Case{"None", Recipe({{"header", {{"alg", "none"}}}, {"sign", false}}),
             "the ID token: alg is 'none'; taken are RS256, PS256 and ES256"},
        Case{"NoneInOtherLetters", Recipe({{"header", {{"alg", "nOnE"}}}, {"sign", false}}),
             "alg is 'nOnE'"},
        Case{"PublicKeyAsSecret", Recipe({{"header", {{"alg", "HS256"}}}}), "alg is 'HS256'"},
        Case{"LongerHash", Recipe({{"header", {{"alg", "RS512"}}}}), "alg is 'RS512'"},
        Case{"NoAlgorithm", Recipe({{"header", {{"alg", nullptr}}}}), "alg is ''"},
        Case{"AlgorithmIsNoText", Recipe({{"header", {{"alg", {"RS256"}}}}}),
             "the ID token: its header: alg is not a text"},
        Case{"NotSigned", Recipe({{"sign", false}}),
             "the ID token: the signature is wrong (RS256, key 'rsa')"},
        Case{"ForeignKey", Recipe({{"key", "foreign"}}),
             "the signature is wrong (RS256, key 'rsa')"},
        Case{"OtherPadding", Recipe({{"header", {{"alg", "PS256"}}}, {"key", "foreign"}}),
             "the signature is wrong (PS256, key 'rsa')"},
        Case{"KeyOfAnotherKind", Recipe({{"header", {{"alg", "ES256"}}}}),
             "the ID token: it is signed by ES256 with the key 'rsa', which the provider's key set "
             "does not have"},
        Case{"CurveForRsa", Recipe({{"key", "ec"}, {"header", {{"alg", "RS256"}}}}),
             "it is signed by RS256 with the key 'ec', which"},
        Case{"ShortKey", Recipe({{"key", "short"}}), "with the key 'short', which"},
        Case{"UnknownKey", Recipe({{"header", {{"kid", "unknown"}}}}),
             "with the key 'unknown', which the provider's key set does not have"},
        Case{"KeyIsNoText", Recipe({{"header", {{"kid", 1}}}}), "its header: kid is not a text"},
        Case{"Critical", Recipe({{"header", {{"crit", {"b64"}}, {"b64", false}}}}),
             "the ID token: its header asks by crit for what is not understood here"},
        // With what it says of its own key.
        Case{"KeyInHeader", Recipe({{"key", "foreign"}, {"header", {{"jwk", {{"kty", "RSA"}}}}}}),
             "the signature is wrong (RS256, key 'rsa')"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Answers, OpenIdRefusalTest,
    ::testing::Values(
        Case{"NoToken", Recipe({{"claims", nullptr}}), "the token endpoint gave no ID token"},
        Case{"TokenIsNoText", Recipe({{"answer", {{"id_token", 1}}}}),
             "the token endpoint: id_token is not a text", absl::StatusCode::kFailedPrecondition},
        Case{"TokenIsEmpty", Token(""), "the token endpoint gave no ID token"},
        Case{"OnePart", Token("abc"), "it is not three parts of base64url with points"},
        Case{"FourParts", Token("YQ.YQ.YQ.YQ"), "it is not three parts of base64url"},
        Case{"Encrypted", Token("YQ.YQ.YQ.YQ.YQ"), "it is not three parts of base64url"},
        Case{"OtherAlphabet", Token("YQ==.YQ.YQ"), "it is not three parts of base64url"},
        Case{"HeaderIsNoJson", Token("YQ.YQ.YQ"), "its header: it is no JSON object"},
        Case{"HeaderIsEmpty", Token(".."), "its header: it is no JSON object"},
        Case{"ClaimsAreNoJson", Recipe({{"claims", "none"}}), "the ID token: it is no JSON object"},
        Case{"NoJson", Recipe({{"text", "<html>"}}), "the token endpoint: it is no JSON object",
             absl::StatusCode::kFailedPrecondition},
        Case{"Huge", Recipe({{"text", 300'000}}), "the answer is larger than 262144 bytes",
             absl::StatusCode::kResourceExhausted},
        Case{"ErrorThatIsNoJson", Recipe({{"text", "<html>"}, {"status", 404}}),
             "the token endpoint answered 404", absl::StatusCode::kFailedPrecondition},
        Case{"Redirect", Recipe({{"text", "{}"}, {"status", 302}}),
             "the token endpoint answered 302", absl::StatusCode::kFailedPrecondition},
        Case{"Down", Recipe({{"text", ""}, {"status", 503}}), "the token endpoint answered 503",
             absl::StatusCode::kUnavailable},
        Case{"Busy", Recipe({{"text", "{\"error\":\"slow_down\"}"}, {"status", 429}}),
             "the token endpoint answered 429: 'slow_down'", absl::StatusCode::kUnavailable},
        Case{"ControlCharacters",
             Recipe({{"text", "{\"error\":\"a\\u001b[2Jb\\n\"}"}, {"status", 400}}),
             "answered 400: 'a?[2Jb?'", absl::StatusCode::kFailedPrecondition}),
    [](const auto& test) { return test.param.name; });

TEST(OpenIdForgedTest, TimesMayBeOffByTheSkew) {
  Forged provider;
  EXPECT_OK(provider.SignIn(Time("exp", -30)));
  EXPECT_OK(provider.SignIn(Time("nbf", 30)));
  EXPECT_OK(provider.SignIn(Time("iat", 30)));
  Forged strict(json::object(),
                [](OpenIdOptions& options) { options.clock_skew = absl::ZeroDuration(); });
  EXPECT_THAT(strict.SignIn(Time("exp", -1)),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("has expired")));
}

TEST(OpenIdForgedTest, ACodeThatTheProviderRepeatsIsNotTold) {
  // The forger answers with what its code says, so the code cannot stand in it; the verifier can.
  Forged provider;
  ASSERT_OK_AND_ASSIGN(const OpenIdClient::SignInStart start, BeginSignIn(*provider.client));
  const json answer = {{"error", "invalid_grant"},
                       {"error_description", "wrong: " + start.pending.code_verifier}};
  const json recipe = {{"text", answer.dump()}, {"status", 400}};
  EXPECT_THAT(FinishSignIn(*provider.client, start.pending,
                           {{"state", start.pending.state}, {"code", Encoded(recipe)}}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "the token endpoint answered 400: 'invalid_grant': 'wrong: ...'"));
}

// Of discovery documents, their keys and userinfo.
struct PlanCase {
  json plan;
  absl::StatusCode code;
  std::string message;
};

TEST(OpenIdForgedTest, WrongDocuments) {
  const auto metadata = [](const json& members) { return json{{"metadata", members}}; };
  const auto document = [](const std::string& name, const json& text) {
    return json{{"documents", {{name, text}}}};
  };
  constexpr auto kFailed = absl::StatusCode::kFailedPrecondition;
  constexpr auto kUnavailable = absl::StatusCode::kUnavailable;
  constexpr auto kRefused = absl::StatusCode::kPermissionDenied;
  const std::vector<PlanCase> cases = {
      {metadata({{"issuer", "https://other.example"}}), kFailed,
       "the discovery document: its issuer is 'https://other.example', and the configured one"},
      {metadata({{"issuer", nullptr}}), kFailed, "the discovery document: its issuer is ''"},
      {metadata({{"token_endpoint", nullptr}}), kFailed,
       "the discovery document: it has no token_endpoint"},
      {metadata({{"token_endpoint", "http://login.example/token"}}), kFailed,
       "token_endpoint: 'http://login.example/token' is not https"},
      {metadata({{"token_endpoint", "http://127.0.0.1@login.example/token"}}), kFailed,
       "is not a URL of the form https://host/path"},
      {metadata({{"jwks_uri", "file:///etc/passwd"}}), kFailed, "is not a URL of the form"},
      {metadata({{"userinfo_endpoint", "/userinfo"}}), kFailed, "is not a URL of the form"},
      {metadata({{"id_token_signing_alg_values_supported", {"none", "HS256"}}}), kFailed,
       "it signs ID tokens by ['none', 'HS256']; taken are RS256, PS256 and ES256"},
      {metadata({{"token_endpoint_auth_methods_supported", {"private_key_jwt"}}}), kFailed,
       "takes neither client_secret_basic nor client_secret_post"},
      {document("discovery", "[]"), kFailed, "the discovery document: it is no JSON object"},
      {document("discovery", "{\"issuer\":"), kFailed, "it is no JSON object"},
      {document("discovery", std::string(100, '[')), kFailed,
       "the discovery document: the JSON is nested deeper than 32 levels"},
      {document("discovery", 300'000), absl::StatusCode::kResourceExhausted,
       "the answer is larger than 262144 bytes"},
      {document("discovery", 404), kFailed, "answered 404"},
      {document("discovery", 500), kUnavailable, "answered 500"},
      {document("jwks", "{}"), kFailed, "the key set: it has no list of keys"},
      {document("jwks", "{\"keys\":[1]}"), kFailed, "the key set: a key is no object"},
      {document("jwks", "{\"keys\":[]}"), kRefused, "which the provider's key set does not have"},
      {document("jwks", 503), kUnavailable, "answered 503"},
  };
  for (const PlanCase& one : cases) {
    Forged provider(one.plan);
    EXPECT_THAT(Right(provider), StatusIs(one.code, HasSubstr(one.message))) << one.plan;
  }
}

TEST(OpenIdForgedTest, WhatTheTokenDoesNotTellIsTakenFromUserinfo) {
  const auto without_groups = [](json& recipe) { recipe["claims"].erase("groups"); };
  const auto sign_in = [&](const json& plan) { return Forged(plan).SignIn(without_groups); };
  const json person = {{"sub", "anna"},
                       {"groups", {"sales", "managers"}},
                       {"email", "other@firm.example"},
                       {"email_verified", true}};
  ASSERT_OK_AND_ASSIGN(Identity identity, sign_in({{"userinfo", person}}));
  EXPECT_THAT(identity.groups, ElementsAre("sales", "managers"));
  // That an address is verified says nothing of another one.
  EXPECT_EQ(identity.e_mail, "anna@firm.example");
  EXPECT_FALSE(identity.e_mail_verified);
  ASSERT_OK_AND_ASSIGN(identity, sign_in({{"metadata", {{"userinfo_endpoint", nullptr}}}}));
  EXPECT_THAT(identity.groups, IsEmpty());
  // Groups of the ID token are not added to, not even where it tells that there are none.
  Forged provider(json{{"userinfo", person}});
  ASSERT_OK_AND_ASSIGN(identity, provider.SignIn([](json& recipe) {
    recipe["claims"]["groups"] = json::array();
    recipe["claims"].erase("email");
  }));
  EXPECT_THAT(identity.groups, IsEmpty());
  EXPECT_EQ(identity.e_mail, "other@firm.example");
  EXPECT_TRUE(identity.e_mail_verified);

  json other = person;
  other["sub"] = "ben";
  constexpr auto kRefused = absl::StatusCode::kPermissionDenied;
  EXPECT_THAT(sign_in({{"userinfo", other}}),
              StatusIs(kRefused, "userinfo: sub is not that of who signed in"));
  EXPECT_THAT(sign_in({{"userinfo", {{"groups", {"sales"}}}}}),
              StatusIs(kRefused, "userinfo: sub has 0 bytes; it must have 1 to 255"));
  EXPECT_THAT(sign_in({{"documents", {{"userinfo", "eyJh.eyJz.c2ln"}}}}),
              StatusIs(kRefused, "userinfo: it is no JSON object"));
  EXPECT_THAT(sign_in({{"documents", {{"userinfo", 401}}}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, "userinfo answered 401"));
}

TEST(OpenIdForgedTest, GroupsCanHaveAnotherName) {
  Forged provider(json::object(), [](OpenIdOptions& options) { options.groups_claim = "roles"; });
  ASSERT_OK_AND_ASSIGN(const Identity identity, provider.SignIn(Claim("roles", "owner")));
  EXPECT_THAT(identity.groups, ElementsAre("owner"));
}

TEST(OpenIdForgedTest, TheClientProvesItselfAsTheProviderAsks) {
  // The forger puts how it was asked into the name.
  const auto how = [](const json& methods, const std::string& secret) {
    const json plan = {{"metadata", {{"token_endpoint_auth_methods_supported", methods}}}};
    Forged provider(plan, [&](OpenIdOptions& options) { options.client_secret = secret; });
    const absl::StatusOr<Identity> identity = provider.SignIn(Claim("name", "how"));
    EXPECT_OK(identity);
    return identity.ok() ? identity->name : "";
  };
  const std::string basic =
      absl::StrCat("Basic ", absl::Base64Escape("rapport:a%20secret%2B"), "|");
  EXPECT_THAT(how(nullptr, "a secret+"), HasSubstr(basic));
  EXPECT_THAT(how({"client_secret_post", "client_secret_basic"}, "a secret+"), HasSubstr(basic));
  EXPECT_THAT(how({"client_secret_post"}, "a secret+"),
              ::testing::AllOf(::testing::StartsWith("|"),
                               HasSubstr("&client_id=rapport&client_secret=a+secret%2B")));
  EXPECT_THAT(how({"client_secret_basic"}, ""),
              ::testing::AllOf(::testing::StartsWith("|"), HasSubstr("&client_id=rapport"),
                               Not(HasSubstr("secret"))));
}

TEST(OpenIdForgedTest, ARefreshMayBringNoIdToken) {
  const json recipe = {{"answer", {{"refresh_token", "next"}}}};
  const json person = {{"sub", "anna"}, {"name", "Anna Keller"}, {"groups", {"sales"}}};
  Forged provider(json{{"userinfo", person}});
  ASSERT_OK_AND_ASSIGN(Identity identity, Refresh(*provider.client, Encoded(recipe), "anna"));
  EXPECT_EQ(identity.name, "Anna Keller");
  EXPECT_THAT(identity.groups, ElementsAre("sales"));
  EXPECT_EQ(identity.id_token, "");
  EXPECT_EQ(identity.refresh_token, "next");
  EXPECT_EQ(identity.expires_at, *provider.now + absl::Seconds(60));
  EXPECT_THAT(
      Refresh(*provider.client, Encoded(recipe), "ben"),
      StatusIs(absl::StatusCode::kPermissionDenied, "userinfo: sub is not that of who signed in"));
  // Where no other refresh token comes, the one before goes on.
  const std::string same = Encoded(json::object());
  ASSERT_OK_AND_ASSIGN(identity, Refresh(*provider.client, same, "anna"));
  EXPECT_EQ(identity.refresh_token, same);
  Forged mute(json{{"metadata", {{"userinfo_endpoint", nullptr}}}});
  EXPECT_THAT(Refresh(*mute.client, same, "anna"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the answer to the refresh has no ID token, and there is no userinfo to "
                       "ask"));
}

TEST(OpenIdForgedTest, NoPageToSignOut) {
  Forged provider;
  ASSERT_OK_AND_ASSIGN(const std::optional<std::string> url, LogoutUrl(*provider.client, ""));
  EXPECT_EQ(url, std::nullopt);
}

int KeyReads(const Forged& provider) {
  HttpCall call;
  call.url = absl::StrCat(ProviderAddress(), "/count",
                          provider.issuer.substr(ProviderAddress().size()), "/jwks");
  const absl::StatusOr<HttpAnswer> answer = TestHttp().Fetch(call);
  int count = -1;
  EXPECT_TRUE(answer.ok() && absl::SimpleAtoi(answer->body, &count)) << answer.status();
  return count;
}

TEST(OpenIdForgedTest, NewKeysAreReadOnceForEachTenSeconds) {
  // A plan of its own, since reads are counted by it.
  Forged provider(json{{"userinfo", {{"sub", "rotation"}}}});
  ASSERT_OK(Right(provider));
  EXPECT_EQ(KeyReads(provider), 1);
  HttpCall rotate;
  rotate.method = "POST";
  rotate.url = absl::StrCat(ProviderAddress(), "/rotate/next");
  ASSERT_OK(TestHttp().Fetch(rotate));
  const auto by = [&provider](const std::string& key) {
    return provider.SignIn(Recipe({{"key", "next"}, {"header", {{"kid", key}}}})).status();
  };
  *provider.now += absl::Seconds(9);
  EXPECT_THAT(by("next"), StatusIs(absl::StatusCode::kPermissionDenied,
                                   HasSubstr("with the key 'next', which the provider's key set "
                                             "does not have")));
  EXPECT_EQ(KeyReads(provider), 1);
  *provider.now += absl::Seconds(10);
  EXPECT_OK(by("next"));
  EXPECT_EQ(KeyReads(provider), 2);
  EXPECT_OK(by("next"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(by("unknown"),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("with the key 'unknown'")));
  }
  EXPECT_EQ(KeyReads(provider), 2);
  *provider.now += absl::Seconds(10);
  EXPECT_FALSE(by("unknown").ok());
  EXPECT_EQ(KeyReads(provider), 3);
  *provider.now += absl::Hours(1);
  EXPECT_OK(by("next"));
  EXPECT_EQ(KeyReads(provider), 4);
}

}  // namespace
}  // namespace rapport
