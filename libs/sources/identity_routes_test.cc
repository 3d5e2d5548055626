#include "libs/sources/identity_routes.h"

#include "google/protobuf/util/json_util.h"
#include "libs/service/http_client.h"
#include "libs/sources/contact_resolver.h"
#include "libs/sources/identity_reviews.h"
#include "libs/sources/test_identities.h"
#include "rapport/query/v1/identity.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kPatience;
using testing::Mail;
using testing::Phone;

constexpr char kPhone[] = "+49301234567";

class IdentityRoutesTest : public testing::IdentityFixture {
 protected:
  void Serve() {
    index_ = StartIndex();
    auto server = HttpServer::Create({}, &metrics_);
    ASSERT_OK(server);
    http_ = *std::move(server);
    routes_.emplace(index_.get(), log_.get(), "touchpoints",
                    [this] { return testing::Day(100) + absl::Hours(made_); });
    routes_->AddTo(http_.get());
    ASSERT_OK(http_->Start());
  }
  HttpAnswer Get(const std::string& path) {
    EXPECT_OK(index_->CatchUp(kPatience));
    const auto answer = client_.Fetch({.url = http_->address() + path});
    EXPECT_OK(answer);
    return answer.ok() ? *answer : HttpAnswer();
  }
  HttpAnswer Reject(const std::string& review_id, const std::string& body) {
    EXPECT_OK(index_->CatchUp(kPatience));
    const auto answer = client_.Fetch(
        {.method = "POST",
         .url = absl::StrCat(http_->address(), "/v1/identities/reviews/", review_id, "/reject"),
         .headers = {{"Content-Type", "application/json"}},
         .body = body});
    EXPECT_OK(answer);
    return answer.ok() ? *answer : HttpAnswer();
  }
  template <class Message>
  Message Read(const std::string& path) {
    const HttpAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 200) << answer.body;
    Message message;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok())
        << answer.body;
    return message;
  }
  query::v1::IdentityAnswer Whose(const std::string& query) {
    return Read<query::v1::IdentityAnswer>("/v1/identities?" + query);
  }

  std::unique_ptr<IdentifierIndex> index_;
  std::optional<IdentityRoutes> routes_;
  Metrics metrics_;
  std::unique_ptr<HttpServer> http_;
  HttpClient client_;
};

TEST_F(IdentityRoutesTest, TellsWhoseAnIdentifierIs) {
  AddPerson("bakery", "anna", kPhone);
  Serve();
  const query::v1::IdentityAnswer answer = Whose("phone=030%201234567");
  EXPECT_EQ(answer.identifier().value(), kPhone);
  EXPECT_EQ(answer.identifier().kind(), touchpoint::v1::IDENTIFIER_KIND_PHONE);
  EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_ONE);
  EXPECT_EQ(answer.explanation(), "It names one client.");
  EXPECT_EQ(answer.client_id(), "bakery");
  ASSERT_EQ(answer.clients_size(), 1);
  EXPECT_EQ(answer.clients(0).origin(), query::v1::IDENTITY_ORIGIN_STAKEHOLDER);
  EXPECT_EQ(answer.clients(0).stakeholder_id(), "anna");
  EXPECT_EQ(FromProto(answer.clients(0).claimed_at()), testing::Day(0) + absl::Hours(made_));
  EXPECT_EQ(answer.watermark().partitions_size(), kPartitions);
}

