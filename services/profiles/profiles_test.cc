#include "services/profiles/profiles.h"

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/commitment.pb.h"
#include "rapport/query/v1/search.pb.h"
#include "services/profiles/client_answer.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

class ProfilesTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    auto service = StartProfiles(env());
    ASSERT_OK(service);
    service_ = *std::move(service);
    Serve({service_.get()});
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  static Touchpoint Registered(const std::string& client, const std::string& name,
                               const std::string& owner,
                               touchpoint::v1::Segment segment = touchpoint::v1::SEGMENT_BUSINESS) {
    Touchpoint touchpoint = testing::MakeTouchpoint(Touchpoint::kClientRegistered, client,
                                                    absl::StrCat("reg-", client), testing::Day(0));
    touchpoint.set_owner_id(owner);
    touchpoint.set_channel(touchpoint::v1::CHANNEL_PORTAL);
    auto& details = *touchpoint.mutable_client_registered()->mutable_details();
    details.set_name(name);
    details.set_segment(segment);
    return touchpoint;
  }
  static Touchpoint Called(const std::string& client, int number) {
    return testing::MakeTouchpoint(Touchpoint::kCallCompleted, client,
                                   absl::StrCat("call-", client, number), testing::Day(number));
  }

  // Posts a CloudEvent of the client `client` as a person would; the answer.
  HttpAnswer Write(const std::string& client, const std::string& id, const std::string& kind,
                   const std::string& data) {
    const std::string event =
        absl::StrCat(R"({"specversion":"1.0","source":"console","id":")", id,
                     R"(","type":"rapport.touchpoint.v1.)", kind, R"(","subject":")", client,
                     R"(","time":"2026-01-05T10:00:00Z","data":)", data, "}");
    return Send(absl::StrCat("/v1/clients/", client, "/touchpoints"), event);
  }
  HttpAnswer Send(const std::string& path, const std::string& body) {
    auto answer =
        client_.Fetch({.method = "POST",
                       .url = http_->address() + path,
                       .headers = {{"content-type", body.empty() || body.front() != '['
                                                        ? "application/cloudevents+json"
                                                        : "application/cloudevents-batch+json"}},
                       .body = body,
                       .timeout = absl::Seconds(100)});
    RAPPORT_CHECK(answer.ok(), answer.status().ToString());
    return *std::move(answer);
  }
  static std::string WaitFor(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 202) << answer.body;
    const std::string mark = "\"position\":\"";
    const size_t begin = answer.body.rfind(mark) + mark.size();
    return "wait_for=" + answer.body.substr(begin, answer.body.find('"', begin) - begin);
  }

  // All pages of a list of clients, in their order.
  std::vector<std::string> AllPages(const std::string& parameters, int limit) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      const auto page = Read<query::v1::ClientList>(
          absl::StrCat("/v1/clients?limit=", limit, parameters,
                       cursor.empty() ? "" : absl::StrCat("&cursor=", cursor)));
      for (const auto& client : page.clients()) ids.push_back(client.client_id());
      EXPECT_LE(page.clients_size(), limit);
      cursor = page.next_cursor();
    } while (!cursor.empty());
    return ids;
  }

  std::unique_ptr<Service> service_;
};

TEST_F(ProfilesTest, AReaderWhoWaitsReadsWhatItWrote) {
  const std::string wait = Append({Registered("anna", "Anna Berg", "otto")});
  const auto client = Read<query::v1::Client>("/v1/clients/anna?" + wait);
  EXPECT_EQ(client.facts().name(), "Anna Berg");
  EXPECT_EQ(client.owner_id(), "otto");
  EXPECT_EQ(client.touchpoint_count(), 1);
  ASSERT_EQ(client.watermark().partitions_size(), 1);
  EXPECT_EQ(client.watermark().partitions(0).partition(), PartitionOf("anna", kPartitions).value());
  EXPECT_EQ(client.watermark().partitions(0).position(), 1);
}

TEST_F(ProfilesTest, ListsAreByNameAndCanBeNarrowed) {
  const std::string wait =
      Append({Registered("c1", "Zoe", "otto"), Registered("c2", "anna", "otto"),
              Registered("c3", "Anton", "eva", touchpoint::v1::SEGMENT_CORPORATE),
              Registered("c4", "Berta", "otto", touchpoint::v1::SEGMENT_CORPORATE)});
  const auto list = Read<query::v1::ClientList>("/v1/clients?" + wait);
  ASSERT_THAT(list.clients(), SizeIs(4));
  EXPECT_EQ(list.clients(0).client_id(), "c2");
  EXPECT_EQ(list.clients(0).name(), "anna");
  EXPECT_EQ(FromProto(list.clients(0).last_touchpoint_at()), testing::Day(0));
  EXPECT_EQ(list.next_cursor(), "");
  EXPECT_EQ(list.watermark().partitions_size(), kPartitions);
  EXPECT_THAT(AllPages("", 1), ElementsAre("c2", "c3", "c4", "c1"));
  EXPECT_THAT(AllPages("&owner=otto", 2), ElementsAre("c2", "c4", "c1"));
  EXPECT_THAT(AllPages("&owner=nobody", 2), IsEmpty());
  EXPECT_THAT(AllPages("&q=AN", 1), ElementsAre("c2", "c3"));
  EXPECT_THAT(AllPages("&q=c4", 1), ElementsAre("c4"));
  EXPECT_THAT(AllPages("&q=an&owner=otto", 1), ElementsAre("c2"));
  EXPECT_THAT(AllPages("&segment=corporate", 1), ElementsAre("c3", "c4"));
  EXPECT_THAT(AllPages("&segment=SEGMENT_CORPORATE&owner=eva", 1), ElementsAre("c3"));
}

