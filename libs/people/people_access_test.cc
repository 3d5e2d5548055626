#include "libs/people/people_access.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// One log, and as many processes on it as a test needs.
class PeopleAccessTest : public ::testing::Test {
 protected:
  struct Process {
    std::unique_ptr<OrganisationLog> organisation;
    std::unique_ptr<AccessLog> log;
    std::unique_ptr<PeopleAccess> access;
  };

  PeopleAccessTest() { now_ = absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone()); }

  Process Open(PeopleAccess::Options options = {}) {
    const auto now = [this] { return now_; };
    options.now = now;
    if (options.key.empty()) options.key = "the key of this deployment";
    Process process;
    process.organisation = *OrganisationLog::Open(log_.get(), "organisation", now);
    process.log = *AccessLog::Open(log_.get(), "access", now);
    process.access = std::make_unique<PeopleAccess>(std::move(options), process.organisation.get(),
                                                    process.log.get(), nullptr);
    return process;
  }

  void Staff(Process& process, const std::string& text) {
    query::v1::StaffOrder order;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &order)) << text;
    ASSERT_OK(process.organisation->Carry(order, "test", false).status());
  }
  void MakeToken(Process& process, const std::string& name, const std::string& scope,
                 absl::Time until = absl::InfiniteFuture()) {
    access::v1::AccessRecord record;
    record.mutable_token_made()->set_token_id(name);
    record.mutable_token_made()->set_secret_hash(Sha256("secret of " + name));
    record.mutable_token_made()->add_scopes(scope);
    record.mutable_token_made()->set_source("crm");
    if (until != absl::InfiniteFuture()) {
      ToProto(until, record.mutable_token_made()->mutable_expires_at());
    }
    ASSERT_OK(process.log->Write(std::move(record), "test"));
  }

  static HttpRequest Get(const std::string& path = "/v1/clients") {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    return request;
  }
  static HttpRequest With(HttpRequest request, const std::string& name, const std::string& value) {
    request.headers.push_back({name, value});
    return request;
  }
  static HttpRequest WithToken(const std::string& secret, HttpRequest request = Get()) {
    return With(std::move(request), "authorization", "Bearer " + secret);
  }
  // A session's request: "rapport=...; Path=/; ..." becomes the cookie.
  static HttpRequest WithCookie(const std::string& set_cookie, HttpRequest request = Get()) {
    const std::vector<std::string> parts = absl::StrSplit(set_cookie, ';');
    return With(std::move(request), "cookie", parts[0]);
  }

  // "200 anna", or the status and why.
  static std::string Outcome(Process& process, const HttpRequest& request,
                             const std::string& pattern = "/v1/clients") {
    const Access::Admission admission = process.access->Admit(request, pattern);
    if (!admission.refusal) return absl::StrCat("200 ", admission.caller->Name());
    return absl::StrCat(admission.refusal->status, " ", admission.refusal->body);
  }

  absl::Time now_;
  const std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
};

constexpr char kFirm[] = R"(
    units { unit_id: "red" }
    people { person_id: "anna" unit_id: "red" leads: true roles: "relationship_manager" }
    people { person_id: "ben" unit_id: "red" roles: "relationship_manager" }
    people { person_id: "carl" roles: "relationship_manager" }
    people { person_id: "dora" roles: "director" }
    people { person_id: "olga" roles: "operator" })";

TEST_F(PeopleAccessTest, NobodyIsAskedUntilThereIsSomethingToProveItBy) {
  Process process =
      Open({.master_tokens = {{.secret = "local", .name = "command line", .closes = false}}});
  EXPECT_FALSE(process.access->controlled());
  EXPECT_EQ(Outcome(process, Get()), "200 ");
  EXPECT_EQ(Outcome(process, WithToken("local")), "200 command line");
  EXPECT_THAT(Outcome(process, WithToken("guess")), HasSubstr("401"));
  MakeToken(process, "crm", "read");
  EXPECT_TRUE(process.access->controlled());
  EXPECT_THAT(Outcome(process, Get()), AllOf(HasSubstr("401"), HasSubstr("please sign in")));
  EXPECT_EQ(Outcome(process, WithToken("local")), "200 command line");
}

