#include "libs/event_log/embedded/embedded_log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/temp_folder.h"
#include "rocksdb/db.h"
#include "rocksdb/write_buffer_manager.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Record MakeRecord(std::string value, Partition partition, int64_t ms = 1700000000000) {
  Record record;
  record.value = std::move(value);
  record.partition = partition;
  record.timestamp = absl::FromUnixMillis(ms);
  return record;
}

std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// Files of the folder, by extension.
std::vector<fs::path> Files(const std::string& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void Flip(const fs::path& file, size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char c = static_cast<char>(stream.get() ^ 0x55);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(c);
  ASSERT_TRUE(stream.good()) << file;
}

class EmbeddedLogTest : public testing::Test {
 protected:
  EmbeddedLogTest() : folder_(temp_.path() + "/data/log") {}

  absl::StatusOr<std::unique_ptr<EventLog>> TryOpen(const std::string& folder) {
    return OpenEmbeddedLog({.folder = folder, .write_buffers = write_buffers_});
  }
  std::unique_ptr<EventLog> Open(const std::string& folder) {
    auto log = TryOpen(folder);
    EXPECT_OK(log);
    return log.ok() ? *std::move(log) : nullptr;
  }
  std::unique_ptr<EventLog> Open() { return Open(folder_); }

  // Appends one record to partition 0 of topic t.
  static void Append(EventLog& log, std::string value, int64_t ms = 1700000000000) {
    const Record record = MakeRecord(std::move(value), Partition(0), ms);
    ASSERT_OK(log.Append("t", {&record, 1}));
  }

  static std::vector<std::string> ReadValues(EventLog& log, Partition partition = Partition(0)) {
    std::vector<std::string> values;
    const auto reader = log.OpenReader("t", partition, Offset(0));
    EXPECT_OK(reader);
    for (;;) {
      const auto batch = (*reader)->Read(1000, absl::ZeroDuration());
      EXPECT_OK(batch);
      if (!batch.ok() || batch->empty()) return values;
      for (const RecordView& record : *batch) values.emplace_back(record.value);
    }
  }

  // Makes blocks leave memory for files early.
  void UseSmallMemtables() {
    write_buffers_ = std::make_shared<rocksdb::WriteBufferManager>(256 << 10);
  }

  const TempFolder temp_;
  const std::string folder_;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers_;
};

TEST_F(EmbeddedLogTest, EverythingIsThereAfterReopening) {
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 3));
    ASSERT_OK(log->CreateTopic("empty", 2));
    for (int i = 0; i < 10; ++i) Append(*log, absl::StrCat(i));
  }
  const auto log = Open();
  EXPECT_EQ(log->PartitionCount("t").value(), 3);
  EXPECT_EQ(log->PartitionCount("empty").value(), 2);
  EXPECT_THAT(log->PartitionCount("other"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("other")));
  EXPECT_THAT(log->CreateTopic("t", 4), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("3")));
  EXPECT_EQ(log->GetWatermarks("t", Partition(0)).value(), (Watermarks{Offset(0), Offset(10)}));
  const Record record = MakeRecord("10", Partition(0));
  EXPECT_THAT(log->Append("t", {&record, 1}).value(),
              ElementsAre(RecordPosition{Partition(0), Offset(10)}));
  EXPECT_THAT(ReadValues(*log),
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"));
}

TEST_F(EmbeddedLogTest, ReadsFromFilesAndMemoryAsOne) {
  UseSmallMemtables();
  constexpr int kRecords = 600;
  std::vector<std::string> values;
  for (int i = 0; i < kRecords; ++i) values.push_back(RandomBytes(10'000, i));
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 2));
    for (int i = 0; i < kRecords; i += 6) {
      std::vector<Record> records;
      for (int j = i; j < i + 6; ++j) records.push_back(MakeRecord(values[j], Partition(0)));
      ASSERT_OK(log->Append("t", records));
    }
    EXPECT_TRUE(ReadValues(*log) == values);
  }
  EXPECT_GT(Files(folder_, ".sst").size(), 2u);
  const auto log = Open();
  EXPECT_TRUE(ReadValues(*log) == values);
  for (const int from : {1, 77, 300, kRecords - 1}) {
    ASSERT_OK_AND_ASSIGN(const auto reader, log->OpenReader("t", Partition(0), Offset(from)));
    ASSERT_OK_AND_ASSIGN(const auto batch, reader->Read(1, absl::ZeroDuration()));
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(batch[0].offset, Offset(from));
    EXPECT_TRUE(batch[0].value == values[from]);
  }
}

