#include "libs/import/importer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/import/history.h"
#include "libs/import/test_folder.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/samples.h"
#include "libs/touchpoint/validate.h"
#include "rapport/rejected/v1/rejected.pb.h"

namespace rapport {
namespace {

using rejected::v1::RejectedRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using touchpoint::v1::Touchpoint;

constexpr char kMapping[] = R"pb(
  source: "shop"
  format { time_format: "%Y-%m-%d %H:%M" time_zone: "Europe/Berlin" }
  group_columns: "Invoice"
  client_id { text: "{Client}" strip_suffix: ".0" }
  when { text: "{When}" }
  rules {
    kind: "client_registered"
    once_per_client: true
    source_event_id { text: "client/{Client}" strip_suffix: ".0" }
    assignments {
      field: "client_registered.details.addresses.addresses.country_code"
      value {
        text: "{Country}"
        translations { from: "Germany" to: "DE" }
        translated_only: true
      }
    }
  }
  rules {
    kind: "order_placed"
    conditions { column: "Invoice" like: "C*" negated: true }
    conditions { column: "Invoice" like: "ignored" negated: true }
    source_event_id { text: "invoice/{Invoice}" }
    assignments {
      field: "channel"
      value { text: "CHANNEL_BACK_OFFICE" }
    }
    assignments {
      field: "order_placed.order_id"
      value { text: "{Invoice}" }
    }
    assignments {
      field: "order_placed.amount"
      value {
        product_sum { columns: "Quantity" columns: "Price" }
        currency: "EUR"
      }
    }
    assignments {
      field: "order_placed.line_count"
      value { row_count: true }
    }
    assignments {
      field: "order_placed.product_areas"
      value { text: "{Article}" }
    }
    row_lists {
      field: "order_placed.lines"
      assignments {
        field: "product_code"
        value { text: "{Article}" }
      }
      assignments {
        field: "quantity_milli"
        value { text: "{Quantity}" decimal_shift: 3 }
      }
      assignments {
        field: "amount"
        value {
          product_sum { columns: "Quantity" columns: "Price" }
          currency: "EUR"
        }
      }
    }
  }
  rules {
    kind: "order_cancelled"
    conditions { column: "Invoice" like: "C*" }
    source_event_id { text: "invoice/{Invoice}" }
    assignments {
      field: "order_cancelled.cancellation_id"
      value { text: "{Invoice}" }
    }
    assignments {
      field: "order_cancelled.amount"
      value {
        product_sum { columns: "Quantity" columns: "Price" }
        currency: "EUR"
        negated: true
      }
    }
  }
)pb";

constexpr char kColumns[] = "Invoice,Client,When,Article,Quantity,Price,Country\n";

const absl::Time kNow = absl::FromCivil(absl::CivilMinute(2026, 3, 10, 12, 0), absl::UTCTimeZone());

class ImporterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(log_->CreateTopic("touchpoints", 2));
    ASSERT_OK(log_->CreateTopic("rejected", 1));
    options_.now = kNow;
    options_.spool_folder = folder_.path();
  }

  absl::StatusOr<ImportSummary> Import(const std::string& rows,
                                       const std::string& mapping = kMapping) {
    const absl::StatusOr<MappingFile> file = MappingFile::Parse("map.textproto", mapping);
    if (!file.ok()) return file.status();
    return ImportFiles(log_.get(), {{folder_.Write("sales.csv", kColumns + rows), &*file}},
                       options_);
  }

  std::vector<Touchpoint> Read(Partition partition) {
    std::vector<Touchpoint> touchpoints;
    const Watermarks marks = log_->GetWatermarks("touchpoints", partition).value();
    const auto reader = log_->OpenReader("touchpoints", partition, Offset(0)).value();
    while (reader->position() < marks.end) {
      const auto read = reader->Read(100, absl::ZeroDuration());
      for (const RecordView& record : *read) {
        EXPECT_OK(ParseTouchpoint(record.value, &touchpoints.emplace_back()));
        EXPECT_EQ(record.timestamp, FromProto(touchpoints.back().recorded_at()));
        EXPECT_EQ(record.key, touchpoints.back().client_id());
      }
    }
    return touchpoints;
  }

  // Of all partitions, without the clock.
  std::vector<Touchpoint> ReadTouchpoints() {
    std::vector<Touchpoint> touchpoints;
    for (const int partition : {0, 1}) {
      for (const Touchpoint& touchpoint : Read(Partition(partition))) {
        if (!touchpoint.has_clock_advanced()) touchpoints.push_back(touchpoint);
      }
    }
    return touchpoints;
  }

  std::vector<RejectedRecord> ReadRejected() {
    std::vector<RejectedRecord> all;
    const Watermarks marks = log_->GetWatermarks("rejected", Partition(0)).value();
    const auto reader = log_->OpenReader("rejected", Partition(0), Offset(0)).value();
    while (reader->position() < marks.end) {
      const auto read = reader->Read(100, absl::ZeroDuration());
      for (const RecordView& record : *read) {
        EXPECT_TRUE(all.emplace_back().ParseFromArray(record.value.data(),
                                                      static_cast<int>(record.value.size())));
        EXPECT_EQ(record.key, "sales.csv");
      }
    }
    return all;
  }

  std::vector<std::string> RejectedLines() {
    std::vector<std::string> lines;
    for (const RejectedRecord& rejected : ReadRejected()) {
      lines.push_back(absl::StrCat(rejected.line(), ": ", rejected.reason()));
    }
    return lines;
  }

  TestFolder folder_;
  std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
  ImportOptions options_;
};