TEST_F(ProfilesTest, ClientsAreListedByAnyWordOfTheirNames) {
  std::vector<Touchpoint> clients = {Registered("c1", "ООО \"Ромашка\"", "otto"),
                                     Registered("c2", "Żabka Polska", "eva"),
                                     Registered("c3", "Polska Żabka 2", "otto")};
  // More than are put into order one by one.
  for (int i = 0; i < 2'100; ++i) {
    clients.push_back(Registered(absl::StrCat("m", i), absl::StrCat("Muster ", i), "otto"));
  }
  const std::string wait = Append(clients);
  Read<query::v1::ClientList>("/v1/clients?limit=1&" + wait);
  EXPECT_THAT(AllPages("&q=%D0%BE%D0%BE%D0%BE%20%D1%80%D0%BE%D0%BC%D0%B0%D1%88", 1),
              ElementsAre("c1"));
  EXPECT_THAT(AllPages("&q=zabka", 1), ElementsAre("c3", "c2"));
  EXPECT_THAT(AllPages("&q=pol%20zab&owner=eva", 1), ElementsAre("c2"));
  EXPECT_THAT(AllPages("&q=muster%20209", 5),
              ElementsAre("m209", "m2090", "m2091", "m2092", "m2093", "m2094", "m2095", "m2096",
                          "m2097", "m2098", "m2099"));
  EXPECT_THAT(AllPages("&q=muster", 500), SizeIs(2'100));
  const auto counted = Read<query::v1::ClientList>("/v1/clients?q=muster&limit=1&count=true");
  EXPECT_EQ(counted.count(), 2'100);
  EXPECT_FALSE(counted.count_is_least());
  EXPECT_FALSE(Read<query::v1::ClientList>("/v1/clients?limit=1").has_count());
}

TEST_F(ProfilesTest, ClientsAreListedByTheirLastContact) {
  std::vector<Touchpoint> all;
  for (int i = 0; i < 5; ++i) {
    const std::string client = absl::StrCat("c", i);
    all.push_back(Registered(client, "Anna", i % 2 == 0 ? "otto" : "eva"));
    all.back().mutable_client_registered()->mutable_details()->set_key_account(i == 1);
    all.push_back(Called(client, 10 - i));
    all.back().set_owner_id(all[all.size() - 2].owner_id());
  }
  const std::string wait = Append(all);
  Read<query::v1::ClientList>("/v1/clients?" + wait);
  EXPECT_THAT(AllPages("&sort=last_contact", 2), ElementsAre("c4", "c3", "c2", "c1", "c0"));
  EXPECT_THAT(AllPages("&sort=last_contact&owner=otto", 1), ElementsAre("c4", "c2", "c0"));
  EXPECT_THAT(AllPages("&key_account=true", 1), ElementsAre("c1"));
  EXPECT_THAT(AllPages("&key_account=false&sort=last_contact", 9),
              ElementsAre("c4", "c3", "c2", "c0"));
  const auto page = Read<query::v1::ClientList>("/v1/clients?owner=otto&limit=1&count=true");
  EXPECT_EQ(page.count(), 3);
  EXPECT_EQ(FromProto(page.clients(0).last_touchpoint_at()), testing::Day(10));
}

TEST_F(ProfilesTest, WhatIsSearchedForIsFoundHoweverItIsWritten) {
  Touchpoint person =
      testing::MakeTouchpoint(Touchpoint::kStakeholderAdded, "c1", "person", testing::Day(1));
  person.set_owner_id("otto");
  auto& anna = *person.mutable_stakeholder_added()->mutable_stakeholder();
  anna.set_stakeholder_id("p1");
  anna.set_name("Łucja Müller");
  anna.set_role("buyer");
  anna.set_phone("+493012345678");
  anna.set_e_mail("lucja@firm.example");
  Touchpoint linked =
      testing::MakeTouchpoint(Touchpoint::kIdentifierLinked, "c2", "linked", testing::Day(1));
  linked.set_owner_id("eva");
  linked.mutable_identifier_linked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_CRM_ID);
  linked.mutable_identifier_linked()->set_value("CRM-4711");
  linked.mutable_identifier_linked()->set_stakeholder_id("");
  Touchpoint unlinked =
      testing::MakeTouchpoint(Touchpoint::kIdentifierUnlinked, "c2", "unlinked", testing::Day(2));
  unlinked.mutable_identifier_unlinked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_CRM_ID);
  unlinked.mutable_identifier_unlinked()->set_value("CRM-4712");
  Touchpoint linked_before =
      testing::MakeTouchpoint(Touchpoint::kIdentifierLinked, "c2", "before", testing::Day(1));
  *linked_before.mutable_identifier_linked() = linked.identifier_linked();
  linked_before.mutable_identifier_linked()->set_value("CRM-4712");
  Touchpoint deal = testing::MakeTouchpoint(Touchpoint::kDealOpened, "c3", "deal", testing::Day(2));
  deal.mutable_deal_opened()->set_deal_id("d-77");
  deal.mutable_deal_opened()->set_title("Kühlhaus Łódź");
  Touchpoint removed =
      testing::MakeTouchpoint(Touchpoint::kDealOpened, "c3", "other deal", testing::Day(2));
  removed.mutable_deal_opened()->set_deal_id("d-78");
  Touchpoint removal =
      testing::MakeTouchpoint(Touchpoint::kDealRemoved, "c3", "removal", testing::Day(3));
  removal.mutable_deal_removed()->set_deal_id("d-78");
  for (Touchpoint* const of_a_deal : {&deal, &removed, &removal}) of_a_deal->set_owner_id("otto");
  for (Touchpoint* const of_a_mark : {&linked_before, &unlinked}) of_a_mark->set_owner_id("eva");
  const std::string wait =
      Append({Registered("c1", "Żabka Polska", "otto"), Registered("c2", "ΟΔΥΣΣΕΥΣ AE", "eva"),
              Registered("c3", "Zabkas Nachbar", "otto"), person, linked, linked_before, unlinked,
              deal, removed, removal});
  Read<query::v1::ClientList>("/v1/clients?" + wait);
  const auto found = [&](const std::string& parameters) {
    std::vector<std::string> texts;
    const auto answer = Read<query::v1::SearchAnswer>("/v1/search?" + parameters);
    for (const auto& hit : answer.hits()) texts.push_back(hit.text());
    return texts;
  };
  EXPECT_THAT(found("q=zabka%20polska"), ElementsAre("Żabka Polska"));
  EXPECT_THAT(found("q=zab"), ElementsAre("Żabka Polska", "Zabkas Nachbar"));
  EXPECT_THAT(found("q=zab&owner=otto&limit=1"), ElementsAre("Żabka Polska"));
  EXPECT_THAT(found("q=zab&owner=eva"), IsEmpty());
  EXPECT_THAT(found("q=%CE%BF%CE%B4%CF%85%CF%83%CF%83%CE%B5%CF%8D%CF%82"),
              ElementsAre("ΟΔΥΣΣΕΥΣ AE"));
  EXPECT_THAT(found("q=c2"), ElementsAre("ΟΔΥΣΣΕΥΣ AE"));
  for (const char* phone : {"030%2012345678", "%2B49%2030%2012345678", "0049-30-1234%205678",
                            "%2B49%20(0)30%2F12345678", "12345678", "5678", "493012"}) {
    EXPECT_THAT(found(absl::StrCat("q=", phone)), ElementsAre("Łucja Müller")) << phone;
  }
  EXPECT_THAT(found("q=lucja@firm"), ElementsAre("Łucja Müller"));
  EXPECT_THAT(found("q=muller%20zabka"), ElementsAre("Łucja Müller")) << "of that client";
  EXPECT_THAT(found("q=muller%20nachbar"), IsEmpty());
  EXPECT_THAT(found("q=z%20za%20zabka%20p%20po"), ElementsAre("Żabka Polska"));
  EXPECT_THAT(found("q=4711"), ElementsAre("CRM-4711"));
  EXPECT_THAT(found("q=4712"), IsEmpty());
  EXPECT_THAT(found("q=lodz%20kuhl"), ElementsAre("Kühlhaus Łódź"));
  EXPECT_THAT(found("q=d-78"), IsEmpty());
  const auto deals = Read<query::v1::SearchAnswer>("/v1/search?q=d-77&owner=otto");
  ASSERT_THAT(deals.hits(), SizeIs(1));
  EXPECT_EQ(deals.hits(0).kind(), query::v1::SEARCH_KIND_DEAL);
  EXPECT_EQ(deals.hits(0).deal_id(), "d-77");
  EXPECT_EQ(deals.hits(0).client_id(), "c3");
  EXPECT_EQ(deals.hits(0).client_name(), "Zabkas Nachbar");
  EXPECT_EQ(deals.hits(0).text(), "Kühlhaus Łódź");
  const auto answer = Read<query::v1::SearchAnswer>("/v1/search?q=LUCJA");
  ASSERT_THAT(answer.hits(), SizeIs(1));
  EXPECT_EQ(answer.hits(0).kind(), query::v1::SEARCH_KIND_PERSON);
  EXPECT_EQ(answer.hits(0).client_id(), "c1");
  EXPECT_EQ(answer.hits(0).client_name(), "Żabka Polska");
  EXPECT_EQ(answer.hits(0).owner_id(), "otto");
  EXPECT_EQ(answer.hits(0).stakeholder_id(), "p1");
  EXPECT_EQ(answer.hits(0).role(), "buyer");
  EXPECT_FALSE(answer.more());
  EXPECT_TRUE(Read<query::v1::SearchAnswer>("/v1/search?q=z&limit=1").more());
}

TEST_F(ProfilesTest, AllPagesAreTheWholeAndWhatComesInBetweenMakesNoDoubles) {
  std::vector<Touchpoint> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(Registered(absl::StrCat("c", i), absl::StrCat("name ", i % 7), "otto"));
  }
  const std::string wait = Append(clients);
  Read<query::v1::ClientList>("/v1/clients?" + wait);
  std::set<std::string> seen;
  std::string cursor;
  int round = 0;
  do {
    const auto page = Read<query::v1::ClientList>(
        absl::StrCat("/v1/clients?limit=7", cursor.empty() ? "" : "&cursor=", cursor));
    for (const auto& client : page.clients()) {
      EXPECT_TRUE(seen.insert(client.client_id()).second) << client.client_id() << " comes twice";
    }
    cursor = page.next_cursor();
    // Before, at and behind the place of the page.
    const std::string more = Append({Registered(absl::StrCat("early", round), "aaa", "otto"),
                                     Registered(absl::StrCat("mid", round), "name 3", "otto"),
                                     Registered(absl::StrCat("late", round), "zzz", "otto")});
    Read<query::v1::ClientList>("/v1/clients?limit=1&" + more);
    ++round;
  } while (!cursor.empty() && round < 100);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(seen.count(absl::StrCat("c", i)) > 0) << i;
}

