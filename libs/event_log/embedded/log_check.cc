#include "libs/event_log/embedded/log_check.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/block.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/storage.h"
#include "rocksdb/db.h"
#include "rocksdb/sst_file_reader.h"
#include "rocksdb/wal_filter.h"
#include "rocksdb/write_batch.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using embedded::BlockKey;
using embedded::BlockParser;
using embedded::FromRocks;
using embedded::ParseBlockKey;
using embedded::ToView;

constexpr size_t kAppendBytes = size_t{4} << 20;
// Behind damage, the next block that can be read is sought record by record so far, then in steps
// that double.
constexpr int kSingleSteps = 4096;

// RocksDB tells only its log which bytes of a write-ahead log it left out.
class DropListener final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[1024];
    std::vsnprintf(text, sizeof text, format, arguments);
    absl::string_view line = text;
    const size_t at = line.find(": dropping ");
    if (at == absl::string_view::npos) return;
    const size_t path = line.substr(0, at).rfind(' ') + 1;
    MutexLock lock(&mutex_);
    damages_.push_back(
        {std::string(line.substr(path, at - path)), std::string(line.substr(at + 2))});
  }
  std::vector<LogReport::Damage> Take() {
    MutexLock lock(&mutex_);
    return std::exchange(damages_, {});
  }

 private:
  Mutex mutex_;
  std::vector<LogReport::Damage> damages_ ABSL_GUARDED_BY(mutex_);
};

using Blocks = std::map<int64_t, std::string>;  // by the offset of their first record

// Takes what the write-ahead logs hold, by column family.
class WalReader final : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "WalReader"; }
  void ColumnFamilyLogNumberMap(const std::map<uint32_t, uint64_t>&,
                                const std::map<std::string, uint32_t>& ids) override {
    for (const auto& [name, id] : ids) names_[id] = name;
  }
  WalProcessingOption LogRecordFound(unsigned long long, const std::string&,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*,
                                     bool*) override {
    Handler handler(this);
    batch.Iterate(&handler).PermitUncheckedError();
    return WalProcessingOption::kContinueProcessing;
  }
  const Blocks& Of(const std::string& family) { return blocks_[family]; }

 private:
  class Handler final : public rocksdb::WriteBatch::Handler {
   public:
    explicit Handler(WalReader* reader) : reader_(*reader) {}
    rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key,
                          const rocksdb::Slice& value) override {
      Offset base;
      if (ParseBlockKey(key, &base)) {
        reader_.blocks_[reader_.names_[family]][base.value()] = value.ToString();
      }
      return rocksdb::Status::OK();
    }
    // Of other kinds there are none in a partition.
    rocksdb::Status DeleteCF(uint32_t, const rocksdb::Slice&) override {
      return rocksdb::Status::OK();
    }

   private:
    WalReader& reader_;
  };

  std::map<uint32_t, std::string> names_;
  std::map<std::string, Blocks> blocks_;
};

// The records of one partition, put together from blocks that come in the order of their offsets.
class PartitionReader {
 public:
  using Visit = std::function<absl::Status(const RecordView&)>;
  PartitionReader(std::string topic, Partition partition, const Blocks* wal, const Visit* visit,
                  LogReport* report)
      : topic_(std::move(topic)),
        partition_(partition),
        wal_(*wal),
        visit_(*visit),
        report_(*report) {}

  // A block of a table file.
  absl::Status Offer(Offset base, absl::string_view block) {
    RAPPORT_RETURN_IF_ERROR(TakeWal(base));
    return Take(base, block);
  }
  // There is nothing more; a file tells of a block at `last`.
  absl::Status Finish(Offset last) {
    RAPPORT_RETURN_IF_ERROR(TakeWal(Offset(std::numeric_limits<int64_t>::max())));
    if (next_ <= last) Lose(last + 1);
    return absl::OkStatus();
  }

