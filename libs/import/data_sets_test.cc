#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/import/test_folder.h"
#include "libs/import/try_import.h"

// The mapping files of deploy/import: on made-up rows in the form of the real data, and on the real
// data where RAPPORT_DATA_SETS names the folder that holds it.

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using touchpoint::v1::Touchpoint;

std::vector<MappingFile> Mappings(const std::vector<std::string>& names) {
  std::vector<MappingFile> mappings;
  for (const std::string& name : names) {
    absl::StatusOr<MappingFile> mapping =
        MappingFile::Load(absl::StrCat(RAPPORT_DEPLOY_FOLDER, "/import/", name, ".textproto"));
    EXPECT_OK(mapping.status());
    mappings.push_back(*std::move(mapping));
  }
  return mappings;
}

std::string Day(const google::protobuf::Timestamp& time, const char* zone) {
  absl::TimeZone at;
  EXPECT_TRUE(absl::LoadTimeZone(zone, &at));
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time), at);
}

class DataSetsTest : public ::testing::Test {
 protected:
  TestFolder folder_;
};

TEST_F(DataSetsTest, ALeadBecomesAClientWithADealThatIsWon) {
  const std::string leads =
      folder_.Write("olist_marketing_qualified_leads_dataset.csv",
                    "\xEF\xBB\xBFmql_id;first_contact_date;landing_page_id;origin\r\n"
                    "m1;2018.02.01;page;Paid Search\r\nm2;2018.02.02;page;Unknown\r\n");
  const std::string deals = folder_.Write(
      "olist_closed_deals_dataset.csv",
      "\xEF\xBB\xBFmql_id;seller_id;sdr_id;sr_id;won_date;business segment;lead type\r\n"
      "m1;s1;d1;r1;2018.02.26 9:58;Pet;online medium\r\nm2;s2;d1;r2;2018.01.17 13:51;;\r\n");
  ASSERT_OK_AND_ASSIGN(const Tried tried,
                       TryImport({leads, deals}, Mappings({"olist_leads", "olist_deals"})));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_THAT(tried.summary.kinds,
              ElementsAre(Pair("client_details_changed", 1), Pair("client_registered", 2),
                          Pair("deal_opened", 2), Pair("deal_won", 2), Pair("identifier_linked", 2),
                          Pair("owner_assigned", 2)));
  EXPECT_EQ(Day(tried.touchpoints[0].occurred_at(), "America/Sao_Paulo"), "2018-02-01 00:00");
  EXPECT_EQ(tried.touchpoints[0].client_registered().origin(), "Paid Search");
  EXPECT_EQ(tried.touchpoints[1].deal_opened().source(), touchpoint::v1::DEAL_SOURCE_CAMPAIGN);
  EXPECT_EQ(tried.touchpoints[3].deal_opened().source(), touchpoint::v1::DEAL_SOURCE_UNSPECIFIED);
  const Touchpoint& won = tried.touchpoints[4];
  EXPECT_EQ(won.client_id(), "m1");
  EXPECT_EQ(won.deal_won().deal_id(), tried.touchpoints[1].deal_opened().deal_id());
  EXPECT_EQ(Day(won.occurred_at(), "America/Sao_Paulo"), "2018-02-26 09:58");
  EXPECT_EQ(tried.touchpoints[5].owner_assigned().to_owner_id(), "r1");
  EXPECT_EQ(tried.touchpoints[6].identifier_linked().value(), "s1");
  EXPECT_EQ(tried.touchpoints[7].client_details_changed().details().industry(), "Pet");
}