TEST_F(ProfilesTest, TheTimelineHasTheNewestFirst) {
  std::vector<Touchpoint> touchpoints = {Registered("anna", "Anna", "otto")};
  for (int i = 1; i <= 20; ++i) touchpoints.push_back(Called("anna", i));
  // A mail in two mailboxes is one line.
  Touchpoint delivered =
      testing::MakeTouchpoint(Touchpoint::kEmailDelivered, "anna", "delivered", testing::Day(20));
  touchpoints.push_back(delivered);
  const std::string wait = Append(touchpoints);
  auto page = Read<query::v1::Timeline>("/v1/clients/anna/timeline?limit=8&" + wait);
  ASSERT_THAT(page.touchpoints(), SizeIs(8));
  EXPECT_EQ(FromProto(page.touchpoints(0).occurred_at()), testing::Day(20));
  EXPECT_EQ(page.touchpoints(0).kind(), "call_completed");
  EXPECT_EQ(page.touchpoints(0).channel(), touchpoints[20].channel());
  EXPECT_EQ(page.touchpoints(0).summary(), SummaryLine(touchpoints[20]));
  EXPECT_EQ(page.touchpoints(0).touchpoint_id(),
            absl::BytesToHexString(touchpoints[20].event_id()));
  std::vector<absl::Time> times;
  for (;;) {
    for (const auto& entry : page.touchpoints()) times.push_back(FromProto(entry.occurred_at()));
    if (page.next_cursor().empty()) break;
    page =
        Read<query::v1::Timeline>("/v1/clients/anna/timeline?limit=8&cursor=" + page.next_cursor());
  }
  ASSERT_THAT(times, SizeIs(21));
  EXPECT_TRUE(std::is_sorted(times.rbegin(), times.rend()));
  const auto between = [&](int from, int to) {
    const auto text = [](int day) {
      return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", testing::Day(day), absl::UTCTimeZone());
    };
    return Read<query::v1::Timeline>(
               absl::StrCat("/v1/clients/anna/timeline?from=", text(from), "&to=", text(to)))
        .touchpoints_size();
  };
  EXPECT_EQ(between(5, 8), 3);
  EXPECT_EQ(between(8, 5), 0);
  EXPECT_EQ(Read<query::v1::Timeline>("/v1/clients/anna/timeline?channel=phone").touchpoints_size(),
            20);
  EXPECT_EQ(Read<query::v1::Timeline>("/v1/clients/anna/timeline?channel=letter&channel=fax")
                .touchpoints_size(),
            0);
}