TEST_F(ImporterTest, MakesTouchpointsOfGroupsOfRows) {
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17.0,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "500,17.0,2026-01-05 09:31,shade,1.5,0.1,Germany\n"
                              "C501,17.0,2026-01-06 10:00,lamp,-1,10.25,Germany\n"));
  EXPECT_EQ(summary.rows, 3);
  EXPECT_EQ(summary.rejected_rows, 0);
  EXPECT_EQ(summary.touchpoints, 3);
  EXPECT_EQ(summary.clients, 1);
  EXPECT_EQ(summary.clock_records, 2);
  EXPECT_EQ(summary.clock, kNow);
  EXPECT_THAT(summary.kinds,
              ElementsAre(std::pair("client_registered", 1), std::pair("order_cancelled", 1),
                          std::pair("order_placed", 1)));

  const std::vector<Touchpoint> made = ReadTouchpoints();
  ASSERT_EQ(made.size(), 3u);
  EXPECT_EQ(made[2].client_id(), "17");
  EXPECT_EQ(made[2].event_id(), MakeEventId("shop", "client/17").view());
  EXPECT_EQ(made[2].client_registered().details().addresses().addresses(0).country_code(), "DE");
  Touchpoint expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        client_id: "17"
        occurred_at { seconds: 1767601800 }  # 08:30 UTC
        channel: CHANNEL_BACK_OFFICE
        source: "shop"
        source_event_id: "invoice/500"
        order_placed {
          order_id: "500"
          amount { minor_units: 2065 currency_code: "EUR" }
          line_count: 2
          product_areas: "lamp"
          lines {
            product_code: "lamp"
            quantity_milli: 2000
            amount { minor_units: 2050 currency_code: "EUR" }
          }
          lines {
            product_code: "shade"
            quantity_milli: 1500
            amount { minor_units: 15 currency_code: "EUR" }
          }
        }
      )pb",
      &expected));
  ToProto(kNow, expected.mutable_recorded_at());
  const EventId id = MakeEventId("shop", "invoice/500");
  expected.set_event_id(std::string(id.view()));
  EXPECT_EQ(made[0].DebugString(), expected.DebugString());
  EXPECT_EQ(made[1].order_cancelled().amount().minor_units(), 1025);
}