TEST_F(PeopleAccessTest, TokensMayWhatTheirScopesSayUntilTheyAreRevokedOrExpire) {
  Process process = Open();
  MakeToken(process, "reader", "read");
  MakeToken(process, "writer", "touchpoints:write", now_ + absl::Hours(1));
  const HttpRequest reads = WithToken("secret of reader");
  EXPECT_EQ(Outcome(process, reads), "200 token:reader");
  EXPECT_EQ(Outcome(process, WithToken("secret of reader", Get()), ""), "200 token:reader");
  HttpRequest post = reads;
  post.method = "POST";
  EXPECT_THAT(Outcome(process, post, "/v1/touchpoints"),
              AllOf(HasSubstr("403"), HasSubstr("it needs write_touchpoints")));
  HttpRequest writes = WithToken("secret of writer");
  writes.method = "POST";
  EXPECT_EQ(Outcome(process, writes, "/v1/touchpoints"), "200 token:writer");
  EXPECT_EQ(process.access->Admit(writes, "/v1/touchpoints").caller->source, "crm");
  EXPECT_THAT(Outcome(process, WithToken("secret of writer")), HasSubstr("403"));
  now_ += absl::Hours(1);
  EXPECT_THAT(Outcome(process, writes, "/v1/touchpoints"),
              AllOf(HasSubstr("401"), HasSubstr("held until")));
  access::v1::AccessRecord revoked;
  revoked.mutable_token_revoked()->set_token_id("reader");
  ASSERT_OK(process.log->Write(std::move(revoked), "test"));
  EXPECT_THAT(Outcome(process, reads), HasSubstr("401"));
}

TEST_F(PeopleAccessTest, ARouteWithoutARuleIsForThoseWhoMayEverything) {
  Process process = Open({.master_tokens = {{.secret = "master", .name = "master"}}});
  MakeToken(process, "reader", "read");
  EXPECT_EQ(Outcome(process, WithToken("master"), "/v1/new"), "200 master");
  EXPECT_THAT(Outcome(process, WithToken("secret of reader"), "/v1/new"), HasSubstr("403"));
}

TEST_F(PeopleAccessTest, ASessionSeesWhatTheOrganisationGives) {
  Process process = Open();
  Staff(process, kFirm);
  const auto owners = [&](const std::string& person) {
    const auto cookie = process.access->BeginSession(person, "test", {}, Get());
    EXPECT_OK(cookie.status());
    const auto caller = process.access->Admit(WithCookie(*cookie), "/v1/clients").caller;
    return caller->sees_all
               ? std::vector<std::string>{"all"}
               : std::vector<std::string>(caller->owners->begin(), caller->owners->end());
  };
  EXPECT_THAT(owners("anna"), UnorderedElementsAre("anna", "ben"));
  EXPECT_THAT(owners("ben"), UnorderedElementsAre("ben"));
  EXPECT_THAT(owners("dora"), UnorderedElementsAre("all"));
  // A deputy, from the first moment to the last.
  Staff(process, absl::StrCat("people { person_id: 'carl' absences { deputy_id: 'ben' from_at { "
                              "seconds: ",
                              absl::ToUnixSeconds(now_ + absl::Seconds(10)), " } to_at { seconds: ",
                              absl::ToUnixSeconds(now_ + absl::Seconds(20)), " } } }"));
  EXPECT_THAT(owners("ben"), UnorderedElementsAre("ben"));
  now_ += absl::Seconds(10);
  EXPECT_THAT(owners("ben"), UnorderedElementsAre("ben", "carl"));
  now_ += absl::Seconds(10);
  EXPECT_THAT(owners("ben"), UnorderedElementsAre("ben"));
  // Groups at a provider give roles beside one's own.
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       process.access->BeginSession("ben", "test", {"director"}, Get()));
  EXPECT_TRUE(process.access->Admit(WithCookie(cookie), "/v1/clients").caller->sees_all);
  ASSERT_OK_AND_ASSIGN(const std::string operator_cookie,
                       process.access->BeginSession("olga", "test", {}, Get()));
  EXPECT_THAT(Outcome(process, WithCookie(operator_cookie)), HasSubstr("403"));
}

// What one role sees of all is no reach for what another may do.
TEST_F(PeopleAccessTest, RolesThatMeetGiveEachItsOwnReach) {
  Process process = Open();
  Staff(process, kFirm);
  Staff(process,
        "people { person_id: 'ben' roles: 'relationship_manager' roles: 'analyst' }"
        "people { person_id: 'anna' roles: 'auditor' }");
  const auto ask = [&](const std::string& person, const std::string& method,
                       const std::string& pattern) {
    const auto cookie = process.access->BeginSession(person, "test", {}, Get());
    EXPECT_OK(cookie.status());
    HttpRequest request = With(WithCookie(*cookie), "sec-fetch-site", "same-origin");
    request.method = method;
    const auto caller = process.access->Admit(request, pattern).caller;
    EXPECT_NE(caller, nullptr) << person << " " << pattern;
    return caller;
  };
  EXPECT_TRUE(ask("ben", "GET", "/v1/pipeline/board")->sees_all);
  EXPECT_FALSE(ask("ben", "GET", "/v1/pipeline/board")->MayForAll(Permission::kReadClients));
  EXPECT_FALSE(ask("ben", "GET", "/v1/clients")->sees_all);
  EXPECT_TRUE(ask("ben", "GET", "/v1/clients")->Sees("ben"));
  EXPECT_FALSE(ask("ben", "GET", "/v1/clients")->Sees("carl"));
  // She leads the reds and audits the firm: reads all, and hands over what is the reds'.
  EXPECT_TRUE(ask("anna", "GET", "/v1/clients")->sees_all);
  const auto hands_over = ask("anna", "POST", "/v1/handovers");
  EXPECT_FALSE(hands_over->sees_all);
  EXPECT_TRUE(hands_over->Sees("ben"));
  EXPECT_FALSE(hands_over->Sees("carl"));
}