TEST_F(ProfilesTest, TheTimelineCanBeNarrowed) {
  Touchpoint noted = Called("anna", 1);
  noted.set_direction(touchpoint::v1::DIRECTION_OUTBOUND);
  noted.mutable_call_completed()->set_purpose("Über die Lieferung nach Łódź");
  noted.add_stakeholder_ids("p1");
  Touchpoint left =
      testing::MakeTouchpoint(Touchpoint::kStakeholderLeft, "anna", "left", testing::Day(2));
  left.mutable_stakeholder_left()->set_stakeholder_id("p1");
  left.mutable_stakeholder_left()->clear_reason();
  Touchpoint answered = Called("anna", 3);
  answered.set_direction(touchpoint::v1::DIRECTION_INBOUND);
  const std::string wait = Append({Registered("anna", "Anna", "otto"), noted, left, answered});
  Read<query::v1::Timeline>("/v1/clients/anna/timeline?" + wait);
  const auto days = [&](const std::string& parameters) {
    std::vector<int64_t> found;
    const auto page = Read<query::v1::Timeline>("/v1/clients/anna/timeline?" + parameters);
    for (const auto& entry : page.touchpoints()) {
      found.push_back((FromProto(entry.occurred_at()) - testing::Day(0)) / absl::Hours(24));
    }
    EXPECT_EQ(page.next_cursor(), "") << parameters;
    return found;
  };
  EXPECT_THAT(days("kind=call_completed"), ElementsAre(3, 1));
  EXPECT_THAT(days("kind=call_completed&kind=stakeholder_left"), ElementsAre(3, 2, 1));
  EXPECT_THAT(days("direction=inbound&kind=call_completed"), ElementsAre(3));
  EXPECT_THAT(days("stakeholder=p1"), ElementsAre(2, 1));
  EXPECT_THAT(days("stakeholder=p2"), IsEmpty());
  EXPECT_THAT(days("q=LODZ%20uber"), ElementsAre(1));
  EXPECT_THAT(days("q=lodz&stakeholder=p2"), IsEmpty());
  EXPECT_THAT(days("q=registered"), ElementsAre(0));
  EXPECT_THAT(days("q="), ElementsAre(3, 2, 1, 0));
  const auto whole = Read<query::v1::Timeline>("/v1/clients/anna/timeline?details=true&q=lodz");
  ASSERT_THAT(whole.touchpoints(), SizeIs(1));
  EXPECT_EQ(whole.touchpoints(0).touchpoint().SerializeAsString(), noted.SerializeAsString());
  EXPECT_FALSE(Read<query::v1::Timeline>("/v1/clients/anna/timeline?limit=1")
                   .touchpoints(0)
                   .has_touchpoint());
}