TEST_F(DataSetsTest, ABanksClientsAccountsLoansAndTransactions) {
  folder_.Write("account.csv",
                "\"account_id\";\"district_id\";\"frequency\";\"creation_date\"\n"
                "7;2;\"monthly issuance\";930101\n");
  folder_.Write("district.csv", "code ;name ;region\n1;Praha;Prague\n2;Kladno;central Bohemia\n");
  const std::string clients =
      folder_.Write("client.csv",
                    "\"client_id\";\"birth_number\";\"district_id\"\n1;\"706213\";2\n"
                    "2;\"110112\";1\n");
  const std::string rights = folder_.Write(
      "disp.csv",
      "\"disp_id\";\"client_id\";\"account_id\";\"type\"\n5;1;7;\"OWNER\"\n6;2;7;\"DISPONENT\"\n");
  const std::string loans =
      folder_.Write("loan_test.csv",
                    "loan_id;account_id;date;amount;duration;payments;status\n"
                    "9;7;970131;96000;13;1600;\n");
  const std::string transactions = folder_.Write(
      "trans_test.csv",
      "trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account\n"
      "1;7;960728;credit;credit in cash;900.50;900.50;;;\n"
      "2;7;960729;withdrawal;remittance to another bank;300.00;600.50;household;AB;123\n"
      "3;7;960730;credit;;1.00;601.50;interest credited;;\n"
      "4;7;960731;withdrawal;withdrawal in cash;14.60;586.90;payment for statement;;\n"
      "5;8;960731;credit;credit in cash;1.00;1.00;;;\n");
  ASSERT_OK_AND_ASSIGN(const Tried tried,
                       TryImport({clients, rights, loans, transactions},
                                 Mappings({"berka_clients", "berka_accounts", "berka_loans",
                                           "berka_transactions"})));
  EXPECT_THAT(tried.rejected, ElementsAre("trans_test.csv:6: client_id: lookup owner has no '8'"));
  EXPECT_EQ(tried.summary.skipped_rows, 3);  // one right to use, interest, a fee
  ASSERT_EQ(tried.touchpoints.size(), 6u);
  const auto& woman = tried.touchpoints[0].client_registered().details();
  EXPECT_EQ(Day(woman.born_at(), "UTC"), "1970-12-13 00:00");
  EXPECT_EQ(woman.addresses().addresses(0).city(), "Kladno");
  EXPECT_EQ(woman.addresses().addresses(0).region(), "central Bohemia");
  EXPECT_EQ(Day(tried.touchpoints[0].occurred_at(), "Europe/Prague"), "1993-01-01 00:00");
  EXPECT_EQ(Day(tried.touchpoints[1].client_registered().details().born_at(), "UTC"),
            "1911-01-12 00:00");
  EXPECT_EQ(tried.touchpoints[2].identifier_linked().value(), "7");
  EXPECT_EQ(tried.touchpoints[2].client_id(), "1");
  const auto& terms = tried.touchpoints[3].contract_signed().terms();
  EXPECT_EQ(Day(terms.ends_at(), "Europe/Prague"), "1998-02-28 00:00");
  EXPECT_EQ(terms.value().minor_units(), 9600000);
  EXPECT_EQ(tried.touchpoints[4].payment_received().amount().minor_units(), 90050);
  EXPECT_EQ(tried.touchpoints[4].client_id(), "1");
  EXPECT_EQ(tried.touchpoints[5].portal_used().action(), "remittance to another bank");
}

TEST_F(DataSetsTest, ATicketIsAnsweredSettledReopenedAndSettledAgain) {
  const std::string steps =
      folder_.Write("helpdesk_events.csv",
                    "case:concept:name,time:timestamp,Activity,Resource\n"
                    "Case1,2010-01-13T08:40:25.000+02:00,Assign seriousness,Value 2\n"
                    "Case1,2010-01-14T08:40:25.000+02:00,Take in charge ticket,Value 3\n"
                    "Case1,2010-01-15T08:40:25.000+02:00,Resolve ticket,Value 3\n"
                    "Case1,2010-01-16T08:40:25.000+02:00,Wait,Value 3\n"
                    "Case1,2010-01-17T08:40:25.000+02:00,Take in charge ticket,Value 2\n"
                    "Case1,2010-01-18T08:40:25.000+02:00,Resolve ticket,Value 2\n"
                    "Case1,2010-02-02T08:40:25.000+02:00,Closed,Value 5\n");
  ASSERT_OK_AND_ASSIGN(const Tried tried, TryImport({steps}, Mappings({"helpdesk_tickets"})));
  EXPECT_THAT(tried.rejected, IsEmpty());
  std::vector<std::string> story;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    EXPECT_EQ(touchpoint.client_id(), "ticket/Case1");
    story.push_back(absl::StrCat(touchpoint.payload_case(), " ",
                                 Day(touchpoint.occurred_at(), "UTC"), " ", touchpoint.agent_id()));
  }
  EXPECT_THAT(story,
              ElementsAre(absl::StrCat(Touchpoint::kComplaintOpened, " 2010-01-13 06:40 "),
                          absl::StrCat(Touchpoint::kChatExchanged, " 2010-01-14 06:40 Value 3"),
                          absl::StrCat(Touchpoint::kComplaintSettled, " 2010-01-15 06:40 Value 3"),
                          absl::StrCat(Touchpoint::kComplaintSettled, " 2010-01-18 06:40 Value 2"),
                          absl::StrCat(Touchpoint::kComplaintOpened, " 2010-01-16 06:40 ")));
}

