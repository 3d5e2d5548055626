#include <zlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/import/test_folder.h"
#include "libs/import/try_import.h"
#include "libs/touchpoint/validate.h"

// What the notation of mappings can say, on small files.

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using touchpoint::v1::Touchpoint;

std::string Moment(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", FromProto(time), absl::UTCTimeZone());
}

// "kind id time" of each.
std::vector<std::string> Story(const Tried& tried) {
  std::vector<std::string> story;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    const auto* const kind = touchpoint.GetReflection()->GetOneofFieldDescriptor(
        touchpoint, Touchpoint::descriptor()->oneof_decl(0));
    story.push_back(absl::StrCat(kind->name(), " ", touchpoint.source_event_id(), " ",
                                 Moment(touchpoint.occurred_at())));
  }
  return story;
}

class NotationTest : public ::testing::Test {
 protected:
  absl::StatusOr<Tried> Try(const std::string& mapping, const std::string& content) {
    absl::StatusOr<MappingFile> file = MappingFile::Parse("m.textproto", mapping);
    RAPPORT_RETURN_IF_ERROR(file.status());
    std::vector<MappingFile> mappings;
    mappings.push_back(*std::move(file));
    return TryImport({folder_.Write("f.csv", content)}, mappings);
  }

  TestFolder folder_;
};

constexpr char kInvoices[] = R"pb(
  source: "books"
  format { time_format: "%m/%d/%Y" time_zone: "America/New_York" }
  client_id { text: "{Client}" }
  rules {
    kind: "invoice_issued"
    when { text: "{Invoiced}" }
    source_event_id { text: "invoice/{Nr}" }
    assignments {
      field: "invoice_issued.invoice_id"
      value { text: "{Nr}" }
    }
    assignments {
      field: "invoice_issued.amount"
      value { text: "1" currency: "USD" }
    }
    assignments {
      field: "invoice_issued.due_at"
      value {
        text: "{Invoiced}"
        later_by { days: "{Days to pay}" }
      }
    }
  }
  rules {
    kind: "payment_received"
    when { text: "{Settled}" time_format: "%Y-%m-%dT%H:%M:%E*S%Ez" }
    source_event_id { text: "payment/{Nr}" }
    assignments {
      field: "payment_received.payment_id"
      value { text: "{Nr}" }
    }
    assignments {
      field: "payment_received.amount"
      value { text: "1" currency: "USD" }
    }
  }
)pb";

TEST_F(NotationTest, OneRowMakesTouchpointsOfSeveralTimes) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(kInvoices,
                                              "Nr,Client,Invoiced,Days to pay,Settled\n"
                                              "1,anna,1/2/2013,30,2013-01-15T10:00:00.250+02:00\n"
                                              "2,anna,12/31/2012,,\n"
                                              "3,anna,,30,2013-01-15T10:00:00Z\n"
                                              "4,anna,,,\n"));
  EXPECT_THAT(tried.rejected, IsEmpty());
  ASSERT_THAT(Story(tried), ElementsAre("invoice_issued invoice/1 2013-01-02T05:00:00Z",
                                        "payment_received payment/1 2013-01-15T08:00:00.25Z",
                                        "invoice_issued invoice/2 2012-12-31T05:00:00Z",
                                        "payment_received payment/3 2013-01-15T10:00:00Z"));
  EXPECT_EQ(Moment(tried.touchpoints[0].invoice_issued().due_at()), "2013-02-01T05:00:00Z");
  EXPECT_FALSE(tried.touchpoints[2].invoice_issued().has_due_at());
  EXPECT_EQ(tried.summary.skipped_rows, 1);
}