TEST_F(ImporterTest, ABadRowIsRejectedWithItsGroupAndTheRestGoesOn) {
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "501,18,2026-01-05 09:30,lamp,2,1.0,Germany\n"
                              "501,18,2026-01-05 09:30,lamp,two,1.0,Germany\n"
                              "502,19,05.01.2026,lamp,2,10.25,Germany\n"
                              "503,,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "504,20,2026-01-05 09:30,lamp,2\n"
                              "505,21,2026-01-05 09:30,\"lamp,2,1,Germany\n"
                              "506,22,2026-01-05 09:30,lamp,-2,10.25,Germany\n"
                              "507,23,2026-03-10 13:01,lamp,2,10.25,Germany\n"
                              "508,17,2026-01-05 09:30,lamp,2,0.001,Germany\n"
                              "509,17,2026-01-05 09:30,la\xFFmp,2,1,Germany\n"
                              "510,24,2026-01-05 09:30,lamp,2,10.25,Germany\n"));
  EXPECT_EQ(summary.rows, 12);
  EXPECT_EQ(summary.touchpoints, 4);
  EXPECT_EQ(summary.rejected_rows, 10);
  EXPECT_EQ(summary.rejected.size(), 10u);
  EXPECT_THAT(
      RejectedLines(),
      ElementsAre(
          "7: the row has 5 fields, not 7", "8: a quote is not closed",
          "4: order_placed.amount: 'two' is no decimal number",
          "3: of the same group as line 4: order_placed.amount: 'two' is no decimal number",
          "5: '05.01.2026' is no time in the format '%Y-%m-%d %H:%M'", "6: client_id: is required",
          "9: order_placed.amount.minor_units: -2050 is negative",
          "10: occurred_at: 2026-03-10T12:01:00+00:00 lies ahead (is the time_format right?)",
          "11: order_placed.amount: the number has more than 2 decimals; `rounded: true` rounds it",
          "12: order_placed.lines[0].product_code: is not UTF-8 (is the file in another encoding, "
          "such as windows-1252? then `encoding` in the mapping's format must name it)"));

  const RejectedRecord first = ReadRejected()[2];
  EXPECT_EQ(first.source(), "shop");
  EXPECT_EQ(first.file(), "sales.csv");
  EXPECT_EQ(first.content(), "501,18,2026-01-05 09:30,lamp,two,1.0,Germany");
  EXPECT_EQ(FromProto(first.rejected_at()), kNow);
}

TEST_F(ImporterTest, ADamagedRowAmidAGroupRejectsTheGroup) {
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "500,17,2026-01-05 09:30,shade\n"
                              "500,17,2026-01-05 09:30,bulb,2,10.25,Germany\n"
                              "501,17,2026-01-05 09:30,bulb,2,10.25,Germany\n"
                              "garbage\n"
                              "502,17,2026-01-05 09:30,bulb,2,10.25,Germany\n"));
  EXPECT_THAT(RejectedLines(),
              ElementsAre("3: the row has 4 fields, not 7", "6: the row has 1 fields, not 7",
                          "2: line 3, of the same Invoice, is damaged",
                          "4: of the same group as line 2: line 3, of the same Invoice, is "
                          "damaged"));
  EXPECT_EQ(summary.touchpoints, 3);
}

TEST_F(ImporterTest, AClientWhoseFirstGroupIsBadIsRegisteredByTheNext) {
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17,2026-01-05 09:30,lamp,x,10.25,Germany\n"
                              "501,17,2026-01-06 09:30,lamp,2,10.25,Germany\n"));
  EXPECT_THAT(summary.kinds,
              ElementsAre(std::pair("client_registered", 1), std::pair("order_placed", 1)));
}

TEST_F(ImporterTest, RowsOfOneGroupBelongToOneClient) {
  ASSERT_OK(
      Import("500,17,2026-01-05 09:30,lamp,1,10.25,Germany\n"
             "500,18,2026-01-05 09:30,lamp,1,10.25,Germany\n"));
  EXPECT_THAT(RejectedLines()[0], "3: the client differs from '17' in line 2 of the same group");
  EXPECT_THAT(ReadTouchpoints(), IsEmpty());
}

TEST_F(ImporterTest, AGroupWithoutEndIsRejected) {
  std::string rows;
  for (int i = 0; i < 10002; ++i) rows += "500,17,2026-01-05 09:30,lamp,1,10.25,Germany\n";
  rows += "501,17,2026-01-05 09:30,lamp,1,10.25,Germany\n";
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary, Import(rows));
  EXPECT_EQ(summary.rejected_rows, 10002);
  EXPECT_EQ(summary.rejected[0].reason,
            "the group has more than 10000 rows; are the group_columns right?");
  EXPECT_THAT(summary.kinds,
              ElementsAre(std::pair("client_registered", 1), std::pair("order_placed", 1)));
}

