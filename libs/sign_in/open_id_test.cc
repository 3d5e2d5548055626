#include "libs/sign_in/open_id.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/sign_in/test_open_id.h"

// Against a real provider.

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

OpenIdOptions Options(const std::string& client_id) {
  OpenIdOptions options;
  options.issuer = ProviderAddress();
  options.client_id = client_id;
  options.client_secret = client_id == "public" ? "" : "a:b+c%/d e";
  options.redirect_uri = std::string(kRedirectUri);
  options.scopes = {"openid", "profile", "email", "groups"};
  return options;
}

std::unique_ptr<OpenIdClient> Client(OpenIdOptions options) {
  absl::StatusOr<std::unique_ptr<OpenIdClient>> client =
      OpenIdClient::Create(std::move(options), &TestHttp());
  EXPECT_OK(client);
  return *std::move(client);
}

// What the browser comes back with after somebody logged in.
struct Return {
  PendingSignIn pending;
  OpenIdClient::QueryParameters parameters;

  std::string& Parameter(absl::string_view name) {
    return std::find_if(parameters.begin(), parameters.end(),
                        [name](const auto& parameter) { return parameter.first == name; })
        ->second;
  }
  void Drop(absl::string_view name) {
    parameters.erase(
        std::remove_if(parameters.begin(), parameters.end(),
                       [name](const auto& parameter) { return parameter.first == name; }),
        parameters.end());
  }
};

absl::StatusOr<Return> LogIn(OpenIdClient& client, const std::string& account) {
  RAPPORT_ASSIGN_OR_RETURN(OpenIdClient::SignInStart start, BeginSignIn(client));
  TestBrowser browser;
  RAPPORT_ASSIGN_OR_RETURN(OpenIdClient::QueryParameters parameters,
                           browser.Follow(absl::StrCat(start.url, "&login_hint=", account)));
  return Return{std::move(start.pending), std::move(parameters)};
}

absl::StatusOr<Identity> SignIn(OpenIdClient& client, const std::string& account) {
  RAPPORT_ASSIGN_OR_RETURN(const Return back, LogIn(client, account));
  return FinishSignIn(client, back.pending, back.parameters);
}

class OpenIdSignInTest : public ::testing::TestWithParam<std::string> {};

TEST_P(OpenIdSignInTest, SignsIn) {
  const std::unique_ptr<OpenIdClient> client = Client(Options(GetParam()));
  ASSERT_OK_AND_ASSIGN(const Identity identity, SignIn(*client, "anna"));
  EXPECT_EQ(identity.subject, "anna");
  EXPECT_EQ(identity.e_mail, "anna@firm.example");
  EXPECT_TRUE(identity.e_mail_verified);
  EXPECT_EQ(identity.name, "anna of the firm");
  EXPECT_THAT(identity.groups, ElementsAre("managers", "sales"));
  EXPECT_GT(identity.expires_at, absl::Now());
  EXPECT_THAT(identity.id_token, Not(IsEmpty()));
  EXPECT_THAT(identity.refresh_token, Not(IsEmpty()));
}

// The clients of the provider with a secret are named after how it signs their ID tokens.
INSTANTIATE_TEST_SUITE_P(Clients, OpenIdSignInTest,
                         ::testing::Values("rs256", "ps256", "es256", "public"),
                         [](const auto& test) { return test.param; });

TEST(OpenIdTest, ManySignInsAtTheSameTime) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("es256"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&client, i] {
      const std::string account = absl::StrCat("person-", i);
      const absl::StatusOr<Identity> identity = SignIn(*client, account);
      EXPECT_OK(identity);
      EXPECT_EQ(identity.ok() ? identity->subject : "", account);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(OpenIdTest, ACodeIsTakenOnce) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("rs256"));
  ASSERT_OK_AND_ASSIGN(Return back, LogIn(*client, "anna"));
  ASSERT_OK(FinishSignIn(*client, back.pending, back.parameters));
  EXPECT_THAT(FinishSignIn(*client, back.pending, back.parameters),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("the token endpoint answered 400: 'invalid_grant'"),
                             Not(HasSubstr(back.Parameter("code"))))));
}

