#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"
#include "tests/compatibility/descriptor_walk.h"

// Records as they stand in people's logs: golden/<log>/<name>.binpb was written once and is never
// changed; <name>.textproto beside it says what it means.

namespace rapport {
namespace {

namespace fs = std::filesystem;
namespace pb = google::protobuf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What is wrong with the pair of one golden record; empty when the bytes mean what the text says.
template <class Record>
std::string Disagreement(const std::string& bytes, const std::string& text) {
  Record from_bytes;
  if (!from_bytes.ParseFromString(bytes)) return "the bytes do not parse";
  Record from_text;
  if (!pb::TextFormat::ParseFromString(text, &from_text)) return "the text does not parse";
  std::string differences;
  pb::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  if (!differencer.Compare(from_text, from_bytes)) return differences;
  // Ids and digests are taken over encoded records, so the encoding itself is frozen too.
  return from_text.SerializeAsString() == bytes ? "" : "the record is encoded in other bytes now";
}

// Names of the kinds of a oneof, by its declaration.
std::set<std::string> KindsOf(const pb::OneofDescriptor& oneof) {
  std::set<std::string> kinds;
  for (int i = 0; i < oneof.field_count(); ++i) kinds.insert(oneof.field(i)->name());
  return kinds;
}

// Kinds of `oneof_name` that no golden record of the folder carries.
template <class Record>
std::set<std::string> MissingKinds(const fs::path& folder, const std::string& oneof_name) {
  const pb::OneofDescriptor* oneof = Record::descriptor()->FindOneofByName(oneof_name);
  std::set<std::string> missing = KindsOf(*oneof);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".binpb") continue;
    Record record;
    record.ParseFromString(ReadFile(entry.path()).value());
    const pb::FieldDescriptor* kind =
        record.GetReflection()->GetOneofFieldDescriptor(record, oneof);
    if (kind != nullptr) missing.erase(kind->name());
  }
  return missing;
}

// Golden records of the folder whose bytes and text disagree, or that lack one of the two.
template <class Record>
std::vector<std::string> Disagreements(const fs::path& folder) {
  std::set<std::string> stems;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    stems.insert(entry.path().stem());
  }
  std::vector<std::string> found;
  for (const std::string& stem : stems) {
    const absl::StatusOr<std::string> bytes = ReadFile(folder / (stem + ".binpb"));
    const absl::StatusOr<std::string> text = ReadFile(folder / (stem + ".textproto"));
    const std::string problem = !bytes.ok()  ? std::string("there is no .binpb")
                                : !text.ok() ? std::string("there is no .textproto")
                                             : Disagreement<Record>(*bytes, *text);
    if (!problem.empty()) found.push_back(stem + ": " + problem);
  }
  return found;
}

const fs::path kGolden = RAPPORT_COMPATIBILITY_FOLDER "/golden";

TEST(GoldenTouchpoints, MeanWhatTheyMeant) {
  EXPECT_THAT(Disagreements<touchpoint::v1::Touchpoint>(kGolden / "touchpoints"), IsEmpty());
}
TEST(GoldenTouchpoints, CoverEveryKind) {
  EXPECT_THAT(MissingKinds<touchpoint::v1::Touchpoint>(kGolden / "touchpoints", "payload"),
              IsEmpty());
}
TEST(GoldenAlerts, MeanWhatTheyMeant) {
  EXPECT_THAT(Disagreements<alert::v1::AlertEvent>(kGolden / "alerts"), IsEmpty());
}
TEST(GoldenAlerts, CoverEveryChange) {
  EXPECT_THAT(MissingKinds<alert::v1::AlertEvent>(kGolden / "alerts", "change"), IsEmpty());
}

// That the checks above are able to fail.
class GoldenChecks : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "rapport_golden_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    event_.set_client_id("c-1");
    event_.mutable_clock_advanced()->mutable_now()->set_seconds(60);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  fs::path folder_;
  touchpoint::v1::Touchpoint event_;
};

TEST_F(GoldenChecks, NameARecordThatMeansSomethingElse) {
  Write("clock.binpb", event_.SerializeAsString());
  Write("clock.textproto", "client_id: 'c-2' clock_advanced { now { seconds: 60 } }");
  EXPECT_THAT(Disagreements<touchpoint::v1::Touchpoint>(folder_),
              ElementsAre("clock: modified: client_id: \"c-2\" -> \"c-1\"\n"));
}

TEST_F(GoldenChecks, NameBytesThatHoldMoreThanTheText) {
  Write("clock.binpb", event_.SerializeAsString() + std::string("\xc0\x3e\x07", 3));  // tag 1000
  Write("clock.textproto", "client_id: 'c-1' clock_advanced { now { seconds: 60 } }");
  EXPECT_THAT(Disagreements<touchpoint::v1::Touchpoint>(folder_),
              ElementsAre("clock: added: 1000[0]: 7\n"));
}

TEST_F(GoldenChecks, NameABrokenOrLonelyFile) {
  Write("broken.binpb", "\xff");
  Write("broken.textproto", "client_id: 'c-1'");
  Write("lonely.textproto", "client_id: 'c-1'");
  EXPECT_THAT(Disagreements<touchpoint::v1::Touchpoint>(folder_),
              ElementsAre("broken: the bytes do not parse", "lonely: there is no .binpb"));
}

TEST_F(GoldenChecks, NameAnotherEncoding) {
  const std::string once = event_.SerializeAsString();
  Write("twice.binpb", std::string("\x12\x03"
                                   "c-0",
                                   5) +
                           once);  // client_id twice: the last counts
  Write("twice.textproto", "client_id: 'c-1' clock_advanced { now { seconds: 60 } }");
  EXPECT_THAT(Disagreements<touchpoint::v1::Touchpoint>(folder_),
              ElementsAre("twice: the record is encoded in other bytes now"));
}

TEST_F(GoldenChecks, NameKindsWithoutARecord) {
  Write("clock.binpb", event_.SerializeAsString());
  const std::set<std::string> missing =
      MissingKinds<touchpoint::v1::Touchpoint>(folder_, "payload");
  EXPECT_EQ(missing.count("clock_advanced"), 0u);
  EXPECT_EQ(missing.count("call_completed"), 1u);
  EXPECT_GE(missing.size(), 40u);
}

}  // namespace
}  // namespace rapport