TEST_F(EmbeddedLogTest, OneProcessAtATime) {
  const auto log = Open();
  EXPECT_THAT(TryOpen(folder_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(folder_), HasSubstr("open in this process"))));
}

TEST_F(EmbeddedLogTest, ACorruptBlockIsDataLossWithItsPlace) {
  UseSmallMemtables();
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    for (int i = 0; i < 50; ++i) {
      const std::vector<Record> records(4, MakeRecord(RandomBytes(10'000, i), Partition(0)));
      ASSERT_OK(log->Append("t", records));
    }
  }
  const auto files = Files(folder_, ".sst");
  const auto largest = std::max_element(
      files.begin(), files.end(),
      [](const auto& a, const auto& b) { return fs::file_size(a) < fs::file_size(b); });
  ASSERT_NE(largest, files.end());
  ASSERT_GT(fs::file_size(*largest), 30'000u);
  Flip(*largest, fs::file_size(*largest) / 2);

  const auto log = Open();
  ASSERT_OK_AND_ASSIGN(const auto reader, log->OpenReader("t", Partition(0), Offset(0)));
  absl::Status status;
  while (status.ok() && reader->position() < Offset(200)) {
    status = reader->Read(1000, absl::ZeroDuration()).status();
  }
  const std::string place =
      absl::StrCat("topic t, partition 0, offset ", reader->position().value(), ":");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(place)));
  // It stays so, and the next block can be read still.
  EXPECT_THAT(reader->Read(1000, absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(place)));
  ASSERT_OK_AND_ASSIGN(const auto behind,
                       log->OpenReader("t", Partition(0), reader->position() + 4));
  ASSERT_OK_AND_ASSIGN(const auto records, behind->Read(1, absl::ZeroDuration()));
  ASSERT_EQ(records.size(), 1u);
}

TEST_F(EmbeddedLogTest, AMissingBlockIsDataLoss) {
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    for (int i = 0; i < 10; ++i) Append(*log, absl::StrCat(i));
  }
  {
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), folder_, {{"default", {}}, {"t/0", {}}},
                                  &handles, &raw)
                    .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(
        db->Delete(rocksdb::WriteOptions(), handles[1], rocksdb::Slice("\0\0\0\0\0\0\0\5", 8))
            .ok());
    ASSERT_TRUE(
        db->Put(rocksdb::WriteOptions(), handles[1], rocksdb::Slice("\0\0\0\0\0\0\0\7", 8), "?")
            .ok());
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  const auto log = Open();
  const auto read = [&](int64_t from) {
    const auto reader = log->OpenReader("t", Partition(0), Offset(from)).value();
    absl::Status status;
    while (status.ok() && reader->position() < Offset(10)) {
      status = reader->Read(1000, absl::ZeroDuration()).status();
    }
    return status;
  };
  const auto missing = StatusIs(absl::StatusCode::kDataLoss,
                                HasSubstr("topic t, partition 0, offset 5: the log is damaged: the "
                                          "record is missing"));
  EXPECT_THAT(read(0), missing);
  EXPECT_THAT(read(5), missing);
  EXPECT_THAT(read(6),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 7: the log is damaged: "
                                                              "a malformed block")));
  EXPECT_OK(read(8));
  EXPECT_THAT(log->OffsetForTime("t", Partition(0), absl::InfiniteFuture()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("topic t, partition 0")));
}

