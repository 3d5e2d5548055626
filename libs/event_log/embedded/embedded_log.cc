#include "libs/event_log/embedded/embedded_log.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/appender.h"
#include "libs/event_log/embedded/log_backup.h"
#include "libs/event_log/embedded/readers.h"
#include "libs/event_log/embedded/storage.h"
#include "libs/event_log/embedded/topic.h"
#include "libs/event_log/embedded/torn_tail.h"
#include "libs/event_log/partitioner.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/checkpoint.h"

namespace rapport {
namespace embedded {
namespace {

// Rows of the default column family; README.md holds the grammar.
constexpr char kFormatKey[] = "format";
constexpr char kFormat[] = "1";
constexpr char kTopicPrefix[] = "topic/";

constexpr int kMaxPartitions = 1024;
constexpr size_t kMaxTopicName = 249;

constexpr size_t kMemtableBytes = 16 << 20;
constexpr size_t kAllMemtablesBytes = 64 << 20;
// Bounds what is read again after a crash.
constexpr size_t kMaxWalBytes = 64 << 20;
constexpr size_t kCacheBytes = 8 << 20;
constexpr int kMaxOpenFiles = 256;

std::string FamilyName(absl::string_view topic, int partition) {
  return absl::StrCat(topic, "/", partition);
}

rocksdb::DBOptions DatabaseOptions(const EmbeddedLogOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = true;
  db.max_open_files = kMaxOpenFiles;
  db.max_total_wal_size = kMaxWalBytes;
  if (options.write_buffers != nullptr) {
    db.write_buffer_manager = options.write_buffers;
  } else {
    db.db_write_buffer_size = kAllMemtablesBytes;
  }
  // A log file that ends early was cut in a write that was not acknowledged; any other damage must
  // be seen, rather than end the log there.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.avoid_flush_during_recovery = true;
  // The appender resumes after a full disk: at a moment of its choice, not in the background.
  db.max_bgerror_resume_count = 0;
  db.listeners.push_back(NewManualRecovery());
  db.bytes_per_sync = 1 << 20;
  db.info_log = NewSilentLogger();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 32 << 10;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;

  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = kMemtableBytes;
  family.max_write_buffer_number = 3;
  family.compression = rocksdb::kLZ4Compression;
  // Keys only rise: files move from the first level to the last without being rewritten.
  family.num_levels = 2;
  family.level0_slowdown_writes_trigger = 64;
  family.level0_stop_writes_trigger = 128;
  family.ttl = 0;
  family.periodic_compaction_seconds = 0;
  return family;
}

absl::Status CheckTopicName(absl::string_view name) {
  const bool legal = !name.empty() && name.size() <= kMaxTopicName && name != "." && name != ".." &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
                              c == '_' || c == '-';
                     });
  if (legal) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", name, "\" is no topic name: letters, digits, '.', '_' and '-', at most ",
                   kMaxTopicName));
}

}  // namespace

class EmbeddedLog : public EventLog {
 public:
  static absl::StatusOr<std::unique_ptr<EventLog>> Open(const EmbeddedLogOptions& options);
  ~EmbeddedLog() override;

  absl::Status CreateTopic(absl::string_view topic, int partitions) override;
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override;
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override;
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override;
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override;
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override;
  // As CheckpointEmbeddedLog.
  absl::Status Checkpoint(const std::string& folder);

 private:
  struct Place {
    Topic* topic;
    PartitionLog* partition;
  };

  explicit EmbeddedLog(const EmbeddedLogOptions& options)
      : options_(options),
        owned_env_(options.in_memory ? rocksdb::NewMemEnv(rocksdb::Env::Default()) : nullptr),
        env_(options.in_memory ? owned_env_.get() : rocksdb::Env::Default()),
        family_options_(FamilyOptions(options.block_cache != nullptr
                                          ? options.block_cache
                                          : rocksdb::NewLRUCache(kCacheBytes))) {}