TEST_F(NotationTest, WhatStandsNoWhereElseIsRequired) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(R"pb(
                                                source: "shop"
                                                client_id { text: "{Client}" }
                                                when { text: "{When}" }
                                                rules {
                                                  kind: "client_registered"
                                                  conditions { column: "Nr" like: "@(1|2|5)" }
                                                  source_event_id { text: "{Nr}" }
                                                }
                                              )pb",
                                              "Nr,Client,When\n"
                                              "1,,2026-01-01T00:00:00Z\n"
                                              "2,anna,\n"
                                              "3,,\n"));
  EXPECT_THAT(tried.rejected,
              ElementsAre("f.csv:2: client_id: is required", "f.csv:3: when: is required"));
  EXPECT_EQ(tried.summary.skipped_rows, 1);
}

TEST_F(NotationTest, TimesAreReadAsTheyAreWritten) {
  const auto time_of = [this](const std::string& text, const std::string& value) {
    const absl::StatusOr<Tried> tried =
        Try("source: 's' client_id { text: 'c' } format { time_zone: 'America/Sao_Paulo' "
            "time_format: '%Y.%m.%d %H:%M' }"
            "when { text: '{When}' " +
                value + " } rules { kind: 'client_registered' source_event_id { text: '1' } }",
            "When,Months\n" + text + "\n");
    if (!tried.ok()) return std::string(tried.status().message());
    return tried->rejected.empty() ? Moment(tried->touchpoints[0].occurred_at())
                                   : tried->rejected[0];
  };
  EXPECT_EQ(time_of("2018.02.26 19:58,", ""), "2018-02-26T22:58:00Z");
  EXPECT_EQ(time_of("2017.12.05 2:00,", ""), "2017-12-05T04:00:00Z");
  EXPECT_EQ(time_of("2018.02.01,", ""),
            "f.csv:2: '2018.02.01' is no time in the format '%Y.%m.%d %H:%M'");
  EXPECT_EQ(time_of("2018.02.01,", "time_format: '%Y.%m.%d'"), "2018-02-01T02:00:00Z");
  // A day that begins at one o'clock, since summer time does.
  EXPECT_EQ(time_of("2017.10.15,", "time_format: '%Y.%m.%d'"), "2017-10-15T03:00:00Z");
  EXPECT_EQ(time_of("970103,", "time_format: '%y%m%d' time_zone: 'Europe/Prague'"),
            "1997-01-02T23:00:00Z");
  EXPECT_EQ(time_of("705213,", "plus: -5000 time_format: '%y%m%d' time_zone: 'UTC'"),
            "1970-02-13T00:00:00Z");
  EXPECT_EQ(time_of("5213,", "plus: -5000 time_format: '%m%d' time_zone: 'UTC'"),
            "1970-02-13T00:00:00Z");
  EXPECT_EQ(time_of("jan,", "plus: -5000"),
            "f.csv:2: 'jan' is no whole number to which -5000 can be added");
  const std::string day = "time_format: '%d.%m.%Y' time_zone: 'Europe/Berlin' ";
  EXPECT_EQ(time_of("31.01.2024,", day + "later_by { months: '1' }"), "2024-02-28T23:00:00Z");
  EXPECT_EQ(time_of("31.01.2024,60", day + "later_by { months: '-{Months}' days: '1' }"),
            "2019-01-31T23:00:00Z");
  // Midnight stays midnight when summer time comes between.
  EXPECT_EQ(time_of("01.03.2024,", day + "later_by { days: '61' }"), "2024-04-30T22:00:00Z");
  EXPECT_EQ(time_of("01.03.2024,five", day + "later_by { months: '{Months}' }"),
            "f.csv:2: months 'five' is no whole number within -1200 and 1200");
}

TEST_F(NotationTest, HeadersAreReadAsTheyAreWritten) {
  ASSERT_OK_AND_ASSIGN(
      const Tried tried,
      Try("source: 's' format { delimiter: ';' } client_id { text: '{client id}' }"
          "when { text: '{won:at}' }"
          "rules { kind: 'client_registered' source_event_id { text: 'deal/{mql_id}' } }",
          "\xEF\xBB\xBF\"mql_id\"; client id ;won:at\r\n\"a\";b;2018-02-01T00:00:00Z\r\n"));
  ASSERT_THAT(Story(tried), ElementsAre("client_registered deal/a 2018-02-01T00:00:00Z"));
  EXPECT_EQ(tried.touchpoints[0].client_id(), "b");
}

