#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/people/people.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/access.pb.h"
#include "tests/support/open_id_provider.h"

// Signing in through a real provider of OpenID Connect.

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCallback[] = "http://127.0.0.1/v1/sign-in/callback";

class SignInTest : public testing::ServingFixture {
 protected:
  static void SetUpTestSuite() {
    auto started = OpenIdProvider::Start();
    RAPPORT_CHECK(started.ok(), started.status().ToString());
    provider_ = started->release();
  }
  static void TearDownTestSuite() { delete provider_; }

  void SetUp() override {
    config::v1::OpenId& open_id = *config_.mutable_access()->mutable_open_id();
    open_id.set_issuer(provider_->issuer());
    open_id.set_client_id("rs256");
    open_id.set_client_secret_file(folder_.path() + "/secret");
    ASSERT_TRUE(Write(open_id.client_secret_file(), "a:b+c%/d e"));
    open_id.set_public_url("http://127.0.0.1");
    open_id.set_groups_claim("groups");
    open_id.add_scopes("groups");
    config::v1::GroupRole& managers = *open_id.add_group_roles();
    managers.set_group("managers");
    managers.set_role("director");
    auto people = People::Open({.config = &config_,
                                .log = log_.get(),
                                .topics = {},
                                .all_in_one = true,
                                .keeps_audit = true,
                                .http_client = &client_,
                                .now = absl::Now});
    ASSERT_OK(people.status());
    people_ = *std::move(people);
    http_->SetAccess(people_->access());
    people_->AddRoutes(http_.get());
    ASSERT_OK(http_->Start());
    query::v1::StaffOrder order;
    order.add_people()->set_person_id("anna");
    order.mutable_people(0)->set_e_mail("anna@firm.example");
    ASSERT_OK(people_->organisation()->Carry(order, "test", false).status());
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  static bool Write(const std::string& path, const std::string& text) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    const bool written = file != nullptr && std::fputs(text.c_str(), file) >= 0;
    return std::fclose(file) == 0 && written;
  }

  HttpAnswer Get(const std::string& path, const std::string& cookie = "") {
    HttpCall call{.url = absl::StartsWith(path, "http") ? path : http_->address() + path};
    if (!cookie.empty()) call.headers = {{"cookie", cookie}};
    auto answer = client_.Fetch(call);
    EXPECT_OK(answer.status());
    return *std::move(answer);
  }
  static std::vector<std::string> CookiesOf(const HttpAnswer& answer) {
    std::vector<std::string> cookies;
    for (const Header& header : answer.headers) {
      if (header.name == "set-cookie") {
        cookies.push_back(header.value.substr(0, header.value.find(';')));
      }
    }
    return cookies;
  }

  struct Begun {
    std::string cookie;  // ours
    std::string query;   // with which the provider sends the browser back
  };
  // To the provider and back, as this person, whom it asks nothing.
  Begun GoThere(const std::string& person, const std::string& return_to = "/clients") {
    const HttpAnswer start = Get("/v1/sign-in?return_to=" + return_to);
    EXPECT_EQ(start.status, 303) << start.body;
    Begun begun{.cookie = CookiesOf(start).empty() ? "" : CookiesOf(start).front()};
    std::string url = absl::StrCat(start.HeaderValue("location"), "&login_hint=", person);
    std::map<std::string, std::string> jar;
    while (!absl::StartsWith(url, absl::StrCat(kCallback, "?"))) {
      if (absl::StartsWith(url, "/")) url = provider_->issuer() + url;
      const HttpAnswer answer = Get(url, absl::StrJoin(jar, "; ", absl::PairFormatter("=")));
      for (const std::string& cookie : CookiesOf(answer)) {
        jar[cookie.substr(0, cookie.find('='))] = cookie.substr(cookie.find('=') + 1);
      }
      url = std::string(answer.HeaderValue("location"));
      if (url.empty()) {
        ADD_FAILURE() << answer.status << " " << answer.body;
        return begun;
      }
    }
    begun.query = url.substr(sizeof kCallback - 1);
    return begun;
  }
  HttpAnswer ComeBack(const Begun& begun) {
    return Get("/v1/sign-in/callback" + begun.query, begun.cookie);
  }