TEST_F(DataSetsTest, AnInvoiceIsPaidOnceItIsSettled) {
  const std::string invoices = folder_.Write(
      "accounts_receivable.csv",
      "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
      "Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate\n"
      "391,0379-A,4/6/2013,0000611365,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0\n"
      "391,0379-A,4/6/2013,0000611366,1/3/2013,2/2/2013,10.00,No,,Paper,,\n");
  ASSERT_OK_AND_ASSIGN(const Tried tried, TryImport({invoices}, Mappings({"receivables"})));
  EXPECT_THAT(tried.rejected, IsEmpty());
  ASSERT_EQ(tried.touchpoints.size(), 3u);
  const auto& invoice = tried.touchpoints[0].invoice_issued();
  EXPECT_EQ(invoice.amount().minor_units(), 5594);
  EXPECT_EQ(Day(invoice.due_at(), "America/New_York"), "2013-02-01 00:00");
  EXPECT_EQ(tried.touchpoints[1].payment_received().invoice_id(), invoice.invoice_id());
  EXPECT_EQ(Day(tried.touchpoints[1].occurred_at(), "America/New_York"), "2013-01-15 00:00");
  EXPECT_EQ(tried.touchpoints[2].source_event_id(), "invoice/0000611366");
}

// The real data sets, as they are published; none of their rows stands in the project.
class RealDataSetsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const folder = std::getenv("RAPPORT_DATA_SETS");
    if (folder == nullptr) {
      GTEST_SKIP() << "RAPPORT_DATA_SETS names no folder with olist_funnel, berka_subset, "
                      "helpdesk_tickets and accounts_receivable";
    }
    folder_ = std::string(folder) + "/";
  }

  absl::StatusOr<Tried> Try(const std::vector<std::string>& files,
                            const std::vector<std::string>& mappings) {
    std::vector<std::string> paths;
    for (const std::string& file : files) paths.push_back(folder_ + file);
    absl::StatusOr<Tried> tried = TryImport(paths, Mappings(mappings));
    if (tried.ok()) {
      std::cout << files.front() << ": " << tried->summary.rows << " rows, "
                << tried->summary.touchpoints << " touchpoints of " << tried->summary.clients
                << " clients, " << tried->summary.skipped_rows << " rows skipped, "
                << tried->summary.rejected_rows << " rejected\n";
    }
    return tried;
  }

  std::string folder_;
};

