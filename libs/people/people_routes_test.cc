#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "libs/people/people.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/access.pb.h"
#include "rapport/query/v1/staff.pb.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kMaster[] = "the master's token";

constexpr char kFirm[] = R"({"units":[{"unit_id":"west","kind":"branch"},
      {"unit_id":"red","name":"Red","parent_unit_id":"west","kind":"team"}],
    "people":[{"person_id":"anna","name":"Anna Berg","e_mail":"anna@firm.example","unit_id":"red",
               "leads":true,"roles":["relationship_manager"]},
              {"person_id":"ben","name":"Ben Kurz","unit_id":"red"}]})";

class PeopleRoutesTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    auto people = People::Open({.config = &config_,
                                .log = log_.get(),
                                .topics = {},
                                .all_in_one = true,
                                .keeps_audit = true,
                                .http_client = &client_,
                                .master_tokens = {{.secret = kMaster, .name = "command line"}},
                                .now = absl::Now});
    ASSERT_OK(people.status());
    people_ = *std::move(people);
    http_->SetAccess(people_->access());
    people_->AddRoutes(http_.get());
    http_->Handle("GET", "/v1/clients/{id}",
                  Answering([](const HttpRequest&) { return HttpResponse(); }));
    ASSERT_OK(http_->Start());
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  HttpAnswer Ask(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& token = kMaster, std::vector<Header> headers = {}) {
    HttpCall call{.method = method, .url = http_->address() + path, .body = body};
    call.headers = std::move(headers);
    if (!token.empty()) call.headers.push_back({"authorization", "Bearer " + token});
    auto answer = client_.Fetch(call);
    EXPECT_OK(answer.status());
    return *std::move(answer);
  }
  template <class Message>
  Message Told(const HttpAnswer& answer, int status = 200) {
    EXPECT_EQ(answer.status, status) << answer.body;
    Message message;
    if (answer.status < 300) {
      EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok())
          << answer.body;
    }
    return message;
  }
  void Firm() { Told<query::v1::StaffChanged>(Ask("POST", "/v1/staff", kFirm)); }

  static std::string CookieOf(const HttpAnswer& answer) {
    const std::string set(answer.HeaderValue("set-cookie"));
    return set.substr(0, set.find(';'));
  }

  std::unique_ptr<People> people_;
};

TEST_F(PeopleRoutesTest, PeopleAndUnitsAreWrittenAndRead) {
  const auto tried = Told<query::v1::StaffChanged>(Ask("POST", "/v1/staff?dry_run=true", kFirm));
  EXPECT_THAT(tried.steps(), SizeIs(7));
  EXPECT_THAT(Told<query::v1::StaffList>(Ask("GET", "/v1/staff")).people(), IsEmpty());
  Firm();
  EXPECT_THAT(Told<query::v1::StaffChanged>(Ask("POST", "/v1/staff", kFirm)).steps(), IsEmpty());
  const auto page = Told<query::v1::StaffList>(Ask("GET", "/v1/staff?limit=1"));
  ASSERT_THAT(page.people(), SizeIs(1));
  EXPECT_EQ(page.people(0).person_id(), "anna");
  EXPECT_THAT(page.people(0).leads_unit_ids(), ElementsAre("red"));
  const auto next =
      Told<query::v1::StaffList>(Ask("GET", "/v1/staff?limit=1&cursor=" + page.next_cursor()));
  ASSERT_THAT(next.people(), SizeIs(1));
  EXPECT_EQ(next.people(0).person_id(), "ben");
  EXPECT_EQ(next.next_cursor(), "");
  EXPECT_THAT(Told<query::v1::StaffList>(Ask("GET", "/v1/staff?unit=west")).people(), SizeIs(2));
  EXPECT_THAT(Told<query::v1::StaffList>(Ask("GET", "/v1/staff?q=KURZ")).people(), SizeIs(1));
  EXPECT_EQ(Told<query::v1::StaffMember>(Ask("GET", "/v1/staff/ben")).unit_id(), "red");
  EXPECT_EQ(Ask("GET", "/v1/staff/nobody").status, 404);
  EXPECT_EQ(Ask("GET", "/v1/staff?unit=nowhere").status, 400);
  const auto units = Told<query::v1::StaffUnitList>(Ask("GET", "/v1/units"));
  ASSERT_THAT(units.units(), SizeIs(2));
  EXPECT_EQ(units.units(0).lead_id(), "anna");
  EXPECT_EQ(units.units(1).members_below(), 2);
}