  absl::Status OpenDatabase();
  absl::Status OpenError(const rocksdb::Status& status) const;
  // The families there are; only the default one for a new log.
  absl::StatusOr<std::vector<std::string>> ListFamilies() const;
  absl::Status ReadFormat();
  absl::Status ReadTopics();
  absl::Status AddTopic(absl::string_view name, int partitions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FindEnd(const Topic& topic, PartitionLog* partition);
  rocksdb::Status CreateFamilies(absl::string_view topic, int partitions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::StatusOr<Topic*> Find(absl::string_view topic);
  absl::StatusOr<Place> Find(absl::string_view topic, Partition partition);

  const EmbeddedLogOptions options_;
  const std::unique_ptr<rocksdb::Env> owned_env_;
  rocksdb::Env* const env_;
  const rocksdb::ColumnFamilyOptions family_options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::unique_ptr<Appender> appender_;
  std::atomic<int> uses_{0};

  Mutex mutex_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families_ ABSL_GUARDED_BY(mutex_);
  // Topics stay where they are once they are there.
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<EventLog>> EmbeddedLog::Open(const EmbeddedLogOptions& options) {
  std::unique_ptr<EmbeddedLog> log(new EmbeddedLog(options));
  RAPPORT_RETURN_IF_ERROR(log->OpenDatabase());
  RAPPORT_RETURN_IF_ERROR(log->ReadFormat());
  RAPPORT_RETURN_IF_ERROR(log->ReadTopics());
  log->appender_ = std::make_unique<Appender>(log->db_.get(), options.folder);
  return log;
}

EmbeddedLog::~EmbeddedLog() {
  RAPPORT_CHECK(uses_ == 0, uses_.load(), " readers of the log in ", options_.folder,
                " are still open");
  MutexLock lock(&mutex_);
  for (const auto& [name, family] : families_) db_->DestroyColumnFamilyHandle(family);
}

absl::Status EmbeddedLog::OpenDatabase() {
  if (!options_.in_memory) {
    std::error_code error;
    std::filesystem::create_directories(options_.folder, error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot create the log's folder ", options_.folder, ": ", error.message()));
    }
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFamilies());
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, family_options_);
  rocksdb::DBOptions db_options = DatabaseOptions(options_, env_);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status =
      rocksdb::DB::Open(db_options, options_.folder, descriptors, &handles, &db);
  if (status.IsCorruption() && OnlyTailIsTorn(db_options, options_.folder, descriptors)) {
    Log(LogLevel::kWarning, absl::StrCat("the log in ", options_.folder,
                                         " ends in a torn record, which is dropped: it was never "
                                         "acknowledged"));
    db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    db_options.avoid_flush_during_recovery = false;
    status = rocksdb::DB::Open(db_options, options_.folder, descriptors, &handles, &db);
  }
  if (!status.ok()) return OpenError(status);
  db_.reset(db);
  MutexLock lock(&mutex_);
  for (size_t i = 0; i < names.size(); ++i) families_[names[i]] = handles[i];
  return absl::OkStatus();
}

absl::Status EmbeddedLog::OpenError(const rocksdb::Status& status) const {
  const std::string text = status.ToString();
  if (absl::StrContains(text, "lock hold by current process")) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log in ", options_.folder, " is open in this process already"));
  }
  if (absl::StrContains(text, "lock file")) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log in ", options_.folder,
                     " is in use: another process has it open; stop that one first (", text, ")"));
  }
  const std::string what = absl::StrCat("opening the log in ", options_.folder);
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(what, ": ", text,
                                            "; `rapport log check` tells what is damaged, `rapport "
                                            "log salvage` saves what can be read"));
  }
  if (status.IsNoSpace()) return FromRocks(status, what);
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", text));
}

absl::StatusOr<std::vector<std::string>> EmbeddedLog::ListFamilies() const {
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  if (env_->FileExists(options_.folder + "/CURRENT").IsNotFound()) {
    std::vector<std::string> files;
    env_->GetChildren(options_.folder, &files).PermitUncheckedError();
    for (const std::string& file : files) {
      // Starting anew here would delete them.
      if (absl::EndsWith(file, ".sst") || absl::EndsWith(file, ".log")) {
        return absl::DataLossError(absl::StrCat("the log in ", options_.folder,
                                                " has data but no file CURRENT: restore it"));
      }
    }
    return names;
  }
  const rocksdb::Status status =
      rocksdb::DB::ListColumnFamilies(DatabaseOptions(options_, env_), options_.folder, &names);
  if (!status.ok()) return OpenError(status);
  return names;
}

absl::Status EmbeddedLog::ReadFormat() {
  std::string format;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), kFormatKey, &format);
  if (status.ok() && format == kFormat) return absl::OkStatus();
  if (status.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("the log in ", options_.folder,
                                                      " has format ", format,
                                                      "; this version reads format ", kFormat));
  }
  if (!status.IsNotFound()) return OpenError(status);
  const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions()));
  row->SeekToFirst();
  {
    MutexLock lock(&mutex_);
    if (row->Valid() || families_.size() > 1) {
      return absl::FailedPreconditionError(
          absl::StrCat(options_.folder, " holds a database that is no event log"));
    }
  }
  rocksdb::WriteOptions sync;
  sync.sync = true;
  const rocksdb::Status written = db_->Put(sync, kFormatKey, kFormat);
  return written.ok() ? absl::OkStatus() : OpenError(written);
}