 private:
  absl::Status TakeWal(Offset until) {
    for (auto block = wal_.lower_bound(next_.value());
         block != wal_.end() && block->first < until.value();
         block = wal_.lower_bound(std::max(next_.value(), block->first + 1))) {
      RAPPORT_RETURN_IF_ERROR(Take(Offset(block->first), block->second));
    }
    return absl::OkStatus();
  }
  absl::Status Take(Offset base, absl::string_view block) {
    BlockParser parser;
    if (!parser.Start(block, base)) return absl::OkStatus();
    RecordView record;
    while (parser.remaining() > 0 && parser.Next(&record)) {
      if (record.offset < next_) continue;
      if (record.offset > next_) Lose(record.offset);
      RAPPORT_RETURN_IF_ERROR(visit_(record));
      ++report_.records;
      next_ = record.offset + 1;
    }
    return absl::OkStatus();
  }
  void Lose(Offset until) {
    report_.lost.push_back({topic_, partition_, next_, until});
    next_ = until;
  }

  const std::string topic_;
  const Partition partition_;
  const Blocks& wal_;
  const Visit& visit_;
  LogReport& report_;
  Offset next_ = Offset(0);
};

// Calls `visit` with each block of a table file that can be read.
absl::Status ReadTable(const std::string& path, Offset last,
                       const std::function<absl::Status(Offset, absl::string_view)>& visit,
                       std::vector<LogReport::Damage>* damages) {
  rocksdb::SstFileReader reader{rocksdb::Options()};
  if (const rocksdb::Status opened = reader.Open(path); !opened.ok()) {
    damages->push_back({path, opened.ToString()});
    return absl::OkStatus();
  }
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> row(reader.NewIterator(options));
  Offset next(0);
  for (row->SeekToFirst();;) {
    for (; row->Valid(); row->Next()) {
      Offset base;
      if (!ParseBlockKey(row->key(), &base)) continue;
      RAPPORT_RETURN_IF_ERROR(visit(base, ToView(row->value())));
      next = base + 1;
    }
    if (row->status().ok()) return absl::OkStatus();
    damages->push_back({path, row->status().ToString()});
    int64_t step = 1;
    for (int tries = 1;; ++tries) {
      if (next > last) return absl::OkStatus();
      row->Seek(BlockKey(next));
      if (row->Valid() || row->status().ok()) break;
      if (tries > kSingleSteps) step *= 2;
      next = next + step;
    }
  }
}

struct PartitionFiles {
  std::vector<rocksdb::LiveFileMetaData> files;  // by their first block
  Offset last = Offset(-1);                      // block of which a file tells
};

// "touchpoints" and 3 of "touchpoints/3".
bool ParseFamily(absl::string_view name, std::string* topic, int32_t* partition) {
  const size_t slash = name.rfind('/');
  if (slash == absl::string_view::npos || !absl::SimpleAtoi(name.substr(slash + 1), partition)) {
    return false;
  }
  *topic = std::string(name.substr(0, slash));
  return true;
}