TEST_F(PeopleRoutesTest, AWrongOrderSaysAllThatIsWrong) {
  const HttpAnswer answer =
      Ask("POST", "/v1/staff",
          R"({"people":[{"person_id":"x","unit_id":"nowhere"},{"person_id":"y","e_mail":"y"}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("there is no unit 'nowhere'"),
                                 HasSubstr("e_mail is 'y', which is no address")));
  EXPECT_EQ(Ask("POST", "/v1/staff", "{").status, 400);
  EXPECT_EQ(Ask("POST", "/v1/staff?dry_run=maybe", kFirm).status, 400);
  EXPECT_THAT(Told<query::v1::StaffList>(Ask("GET", "/v1/staff")).people(), IsEmpty());
}

TEST_F(PeopleRoutesTest, ATokenIsShownOnceAndEndsWhenItIsRevoked) {
  const auto made = Told<query::v1::TokenSecret>(
      Ask("POST", "/v1/tokens", R"({"token_id":"desk","scopes":["read"]})"));
  EXPECT_TRUE(absl::StartsWith(made.secret(), "rapport_"));
  EXPECT_EQ(Ask("GET", "/v1/staff", "", made.secret()).status, 200);
  EXPECT_EQ(Ask("POST", "/v1/staff", kFirm, made.secret()).status, 403);
  EXPECT_EQ(Ask("GET", "/v1/tokens", "", made.secret()).status, 403);
  const HttpAnswer list = Ask("GET", "/v1/tokens");
  EXPECT_FALSE(absl::StrContains(list.body, made.secret()));
  EXPECT_EQ(Told<query::v1::TokenList>(list).tokens(0).made_by(), "command line");
  EXPECT_EQ(Ask("POST", "/v1/tokens", R"({"token_id":"desk","scopes":["read"]})").status, 409);
  EXPECT_EQ(Ask("DELETE", "/v1/tokens/desk").status, 204);
  EXPECT_EQ(Ask("GET", "/v1/staff", "", made.secret()).status, 401);
  EXPECT_EQ(Ask("DELETE", "/v1/tokens/desk").status, 404);
}

TEST_F(PeopleRoutesTest, WrongTokenOrdersAreRefused) {
  const auto refused = [&](const std::string& order) {
    const HttpAnswer answer = Ask("POST", "/v1/tokens", order);
    EXPECT_EQ(answer.status, 400) << answer.body;
    return answer.body;
  };
  EXPECT_THAT(refused(R"({"scopes":["read"]})"), HasSubstr("token_id is ''"));
  EXPECT_THAT(refused(R"({"token_id":"a b","scopes":["read"]})"), HasSubstr("token_id is 'a b'"));
  EXPECT_THAT(refused(R"({"token_id":"a"})"), HasSubstr("scopes: none; there are: touchpoints"));
  EXPECT_THAT(refused(R"({"token_id":"a","scopes":["root"]})"), HasSubstr("'root' is none"));
  EXPECT_THAT(refused(R"({"token_id":"a","scopes":["read"],"source":"crm"})"),
              HasSubstr("source: goes with"));
  EXPECT_THAT(refused(R"({"token_id":"a","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"})"),
              HasSubstr("expires_at: is over"));
}

