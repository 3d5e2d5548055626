#include "libs/intake/event_import.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/intake/test_pack.h"
#include "rapport/rejected/v1/rejected.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1767427200);  // 2026-01-03T08:00:00Z

std::string Line(int id, const std::string& client, const std::string& time) {
  return absl::StrCat(R"({"specversion":"1.0","id":")", id,
                      R"(","source":"crm","type":"rapport.touchpoint.v1.MeetingHeld","subject":")",
                      client, R"(","time":")", time, R"(","data":{"place":"fair"}})");
}

class EventImportTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "event-import-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    log_ = NewInMemoryEventLog();
    ASSERT_OK(log_->CreateTopic("touchpoints", 2));
    ASSERT_OK(log_->CreateTopic("rejected", 1));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<EventImportSummary> Import(const std::string& content) {
    const std::string path = folder_ + "/events.ndjson";
    std::ofstream(path, std::ios::binary) << content;
    EventImportOptions options;
    options.now = kNow;
    options.progress = [this](const EventImportProgress& progress) { progress_ = progress; };
    return ImportCloudEvents(log_.get(), path, options);
  }

  std::vector<std::string> Values(const std::string& topic, int partitions) {
    std::vector<std::string> values;
    for (int i = 0; i < partitions; ++i) {
      auto reader = log_->OpenReader(topic, Partition(i), Offset(0));
      EXPECT_OK(reader);
      for (;;) {
        auto records = (*reader)->Read(100, absl::ZeroDuration());
        EXPECT_OK(records);
        if (!records.ok() || records->empty()) break;
        for (const RecordView& record : *records) {
          values.emplace_back(record.value.data(), record.value.size());
        }
      }
    }
    return values;
  }

  std::string folder_;
  std::unique_ptr<EventLog> log_;
  EventImportProgress progress_;
};

TEST_F(EventImportTest, LinesBecomeTouchpointsAndBadOnesAreRejected) {
  const std::string content =
      absl::StrCat(Line(1, "a", "2026-01-02T09:00:00Z"), "\n\r\n",
                   Line(2, "b", "2026-01-01T09:00:00Z"), "\r\n", "not json\n",
                   Line(3, "", "2026-01-02T09:00:00Z"), "\n", Line(4, "a", "2026-01-02T10:00:00Z"));
  for (const bool packed : {false, true}) {
    SetUp();
    ASSERT_OK_AND_ASSIGN(const EventImportSummary summary,
                         Import(packed ? PackGzip(content) : content));
    EXPECT_EQ(summary.lines, 5);
    EXPECT_EQ(summary.touchpoints, 3);
    EXPECT_EQ(summary.rejected_lines, 2);
    EXPECT_EQ(summary.clients, 2);
    EXPECT_EQ(summary.clock_records, 2);
    EXPECT_THAT(summary.kinds, ElementsAre(Pair("meeting_held", 3)));
    EXPECT_EQ(summary.first, absl::FromUnixSeconds(1767258000));
    EXPECT_EQ(summary.last, absl::FromUnixSeconds(1767348000));
    ASSERT_EQ(summary.rejected.size(), 2u);
    EXPECT_EQ(summary.rejected[0].line, 4);
    EXPECT_THAT(summary.rejected[0].reason, HasSubstr("body: is not JSON"));
    EXPECT_EQ(summary.rejected[1].line, 5);
    EXPECT_EQ(summary.rejected[1].reason, "client_id: is required");
    EXPECT_EQ(progress_.lines, 5);
    EXPECT_EQ(progress_.done, progress_.total);
    EXPECT_EQ(Values("touchpoints", 2).size(), 5u);
    const std::vector<std::string> rejected = Values("rejected", 1);
    ASSERT_EQ(rejected.size(), 2u);
    rejected::v1::RejectedRecord record;
    ASSERT_TRUE(record.ParseFromString(rejected[1]));
    EXPECT_EQ(record.file(), "events.ndjson");
    EXPECT_EQ(record.line(), 5);
    EXPECT_EQ(record.source(), "crm");
    EXPECT_EQ(record.content(), Line(3, "", "2026-01-02T09:00:00Z"));
    EXPECT_EQ(record.reason(), "client_id: is required");
    TearDown();
  }
}

TEST_F(EventImportTest, ALineWithoutEndIsRejectedAndTheRestGoesOn) {
  ASSERT_OK_AND_ASSIGN(const EventImportSummary summary,
                       Import(std::string(size_t{9} << 20, 'x') + "\n" +
                              Line(1, "a", "2026-01-02T09:00:00Z") + "\n"));
  EXPECT_EQ(summary.touchpoints, 1);
  ASSERT_EQ(summary.rejected.size(), 1u);
  EXPECT_EQ(summary.rejected[0].reason, "body: the line has more than 8388608 bytes");
}

TEST_F(EventImportTest, TellsWhatIsWrongWithTheFile) {
  EventImportOptions options;
  options.now = kNow;
  EXPECT_THAT(ImportCloudEvents(log_.get(), folder_ + "/none", options),
              StatusIs(StatusCode::kNotFound, HasSubstr("/none: No such file")));
  EXPECT_THAT(ImportCloudEvents(log_.get(), folder_, options),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("Is a directory")));
  const std::string packed = PackGzip(Line(1, "a", "2026-01-02T09:00:00Z"));
  EXPECT_THAT(Import(packed.substr(0, packed.size() - 9)),
              StatusIs(StatusCode::kDataLoss, HasSubstr("damaged or cut off")));
}

}  // namespace
}  // namespace rapport