// A log that is only read, whatever is damaged in it.
class DamagedLog {
 public:
  static absl::StatusOr<std::unique_ptr<DamagedLog>> Open(const std::string& folder) {
    std::error_code error;
    if (!fs::exists(folder + "/CURRENT", error)) {
      return absl::NotFoundError(absl::StrCat("there is no log in ", folder));
    }
    auto log = std::unique_ptr<DamagedLog>(new DamagedLog(folder));
    RAPPORT_RETURN_IF_ERROR(log->OpenDatabase());
    return log;
  }
  ~DamagedLog() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }

  // By topic: how many partitions.
  std::map<std::string, int> Topics() const {
    std::map<std::string, int> topics;
    for (const std::string& name : names_) {
      std::string topic;
      int32_t partition = 0;
      if (ParseFamily(name, &topic, &partition)) {
        topics[topic] = std::max(topics[topic], partition + 1);
      }
    }
    return topics;
  }

  // Calls `visit` with each record that can be read, partition by partition.
  absl::Status Read(const std::function<absl::Status(const std::string& topic, Partition,
                                                     const RecordView&)>& visit,
                    const std::function<absl::Status()>& partition_ends, LogReport* report) {
    report->damages = drops_->Take();
    std::map<std::string, PartitionFiles> families;
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    report->files = static_cast<int64_t>(files.size());
    for (rocksdb::LiveFileMetaData& file : files) {
      PartitionFiles& family = families[file.column_family_name];
      Offset last;
      if (ParseBlockKey(file.largestkey, &last)) family.last = std::max(family.last, last);
      family.files.push_back(std::move(file));
    }
    for (const std::string& name : names_) {
      std::string topic;
      int32_t number = 0;
      if (!ParseFamily(name, &topic, &number)) continue;
      PartitionFiles& family = families[name];
      std::sort(family.files.begin(), family.files.end(),
                [](const auto& a, const auto& b) { return a.smallestkey < b.smallestkey; });
      const PartitionReader::Visit visit_record = [&](const RecordView& record) {
        return visit(topic, Partition(number), record);
      };
      PartitionReader reader(topic, Partition(number), &wal_.Of(name), &visit_record, report);
      for (const rocksdb::LiveFileMetaData& file : family.files) {
        Offset last;
        ParseBlockKey(file.largestkey, &last);
        RAPPORT_RETURN_IF_ERROR(ReadTable(
            file.db_path + file.name, last,
            [&](Offset base, absl::string_view block) { return reader.Offer(base, block); },
            &report->damages));
      }
      RAPPORT_RETURN_IF_ERROR(reader.Finish(family.last));
      RAPPORT_RETURN_IF_ERROR(partition_ends());
    }
    return absl::OkStatus();
  }

 private:
  explicit DamagedLog(std::string folder) : folder_(std::move(folder)) {}

  absl::Status OpenDatabase() {
    rocksdb::DBOptions options;
    options.info_log = drops_;
    options.wal_filter = &wal_;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    options.paranoid_checks = false;
    rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, folder_, &names_);
    if (status.ok()) {
      std::vector<rocksdb::ColumnFamilyDescriptor> families;
      for (const std::string& name : names_) {
        families.emplace_back(name, rocksdb::ColumnFamilyOptions());
      }
      rocksdb::DB* db = nullptr;
      status = rocksdb::DB::OpenForReadOnly(options, folder_, families, &handles_, &db);
      db_.reset(db);
    }
    if (status.ok()) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("the list of files of the log in ", folder_,
                     " is damaged, so that only a backup helps: ", status.ToString()));
  }

  const std::string folder_;
  const std::shared_ptr<DropListener> drops_ = std::make_shared<DropListener>();
  WalReader wal_;
  std::vector<std::string> names_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

absl::StatusOr<LogReport> CheckEmbeddedLog(const std::string& folder) {
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<DamagedLog> log, DamagedLog::Open(folder));
  LogReport report;
  RAPPORT_RETURN_IF_ERROR(
      log->Read([](const std::string&, Partition, const RecordView&) { return absl::OkStatus(); },
                [] { return absl::OkStatus(); }, &report));
  return report;
}

absl::StatusOr<LogReport> SalvageEmbeddedLog(const std::string& folder, const std::string& to) {
  std::error_code error;
  if (fs::exists(to, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(to, " is there already; move it away, or name another folder"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<DamagedLog> log, DamagedLog::Open(folder));
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> salvaged,
                           OpenEmbeddedLog({.folder = to}));
  for (const auto& [topic, partitions] : log->Topics()) {
    RAPPORT_RETURN_IF_ERROR(salvaged->CreateTopic(topic, partitions));
  }
  std::string topic_of_batch;
  std::vector<Record> batch;
  size_t bytes = 0;
  const auto append = [&]() -> absl::Status {
    if (batch.empty()) return absl::OkStatus();
    RAPPORT_RETURN_IF_ERROR(salvaged->Append(topic_of_batch, batch).status());
    batch.clear();
    bytes = 0;
    return absl::OkStatus();
  };
  LogReport report;
  RAPPORT_RETURN_IF_ERROR(log->Read(
      [&](const std::string& topic, Partition partition, const RecordView& record) -> absl::Status {
        topic_of_batch = topic;
        batch.push_back({.key = std::string(record.key),
                         .value = std::string(record.value),
                         .headers = embedded::DecodeHeaders(record),
                         .timestamp = record.timestamp,
                         .partition = partition});
        bytes += record.key.size() + record.value.size();
        return bytes < kAppendBytes ? absl::OkStatus() : append();
      },
      append, &report));
  return report;
}

}  // namespace rapport