TEST_F(PeopleRoutesTest, AnInvitedPersonChoosesAPasswordAndSignsIn) {
  Firm();
  const auto invitation = Told<query::v1::Invitation>(Ask("POST", "/v1/staff/anna/invitation"));
  const std::string secret = invitation.path().substr(invitation.path().find('=') + 1);
  const auto choose = [&](const std::string& password) {
    return Ask("POST", "/v1/invitations",
               absl::StrCat(R"({"invitation":")", secret, R"(","password":")", password, "\"}"),
               "");
  };
  EXPECT_THAT(choose("short").body, HasSubstr("12"));
  const HttpAnswer chosen = choose("correct horse battery");
  EXPECT_EQ(chosen.status, 204) << chosen.body;
  const std::string first = CookieOf(chosen);
  EXPECT_EQ(choose("another long password").status, 404) << "the link is used";
  const auto session =
      Told<query::v1::Session>(Ask("GET", "/v1/session", "", "", {{"cookie", first}}));
  EXPECT_EQ(session.person_id(), "anna");
  EXPECT_EQ(session.name(), "Anna Berg");
  EXPECT_THAT(session.owner_ids(), ElementsAre("anna", "ben"));
  EXPECT_TRUE(session.access_controlled());

  const auto sign_in = [&](const std::string& e_mail, const std::string& password) {
    return Ask("POST", "/v1/session",
               absl::StrCat(R"({"e_mail":")", e_mail, R"(","password":")", password, "\"}"), "");
  };
  const HttpAnswer in = sign_in("ANNA@firm.example", "correct horse battery");
  EXPECT_EQ(in.status, 204) << in.body;
  const std::string second = CookieOf(in);
  EXPECT_NE(first, second);
  // Nobody learns from the answer who has an account.
  EXPECT_EQ(sign_in("anna@firm.example", "wrong").body,
            sign_in("nobody@firm.example", "wrong").body);
  EXPECT_EQ(sign_in("ben@firm.example", "wrong").status, 401);
  // Signed out here, and everywhere by whoever looks after accounts.
  EXPECT_EQ(
      Ask("DELETE", "/v1/session", "", "", {{"cookie", first}, {"sec-fetch-site", "same-origin"}})
          .status,
      200);
  EXPECT_EQ(Ask("GET", "/v1/session", "", "", {{"cookie", first}}).status, 401);
  EXPECT_EQ(Ask("GET", "/v1/session", "", "", {{"cookie", second}}).status, 200);
  EXPECT_EQ(Ask("DELETE", "/v1/staff/anna/sessions").status, 204);
  EXPECT_EQ(Ask("GET", "/v1/session", "", "", {{"cookie", second}}).status, 401);
}

TEST_F(PeopleRoutesTest, GuessingIsSlowedDown) {
  Firm();
  int refused = 0;
  // However slow the machine is, the waits outgrow it.
  for (int i = 0; i < 40 && refused == 0; ++i) {
    const HttpAnswer answer =
        Ask("POST", "/v1/session", R"({"e_mail":"anna@firm.example","password":"a guess"})", "");
    if (answer.status != 429) continue;
    ++refused;
    EXPECT_NE(answer.HeaderValue("retry-after"), "");
  }
  EXPECT_GT(refused, 0);
}

TEST_F(PeopleRoutesTest, InvitationsAreForThoseWhoCanSignIn) {
  Firm();
  EXPECT_EQ(Ask("POST", "/v1/staff/nobody/invitation").status, 404);
  EXPECT_THAT(Ask("POST", "/v1/staff/ben/invitation").body, HasSubstr("has no e-mail address"));
}

TEST_F(PeopleRoutesTest, TheAuditTellsWhoLookedAtAClient) {
  Firm();
  EXPECT_EQ(Ask("GET", "/v1/clients/c1").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/clients/c1").status, 200) << "within ten minutes it counts once";
  EXPECT_EQ(Ask("GET", "/v1/clients/c2").status, 200);
  query::v1::AuditList audit;
  do {
    audit = Told<query::v1::AuditList>(Ask("GET", "/v1/audit?client=c1"));
  } while (audit.entries().empty());
  ASSERT_THAT(audit.entries(), SizeIs(1));
  EXPECT_EQ(audit.entries(0).actor(), "command line");
  EXPECT_EQ(audit.entries(0).action(), "read_client");
  EXPECT_EQ(audit.entries(0).route(), "GET /v1/clients/{id}");
  EXPECT_EQ(audit.entries(0).client_address(), "127.0.0.1");
  do {
    audit = Told<query::v1::AuditList>(Ask("GET", "/v1/audit?limit=1"));
  } while (audit.entries().empty() || audit.entries(0).client_id() != "c2");
  EXPECT_TRUE(audit.more());
  EXPECT_THAT(Told<query::v1::AuditList>(Ask("GET", "/v1/audit?person=anna")).entries(), IsEmpty());
  EXPECT_THAT(Told<query::v1::AuditList>(Ask("GET", "/v1/audit?to=2020-01-01T00:00:00Z")).entries(),
              IsEmpty());
  EXPECT_EQ(Ask("GET", "/v1/audit?limit=0").status, 400);
}

TEST_F(PeopleRoutesTest, TheSignInPageHasItsOwnScriptAlone) {
  const HttpAnswer page = Ask("GET", "/sign-in", "", "");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.HeaderValue("content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("autocomplete=\"current-password\""));
  // Without a provider, the way to it leads to the page.
  const HttpAnswer to = Ask("GET", "/v1/sign-in", "", "");
  EXPECT_EQ(to.status, 303);
  EXPECT_EQ(to.HeaderValue("location"), "/sign-in");
}

}  // namespace
}  // namespace rapport