TEST(OpenIdTest, ACodeIsOfUseToWhomeverBeganAlone) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("public"));
  ASSERT_OK_AND_ASSIGN(Return back, LogIn(*client, "anna"));
  back.pending.code_verifier = PendingSignIn::Begin(absl::Now()).code_verifier;
  EXPECT_THAT(FinishSignIn(*client, back.pending, back.parameters),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("'invalid_grant'")));
}

TEST(OpenIdTest, WhatTheProviderRefusesIsToldInItsWords) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("rs256"));
  EXPECT_THAT(SignIn(*client, "nobody"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "the provider did not sign anybody in: 'access_denied': 'nobody may not use "
                       "this'"));
}

TEST(OpenIdTest, AWrongSecretIsTheOperatorsMatter) {
  OpenIdOptions options = Options("rs256");
  options.client_secret = "a wrong one";
  const std::unique_ptr<OpenIdClient> client = Client(std::move(options));
  EXPECT_THAT(SignIn(*client, "anna"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("the token endpoint answered 401: 'invalid_client'"),
                             Not(HasSubstr("wrong one")))));
}

TEST(OpenIdTest, TheRedirectIsHeldAgainstWhatWasBegun) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("rs256"));
  ASSERT_OK_AND_ASSIGN(const Return back, LogIn(*client, "anna"));
  const auto finish = [&client](const Return& changed) {
    return FinishSignIn(*client, changed.pending, changed.parameters);
  };
  using absl::StatusCode;
  Return changed = back;
  changed.Parameter("state").back() ^= 1;
  EXPECT_THAT(finish(changed), StatusIs(StatusCode::kInvalidArgument,
                                        "state is not the one that this sign-in was begun with"));
  changed = back;
  changed.Drop("state");
  EXPECT_THAT(finish(changed), StatusIs(StatusCode::kInvalidArgument, "the redirect has no state"));
  changed.pending.state.clear();
  EXPECT_THAT(finish(changed), StatusIs(StatusCode::kInvalidArgument, "the redirect has no state"));
  changed = back;
  changed.parameters.emplace_back("code", "another");
  EXPECT_THAT(finish(changed),
              StatusIs(StatusCode::kInvalidArgument, "the redirect has code more than once"));
  changed = back;
  changed.Parameter("code") = std::string(10'000, 'a');
  EXPECT_THAT(finish(changed), StatusIs(StatusCode::kInvalidArgument,
                                        "the redirect has code with too long a value"));
  changed = back;
  changed.Drop("code");
  EXPECT_THAT(finish(changed),
              StatusIs(StatusCode::kInvalidArgument, "the redirect has neither code nor error"));
  changed = back;
  changed.Parameter("iss") = "https://other.example";
  EXPECT_THAT(finish(changed),
              StatusIs(StatusCode::kPermissionDenied,
                       absl::StrCat("the redirect's iss is 'https://other.example', and the "
                                    "configured issuer '",
                                    ProviderAddress(), "'")));
  changed.Drop("iss");
  EXPECT_THAT(finish(changed),
              StatusIs(StatusCode::kPermissionDenied, StartsWith("the redirect's iss is ''")));
  EXPECT_OK(finish(back));
}

TEST(OpenIdTest, Refreshes) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("ps256"));
  ASSERT_OK_AND_ASSIGN(const Identity first, SignIn(*client, "anna"));
  ASSERT_OK_AND_ASSIGN(const Identity second, Refresh(*client, first.refresh_token, "anna"));
  EXPECT_EQ(second.subject, "anna");
  EXPECT_THAT(second.groups, ElementsAre("managers", "sales"));
  EXPECT_NE(second.id_token, first.id_token);
  EXPECT_NE(second.refresh_token, first.refresh_token);
  EXPECT_THAT(Refresh(*client, second.refresh_token, "ben"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "the ID token: sub is not that of the identity which is refreshed"));
  // This provider takes each refresh token once.
  EXPECT_THAT(Refresh(*client, first.refresh_token, "anna"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("'invalid_grant'"), Not(HasSubstr(first.refresh_token)))));
}