constexpr char kPayments[] = R"pb(
  source: "bank"
  lookups {
    name: "owner"
    file: "rights.csv"
    key_column: "account"
    value_column: "client"
    conditions { column: "right" like: "OWNER" }
    delimiter: ";"
  }
  lookups { name: "name" file: "people/names.csv" key_column: "id" value_column: "name" }
  client_id { text: "{account}" lookups: "owner" lookups: "name" }
  when { text: "2026-01-01T00:00:00Z" }
  rules {
    kind: "client_registered"
    source_event_id { text: "{id}" }
    assignments {
      field: "agent_id"
      value { text: "{clerk}" lookups: "name" known_only: true }
    }
  }
)pb";

TEST_F(NotationTest, ALookupGivesWhatAnotherFileTells) {
  folder_.Write("rights.csv",
                "account;client;right\n1;c1;OWNER\n1;c2;USER\n2;c2;OWNER\n3;c1;OWNER\n3;c1;OWNER\n"
                "4;c1;OWNER\n4;c2;OWNER\n5;c9;OWNER\n");
  std::filesystem::create_directory(folder_.path() + "/people");
  const gzFile names = gzopen((folder_.path() + "/people/names.csv.gz").c_str(), "wb");
  ASSERT_GT(gzputs(names, "id,name\nc1,anna\nc2,bob\n"), 0);
  ASSERT_EQ(gzclose(names), Z_OK);
  ASSERT_OK_AND_ASSIGN(
      const Tried tried,
      Try(kPayments, "id,account,clerk\np1,1,c2\np2,2,c7\np3,3,\np4,4,\np5,5,\np6,6,\n"));
  std::vector<std::string> clients;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    clients.push_back(touchpoint.client_id() + " " + touchpoint.agent_id());
  }
  EXPECT_THAT(clients, ElementsAre("anna bob", "bob ", "anna "));
  EXPECT_THAT(tried.rejected,
              ElementsAre("f.csv:5: client_id: lookup owner has several values for '4'",
                          "f.csv:6: client_id: lookup name has no 'c9'",
                          "f.csv:7: client_id: lookup owner has no '6'"));
}

TEST_F(NotationTest, ALookupThatCannotBeReadIsToldBeforeAnythingElse) {
  const std::string rows = "id,account,clerk\np1,1,c2\n";
  EXPECT_THAT(Try(kPayments, rows),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat("lookup owner: ", folder_.path(),
                                    "/rights.csv: No such file or directory")));
  folder_.Write("rights.csv", "account;client;right\n1;c1\n");
  EXPECT_THAT(Try(kPayments, rows),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(folder_.path(), "/rights.csv:2: the row has 2 fields, not 3")));
  folder_.Write("rights.csv", "account;owner;right\n");
  EXPECT_THAT(Try(kPayments, rows),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "m.textproto:7: column 'client' is not in the file, which has account, "
                       "owner, right"));
  const std::string rest = "source: 's' client_id { text: 'c' lookups: 'x' }\n";
  EXPECT_THAT(
      Try(rest + "lookups { name: 'x' }", rows),
      StatusIs(absl::StatusCode::kInvalidArgument, "m.textproto:2: the lookup has no file"));
  EXPECT_THAT(Try(rest + "rules {}", rows), StatusIs(absl::StatusCode::kInvalidArgument,
                                                     "m.textproto:1: there is no lookup 'x'"));
}