TEST_F(ImporterTest, RowsThatNoRuleIsMeantForAreSkipped) {
  std::string mapping = kMapping;
  mapping.replace(mapping.find("once_per_client: true"), 21,
                  "conditions { column: 'Invoice' like: '5*' }");
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("ignored,17,2026-01-05 09:30,lamp,2,10.25,Germany\n", mapping));
  EXPECT_EQ(summary.skipped_rows, 1);
  EXPECT_EQ(summary.rejected_rows, 0);
  EXPECT_EQ(summary.touchpoints, 0);
}

TEST_F(ImporterTest, ASecondImportMakesTheSameEventIds) {
  const std::string rows =
      "500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
      "501,18,2026-01-06 09:30,lamp,2,10.25,Germany\n";
  const auto ids = [this] {
    std::vector<std::string> all;
    for (const Touchpoint& touchpoint : ReadTouchpoints()) all.push_back(touchpoint.event_id());
    std::sort(all.begin(), all.end());
    return all;
  };
  ASSERT_OK(Import(rows));
  const std::vector<std::string> once = ids();
  options_.shift_to_now = true;
  options_.as_it_happened = true;
  ASSERT_OK(Import(rows));
  std::vector<std::string> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  std::sort(twice.begin(), twice.end());
  EXPECT_EQ(ids(), twice);
}

// The kinds and moments of one partition, for people.
std::vector<std::string> Story(const std::vector<Touchpoint>& touchpoints) {
  std::vector<std::string> story;
  for (const Touchpoint& touchpoint : touchpoints) {
    story.push_back(absl::StrCat(
        touchpoint.has_clock_advanced() ? "clock " : touchpoint.source_event_id() + " ",
        absl::FormatTime("%m-%d %H:%M", FromProto(touchpoint.occurred_at()), absl::UTCTimeZone())));
  }
  return story;
}

TEST_F(ImporterTest, HistoryIsPlayedInTheOrderOfTimeWithItsClock) {
  options_.as_it_happened = true;
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("501,17,2026-01-08 09:30,lamp,2,10.25,Germany\n"
                              "500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "502,17,2026-01-06 00:59,lamp,2,10.25,Germany\n"));
  EXPECT_EQ(summary.clock, absl::FromUnixSeconds(1767861000));
  EXPECT_EQ(summary.clock_records, 10);
  for (const int partition : {0, 1}) {
    const std::vector<Touchpoint> touchpoints = Read(Partition(partition));
    if (touchpoints.size() == 5u) {
      EXPECT_THAT(Story(touchpoints),
                  ElementsAre("clock 01-05 00:00", "clock 01-06 00:00", "clock 01-07 00:00",
                              "clock 01-08 00:00", "clock 01-08 08:30"));
      continue;
    }
    EXPECT_THAT(Story(touchpoints),
                ElementsAre("clock 01-05 00:00", "invoice/500 01-05 08:30", "client/17 01-05 08:30",
                            "invoice/502 01-05 23:59", "clock 01-06 00:00", "clock 01-07 00:00",
                            "clock 01-08 00:00", "invoice/501 01-08 08:30", "clock 01-08 08:30"));
    for (const Touchpoint& touchpoint : touchpoints) {
      EXPECT_EQ(touchpoint.recorded_at().seconds(), touchpoint.occurred_at().seconds());
    }
  }
}

TEST_F(ImporterTest, ShiftedHistoryEndsNowByWholeDays) {
  options_.as_it_happened = true;
  options_.shift_to_now = true;
  options_.clock_step = absl::Hours(48);
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                              "501,17,2026-01-08 19:30,lamp,2,10.25,Germany\n"));
  EXPECT_EQ(summary.shifted_by, absl::Hours(24) * 60);
  EXPECT_EQ(summary.last,
            absl::FromCivil(absl::CivilMinute(2026, 3, 9, 18, 30), absl::UTCTimeZone()));
  EXPECT_EQ(summary.clock, kNow);
}