TEST_F(PeopleAccessTest, ASessionEndsByItselfByOrderAndWithThePerson) {
  Process process = Open({.session_idle = absl::Hours(1), .session_length = absl::Hours(8)});
  Staff(process, kFirm);
  MakeToken(process, "any", "read");
  const auto begin = [&] { return *process.access->BeginSession("anna", "test", {}, Get()); };
  std::string cookie = begin();
  EXPECT_EQ(Outcome(process, WithCookie(cookie)), "200 anna");
  // Used now and then, it goes on; then it is left alone.
  for (int i = 0; i < 4; ++i) {
    now_ += absl::Minutes(50);
    EXPECT_EQ(Outcome(process, WithCookie(cookie)), "200 anna");
  }
  now_ += absl::Minutes(61);
  EXPECT_THAT(Outcome(process, WithCookie(cookie)), HasSubstr("nobody used it"));
  // However much it is used, it ends at last.
  cookie = begin();
  for (int i = 0; i < 10; ++i) {
    now_ += absl::Minutes(45);
    EXPECT_EQ(Outcome(process, WithCookie(cookie)), "200 anna") << i;
  }
  now_ += absl::Minutes(45);
  EXPECT_THAT(Outcome(process, WithCookie(cookie)), HasSubstr("the session is over"));
  // Signed out.
  cookie = begin();
  ASSERT_OK(process.access->EndSession(WithCookie(cookie)).status());
  EXPECT_THAT(Outcome(process, WithCookie(cookie)), HasSubstr("401"));
  // Whoever leaves is out at that moment.
  cookie = begin();
  Staff(process, absl::StrCat("people { person_id: 'anna' left_at { seconds: ",
                              absl::ToUnixSeconds(now_ + absl::Seconds(5)), " } }"));
  EXPECT_EQ(Outcome(process, WithCookie(cookie)), "200 anna");
  now_ += absl::Seconds(5);
  EXPECT_THAT(Outcome(process, WithCookie(cookie)), HasSubstr("does not work here any more"));
  EXPECT_FALSE(process.access->BeginSession("anna", "test", {}, Get()).ok());
}

TEST_F(PeopleAccessTest, OneSessionIsGoodForAllProcessesAndItsEndToo) {
  Process one = Open();
  Staff(one, kFirm);
  MakeToken(one, "any", "read");
  Process other = Open();
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       one.access->BeginSession("anna", "test", {}, Get()));
  // Whether it has heard of it or not.
  EXPECT_EQ(Outcome(other, WithCookie(cookie)), "200 anna");
  ASSERT_OK(other.access->EndSession(WithCookie(cookie)).status());
  ASSERT_OK(one.log->CatchUp(absl::Seconds(60)));
  EXPECT_THAT(Outcome(one, WithCookie(cookie)), HasSubstr("401"));
  EXPECT_THAT(Outcome(other, WithCookie(cookie)), HasSubstr("401"));
  // After a restart, too.
  Process later = Open();
  EXPECT_THAT(Outcome(later, WithCookie(cookie)), HasSubstr("401"));
  Process stranger = Open({.key = "another key"});
  ASSERT_OK_AND_ASSIGN(const std::string fresh,
                       one.access->BeginSession("anna", "test", {}, Get()));
  EXPECT_THAT(Outcome(stranger, WithCookie(fresh)), HasSubstr("401"));
}

TEST_F(PeopleAccessTest, ATicketThatWasChangedIsNone) {
  Process process = Open();
  Staff(process, kFirm);
  MakeToken(process, "any", "read");
  ASSERT_OK_AND_ASSIGN(std::string cookie, process.access->BeginSession("anna", "test", {}, Get()));
  cookie = cookie.substr(0, cookie.find(';'));
  for (size_t i = cookie.find('=') + 1; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last character of base64 has bits that mean nothing.
    const bool last = i + 1 == cookie.size() || cookie[i + 1] == '.';
    if (last) continue;
    EXPECT_THAT(Outcome(process, WithCookie(changed)), HasSubstr("401")) << i;
  }
  EXPECT_THAT(Outcome(process, WithCookie("rapport=")), HasSubstr("401"));
  EXPECT_THAT(Outcome(process, WithCookie("rapport=a.b.c")), HasSubstr("401"));
}