TEST_F(EmbeddedLogTest, ATornTailIsWhatWasNotAcknowledged) {
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    for (int i = 0; i < 5; ++i) Append(*log, absl::StrCat("value ", i));
  }
  const auto wals = Files(folder_, ".log");
  ASSERT_EQ(wals.size(), 1u);
  const size_t size = fs::file_size(wals[0]);
  const std::string copy = temp_.path() + "/copy";
  // The last append is 7 + 12 + some 40 bytes.
  for (size_t cut = 1; cut <= 40; cut += cut < 8 ? 1 : 8) {
    fs::remove_all(copy);
    fs::copy(folder_, copy);
    fs::resize_file(copy + "/" + wals[0].filename().string(), size - cut);
    {
      const auto log = Open(copy);
      ASSERT_NE(log, nullptr) << cut;
      ASSERT_THAT(ReadValues(*log), ElementsAre("value 0", "value 1", "value 2", "value 3")) << cut;
      Append(*log, "after");
    }
    const auto again = Open(copy);
    ASSERT_NE(again, nullptr) << cut;
    ASSERT_THAT(ReadValues(*again),
                ElementsAre("value 0", "value 1", "value 2", "value 3", "after"))
        << cut;
  }
}

// After a power failure the file may have its size already and not its bytes.
TEST_F(EmbeddedLogTest, ATailOfZerosIsATornTail) {
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    for (int i = 0; i < 5; ++i) Append(*log, RandomBytes(100'000, i));
  }
  const auto wals = Files(folder_, ".log");
  ASSERT_EQ(wals.size(), 1u);
  const size_t size = fs::file_size(wals[0]);
  const std::string copy = temp_.path() + "/copy";
  for (const size_t zeros : {5, 50'000}) {
    fs::remove_all(copy);
    fs::copy(folder_, copy);
    const std::string wal = copy + "/" + wals[0].filename().string();
    fs::resize_file(wal, size - zeros);
    fs::resize_file(wal, size);
    for (int opening = 0; opening < 3; ++opening) {
      const auto log = Open(copy);
      ASSERT_NE(log, nullptr);
      EXPECT_EQ(ReadValues(*log).size(), 4u + opening);
      Append(*log, "after");
    }
  }
}

TEST_F(EmbeddedLogTest, DamageBeforeTheTailStopsTheOpening) {
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    for (int i = 0; i < 50; ++i) Append(*log, RandomBytes(2000, i));
  }
  const auto wals = Files(folder_, ".log");
  ASSERT_EQ(wals.size(), 1u);
  Flip(wals[0], fs::file_size(wals[0]) / 2);
  EXPECT_THAT(TryOpen(folder_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(folder_)));
}

TEST_F(EmbeddedLogTest, ALogWithoutItsHeadIsNotStartedAnew) {
  UseSmallMemtables();
  {
    const auto log = Open();
    ASSERT_OK(log->CreateTopic("t", 1));
    Append(*log, "precious");
  }
  fs::remove(folder_ + "/CURRENT");
  EXPECT_THAT(TryOpen(folder_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no file CURRENT")));
}

TEST_F(EmbeddedLogTest, OtherFormatsAndDatabasesAreRefused) {
  // A database with one row and one column family.
  const auto make = [&](const std::string& name, const std::string& key,
                        const std::string& family) {
    const std::string folder = temp_.path() + "/" + name;
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, folder, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    if (!key.empty()) {
      EXPECT_TRUE(db->Put(rocksdb::WriteOptions(), key, "2").ok());
    }
    if (!family.empty()) {
      rocksdb::ColumnFamilyHandle* handle = nullptr;
      EXPECT_TRUE(db->CreateColumnFamily({}, family, &handle).ok());
      db->DestroyColumnFamilyHandle(handle);
    }
    return folder;
  };
  EXPECT_THAT(TryOpen(make("newer", "format", "")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("format 2"), HasSubstr("reads format 1"))));
  const auto no_log = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no event log"));
  EXPECT_THAT(TryOpen(make("rows", "client", "")), no_log);
  EXPECT_THAT(TryOpen(make("families", "", "state")), no_log);
}

TEST_F(EmbeddedLogTest, AFolderThatCannotBeIsRefused) {
  std::ofstream(temp_.path() + "/file") << "in the way";
  EXPECT_THAT(TryOpen(temp_.path() + "/file/log"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("/file/log")));
}

TEST_F(EmbeddedLogTest, ATopicWhoseCreationWasCutShortIsCreatedAgain) {
  { const auto log = Open(); }
  {
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), folder_, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    ASSERT_TRUE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "t/1", &handle).ok());
    db->DestroyColumnFamilyHandle(handle);
  }
  {
    const auto log = Open();
    EXPECT_THAT(log->PartitionCount("t"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("t")));
    ASSERT_OK(log->CreateTopic("t", 2));
    Append(*log, "v");
  }
  EXPECT_THAT(ReadValues(*Open()), ElementsAre("v"));
}