TEST_F(ImporterTest, HistoryDoesNotTurnTheClockBack) {
  ASSERT_OK(Import("400,17,2026-01-01 09:30,lamp,2,10.25,Germany\n"));
  options_.as_it_happened = true;
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"));
  EXPECT_EQ(summary.clock_was_at, kNow);
  EXPECT_EQ(summary.clock, kNow);
  for (const int partition : {0, 1}) {
    absl::Time before = absl::InfinitePast();
    for (const Touchpoint& touchpoint : Read(Partition(partition))) {
      EXPECT_GE(FromProto(touchpoint.recorded_at()), before);
      before = FromProto(touchpoint.recorded_at());
    }
  }
}

TEST_F(ImporterTest, RefusesAClockStepThatIsTooShort) {
  options_.as_it_happened = true;
  options_.clock_step = absl::Milliseconds(1);
  EXPECT_THAT(Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"
                     "501,17,2026-01-08 09:30,lamp,2,10.25,Germany\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "a clock step of 1ms over a history of 72h makes more than 10000000 records "
                       "of the clock; choose a longer step"));
  options_.clock_step = absl::ZeroDuration();
  EXPECT_THAT(Import(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                   "the clock step must be longer than nothing"));
}

TEST_F(ImporterTest, ReportsItsProgress) {
  std::vector<ImportProgress> reports;
  options_.progress = [&reports](const ImportProgress& report) { reports.push_back(report); };
  options_.shift_to_now = true;
  ASSERT_OK(Import("500,17,2026-01-05 09:30,lamp,2,10.25,Germany\n"));
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].phase, ImportProgress::Phase::kReading);
  EXPECT_EQ(reports[0].done, reports[0].total);
  EXPECT_EQ(reports[0].rows, 1);
  EXPECT_EQ(reports[1].phase, ImportProgress::Phase::kWriting);
  EXPECT_EQ(reports[1].total, 2);
}

TEST_F(ImporterTest, TheSampleComesThroughWhole) {
  ASSERT_OK_AND_ASSIGN(const MappingFile mapping,
                       MappingFile::Load(RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto"));
  ASSERT_OK_AND_ASSIGN(
      const ImportSummary summary,
      ImportFiles(log_.get(),
                  {{RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz", &mapping}},
                  options_));
  EXPECT_EQ(summary.rows, 34816);
  EXPECT_EQ(summary.rejected_rows, 0);
  EXPECT_EQ(summary.clients, 440);
  EXPECT_THAT(summary.kinds,
              ElementsAre(std::pair("client_registered", 440), std::pair("order_cancelled", 358),
                          std::pair("order_placed", 1666)));
  int64_t sum = 0;
  for (const Touchpoint& touchpoint : ReadTouchpoints()) {
    sum += touchpoint.order_placed().amount().minor_units() -
           touchpoint.order_cancelled().amount().minor_units();
  }
  EXPECT_EQ(sum, 64666464);  // the sum of quantity * unit price over the file's rows
}

TEST(ShiftTimes, MovesWhatACorrectionHolds) {
  Touchpoint corrected;
  corrected.mutable_occurred_at()->set_seconds(1000);
  Touchpoint touchpoint;
  touchpoint.mutable_touchpoint_corrected()->set_correction(corrected.SerializeAsString());
  ShiftTimes(absl::Hours(1), &touchpoint);
  ASSERT_TRUE(corrected.ParseFromString(touchpoint.touchpoint_corrected().correction()));
  EXPECT_EQ(corrected.occurred_at().seconds(), 4600);
}

TEST(ShiftTimes, MovesAllTimesButBirth) {
  Touchpoint touchpoint = SampleTouchpoint(Touchpoint::kClientRegistered);
  const Touchpoint before = touchpoint;
  ShiftTimes(absl::Hours(24), &touchpoint);
  EXPECT_EQ(touchpoint.occurred_at().seconds(), before.occurred_at().seconds() + 86400);
  const auto& details = touchpoint.client_registered().details();
  const auto& details_before = before.client_registered().details();
  EXPECT_EQ(details.financial_figures().valid_at().seconds(),
            details_before.financial_figures().valid_at().seconds() + 86400);
  EXPECT_EQ(details.born_at().seconds(), details_before.born_at().seconds());
}

}  // namespace
}  // namespace rapport
