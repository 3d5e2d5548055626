#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/import/importer.h"
#include "libs/import/test_folder.h"
#include "libs/touchpoint/validate.h"
#include "rapport/rejected/v1/rejected.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using touchpoint::v1::Touchpoint;

constexpr char kMapping[] = R"pb(
  source: "shop"
  client_id { text: "{Client}" }
  when { text: "{When}" }
  rules {
    kind: "order_placed"
    source_event_id { text: "order/{Order}" }
    assignments {
      field: "order_placed.order_id"
      value { text: "{Order}" }
    }
    assignments {
      field: "order_placed.amount"
      value { text: "1" currency: "EUR" }
    }
    assignments {
      field: "channel"
      value { text: "CHANNEL_BACK_OFFICE" }
    }
  }
)pb";

std::string Event(const std::string& id, const std::string& time, const std::string& data = "{}") {
  return R"({"specversion":"1.0","id":")" + id +
         R"(","source":"desk","type":"rapport.touchpoint.v1.OrderPlaced","subject":"anna",)" +
         R"("time":")" + time + R"(","data":)" + data + "}\n";
}

std::string Order(const std::string& id, const std::string& time) {
  return Event(id, time,
               R"({"channel":"CHANNEL_PHONE","order_placed":{"order_id":")" + id +
                   R"(","amount":{"minor_units":100,"currency_code":"EUR"}}})");
}

class EventInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(log_->CreateTopic("touchpoints", 1));
    ASSERT_OK(log_->CreateTopic("rejected", 1));
    options_.now = absl::FromCivil(absl::CivilDay(2026, 3, 10), absl::UTCTimeZone());
    options_.spool_folder = folder_.path();
  }

  std::string Write(const std::string& content) { return folder_.Write("events.ndjson", content); }

  std::vector<std::string> Values(const std::string& topic) {
    std::vector<std::string> values;
    const auto reader = log_->OpenReader(topic, Partition(0), Offset(0));
    EXPECT_OK(reader);
    for (;;) {
      const auto records = (*reader)->Read(100, absl::ZeroDuration());
      EXPECT_OK(records);
      if (!records.ok() || records->empty()) return values;
      for (const RecordView& record : *records) values.emplace_back(record.value);
    }
  }

  // "order 1", "clock 2026-01-02".
  std::vector<std::string> Written() {
    std::vector<std::string> written;
    for (const std::string& value : Values("touchpoints")) {
      Touchpoint touchpoint;
      EXPECT_OK(ParseTouchpoint(value, &touchpoint));
      const absl::CivilDay day =
          absl::ToCivilDay(FromProto(touchpoint.occurred_at()), absl::UTCTimeZone());
      written.push_back(touchpoint.has_clock_advanced()
                            ? "clock " + absl::FormatCivilTime(day)
                            : "order " + touchpoint.order_placed().order_id());
    }
    return written;
  }

  const TestFolder folder_;
  const std::unique_ptr<EventLog> log_ = NewInMemoryEventLog();
  ImportOptions options_;
};

TEST_F(EventInputTest, EachLineIsATouchpoint) {
  const std::string path = Write(Order("1", "2026-01-02T10:00:00Z") + "\n  \r\n" +
                                 Order("2", "2026-01-03T10:00:00+01:00"));
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary, ImportFiles(log_.get(), {{path}}, options_));
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.touchpoints, 2);
  EXPECT_EQ(summary.clients, 1);
  EXPECT_EQ(summary.rejected_rows, 0) << summary.rejected[0].reason;
  EXPECT_THAT(Written(), ElementsAre("order 1", "order 2", "clock 2026-03-10"));
}

TEST_F(EventInputTest, ABadLineIsRejectedAndTheRestGoesOn) {
  const std::string path = Write(
      Order("1", "2026-01-02T10:00:00Z") + "{\"specversion\":\"1.0\"\n" +
      Event("3", "2026-01-02T10:00:00Z", R"({"order_placed":{"order_id":7}})") +
      Order("4", "2026-03-11T10:00:00Z") + std::string((1 << 20) + 1, 'x') + "\n" +
      Order("6", "2026-01-02T10:00:00Z").substr(0, 20) + "\n" + Order("7", "2026-01-02T10:00:00Z"));
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary, ImportFiles(log_.get(), {{path}}, options_));
  EXPECT_EQ(summary.rows, 7);
  EXPECT_EQ(summary.touchpoints, 2);
  EXPECT_EQ(summary.rejected_rows, 5);
  ASSERT_EQ(summary.rejected.size(), 5u);
  EXPECT_EQ(summary.rejected[0].file, "events.ndjson");
  EXPECT_EQ(summary.rejected[0].line, 2);
  EXPECT_THAT(summary.rejected[1].reason, HasSubstr("order_placed.order_id"));
  EXPECT_THAT(summary.rejected[2].reason, HasSubstr("occurred_at: is 34h ahead of the clock"));
  EXPECT_EQ(summary.rejected[3].reason, "the line has 1048578 bytes; at most 1048576 are taken");
  const std::vector<std::string> rejected = Values("rejected");
  ASSERT_EQ(rejected.size(), 5u);
  rejected::v1::RejectedRecord record;
  ASSERT_TRUE(record.ParseFromString(rejected[1]));
  EXPECT_EQ(record.source(), "desk");
  EXPECT_EQ(record.line(), 3);
  EXPECT_THAT(record.content(), HasSubstr("\"order_id\":7"));
}

TEST_F(EventInputTest, HistoryOfSeveralFilesIsPlayedAsOne) {
  ASSERT_OK_AND_ASSIGN(const MappingFile mapping, MappingFile::Parse("map", kMapping));
  const std::string orders = folder_.Write("orders.csv",
                                           "Order,Client,When\n"
                                           "A,anna,2026-01-02T09:00:00Z\n"
                                           "B,anna,2026-01-04T09:00:00Z\n");
  const std::string events =
      Write(Order("1", "2026-01-03T10:00:00Z") + Order("2", "2026-01-02T08:00:00Z"));
  options_.as_it_happened = true;
  ASSERT_OK_AND_ASSIGN(const ImportSummary summary,
                       ImportFiles(log_.get(), {{orders, &mapping}, {events}}, options_));
  EXPECT_EQ(summary.touchpoints, 4) << summary.rejected[0].reason;
  EXPECT_THAT(Written(), ElementsAre("clock 2026-01-02", "order 2", "order A", "clock 2026-01-03",
                                     "order 1", "clock 2026-01-04", "order B", "clock 2026-01-04"));
}

TEST_F(EventInputTest, AMissingFileIsToldBeforeAnythingIsWritten) {
  const std::string path = Write(Order("1", "2026-01-02T10:00:00Z"));
  EXPECT_THAT(
      ImportFiles(log_.get(), {{path}, {folder_.path() + "/none"}}, options_).status(),
      StatusIs(absl::StatusCode::kNotFound, folder_.path() + "/none: No such file or directory"));
  EXPECT_THAT(Values("touchpoints"), IsEmpty());
}

}  // namespace
}  // namespace rapport