TEST_F(PeopleAccessTest, WhatChangesSomethingComesFromAPageOfOurs) {
  Process process = Open();
  Staff(process, kFirm);
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       process.access->BeginSession("anna", "test", {}, Get()));
  HttpRequest post = WithCookie(cookie);
  post.method = "POST";
  const std::string route = "/v1/alerts/{id...}/acknowledge";
  EXPECT_THAT(Outcome(process, post, route), HasSubstr("403"));
  EXPECT_THAT(Outcome(process, With(post, "sec-fetch-site", "cross-site"), route),
              HasSubstr("403"));
  EXPECT_THAT(Outcome(process, With(post, "sec-fetch-site", "same-site"), route), HasSubstr("403"));
  EXPECT_EQ(Outcome(process, With(post, "sec-fetch-site", "same-origin"), route), "200 anna");
  // The server has refused origins that are not ours before it asks.
  EXPECT_EQ(Outcome(process, With(post, "origin", "https://rapport.firm.example"), route),
            "200 anna");
}

TEST_F(PeopleAccessTest, CookiesAreForTheServerAlone) {
  Process process = Open();
  Staff(process, kFirm);
  ASSERT_OK_AND_ASSIGN(const std::string plain,
                       process.access->BeginSession("anna", "test", {}, Get()));
  EXPECT_THAT(plain, AllOf(HasSubstr("; HttpOnly"), HasSubstr("; SameSite=Lax"),
                           HasSubstr("; Path=/"), Not(HasSubstr("Domain"))));
  HttpRequest secure = Get();
  secure.secure = true;
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       process.access->BeginSession("anna", "test", {}, secure));
  EXPECT_TRUE(absl::StartsWith(cookie, "__Host-rapport="));
  EXPECT_THAT(cookie, HasSubstr("; Secure"));
  // Each sign-in has a session of its own: one that somebody else put there before is not used.
  EXPECT_NE(plain.substr(0, 60), cookie.substr(7, 60));
}

TEST_F(PeopleAccessTest, AGatewayVouchesForWhoAsksIt) {
  Process gateway = Open();
  Staff(gateway, kFirm);
  MakeToken(gateway, "any", "read");
  Process service = Open();
  ASSERT_OK_AND_ASSIGN(const std::string cookie,
                       gateway.access->BeginSession("anna", "test", {}, Get()));
  HttpRequest asked = WithCookie(cookie);
  asked.caller = gateway.access->Admit(asked, "/v1/clients").caller;
  const std::vector<Header> vouched = gateway.access->Vouch(asked);
  ASSERT_EQ(vouched.size(), 1u);
  const HttpRequest passed_on = With(Get(), vouched[0].name, vouched[0].value);
  EXPECT_EQ(Outcome(service, passed_on), "200 anna");
  EXPECT_THAT(*service.access->Admit(passed_on, "/v1/clients").caller->owners,
              UnorderedElementsAre("anna", "ben"));
  HttpRequest post = passed_on;
  post.method = "POST";
  EXPECT_THAT(Outcome(service, post, "/v1/staff"), HasSubstr("403"));
  // Signed by others, changed, or too old.
  EXPECT_THAT(Outcome(service, With(Get(), vouched[0].name, "x" + vouched[0].value)),
              HasSubstr("401"));
  Process stranger = Open({.key = "another key"});
  EXPECT_THAT(Outcome(stranger, passed_on), HasSubstr("not signed by this deployment"));
  now_ += absl::Minutes(3);
  EXPECT_THAT(Outcome(service, passed_on), HasSubstr("do the clocks of the machines differ?"));
  // A session's ticket is no statement, nor the other way round.
  const std::string ticket = cookie.substr(cookie.find('=') + 1, cookie.find(';') - 8);
  EXPECT_THAT(Outcome(service, With(Get(), vouched[0].name, ticket)), HasSubstr("401"));
}

TEST_F(PeopleAccessTest, ATokenIsVouchedForAsItIs) {
  Process gateway = Open();
  MakeToken(gateway, "crm", "touchpoints:write");
  HttpRequest asked = WithToken("secret of crm");
  asked.method = "POST";
  asked.caller = gateway.access->Admit(asked, "/v1/touchpoints").caller;
  const std::vector<Header> vouched = gateway.access->Vouch(asked);
  HttpRequest passed_on = With(Get(), vouched[0].name, vouched[0].value);
  passed_on.method = "POST";
  Process service = Open();
  const Access::Admission admission = service.access->Admit(passed_on, "/v1/touchpoints");
  ASSERT_NE(admission.caller, nullptr);
  EXPECT_EQ(admission.caller->Name(), "token:crm");
  EXPECT_EQ(admission.caller->source, "crm");
  EXPECT_THAT(Outcome(service, passed_on, "/v1/staff"), HasSubstr("403"));
}

}  // namespace
}  // namespace rapport