TEST_F(IdentityRoutesTest, TellsWhy) {
  rules_.shared_by_clients = 3;
  Serve();
  const std::string unknown = ProvisionalClientId(Mail("anna@example.com"));
  query::v1::IdentityAnswer answer = Whose("e_mail=Anna@Example.com");
  EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_UNKNOWN);
  EXPECT_EQ(answer.client_id(), unknown);
  const std::string caller = ProvisionalClientId(Phone(kPhone));
  Append(CallOf(caller, kPhone));
  answer = Whose("phone=%2B49301234567");
  EXPECT_EQ(answer.explanation(), "A provisional client was made of it.");
  EXPECT_TRUE(answer.clients(0).provisional());
  Merge(caller, "bakery");
  answer = Whose("phone=%2B49301234567");
  EXPECT_EQ(answer.explanation(), absl::StrCat("It names a client who absorbed ", caller, "."));
  EXPECT_EQ(answer.client_id(), "bakery");
  EXPECT_THAT(answer.clients(0).former_client_ids(), ElementsAre(caller));
  EXPECT_EQ(answer.clients(0).origin(), query::v1::IDENTITY_ORIGIN_MET);
  AddPerson("mill", "anna", kPhone);
  answer = Whose("phone=%2B49301234567");
  EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_CONTRADICTION);
  EXPECT_EQ(answer.client_id(), "mill");
  AddPerson("farm", "anna", kPhone);
  answer = Whose("phone=%2B49301234567");
  EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_SHARED);
  EXPECT_EQ(answer.explanation(), "3 clients have it, and 3 are enough for it to name nobody.");
  EXPECT_EQ(answer.client_count(), 3);
}

TEST_F(IdentityRoutesTest, WhatIsOursIsNobodys) {
  rules_.own_domains = OwnDomains({"firm.example"});
  rules_.own_numbers = OwnNumbers({"+4930999"});
  Serve();
  for (const char* const ours : {"e_mail=info@firm.example", "phone=%2B4930999111"}) {
    const query::v1::IdentityAnswer answer = Whose(ours);
    EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_UNKNOWN);
    EXPECT_EQ(answer.explanation(), "It is ours; a contact is with who is at the other end.");
    EXPECT_EQ(answer.client_id(), "");
  }
  EXPECT_NE(Whose("e_mail=info@client.example").client_id(), "");
}