TEST_F(RealDataSetsTest, Olist) {
  ASSERT_OK_AND_ASSIGN(const Tried tried,
                       Try({"olist_funnel/olist_marketing_qualified_leads_dataset.csv",
                            "olist_funnel/olist_closed_deals_dataset.csv"},
                           {"olist_leads", "olist_deals"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_EQ(tried.summary.rows, 8842);
  EXPECT_EQ(tried.summary.clients, 8000);
  EXPECT_THAT(tried.summary.kinds,
              ElementsAre(Pair("client_details_changed", 841), Pair("client_registered", 8000),
                          Pair("deal_opened", 8000), Pair("deal_won", 842),
                          Pair("identifier_linked", 842), Pair("owner_assigned", 842)));
  std::map<std::string, absl::Time> opened;
  int won_before = 0;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    const absl::Time time = FromProto(touchpoint.occurred_at());
    if (touchpoint.has_deal_opened()) opened[touchpoint.deal_opened().deal_id()] = time;
    if (touchpoint.has_deal_won()) won_before += time < opened.at(touchpoint.deal_won().deal_id());
  }
  EXPECT_EQ(won_before, 1);
}

TEST_F(RealDataSetsTest, Berka) {
  ASSERT_OK_AND_ASSIGN(
      const Tried tried,
      Try({"berka_subset/client.csv", "berka_subset/disp.csv", "berka_subset/loan_test.csv",
           "berka_subset/trans_test.csv"},
          {"berka_clients", "berka_accounts", "berka_loans", "berka_transactions"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_EQ(tried.summary.rows, 5369 + 5369 + 354 + 30200);
  EXPECT_EQ(tried.summary.clients, 5369);
  // Rights to use, and of the transactions interest, fees for statements and for overdrafts.
  EXPECT_EQ(tried.summary.skipped_rows, 869 + 5130 + 3186 + 43);
  EXPECT_THAT(tried.summary.kinds,
              ElementsAre(Pair("client_registered", 5369), Pair("contract_signed", 354),
                          Pair("identifier_linked", 4500), Pair("payment_received", 5304 + 1448),
                          Pair("portal_used", 17462 + 856 - 3186 - 43)));
}

TEST_F(RealDataSetsTest, HelpdeskTickets) {
  ASSERT_OK_AND_ASSIGN(const Tried tried,
                       Try({"helpdesk_tickets/helpdesk_events.csv"}, {"helpdesk_tickets"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_EQ(tried.summary.rows, 21348);
  EXPECT_EQ(tried.summary.clients, 4580);
  EXPECT_THAT(tried.summary.kinds,
              ElementsAre(Pair("chat_exchanged", 4285), Pair("complaint_opened", 4580 + 161),
                          Pair("complaint_settled", 4729)));
  std::map<std::string, int> open;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    open[touchpoint.client_id()] += static_cast<int>(touchpoint.has_complaint_opened()) -
                                    static_cast<int>(touchpoint.has_complaint_settled());
  }
  int still_open = 0;
  for (const auto& [ticket, count] : open) {
    EXPECT_TRUE(count == 0 || count == 1) << ticket;
    still_open += count;
  }
  EXPECT_EQ(still_open, 12);
}

TEST_F(RealDataSetsTest, Receivables) {
  ASSERT_OK_AND_ASSIGN(
      const Tried tried,
      Try({"accounts_receivable/ibm_accounts_receivable_first120.csv"}, {"receivables"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_EQ(tried.summary.rows, 120);
  EXPECT_EQ(tried.summary.clients, 67);
  EXPECT_THAT(tried.summary.kinds,
              ElementsAre(Pair("invoice_issued", 120), Pair("payment_received", 120)));
  // Average collection period of 2012: mean of what is open at the end of each day / sales of the
  // year * 365 days.
  absl::TimeZone zone;
  ASSERT_TRUE(absl::LoadTimeZone("America/New_York", &zone));
  std::map<absl::CivilDay, int64_t> changes;
  int64_t sales = 0;
  for (const Touchpoint& touchpoint : tried.touchpoints) {
    const absl::CivilDay day(absl::ToCivilDay(FromProto(touchpoint.occurred_at()), zone));
    const int64_t issued = touchpoint.invoice_issued().amount().minor_units();
    changes[day] += issued - touchpoint.payment_received().amount().minor_units();
    if (day.year() == 2012) sales += issued;
  }
  int64_t receivables = 0;
  int64_t sum = 0;
  for (absl::CivilDay day = changes.begin()->first; day.year() <= 2012; ++day) {
    if (const auto change = changes.find(day); change != changes.end()) {
      receivables += change->second;
    }
    if (day.year() == 2012) sum += receivables;
  }
  const double days = static_cast<double>(sum) / 366 / static_cast<double>(sales) * 365;
  std::cout << "average collection period of 2012: " << days << " days\n";
  EXPECT_NEAR(days, 27.18, 0.005);
}

}  // namespace
}  // namespace rapport