TEST_F(EmbeddedLogTest, ATimeIsFoundEvenWhereTimestampsDoNotRise) {
  const std::vector<int64_t> times = {50, 40, 90, 60, 10, 95, 95, 20, 200, 100};
  for (const bool one_batch : {false, true}) {
    const auto log = NewInMemoryEventLog();
    ASSERT_OK(log->CreateTopic("t", 1));
    std::vector<Record> records;
    for (const int64_t ms : times) records.push_back(MakeRecord("v", Partition(0), ms));
    for (size_t i = 0; i < records.size(); i += one_batch ? records.size() : 1) {
      ASSERT_OK(log->Append("t", absl::MakeSpan(records).subspan(i, one_batch ? 10 : 1)));
    }
    for (int64_t ms = 0; ms <= 201; ++ms) {
      const auto first =
          std::find_if(times.begin(), times.end(), [&](int64_t time) { return time >= ms; });
      EXPECT_EQ(log->OffsetForTime("t", Partition(0), absl::FromUnixMillis(ms)).value(),
                Offset(first - times.begin()))
          << ms;
    }
  }
}

TEST_F(EmbeddedLogTest, TheRecordLimitCountsKeyValueAndHeaders) {
  ASSERT_OK_AND_ASSIGN(
      const auto log,
      OpenEmbeddedLog({.folder = "/limit", .in_memory = true, .max_record_bytes = 100}));
  ASSERT_OK(log->CreateTopic("t", 1));
  Record record = MakeRecord(std::string(80, 'v'), Partition(0));
  record.key = "key";
  record.headers = {{"name", "0123456789abc"}};
  EXPECT_OK(log->Append("t", {&record, 1}));
  record.key = "key1";
  EXPECT_THAT(log->Append("t", {&record, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "topic t: a record of 101 bytes; at most 100 are possible"));
}

TEST_F(EmbeddedLogTest, ANamesakeExpelsTheOldMember) {
  class Listener : public PartitionListener {
   public:
    absl::StatusOr<Offset> OnAssigned(Partition) override {
      ++owned;
      return Offset(0);
    }
    void OnRevoked(Partition, bool lost) override {
      --owned;
      if (lost) ++lost_count;
    }
    int owned = 0, lost_count = 0;
  };
  const auto log = NewInMemoryEventLog();
  ASSERT_OK(log->CreateTopic("t", 2));
  Listener old_listener, new_listener;
  ASSERT_OK_AND_ASSIGN(const auto old_member,
                       log->Subscribe("t", {.group = "g", .member = "m"}, &old_listener));
  ASSERT_OK(old_member->Poll(1, absl::ZeroDuration()));
  EXPECT_EQ(old_listener.owned, 2);
  ASSERT_OK_AND_ASSIGN(const auto new_member,
                       log->Subscribe("t", {.group = "g", .member = "m"}, &new_listener));
  ASSERT_OK(new_member->Poll(1, absl::ZeroDuration()));
  EXPECT_EQ(new_listener.owned, 2);
  EXPECT_THAT(old_member->Poll(1, absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("member m")));
  EXPECT_EQ(old_listener.lost_count, 2);
  ASSERT_OK(old_member->Close());
  ASSERT_OK(new_member->Poll(1, absl::ZeroDuration()));
  EXPECT_EQ(new_listener.owned, 2);
  EXPECT_THAT(old_member->Poll(1, absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("closed")));
}

// A waiting member wakes up for a partition that another lets go of, not only for records.
TEST_F(EmbeddedLogTest, AWaitingMemberWakesUpForAPartition) {
  class Listener : public PartitionListener {
   public:
    absl::StatusOr<Offset> OnAssigned(Partition) override { return Offset(0); }
    void OnRevoked(Partition, bool) override {}
  } listener;
  const auto log = NewInMemoryEventLog();
  ASSERT_OK(log->CreateTopic("t", 1));
  Append(*log, "v");
  const auto one = log->Subscribe("t", {.group = "g", .member = "one"}, &listener).value();
  ASSERT_OK(one->Poll(1, absl::ZeroDuration()));
  const auto two = log->Subscribe("t", {.group = "g", .member = "two"}, &listener).value();
  std::thread closer([&] { EXPECT_OK(one->Close()); });
  const auto batch = two->Poll(1, absl::InfiniteDuration());
  closer.join();
  ASSERT_OK(batch);
  EXPECT_EQ(batch->records.size(), 1u);
}

TEST_F(EmbeddedLogTest, ASubscriptionTakesPartitionsInTurn) {
  class Listener : public PartitionListener {
   public:
    absl::StatusOr<Offset> OnAssigned(Partition) override { return Offset(0); }
    void OnRevoked(Partition, bool) override {}
  } listener;
  const auto log = NewInMemoryEventLog();
  ASSERT_OK(log->CreateTopic("t", 3));
  std::vector<Record> records;
  for (int i = 0; i < 30; ++i) records.push_back(MakeRecord("v", Partition(i % 3)));
  ASSERT_OK(log->Append("t", records));
  const auto one = log->Subscribe("t", {.group = "g", .member = "one"}, &listener).value();
  std::vector<int> turns;
  for (int i = 0; i < 7; ++i) {
    turns.push_back(one->Poll(2, absl::ZeroDuration()).value().partition.value());
  }
  EXPECT_THAT(turns, ElementsAre(0, 1, 2, 0, 1, 2, 0));
}

TEST_F(EmbeddedLogTest, FilesMoveWithoutBeingRewritten) {
  UseSmallMemtables();
  auto log = Open();
  ASSERT_OK(log->CreateTopic("t", 2));
  size_t appended = 0;
  for (int i = 0; i < 100; ++i) {
    std::vector<Record> records;
    for (int j = 0; j < 8; ++j) {
      records.push_back(MakeRecord(RandomBytes(10'000, i * 8 + j), Partition(j % 2)));
      appended += records.back().value.size();
    }
    ASSERT_OK(log->Append("t", records));
  }
  log.reset();
  size_t stored = 0;
  for (const fs::path& file : Files(folder_, ".sst")) stored += fs::file_size(file);
  EXPECT_GT(stored, appended / 2);

  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  ASSERT_TRUE(rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions(), folder_,
                                           {{"default", {}}, {"t/0", {}}, {"t/1", {}}}, &handles,
                                           &raw)
                  .ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string above, below;
  ASSERT_TRUE(db->GetProperty(handles[1], "rocksdb.num-files-at-level0", &above));
  ASSERT_TRUE(db->GetProperty(handles[1], "rocksdb.num-files-at-level1", &below));
  // Had they been merged on their way down, many small files would have become one.
  EXPECT_LE(std::stoi(above), 6);
  EXPECT_GE(std::stoi(below), 6);
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
}

}  // namespace
}  // namespace rapport