TEST_F(IdentityRoutesTest, AsksByEveryKind) {
  Link("bakery", {touchpoint::v1::IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"});
  Link("bakery", {touchpoint::v1::IDENTIFIER_KIND_ACCOUNT_NUMBER, "12", ""});
  Link("bakery", {touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN, "anna", "shop"});
  Serve();
  EXPECT_EQ(Whose("crm_id=4711&issuer=crm-berlin").client_id(), "bakery");
  EXPECT_EQ(Whose("crm_id=4711").standing(), query::v1::IDENTITY_STANDING_UNKNOWN);
  EXPECT_EQ(Whose("account=12").client_id(), "bakery");
  EXPECT_EQ(Whose("login=anna&issuer=shop").client_id(), "bakery");
}

TEST_F(IdentityRoutesTest, RefusesWhatNamesNoIdentifier) {
  Serve();
  for (const auto& [query, message] : std::map<std::string, std::string>{
           {"", "name an identifier: one of phone=, e_mail=, crm_id=, account=, login="},
           {"?phone=anonymous", "phone: the number is withheld"},
           {"?phone=201", "phone: '201' is an extension"},
           {"?e_mail=anna", "e_mail: 'anna' is no e-mail address"},
           {"?phone=0301234567&account=1", "ask for one identifier at a time"},
           {"?fax=1", "fax"}}) {
    const HttpAnswer answer = Get("/v1/identities" + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, HasSubstr(message));
  }
}

TEST_F(IdentityRoutesTest, ListsWhatAPersonHasToDecide) {
  AddPerson("bakery", "anna", kPhone);
  AddPerson("mill", "anna", kPhone);
  Serve();
  query::v1::IdentityReviews answer =
      Read<query::v1::IdentityReviews>("/v1/identities/reviews?limit=5");
  ASSERT_EQ(answer.reviews_size(), 1);
  EXPECT_EQ(answer.reviews(0).client_id(), "mill");
  EXPECT_EQ(answer.reviews(0).other_client_id(), "bakery");
  EXPECT_EQ(answer.reviews(0).identifiers(0).value(), kPhone);
  EXPECT_FALSE(answer.reviews(0).has_occurred_at());
  touchpoint::v1::Touchpoint call = CallOf("mill", kPhone);
  AddContradiction(Phone(kPhone), Phone(kPhone), "bakery", &call);
  Append(call);
  const absl::Time called_at = FromProto(call.occurred_at());
  answer = Read<query::v1::IdentityReviews>("/v1/identities/reviews");
  ASSERT_EQ(answer.reviews_size(), 1);
  EXPECT_EQ(answer.reviews(0).touchpoint(), absl::StrCat("test ", call.source_event_id()));
  EXPECT_EQ(FromProto(answer.reviews(0).occurred_at()), called_at);
  EXPECT_EQ(FromProto(answer.reviews(0).last_occurred_at()), called_at);
  EXPECT_EQ(answer.reviews(0).contacts(), 1);
  EXPECT_EQ(Get("/v1/identities/reviews?limit=0").status, 400);
}

TEST_F(IdentityRoutesTest, AReviewThatIsRejectedComesBackNoMore) {
  AddPerson("bakery", "anna", kPhone);
  AddPerson("mill", "anna", kPhone);
  Serve();
  const auto reviews = [this] {
    return Read<query::v1::IdentityReviews>("/v1/identities/reviews").reviews();
  };
  ASSERT_EQ(reviews().size(), 1);
  const std::string id = reviews().Get(0).review_id();
  EXPECT_EQ(id, ReviewIdOf("bakery", "mill"));
  EXPECT_EQ(Reject("0123", "{}").status, 404);
  EXPECT_EQ(Reject(id, R"({"why": "x"})").status, 400);
  const HttpAnswer answer = Reject(id, R"({"reason": "father and son"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  query::v1::ReviewRejected rejected;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &rejected).ok());
  EXPECT_EQ(rejected.review_id(), id);
  EXPECT_EQ(rejected.client_id(), "mill");
  EXPECT_EQ(rejected.other_client_id(), "bakery");
  EXPECT_EQ(reviews().size(), 0);
  const HttpAnswer again = Reject(id, "{}");
  EXPECT_EQ(again.status, 404);
  EXPECT_THAT(again.body, HasSubstr("there is no review '" + id + "' to decide"));
  // Nor does a contact that names both bring it back, or who they are found to be by now; a third
  // client is another matter.
  touchpoint::v1::Touchpoint call = CallOf("mill", kPhone);
  AddContradiction(Phone(kPhone), Phone(kPhone), "bakery", &call);
  Append(call);
  EXPECT_EQ(reviews().size(), 0);
  Merge("bakery", "bakery-group");
  EXPECT_EQ(reviews().size(), 0);
  AddPerson("farm", "anna", kPhone);
  EXPECT_EQ(reviews().size(), 2);
  // Another process, and this one after a restart, tell the same.
  const std::unique_ptr<IdentifierIndex> other = StartIndex("two");
  ASSERT_OK_AND_ASSIGN(const std::vector<IdentityReview> told, ListReviews(*other, 10));
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(IdentityRoutesTest, AMarkThatIsUnlinkedNamesTheClientNoMore) {
  Link("bakery", Phone(kPhone));
  Link("mill", Phone(kPhone));
  Serve();
  EXPECT_EQ(Whose("phone=030%201234567").standing(), query::v1::IDENTITY_STANDING_CONTRADICTION);
  touchpoint::v1::Touchpoint unlinked = Make("mill");
  unlinked.mutable_identifier_unlinked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_PHONE);
  unlinked.mutable_identifier_unlinked()->set_value("030 1234567");
  Append(unlinked);
  const query::v1::IdentityAnswer answer = Whose("phone=030%201234567");
  EXPECT_EQ(answer.standing(), query::v1::IDENTITY_STANDING_ONE);
  EXPECT_EQ(answer.client_id(), "bakery");
  EXPECT_EQ(Read<query::v1::IdentityReviews>("/v1/identities/reviews").reviews_size(), 0);
  Link("mill", Phone(kPhone));
  EXPECT_EQ(Whose("phone=030%201234567").standing(), query::v1::IDENTITY_STANDING_CONTRADICTION);
}

}  // namespace
}  // namespace rapport