TEST_F(NotationTest, AClientMayBeKnownByAnIdentifierAlone) {
  const std::string mapping = R"pb(
    source: "shop"
    client_identifier {
      kind: IDENTIFIER_KIND_PHONE
      value { text: "{Phone}" }
      phone_region: "DE"
    }
    when { text: "2026-01-0{Day}T00:00:00Z" }
    rules {
      kind: "portal_used"
      source_event_id { text: "{Day}" }
      assignments {
        field: "portal_used.action"
        value { text: "login" }
      }
    }
  )pb";
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(mapping,
                                              "Phone,Day\n"
                                              "030 123456,1\n"
                                              "+49 (0)30 / 123456,2\n"
                                              "nobody,3\n"
                                              ",4\n"
                                              "+44 20 7946 0018,5\n"));
  EXPECT_THAT(
      Story(tried),
      ElementsAre("portal_used 1 2026-01-01T00:00:00Z", "portal_used 2 2026-01-02T00:00:00Z",
                  "portal_used 5 2026-01-05T00:00:00Z",
                  "identifier_linked identifier/phone::+4930123456 2026-01-01T00:00:00Z",
                  "identifier_linked identifier/phone::+442079460018 2026-01-05T00:00:00Z"));
  ASSERT_EQ(tried.touchpoints.size(), 5u);
  for (const int i : {0, 1, 3}) {
    EXPECT_EQ(tried.touchpoints[i].client_id(), "p-be6242262b228e737cdbb9eb11e27d36");
  }
  EXPECT_OK(ValidateTouchpoint(tried.touchpoints[3]));
  EXPECT_EQ(tried.touchpoints[3].identifier_linked().kind(), touchpoint::v1::IDENTIFIER_KIND_PHONE);
  EXPECT_EQ(tried.touchpoints[3].identifier_linked().value(), "+4930123456");
  EXPECT_EQ(tried.summary.clients, 2);
  ASSERT_EQ(tried.rejected.size(), 2u);
  EXPECT_THAT(tried.rejected[0], StartsWith("f.csv:4: client_identifier: "));
  EXPECT_EQ(tried.rejected[1], "f.csv:5: client_identifier: is required");
}

constexpr char kTickets[] = R"pb(
  source: "desk"
  group_columns: "Ticket"
  client_id { text: "{Client}" }
  when { text: "2026-01-0{Day}T00:00:00Z" }
  rules {
    kind: "complaint_opened"
    source_event_id { text: "{Ticket}/opened" }
    assignments {
      field: "complaint_opened.complaint_id"
      value { text: "{Ticket}" }
    }
  }
  rules {
    kind: "chat_exchanged"
    each_row: true
    once_per_group: true
    conditions { column: "Step" like: "answer*" }
    source_event_id { text: "{Ticket}/answered" }
  }
  rules {
    kind: "complaint_settled"
    each_row: true
    conditions { column: "Step" like: "@(settle|close)" }
    conditions { column: "Step" like: "@(settle|close)" previous_row: true negated: true }
    source_event_id { text: "{Ticket}/settled/{Day}" }
    assignments {
      field: "complaint_settled.complaint_id"
      value { text: "{Ticket}" }
    }
  }
  rules {
    kind: "complaint_opened"
    each_row: true
    conditions { column: "Step" like: "@(settle|close)" negated: true }
    conditions { column: "Step" like: "@(settle|close)" previous_row: true }
    source_event_id { text: "{Ticket}/reopened/{Day}" }
    assignments {
      field: "complaint_opened.complaint_id"
      value { text: "{Ticket}" }
    }
  }
)pb";

TEST_F(NotationTest, StepsOfAMatterAreToldByTheStepsBefore) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(kTickets,
                                              "Ticket,Client,Day,Step\n"
                                              "t1,anna,1,file\n"
                                              "t1,anna,2,answer\n"
                                              "t1,anna,3,settle\n"
                                              "t1,anna,4,close\n"
                                              "t1,anna,5,answer again\n"
                                              "t1,anna,6,close\n"
                                              "t2,bob,1,settle\n"));
  EXPECT_THAT(Story(tried), ElementsAre("complaint_opened t1/opened 2026-01-01T00:00:00Z",
                                        "chat_exchanged t1/answered 2026-01-02T00:00:00Z",
                                        "complaint_settled t1/settled/3 2026-01-03T00:00:00Z",
                                        "complaint_settled t1/settled/6 2026-01-06T00:00:00Z",
                                        "complaint_opened t1/reopened/5 2026-01-05T00:00:00Z",
                                        "complaint_opened t2/opened 2026-01-01T00:00:00Z",
                                        "complaint_settled t2/settled/1 2026-01-01T00:00:00Z"));
}