absl::Status EmbeddedLog::ReadTopics() {
  const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions()));
  for (row->Seek(kTopicPrefix); row->Valid(); row->Next()) {
    absl::string_view name = ToView(row->key());
    if (!absl::ConsumePrefix(&name, kTopicPrefix)) break;
    int partitions;
    if (!absl::SimpleAtoi(ToView(row->value()), &partitions)) {
      return absl::DataLossError(absl::StrCat("the log in ", options_.folder, ": topic ", name,
                                              " has a malformed number of partitions"));
    }
    MutexLock lock(&mutex_);
    RAPPORT_RETURN_IF_ERROR(AddTopic(name, partitions));
  }
  return row->status().ok() ? absl::OkStatus() : OpenError(row->status());
}

absl::Status EmbeddedLog::AddTopic(absl::string_view name, int partitions) {
  auto topic = std::make_unique<Topic>();
  topic->name = std::string(name);
  for (int i = 0; i < partitions; ++i) {
    const auto family = families_.find(FamilyName(name, i));
    if (family == families_.end()) {
      return absl::DataLossError(
          absl::StrCat("the log in ", options_.folder, " lacks topic ", name, ", partition ", i));
    }
    PartitionLog& partition = topic->partitions.emplace_back();
    partition.id = Partition(i);
    partition.family = family->second;
    RAPPORT_RETURN_IF_ERROR(FindEnd(*topic, &partition));
  }
  topics_[topic->name] = std::move(topic);
  return absl::OkStatus();
}

absl::Status EmbeddedLog::FindEnd(const Topic& topic, PartitionLog* partition) {
  const std::unique_ptr<rocksdb::Iterator> row(
      db_->NewIterator(rocksdb::ReadOptions(), partition->family));
  row->SeekToLast();
  RAPPORT_RETURN_IF_ERROR(
      FromRocks(row->status(), absl::StrCat("the end of ", topic.Place(partition->id))));
  if (!row->Valid()) return absl::OkStatus();
  BlockParser block;
  Offset base;
  if (!ParseBlockKey(row->key(), &base) || !block.Start(ToView(row->value()), base)) {
    return absl::DataLossError(
        absl::StrCat(topic.Place(partition->id), ": the last block is malformed"));
  }
  partition->end = base.value() + block.header().count;
  partition->latest_ms = block.header().latest_ms;
  return absl::OkStatus();
}

absl::Status EmbeddedLog::CreateTopic(absl::string_view topic, int partitions) {
  RAPPORT_RETURN_IF_ERROR(CheckTopicName(topic));
  if (partitions < 1 || partitions > kMaxPartitions) {
    return absl::InvalidArgumentError(absl::StrCat(
        "topic ", topic, ": ", partitions, " partitions; 1 to ", kMaxPartitions, " are possible"));
  }
  MutexLock lock(&mutex_);
  if (const auto it = topics_.find(topic); it != topics_.end()) {
    const size_t there = it->second->partitions.size();
    if (there == static_cast<size_t>(partitions)) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat("topic ", topic, " has ", there, " partitions already, not ", partitions));
  }
  const rocksdb::Status created = WriteOrResume(db_.get(), [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const rocksdb::Status status = CreateFamilies(topic, partitions);
    rocksdb::WriteOptions sync;
    sync.sync = true;
    return status.ok() ? db_->Put(sync, absl::StrCat(kTopicPrefix, topic), absl::StrCat(partitions))
                       : status;
  });
  RAPPORT_RETURN_IF_ERROR(FromRocks(created, absl::StrCat("creating topic ", topic)));
  return AddTopic(topic, partitions);
}