TEST(OpenIdTest, LogsOutAtTheProvider) {
  const std::unique_ptr<OpenIdClient> client = Client(Options("rs256"));
  ASSERT_OK_AND_ASSIGN(const Identity identity, SignIn(*client, "anna"));
  const auto status_of = [&client](const std::string& id_token) -> absl::StatusOr<int> {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> url, LogoutUrl(*client, id_token));
    HttpCall call;
    call.url = url.value_or("");
    RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, TestHttp().Fetch(call));
    return answer.status;
  };
  ASSERT_OK_AND_ASSIGN(const int right, status_of(identity.id_token));
  EXPECT_EQ(right, 200);
  ASSERT_OK_AND_ASSIGN(const int wrong, status_of(identity.id_token + "A"));
  EXPECT_EQ(wrong, 400);
}

TEST(OpenIdTest, WhatIsUnderWayOutlivesTheClient) {
  std::unique_ptr<OpenIdClient> client = Client(Options("rs256"));
  ASSERT_OK_AND_ASSIGN(const Return back, LogIn(*client, "anna"));
  ASSERT_OK_AND_ASSIGN(const Identity identity, Await<Identity>([&](auto done) {
                         client->FinishSignIn(back.pending, back.parameters, std::move(done));
                         client.reset();
                       }));
  EXPECT_EQ(identity.subject, "anna");
}

TEST(OpenIdTest, AnHttpClientThatEndsCutsOffWhatIsUnderWay) {
  auto http = std::make_unique<HttpClient>();
  OpenIdOptions options = Options("rs256");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<OpenIdClient> client,
                       OpenIdClient::Create(std::move(options), http.get()));
  const absl::StatusOr<OpenIdClient::SignInStart> start =
      Await<OpenIdClient::SignInStart>([&](auto done) {
        client->BeginSignIn(std::move(done));
        http.reset();
      });
  // It may have been done before.
  if (!start.ok()) {
    EXPECT_THAT(start, StatusIs(absl::StatusCode::kCancelled, HasSubstr("was stopped")));
  }
}

TEST(OpenIdTest, WrongOptions) {
  const auto create = [](const std::function<void(OpenIdOptions&)>& change) {
    OpenIdOptions options = Options("rs256");
    change(options);
    return OpenIdClient::Create(std::move(options), &TestHttp()).status();
  };
  using absl::StatusCode;
  EXPECT_THAT(create([](OpenIdOptions& options) { options.issuer = "http://login.example"; }),
              StatusIs(StatusCode::kInvalidArgument,
                       "the issuer: 'http://login.example' is not https, which only this machine "
                       "itself may do without"));
  EXPECT_THAT(create([](OpenIdOptions& options) { options.issuer = "https://a.example/?b"; }),
              StatusIs(StatusCode::kInvalidArgument, "the issuer has a query, which none has"));
  EXPECT_THAT(create([](OpenIdOptions& options) { options.client_id = ""; }),
              StatusIs(StatusCode::kInvalidArgument, "there is no client id"));
  EXPECT_THAT(create([](OpenIdOptions& options) { options.redirect_uri = "/callback"; }),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("the redirect URI: '/callback'")));
  EXPECT_THAT(create([](OpenIdOptions& options) { options.scopes = {"email"}; }),
              StatusIs(StatusCode::kInvalidArgument, "the scopes have no openid"));
  EXPECT_THAT(
      create([](OpenIdOptions& options) { options.clock_skew = absl::Minutes(11); }),
      StatusIs(StatusCode::kInvalidArgument, "the clock skew is 11m; it must be 0 to 10 min"));
}

}  // namespace
}  // namespace rapport