TEST_F(NotationTest, ABadStepRejectsTheMatter) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(kTickets,
                                              "Ticket,Client,Day,Step\n"
                                              "t1,anna,1,file\n"
                                              "t1,anna,x,settle\n"
                                              "t2,bob,1,file\n"));
  EXPECT_THAT(Story(tried), ElementsAre("complaint_opened t2/opened 2026-01-01T00:00:00Z"));
  const std::string why =
      "'2026-01-0xT00:00:00Z' is no time in the format '%Y-%m-%d%ET%H:%M:%E*S%Ez'";
  EXPECT_THAT(tried.rejected,
              ElementsAre("f.csv:3: " + why, "f.csv:2: of the same group as line 3: " + why));
}

TEST_F(NotationTest, AValueMayBeThatOfTheRowBefore) {
  const std::string mapping = R"pb(
    source: "desk"
    group_columns: "Deal"
    client_id { text: "{Client}" }
    when { text: "2026-01-0{Day}T00:00:00Z" }
    rules {
      kind: "deal_stage_changed"
      each_row: true
      source_event_id { text: "{Deal}/{Day}" }
      assignments {
        field: "deal_stage_changed.deal_id"
        value { text: "{Deal}" }
      }
      assignments {
        field: "deal_stage_changed.from_stage"
        value { text: "DEAL_STAGE_{Stage}" previous_row: true }
      }
      assignments {
        field: "deal_stage_changed.to_stage"
        value { text: "DEAL_STAGE_{Stage}" }
      }
    }
  )pb";
  // The rows of a deal are taken in the order of time.
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(mapping,
                                              "Deal,Client,Day,Stage\n"
                                              "d1,anna,3,PRESENTED\n"
                                              "d2,bob,2,LEAD\n"
                                              "d1,anna,1,LEAD\n"
                                              "d1,anna,2,CONTACTED\n"));
  EXPECT_THAT(tried.rejected, IsEmpty());
  std::vector<std::string> steps;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    const auto& changed = touchpoint.deal_stage_changed();
    steps.push_back(absl::StrCat(touchpoint.source_event_id(), " ",
                                 touchpoint::v1::DealStage_Name(changed.from_stage()), " ",
                                 touchpoint::v1::DealStage_Name(changed.to_stage())));
  }
  EXPECT_THAT(steps, ElementsAre("d1/1 DEAL_STAGE_UNSPECIFIED DEAL_STAGE_LEAD",
                                 "d1/2 DEAL_STAGE_LEAD DEAL_STAGE_CONTACTED",
                                 "d1/3 DEAL_STAGE_CONTACTED DEAL_STAGE_PRESENTED",
                                 "d2/2 DEAL_STAGE_UNSPECIFIED DEAL_STAGE_LEAD"));
}