rocksdb::Status EmbeddedLog::CreateFamilies(absl::string_view topic, int partitions) {
  std::vector<std::string> names;
  for (int i = 0; i < partitions; ++i) {
    // A crash may have left some of them.
    if (!families_.contains(FamilyName(topic, i))) names.push_back(FamilyName(topic, i));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status = db_->CreateColumnFamilies(family_options_, names, &handles);
  for (size_t i = 0; i < handles.size(); ++i) families_[names[i]] = handles[i];
  return status;
}

absl::StatusOr<Topic*> EmbeddedLog::Find(absl::string_view topic) {
  MutexLock lock(&mutex_);
  const auto it = topics_.find(topic);
  if (it == topics_.end()) {
    return absl::NotFoundError(
        absl::StrCat("there is no topic ", topic, " in the log in ", options_.folder));
  }
  return it->second.get();
}

absl::StatusOr<EmbeddedLog::Place> EmbeddedLog::Find(absl::string_view topic, Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(Topic* const found, Find(topic));
  PartitionLog* const log = found->Find(partition);
  if (log == nullptr) return found->NoSuchPartition(partition);
  return Place{found, log};
}

absl::StatusOr<int> EmbeddedLog::PartitionCount(absl::string_view topic) {
  RAPPORT_ASSIGN_OR_RETURN(Topic* const found, Find(topic));
  return static_cast<int>(found->partitions.size());
}

absl::StatusOr<std::vector<RecordPosition>> EmbeddedLog::Append(absl::string_view topic,
                                                                absl::Span<const Record> records) {
  RAPPORT_ASSIGN_OR_RETURN(Topic* const found, Find(topic));
  if (records.empty()) return std::vector<RecordPosition>();
  const int count = static_cast<int>(found->partitions.size());
  std::vector<PartitionLog*> partitions;
  partitions.reserve(records.size());
  size_t bytes = 0;
  for (const Record& record : records) {
    const size_t size = SizeOf(record);
    bytes += size;
    if (size > options_.max_record_bytes) {
      return absl::InvalidArgumentError(absl::StrCat("topic ", topic, ": a record of ", size,
                                                     " bytes; at most ", options_.max_record_bytes,
                                                     " are possible"));
    }
    const Partition partition =
        record.partition.has_value() ? *record.partition : PartitionOf(record.key, count);
    PartitionLog* const log = found->Find(partition);
    if (log == nullptr) return found->NoSuchPartition(partition);
    partitions.push_back(log);
  }
  return appender_->Append(found, records, partitions, bytes);
}

absl::StatusOr<std::unique_ptr<LogReader>> EmbeddedLog::OpenReader(absl::string_view topic,
                                                                   Partition partition,
                                                                   Offset from) {
  RAPPORT_ASSIGN_OR_RETURN(const Place place, Find(topic, partition));
  if (from < Offset(0)) {
    return absl::InvalidArgumentError(
        absl::StrCat(place.topic->Place(partition), ": there is no offset ", from.value()));
  }
  return std::make_unique<EmbeddedReader>(db_.get(), place.topic, place.partition, from, &uses_);
}

absl::StatusOr<std::unique_ptr<Subscription>> EmbeddedLog::Subscribe(
    absl::string_view topic, const SubscribeOptions& options, PartitionListener* listener) {
  RAPPORT_ASSIGN_OR_RETURN(Topic* const found, Find(topic));
  return std::make_unique<EmbeddedSubscription>(db_.get(), found, options, listener, &uses_);
}

absl::StatusOr<std::vector<GroupMember>> EmbeddedLog::GroupMembers(absl::string_view topic,
                                                                   absl::string_view group) {
  RAPPORT_ASSIGN_OR_RETURN(Topic* const found, Find(topic));
  MutexLock lock(&found->mutex);
  const auto it = found->groups.find(std::string(group));
  return it == found->groups.end() ? std::vector<GroupMember>() : it->second.Members();
}

absl::StatusOr<Watermarks> EmbeddedLog::GetWatermarks(absl::string_view topic,
                                                      Partition partition) {
  RAPPORT_ASSIGN_OR_RETURN(const Place place, Find(topic, partition));
  return Watermarks{Offset(0), Offset(place.partition->end.load(std::memory_order_acquire))};
}

absl::Status EmbeddedLog::Checkpoint(const std::string& folder) {
  rocksdb::Checkpoint* raw = nullptr;
  const std::string what = absl::StrCat("a checkpoint of the log in ", folder);
  RAPPORT_RETURN_IF_ERROR(FromRocks(rocksdb::Checkpoint::Create(db_.get(), &raw), what));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  return FromRocks(checkpoint->CreateCheckpoint(folder), what);
}

absl::StatusOr<Offset> EmbeddedLog::OffsetForTime(absl::string_view topic, Partition partition,
                                                  absl::Time time) {
  RAPPORT_ASSIGN_OR_RETURN(const Place place, Find(topic, partition));
  return FindTime(db_.get(), *place.topic, *place.partition, time);
}

}  // namespace embedded

absl::Status CheckpointEmbeddedLog(EventLog* log, const std::string& folder) {
  auto* const embedded_log = dynamic_cast<embedded::EmbeddedLog*>(log);
  RAPPORT_CHECK(embedded_log != nullptr, "a checkpoint of a log that is no embedded one");
  return embedded_log->Checkpoint(folder);
}

absl::StatusOr<std::unique_ptr<EventLog>> OpenEmbeddedLog(const EmbeddedLogOptions& options) {
  return embedded::EmbeddedLog::Open(options);
}

std::unique_ptr<EventLog> NewInMemoryEventLog() {
  auto log = OpenEmbeddedLog({.folder = "/in-memory", .in_memory = true});
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  return *std::move(log);
}

}  // namespace rapport