  static OpenIdProvider* provider_;
  std::unique_ptr<People> people_;
};

OpenIdProvider* SignInTest::provider_ = nullptr;

TEST_F(SignInTest, AColleagueSignsInAndHasWhatTheirGroupsGive) {
  EXPECT_TRUE(people_->access()->controlled()) << "there is a provider";
  EXPECT_EQ(Get("/v1/staff").status, 401);
  const HttpAnswer back = ComeBack(GoThere("anna"));
  EXPECT_EQ(back.status, 303) << back.body;
  EXPECT_EQ(back.HeaderValue("location"), "/clients");
  ASSERT_EQ(CookiesOf(back).size(), 2u);
  EXPECT_EQ(CookiesOf(back)[1], "rapport-sign-in=") << "it is used up";
  const HttpAnswer session = Get("/v1/session", CookiesOf(back)[0]);
  EXPECT_EQ(session.status, 200);
  EXPECT_THAT(session.body,
              AllOf(HasSubstr(R"("person_id":"anna")"), HasSubstr(R"("sees_all_clients":true)")));
  // Signed out here, and told where to sign out there.
  HttpCall sign_out{.method = "DELETE", .url = http_->address() + "/v1/session"};
  sign_out.headers = {{"cookie", CookiesOf(back)[0]}};
  ASSERT_OK_AND_ASSIGN(const HttpAnswer out, client_.Fetch(sign_out));
  EXPECT_THAT(out.body, HasSubstr(provider_->issuer() + "/session/end?"));
  EXPECT_EQ(Get("/v1/session", CookiesOf(back)[0]).status, 401);
}

TEST_F(SignInTest, ACodeThatComesAgainIsRefused) {
  const Begun begun = GoThere("anna");
  EXPECT_EQ(ComeBack(begun).status, 303);
  const HttpAnswer again = ComeBack(begun);
  EXPECT_EQ(again.status, 403);
  EXPECT_THAT(again.body, AllOf(HasSubstr("did not succeed"), Not(HasSubstr("invalid_grant"))));
}

TEST_F(SignInTest, WhatThisBrowserHasNotBegunIsRefused) {
  Begun begun = GoThere("anna");
  const Begun other = GoThere("anna");
  EXPECT_EQ(Get("/v1/sign-in/callback" + begun.query).status, 403) << "no cookie";
  EXPECT_EQ(Get("/v1/sign-in/callback" + begun.query, other.cookie).status, 403)
      << "another sign-in's state";
  EXPECT_EQ(Get("/v1/sign-in/callback" + begun.query, begun.cookie + "x").status, 303)
      << "where to return to is no secret";
  EXPECT_EQ(Get("/v1/sign-in/callback?error=access_denied", other.cookie).status, 403);
  EXPECT_EQ(Get("/v1/sign-in/callback", other.cookie).status, 403);
}

TEST_F(SignInTest, WhoIsNotOnTheStaffListIsTold) {
  const HttpAnswer back = ComeBack(GoThere("stranger"));
  EXPECT_EQ(back.status, 403);
  EXPECT_THAT(back.body, HasSubstr("not to Rapport"));
  HttpAnswer audit;
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       people_->access()->BeginSession("anna", "test", {"auditor"}, HttpRequest()));
  do {
    audit = Get("/v1/audit", cookie.substr(0, cookie.find(';')));
  } while (!absl::StrContains(audit.body, "sign_in_failed"));
  EXPECT_THAT(audit.body, HasSubstr("stranger@firm.example"));
}

TEST_F(SignInTest, NobodyIsSentElsewhere) {
  for (const char* const elsewhere :
       {"https://evil.example/", "//evil.example/", "/%5Cevil.example", "javascript:alert(1)"}) {
    const HttpAnswer back = ComeBack(GoThere("anna", elsewhere));
    EXPECT_EQ(back.HeaderValue("location"), "/sign-in") << elsewhere;
  }
}

}  // namespace
}  // namespace rapport