TEST_F(NotationTest, TheNumberOfARowMayStandForAnId) {
  const std::string mapping = R"pb(
    source: "calls"
    format { row_number_column: "row" }
    client_id { text: "c{row}" }
    when { text: "2026-01-01T00:00:00Z" }
    rules {
      kind: "client_registered"
      source_event_id { text: "call/{row}" }
    }
  )pb";
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(mapping, "Age\n30\n\n\"40\n41\"\n50,1\n60,\n"));
  EXPECT_THAT(tried.rejected, ElementsAre("f.csv:6: the row has 2 fields, not 1"));
  std::vector<std::string> clients;
  for (const Touchpoint& touchpoint : tried.touchpoints) clients.push_back(touchpoint.client_id());
  EXPECT_THAT(clients, ElementsAre("c1", "c2", "c4"));
  EXPECT_THAT(Try(mapping, "row\n1\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "m.textproto:3: the file has a column 'row' of its own"));
}

constexpr char kOrders[] = R"pb(
  source: "shop"
  format { delimiter: ";" time_format: "%Y-%m-%d" FORMAT }
  client_id { text: "{Client}" }
  when { text: "{Date}" }
  rules {
    kind: "order_placed"
    source_event_id { text: "order/{Order}" }
    assignments {
      field: "order_placed.order_id"
      value { text: "{Order}" }
    }
    assignments {
      field: "order_placed.amount"
      value { text: "{Amount}" currency: "EUR" }
    }
  }
)pb";

// Its format says this, and it takes this column for the amount.
std::string Orders(const std::string& format, const std::string& amount = "Amount") {
  return absl::StrReplaceAll(kOrders, {{"FORMAT", format}, {"{Amount}", "{" + amount + "}"}});
}

TEST_F(NotationTest, LikeNamedColumnsAreToldApart) {
  // As a spreadsheet pads its rows.
  const std::string rows =
      "Order;Client ;Date;Amount;Amount;;\n"
      "1;anna;2026-01-01;10.00;11.90;;\n"
      "2;anna;2026-01-01;20.00;23.80;;;;\n"
      "3;anna;2026-01-01;30.00;35.70;\n"
      ";;;;;;\n"
      "Total;;;60.00;71.40;;\n"
      "4;anna;2026-01-01;40.00\n";
  EXPECT_THAT(
      Try(Orders(""), rows),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "m.textproto:15: the file has 2 columns 'Amount'; say 'Amount#1' for the "
               "first, which is column 4 of all, 'Amount#2' for the second, which is column "
               "5"));
  EXPECT_THAT(Try(Orders("", "Amount#3"), rows),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "m.textproto:15: column 'Amount#3' is not in the file, which has Order, "
                       "Client, Date, Amount, Amount"));
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(Orders("", "Amount#2"), rows));
  std::vector<int64_t> amounts;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    amounts.push_back(touchpoint.order_placed().amount().minor_units());
  }
  EXPECT_THAT(amounts, ElementsAre(1190, 2380, 3570));
  EXPECT_THAT(tried.rejected, ElementsAre("f.csv:6: client_id: is required",
                                          "f.csv:7: the row has 4 fields, not 5"));
  EXPECT_EQ(tried.summary.skipped_rows, 1);
}

TEST_F(NotationTest, AFileMayBeInAnotherEncoding) {
  const std::string rows = "Order;Client;Date;Amount\n1;M\xFCller;2026-01-01;5 \x80\n";
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try(Orders("encoding: 'windows-1252'"), rows));
  EXPECT_THAT(tried.rejected, IsEmpty());
  ASSERT_EQ(tried.touchpoints.size(), 1u);
  EXPECT_EQ(tried.touchpoints[0].client_id(), "Müller");
  EXPECT_EQ(tried.touchpoints[0].order_placed().amount().minor_units(), 500);
  ASSERT_OK_AND_ASSIGN(const Tried untold, Try(Orders(""), rows));
  EXPECT_THAT(
      untold.rejected,
      ElementsAre("f.csv:2: order_placed.amount: '5 ?' is no amount in EUR (is the file in "
                  "another encoding, such as windows-1252? then `encoding` in the mapping's "
                  "format must name it)"));
  EXPECT_THAT(untold.touchpoints, IsEmpty());
  EXPECT_THAT(Try(Orders("encoding: 'windows-125'"), rows),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "m.textproto:3: encoding 'windows-125' is not known, as windows-1252 and "
                       "UTF-16LE are"));
}

}  // namespace
}  // namespace rapport