TEST_F(ProfilesTest, APageOfANarrowedTimelineLooksAtSoManyRowsOnly) {
  std::vector<Touchpoint> touchpoints = {Registered("anna", "Anna", "otto")};
  for (int i = 1; i <= 5'100; ++i) touchpoints.push_back(Called("anna", i));
  const std::string wait = Append(touchpoints);
  const std::string path = "/v1/clients/anna/timeline?kind=client_registered";
  auto page = Read<query::v1::Timeline>(path + "&" + wait);
  EXPECT_THAT(page.touchpoints(), IsEmpty());
  ASSERT_NE(page.next_cursor(), "");
  page = Read<query::v1::Timeline>(path + "&cursor=" + page.next_cursor());
  EXPECT_THAT(page.touchpoints(), SizeIs(1));
  EXPECT_EQ(page.next_cursor(), "");
}

TEST_F(ProfilesTest, AsOfEqualsAPlainFoldOfWhatHadHappened) {
  testing::HistoryOptions options{.seed = 7, .client_count = 3, .touchpoint_count = 300};
  options.tick = absl::ZeroDuration();
  std::vector<Touchpoint> history = testing::RandomHistory(options);
  const std::string wait = Append(history);
  const std::string client = history.front().client_id();
  for (const int days : {30, 200, 400}) {
    const absl::Time as_of = options.start + absl::Hours(24 * days);
    testing::PlainFold<Profile> plain;
    for (const Touchpoint& touchpoint : history) {
      if (FromProto(touchpoint.occurred_at()) <= as_of) plain.Fold(touchpoint);
    }
    query::v1::Client wanted = ToClient(client, plain.StateOf(client), as_of);
    ToProto(as_of, wanted.mutable_as_of());
    auto answer = Read<query::v1::Client>(absl::StrCat(
        "/v1/clients/", client,
        "?as_of=", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", as_of, absl::UTCTimeZone()), "&", wait));
    answer.clear_watermark();
    EXPECT_EQ(answer.DebugString(), wanted.DebugString());
  }
  EXPECT_THAT(Error(absl::StrCat("/v1/clients/", client, "?as_of=2001-01-01T00:00:00Z"), 404),
              HasSubstr("nothing is known of a client"));
}

TEST_F(ProfilesTest, AClientWhoGoesOnUnderAnotherNamesIt) {
  Touchpoint reopened =
      testing::MakeTouchpoint(Touchpoint::kHistoryReopened, "anna", "reopened", testing::Day(1));
  reopened.mutable_history_reopened()->set_forgets(true);
  reopened.mutable_history_reopened()->set_absorbed_into_client_id("berta");
  Touchpoint closed =
      testing::MakeTouchpoint(Touchpoint::kHistoryClosed, "anna", "closed", testing::Day(1));
  closed.mutable_history_closed()->set_retelling_id(reopened.history_reopened().retelling_id());
  const std::string wait = Append({Registered("anna", "Anna", "otto"), reopened, closed});
  const auto client = Read<query::v1::Client>("/v1/clients/anna?" + wait);
  EXPECT_EQ(client.client_id(), "anna");
  EXPECT_EQ(client.survivor_client_id(), "berta");
  EXPECT_EQ(client.facts().name(), "");
}

TEST_F(ProfilesTest, TouchpointsAreGivenAsTheyStandInTheLog) {
  const std::vector<Touchpoint> touchpoints = {Called("a/b", 1), Called("a/b", 2),
                                               Called("a/b", 3)};
  const std::string wait = Append(touchpoints);
  auto all = Read<query::v1::Touchpoints>("/v1/clients/a%2Fb/touchpoints?" + wait);
  ASSERT_THAT(all.touchpoints(), SizeIs(3));
  EXPECT_EQ(all.touchpoints(0).SerializeAsString(), touchpoints[0].SerializeAsString());
  auto some = Read<query::v1::Touchpoints>(absl::StrCat(
      "/v1/clients/a%2Fb/touchpoints?id=", absl::BytesToHexString(touchpoints[1].event_id())));
  ASSERT_THAT(some.touchpoints(), SizeIs(1));
  EXPECT_EQ(some.touchpoints(0).event_id(), touchpoints[1].event_id());
}

TEST_F(ProfilesTest, TheAgendaHasWhatIsDueOfWhomItIsAskedFor) {
  const absl::Time now = testing::Day(30);
  std::vector<Touchpoint> touchpoints = {Registered("c1", "Miller", "anna"),
                                         Registered("c2", "Weaver", "ben")};
  const auto promise = [&](const std::string& client, const std::string& id, int due) {
    touchpoints.push_back(testing::MakeTouchpoint(Touchpoint::kCommitmentMade, client,
                                                  "promise-" + id, testing::Day(1)));
    touchpoints.back().set_owner_id(client == "c1" ? "anna" : "ben");
    auto& made = *touchpoints.back().mutable_commitment_made();
    made.set_commitment_id(id);
    made.set_statement("statement of " + id);
    ToProto(testing::Day(due), made.mutable_due_at());
  };
  promise("c1", "late", 20);
  promise("c1", "soon", 35);
  promise("c1", "far", 60);
  promise("c2", "bens", 29);
  Append(touchpoints);
  const std::string wait = Tick(now);
  const auto all = Read<query::v1::Agenda>("/v1/agenda?" + wait);
  ASSERT_EQ(all.sections_size(), 1);
  EXPECT_EQ(all.sections(0).count(), 3);
  const auto annas = Read<query::v1::Agenda>("/v1/agenda?owner=anna");
  ASSERT_EQ(annas.sections_size(), 1);
  EXPECT_EQ(annas.sections(0).kind(), query::v1::AGENDA_KIND_PROMISE);
  ASSERT_EQ(annas.sections(0).items_size(), 2);
  const query::v1::AgendaItem& first = annas.sections(0).items(0);
  EXPECT_EQ(first.item_id(), "late");
  EXPECT_EQ(first.client_name(), "Miller");
  EXPECT_EQ(first.text(), "statement of late");
  EXPECT_EQ(FromProto(first.due_at()), testing::Day(20));
  EXPECT_EQ(annas.sections(0).items(1).item_id(), "soon");
  // Page by page, to the end of time.
  std::vector<std::string> ids;
  std::string cursor;
  for (int page = 0; page < 5; ++page) {
    const auto one = Read<query::v1::Agenda>(
        absl::StrCat("/v1/agenda?kind=promise&until=2100-01-01T00:00:00Z&limit=1",
                     cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(one.sections_size(), 1);
    // Of all, wherever the page begins.
    EXPECT_EQ(one.sections(0).count(), 4);
    if (one.sections(0).items().empty()) break;
    ids.push_back(one.sections(0).items(0).item_id());
    cursor = one.sections(0).items(0).cursor();
  }
  EXPECT_THAT(ids, ElementsAre("late", "bens", "soon", "far"));
  EXPECT_THAT(Error("/v1/agenda?kind=promises", 400), HasSubstr("promise"));
  EXPECT_THAT(Error("/v1/agenda?until=2100-01-01T00:00:00Z", 400), HasSubstr("kind="));
}

class LedgerTest : public ProfilesTest {
 protected:
  Touchpoint& Next(Touchpoint::PayloadCase kind, const std::string& client, int day) {
    touchpoints_.push_back(testing::MakeTouchpoint(
        kind, client, absl::StrCat("ledger-", touchpoints_.size()), testing::Day(day)));
    touchpoints_.back().set_owner_id(client == "c1" ? "anna" : "ben");
    return touchpoints_.back();
  }
  void Promise(const std::string& client, const std::string& id, const std::string& by,
               absl::Time due) {
    auto& made = *Next(Touchpoint::kCommitmentMade, client, 1).mutable_commitment_made();
    made.set_commitment_id(id);
    made.set_promised_by_agent_id(by);
    ToProto(due, made.mutable_due_at());
  }
  void Keep(const std::string& client, const std::string& id, int day) {
    Next(Touchpoint::kCommitmentKept, client, day).mutable_commitment_kept()->set_commitment_id(id);
  }
  void Move(const std::string& client, const std::string& id, int due, bool agreed) {
    auto& moved = *Next(Touchpoint::kCommitmentMoved, client, 2).mutable_commitment_moved();
    moved.set_commitment_id(id);
    moved.set_agreed_by_client(agreed);
    ToProto(testing::Day(due), moved.mutable_due_at());
  }
  std::vector<std::string> Ids(const std::string& query) {
    std::vector<std::string> ids;
    const auto list = Read<query::v1::CommitmentList>("/v1/commitments?" + query);
    for (const auto& row : list.commitments()) ids.push_back(row.commitment_id());
    return ids;
  }

  std::vector<Touchpoint> touchpoints_;
};

TEST_F(LedgerTest, PromisesStandByStateOwnerAndPromiser) {
  touchpoints_ = {Registered("c1", "Miller", "anna"), Registered("c2", "Weaver", "ben")};
  Promise("c1", "overdue", "anna", testing::Day(20));
  Promise("c1", "today", "dan", testing::Day(30) + absl::Hours(1));
  Promise("c1", "later", "anna", testing::Day(40));
  Promise("c2", "kept", "dan", testing::Day(10));
  Keep("c2", "kept", 9);
  Promise("c2", "kept-late", "dan", testing::Day(10));
  Keep("c2", "kept-late", 11);
  Promise("c2", "broken", "ben", testing::Day(10));
  Next(Touchpoint::kCommitmentBroken, "c2", 12)
      .mutable_commitment_broken()
      ->set_commitment_id("broken");
  Promise("c1", "moved", "anna", testing::Day(5));
  Move("c1", "moved", 50, /*agreed=*/true);
  Promise("c2", "moved-alone", "ben", testing::Day(5));
  Move("c2", "moved-alone", 51, /*agreed=*/false);
  Append(touchpoints_);
  const std::string wait = Tick(testing::Day(30));

  const auto all = Read<query::v1::CommitmentList>("/v1/commitments?" + wait);
  EXPECT_EQ(all.counts().open(), 3);
  EXPECT_EQ(all.counts().due(), 1);
  EXPECT_EQ(all.counts().overdue(), 1);
  EXPECT_EQ(all.counts().kept(), 1);
  EXPECT_EQ(all.counts().late(), 1);
  EXPECT_EQ(all.counts().broken(), 1);
  EXPECT_EQ(all.counts().moved_with_consent(), 1);
  EXPECT_EQ(all.counts().moved_without_consent(), 1);
  ASSERT_EQ(all.groups_size(), 2);
  EXPECT_EQ(all.groups(0).person_id(), "anna");
  EXPECT_EQ(all.groups(0).overdue(), 1);
  EXPECT_EQ(all.groups(1).person_id(), "ben");
  EXPECT_EQ(all.groups(1).late(), 1);
  EXPECT_THAT(Ids(""), ElementsAre("overdue", "today", "later", "moved", "moved-alone", "kept",
                                   "kept-late", "broken"));
  EXPECT_THAT(Ids("state=overdue"), ElementsAre("overdue"));
  EXPECT_THAT(Ids("state=due"), ElementsAre("today"));
  EXPECT_THAT(Ids("state=moved"), ElementsAre("moved", "moved-alone"));
  EXPECT_THAT(Ids("state=late&owner=ben"), ElementsAre("kept-late"));
  EXPECT_THAT(Ids("promiser=dan"), ElementsAre("today", "kept", "kept-late"));
  EXPECT_THAT(Ids("promiser=dan&owner=ben"), ElementsAre("kept", "kept-late"));
  EXPECT_THAT(Ids("client=c1&state=open"), ElementsAre("later", "moved"));
  EXPECT_THAT(Ids(absl::StrCat("state=open&from=2030-01-01T00:00:00Z")), IsEmpty());
  const auto by_promiser = Read<query::v1::CommitmentList>("/v1/commitments?by=promiser");
  ASSERT_EQ(by_promiser.groups_size(), 3);
  EXPECT_EQ(by_promiser.groups(2).person_id(), "dan");
  EXPECT_EQ(by_promiser.groups(2).kept(), 1);

  // Page by page, of all and of one promiser.
  for (const char* const filter : {"", "&promiser=dan", "&client=c2"}) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
      const auto page = Read<query::v1::CommitmentList>(
          absl::StrCat("/v1/commitments?limit=2", filter,
                       cursor.empty() ? "" : absl::StrCat("&cursor=", cursor)));
      for (const auto& row : page.commitments()) ids.push_back(row.commitment_id());
      cursor = page.next_cursor();
    } while (!cursor.empty());
    EXPECT_EQ(ids, Ids(filter)) << filter;
  }
  EXPECT_THAT(Error("/v1/commitments?state=forgotten", 400), HasSubstr("overdue"));
  EXPECT_THAT(Error("/v1/commitments?by=team", 400), HasSubstr("promiser"));
  EXPECT_THAT(Error("/v1/commitments?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", 400),
              HasSubstr("later"));
}

TEST_F(LedgerTest, AHandoverTakesThemAlong) {
  touchpoints_ = {Registered("c1", "Miller", "anna")};
  Promise("c1", "open", "anna", testing::Day(20));
  auto& assigned = *Next(Touchpoint::kOwnerAssigned, "c1", 3).mutable_owner_assigned();
  assigned.set_from_owner_id("anna");
  assigned.set_to_owner_id("ben");
  Append(touchpoints_);
  Read<query::v1::CommitmentList>("/v1/commitments?" + Tick(testing::Day(30)));
  EXPECT_THAT(Ids("owner=anna"), IsEmpty());
  EXPECT_THAT(Ids("owner=ben"), ElementsAre("open"));
  EXPECT_THAT(Ids("promiser=anna"), ElementsAre("open"));
}

TEST_F(ProfilesTest, WhatAPersonWritesIsHeldAgainstTheClient) {
  Read<query::v1::Client>("/v1/clients/c1?" + Append({Registered("c1", "Miller", "anna")}));
  EXPECT_EQ(Write("c9", "1", "NoteTaken", R"({"text":"x"})").status, 404);
  const HttpAnswer unknown = Write("c1", "2", "CommitmentKept", R"({"commitment_id":"p"})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("client 'c1' has no promise 'p'; none is open"));
  EXPECT_THAT(unknown.body, HasSubstr("\"field\":\"commitment_kept.commitment_id\""));
  const std::string made =
      R"({"commitment_id":"p","statement":"send it","due_at":"2026-01-09T10:00:00Z"})";
  const std::string wait = WaitFor(Write("c1", "3", "CommitmentMade", made));
  EXPECT_EQ(Read<query::v1::Client>("/v1/clients/c1?" + wait).commitments_size(), 1);
  // The same again counts once; another of that id is a mistake.
  EXPECT_EQ(Write("c1", "3", "CommitmentMade", made).status, 202);
  EXPECT_EQ(Write("c1", "4", "CommitmentMade", made).status, 409);
  EXPECT_THAT(Write("c1", "5", "CommitmentKept", R"({"commitment_id":"q"})").body,
              HasSubstr("open: 'p'"));
  Read<query::v1::Client>("/v1/clients/c1?" +
                          WaitFor(Write("c1", "6", "CommitmentKept", R"({"commitment_id":"p"})")));
  EXPECT_EQ(Write("c1", "7", "CommitmentKept", R"({"commitment_id":"p"})").status, 409);
  EXPECT_EQ(Write("c1", "8", "CommitmentMoved", R"({"commitment_id":"p"})").status, 400);
  EXPECT_EQ(Write("c1", "9", "OwnerAssigned", R"({"to_owner_id":"ben"})").status, 400);
  EXPECT_EQ(Send("/v1/clients/c1/touchpoints", "{").status, 400);
}

TEST_F(ProfilesTest, ABatchOfAPersonIsWrittenAsAWholeOrNotAtAll) {
  Read<query::v1::Client>("/v1/clients/c1?" + Append({Registered("c1", "Miller", "anna")}));
  const auto event = [](const std::string& id, const std::string& kind, const std::string& data) {
    return absl::StrCat(R"({"specversion":"1.0","source":"console","id":")", id,
                        R"(","type":"rapport.touchpoint.v1.)", kind,
                        R"(","subject":"c1","time":"2026-01-05T10:00:00Z","data":)", data, "}");
  };
  const std::string opened = event("1", "DealOpened", R"({"deal_id":"d","title":"Second shop"})");
  // A later one may name what an earlier one begins.
  const std::string step =
      event("2", "DealStageChanged",
            R"({"deal_id":"d","from_stage":"DEAL_STAGE_LEAD","to_stage":"DEAL_STAGE_CONTACTED"})");
  const HttpAnswer wrong =
      Send("/v1/clients/c1/touchpoints",
           absl::StrCat("[", opened, ",", event("3", "DealWon", R"({"deal_id":"e"})"), "]"));
  EXPECT_EQ(wrong.status, 404);
  EXPECT_THAT(wrong.body, HasSubstr("[1]: deal_won.deal_id"));
  const std::string wait =
      WaitFor(Send("/v1/clients/c1/touchpoints", absl::StrCat("[", opened, ",", step, "]")));
  const auto client = Read<query::v1::Client>("/v1/clients/c1?" + wait);
  ASSERT_EQ(client.deals_size(), 1);
  EXPECT_EQ(client.deals(0).stage(), touchpoint::v1::DEAL_STAGE_CONTACTED);
  EXPECT_EQ(client.touchpoint_count(), 3);
  // Somebody else who had it in its old column.
  const HttpAnswer late =
      Write("c1", "4", "DealStageChanged",
            R"({"deal_id":"d","from_stage":"DEAL_STAGE_LEAD","to_stage":"DEAL_STAGE_PRESENTED"})");
  EXPECT_EQ(late.status, 409);
  EXPECT_THAT(late.body, HasSubstr("DEAL_STAGE_CONTACTED by now"));
}

TEST_F(ProfilesTest, OnlyWhatWasWrittenHereCanBeTakenBack) {
  const std::string wait = Append({Registered("c1", "Miller", "anna"), Called("c1", 1)});
  Read<query::v1::Client>("/v1/clients/c1?" + wait);
  const HttpAnswer written = Write("c1", "1", "NoteTaken", R"({"text":"a slip"})");
  Read<query::v1::Client>("/v1/clients/c1?" + WaitFor(written));
  const auto timeline = Read<query::v1::Timeline>("/v1/clients/c1/timeline");
  ASSERT_EQ(timeline.touchpoints_size(), 3);
  for (const auto& entry : timeline.touchpoints()) {
    const HttpAnswer answer =
        Send(absl::StrCat("/v1/clients/c1/touchpoints/", entry.touchpoint_id(), "/withdraw"), "");
    EXPECT_EQ(answer.status, entry.kind() == "note_taken" ? 202 : 409) << answer.body;
  }
  EXPECT_EQ(Send(absl::StrCat("/v1/clients/c1/touchpoints/", std::string(32, '0'), "/withdraw"), "")
                .status,
            404);
  EXPECT_EQ(Send("/v1/clients/c1/touchpoints/x/withdraw", "").status, 400);
}

TEST_F(ProfilesTest, WrongRequestsSayWhatIsWrong) {
  Append({Registered("anna", "Anna", "otto")});
  EXPECT_THAT(Error("/v1/clients?group=x", 400),
              HasSubstr("there is no query parameter 'group' here; there are: owner, team, branch, "
                        "segment, key_account, q, sort, count, cursor, limit, wait_for"));
  EXPECT_THAT(Error("/v1/clients?limit=0", 400), HasSubstr("limit is '0'"));
  EXPECT_THAT(Error("/v1/clients?limit=501", 400), HasSubstr("limit is '501'"));
  EXPECT_THAT(Error("/v1/clients?cursor=%21", 400), HasSubstr("cursor is '!', which is none"));
  EXPECT_THAT(Error("/v1/clients?sort=last_contact&cursor=AAAA", 400),
              HasSubstr("cursor is 'AAAA', which is of another list"));
  EXPECT_THAT(Error("/v1/clients?sort=luck", 400),
              HasSubstr("sort is 'luck'; there are: name, last_contact"));
  EXPECT_THAT(Error("/v1/clients?key_account=perhaps", 400), HasSubstr("it is true or false"));
  EXPECT_THAT(Error("/v1/search?q=%3F%21", 400), HasSubstr("q: write what to search for"));
  EXPECT_THAT(Error("/v1/search", 400), HasSubstr("q: write what to search for"));
  EXPECT_THAT(Error("/v1/clients?segment=huge", 400),
              HasSubstr("segment is 'huge'; there are: personal, business, corporate"));
  EXPECT_THAT(Error("/v1/clients/nobody", 404), HasSubstr("there is no client 'nobody'"));
  EXPECT_THAT(Error("/v1/clients/nobody/timeline", 404), HasSubstr("there is no client 'nobody'"));
  EXPECT_THAT(Error("/v1/clients/nobody/touchpoints", 404),
              HasSubstr("there is no client 'nobody'"));
  EXPECT_THAT(Error("/v1/clients/anna/touchpoints?id=xyz", 400), HasSubstr("id is 'xyz'"));
  EXPECT_THAT(Error("/v1/clients/anna?as_of=yesterday", 400), HasSubstr("as_of is 'yesterday'"));
  EXPECT_THAT(Error("/v1/clients/anna/timeline?cursor=AAAA", 400),
              HasSubstr("cursor is 'AAAA', which is not of a timeline"));
  EXPECT_THAT(Error("/v1/clients/anna/timeline?channel=drum", 400),
              HasSubstr("channel is 'drum'; there are: phone, e_mail"));
  EXPECT_THAT(Error("/v1/clients/anna/timeline?kind=cal_completed", 400),
              HasSubstr("kind is 'cal_completed'; did you mean call_completed?"));
  EXPECT_THAT(Error("/v1/clients/anna/timeline?kind=drumming", 400),
              HasSubstr("kind is 'drumming'; there are: call_completed, email_exchanged"));
  EXPECT_THAT(Error("/v1/clients/anna/timeline?direction=up", 400),
              HasSubstr("direction is 'up'; there are: inbound, outbound, internal"));
  for (const char* wrong : {"3:0", "-1:0", "0", "0:x", "0:-1", "0:1:2", ""}) {
    EXPECT_THAT(Error(absl::StrCat("/v1/clients/anna?wait_for=", wrong), 400),
                HasSubstr(absl::StrCat("wait_for is '", wrong, "'")));
  }
}

}  // namespace
}  // namespace rapport
