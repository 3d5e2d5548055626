#include "libs/state_store/state_store.h"

#include <algorithm>
#include <cstdarg>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/state_store/bulk_commit.h"
#include "libs/state_store/manifest.h"
#include "libs/state_store/seen_ids.h"
#include "libs/state_store/write_ahead_log.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/listener.h"
#include "rocksdb/rate_limiter.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/write_batch.h"
#include "rocksdb/write_buffer_manager.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxWalBytes = uint64_t{48} << 20;
constexpr int kCacheShardBits = 2;
// Key of a block of recent ids in kMeta: this byte and the block's number.
constexpr char kSeenBlockPrefix = 'b';
// Key in kSeen, before all ids: the number of the last commit through the write-ahead log when
// files were ingested last. Nothing in them is newer.
constexpr absl::string_view kFilesKey("\0", 1);
// Key in kMeta: the write-ahead logs that an opening found.
constexpr char kLogsKey[] = "logs";

// Drops RocksDB's chatter, whose errors reach us as statuses. Its own log file would abort the
// process on a full disk, since Debian builds it with assertions.
class SilentLogger : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// After a full disk the store is closed and opened again; RocksDB's own recovery in the background
// would hold that up.
class NoBackgroundRecovery : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::Slice ToSlice(absl::string_view view) { return rocksdb::Slice(view.data(), view.size()); }
absl::string_view ToView(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

// What the caller should do about a RocksDB error; `what` says what was being done.
absl::Status ToStatus(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) {
    return absl::UnavailableError(absl::StrCat(message, "; the disk is full, make room"));
  }
  if (status.IsInvalidArgument()) return absl::FailedPreconditionError(message);
  return absl::UnavailableError(message);
}

absl::Status ToOpenStatus(const rocksdb::Status& status, const std::string& folder) {
  const std::string what = absl::StrCat("opening state ", folder);
  if (status.IsNoSpace()) return ToStatus(status, what);
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, ": another process has it open; stop that one first"));
  }
  // A file that the manifest names and the folder lacks.
  if (status.IsIOError() && status.subcode() == rocksdb::Status::kPathNotFound) {
    return absl::DataLossError(absl::StrCat(what, ": ", status.ToString()));
  }
  if (status.IsInvalidArgument())
    return absl::DataLossError(absl::StrCat(what, ": ", status.ToString()));
  return ToStatus(status, what);
}

// Whether the MANIFEST that CURRENT names was cut off. What cannot be read is RocksDB's to judge.
bool ManifestIsCutOff(rocksdb::Env* env, const std::string& folder) {
  std::string name;
  std::string manifest;
  if (!rocksdb::ReadFileToString(env, folder + "/CURRENT", &name).ok()) return false;
  absl::StripTrailingAsciiWhitespace(&name);
  if (!rocksdb::ReadFileToString(env, absl::StrCat(folder, "/", name), &manifest).ok()) {
    return false;
  }
  return EndsWithinRecord(manifest);
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family, const StoreResources& resources) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = resources.cache();
  table.cache_index_and_filter_blocks = true;
  // Filters and indexes count as cache but are never let go: each look-up needs them.
  table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;
  table.metadata_cache_options.top_level_index_pinning = rocksdb::PinningTier::kAll;
  table.format_version = 5;
  const bool point_reads =
      family == Family::kState || family == Family::kSeen || family == Family::kTallies;
  if (point_reads) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = resources.write_buffer_bytes();
  options.max_write_buffer_number = 3;
  options.compression = rocksdb::kLZ4Compression;
  if (family == Family::kSeen) {
    // Random bytes: not compressible, written once, never read in order.
    options.compression = rocksdb::kNoCompression;
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.level0_file_num_compaction_trigger = 8;
  }
  return options;
}

rocksdb::DBOptions DatabaseOptions(const StoreResources& resources) {
  rocksdb::DBOptions options;
  options.env = resources.env();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.write_buffer_manager = resources.write_buffers();
  options.rate_limiter = resources.rate_limiter();
  options.max_total_wal_size = kMaxWalBytes;
  // Logs that are complete are noted with their sizes once they are synced, which they are before
  // anything that was written from them.
  options.track_and_verify_wals_in_manifest = true;
  options.avoid_flush_during_recovery = true;
  options.avoid_flush_during_shutdown = true;
  options.skip_stats_update_on_db_open = true;
  options.max_background_jobs = 2;
  options.max_manifest_file_size = uint64_t{4} << 20;
  options.info_log = std::make_shared<SilentLogger>();
  options.listeners = {std::make_shared<NoBackgroundRecovery>()};
  return options;
}

}  // namespace

absl::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kMeta:
      return "meta";
    case Family::kState:
      return "state";
    case Family::kIndex:
      return "index";
    case Family::kRows:
      return "rows";
    case Family::kTallies:
      return "tallies";
    case Family::kSeen:
      return "seen";
    case Family::kTimers:
      return "timers";
    case Family::kOutbox:
      return "outbox";
    case Family::kDeadLetters:
      return "dead_letters";
  }
  RAPPORT_CHECK(false, "family ", static_cast<int>(family));
}

StoreResources::StoreResources(const Options& options)
    : options_(options),
      owned_env_(options.in_memory && options.env == nullptr
                     ? rocksdb::NewMemEnv(rocksdb::Env::Default())
                     : nullptr),
      env_(options.env != nullptr ? options.env
           : owned_env_           ? owned_env_.get()
                                  : rocksdb::Env::Default()),
      // Few shards, so that a large filter block fits into one.
      cache_(rocksdb::NewLRUCache(options.memory_bytes, kCacheShardBits)),
      // Charged to the cache: one number caps both.
      write_buffers_(
          std::make_shared<rocksdb::WriteBufferManager>(options.memory_bytes / 2, cache_)) {
  if (options.write_bytes_per_second > 0) {
    rate_limiter_.reset(rocksdb::NewGenericRateLimiter(options.write_bytes_per_second));
  }
}

StoreResources::~StoreResources() = default;

// Goes through the memtables.
class StateStore::BatchCommit : public Commit {
 public:
  explicit BatchCommit(const StateStore* store) : store_(store) {}

  void Put(Family family, absl::string_view key, absl::string_view value) override {
    Check(batch_.Put(store_->handle(family), ToSlice(key), ToSlice(value)));
  }
  void Delete(Family family, absl::string_view key) override {
    Check(batch_.Delete(store_->handle(family), ToSlice(key)));
  }
  void AddSeen(absl::Span<const EventId> ids) override {
    seen_.insert(seen_.end(), ids.begin(), ids.end());
  }

 private:
  friend class StateStore;
  static void Check(const rocksdb::Status& status) {
    RAPPORT_CHECK(status.ok(), status.ToString());
  }

  const StateStore* const store_;
  rocksdb::WriteBatch batch_;
  std::vector<EventId> seen_;
};

// The newest seen ids. They are written as one block (kMeta) per commit, which costs the memtable
// one entry rather than one each, kept in a hash set, and sorted into a file of kSeen now and then.
class StateStore::SeenIds {
 public:
  SeenIdSet recent;
  // Whether kSeen holds any.
  bool has_files = false;
  int64_t first_block = 0;
  int64_t next_block = 0;

  static std::string BlockKey(int64_t block) {
    std::string key(1, kSeenBlockPrefix);
    AppendOrdered64(&key, block);
    return key;
  }

  void Insert(absl::string_view block) {
    for (size_t i = 0; i + EventId::kSize <= block.size(); i += EventId::kSize) {
      recent.insert(*EventId::FromBytes(block.substr(i, EventId::kSize)));
    }
  }
};

// The write-ahead logs, and how far they are on disk.
class StateStore::Logs {
 public:
  CommitSequence sequence;
  // Those that opening found.
  std::vector<LogFile> found;
  // Of the last commit through them.
  int64_t last_commit = 0;
  bool unsynced = false;
};

StateStore::StateStore(std::string folder, StoreResources* resources)
    : folder_(std::move(folder)),
      resources_(resources),
      logs_(std::make_unique<Logs>()),
      seen_(std::make_unique<SeenIds>()) {}

StateStore::~StateStore() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  }
  db_->Close().PermitUncheckedError();
}

absl::StatusOr<std::unique_ptr<StateStore>> StateStore::Open(const std::string& folder,
                                                             StoreResources* resources) {
  rocksdb::Env* env = resources->env();
  std::vector<std::string> children;
  env->GetChildren(folder, &children).PermitUncheckedError();
  const auto is_there = [&](absl::string_view name) {
    return std::find(children.begin(), children.end(), name) != children.end();
  };
  // RocksDB would take this for a new database and begin anew without a word. A process that died
  // while it made the store leaves neither of them.
  const bool has_data = std::any_of(children.begin(), children.end(), [](const std::string& name) {
    return absl::EndsWith(name, ".sst") || absl::EndsWith(name, ".log");
  });
  if (has_data && !is_there("CURRENT")) {
    return absl::DataLossError(
        absl::StrCat("opening state ", folder, ": its file CURRENT is gone"));
  }
  if (ManifestIsCutOff(env, folder)) {
    return absl::DataLossError(
        absl::StrCat("opening state ", folder, ": its MANIFEST is cut off within a record"));
  }
  if (!resources->in_memory()) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat("creating ", folder, ": ", error.message()));
    }
    fs::remove_all(fs::path(folder) / "bulk", error);
  } else {
    env->CreateDirIfMissing(folder).PermitUncheckedError();
  }

  auto store = std::unique_ptr<StateStore>(new StateStore(folder, resources));
  store->logs_->found = FindLogFiles(env, folder);
  // Of a process that died: RocksDB does not sync them before it flushes what stands in them, which
  // it may do while it opens.
  for (const LogFile& log : store->logs_->found) {
    RAPPORT_RETURN_IF_ERROR(ToStatus(SyncLogFile(env, folder, log),
                                     absl::StrCat("syncing the logs of state ", folder)));
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    const Family family = static_cast<Family>(i);
    families.emplace_back(family == Family::kMeta ? rocksdb::kDefaultColumnFamilyName
                                                  : std::string(FamilyName(family)),
                          FamilyOptions(family, *resources));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  // Those of a new database are made together: Open would write its OPTIONS file for each of them.
  std::vector<rocksdb::ColumnFamilyDescriptor> missing;
  if (!is_there("CURRENT")) {
    missing.assign(families.begin() + 1, families.end());
    families.resize(1);
  }
  rocksdb::DBOptions options = DatabaseOptions(*resources);
  options.wal_filter = &store->logs_->sequence;
  rocksdb::Status status = rocksdb::DB::Open(options, folder, families, &handles, &db);
  if (status.ok()) store->db_.reset(db);
  std::copy(handles.begin(), handles.end(), store->handles_.begin());
  if (status.ok() && !missing.empty()) {
    std::vector<rocksdb::ColumnFamilyHandle*> made;
    status = db->CreateColumnFamilies(missing, &made);
    std::copy(made.begin(), made.end(), store->handles_.begin() + 1);
  }
  if (!status.ok()) return ToOpenStatus(status, folder);

  RAPPORT_RETURN_IF_ERROR(store->CheckLogs());
  RAPPORT_RETURN_IF_ERROR(store->LoadSeenIds());
  return store;
}

absl::Status StateStore::LoadSeenIds() {
  RAPPORT_RETURN_IF_ERROR(Scan(Family::kSeen, "", "", [&](absl::string_view, absl::string_view) {
    seen_->has_files = true;
    return false;
  }));
  bool first = true;
  const std::string begin(1, kSeenBlockPrefix);
  const std::string end(1, kSeenBlockPrefix + 1);
  return Scan(Family::kMeta, begin, end, [&](absl::string_view key, absl::string_view value) {
    const int64_t block = ReadOrdered64(key.data() + 1);
    if (first) seen_->first_block = block;
    first = false;
    seen_->next_block = block + 1;
    seen_->Insert(value);
    return true;
  });
}

absl::Status StateStore::CheckLogs() {
  const auto damaged = [this](const auto&... what) {
    return absl::DataLossError(absl::StrCat("opening state ", folder_, ": ", what...));
  };
  const auto number_at = [this](Family family, absl::string_view key) -> absl::StatusOr<int64_t> {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, Get(family, key));
    return bytes && bytes->size() == sizeof(int64_t) ? ReadOrdered64(bytes->data()) : 0;
  };
  if (!logs_->sequence.missing().empty()) return damaged(logs_->sequence.missing());
  RAPPORT_ASSIGN_OR_RETURN(logs_->last_commit, number_at(Family::kMeta, kCommitNumberKey));
  RAPPORT_ASSIGN_OR_RETURN(const int64_t in_files, number_at(Family::kSeen, kFilesKey));
  if (in_files > logs_->last_commit) {
    return damaged("its files hold what came with commit ", in_files,
                   ", and its write-ahead logs end with commit ", logs_->last_commit);
  }
  // A log that an earlier opening found stays until all of it is in files.
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> noted, Get(Family::kMeta, kLogsKey));
  const std::vector<LogFile> known = DecodeLogFiles(noted.value_or(""));
  uint64_t oldest_needed = 0;
  if (!db_->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &oldest_needed)) {
    return damaged("it does not tell which logs it needs");
  }
  for (const LogFile& log : known) {
    if (log.number < static_cast<int64_t>(oldest_needed)) continue;
    const bool complete =
        std::any_of(logs_->found.begin(), logs_->found.end(), [&](const LogFile& found) {
          return found.number == log.number && found.bytes >= log.bytes;
        });
    if (!complete) {
      return damaged("its write-ahead log ", log.number, ", of ", log.bytes,
                     " bytes, is gone or cut off");
    }
  }
  // The others go away.
  std::erase_if(logs_->found, [&](const LogFile& log) {
    return log.number < static_cast<int64_t>(oldest_needed);
  });
  if (logs_->found.empty() || logs_->found == known) return absl::OkStatus();
  BatchCommit commit(this);
  commit.Put(Family::kMeta, kLogsKey, EncodeLogFiles(logs_->found));
  return WriteBatch(commit);
}

absl::Status StateStore::SyncLogs() {
  if (!logs_->unsynced) return absl::OkStatus();
  BatchCommit nothing(this);
  RAPPORT_RETURN_IF_ERROR(WriteNumbered(nothing, /*sync=*/true));
  logs_->unsynced = false;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> StateStore::Get(Family family,
                                                           absl::string_view key) const {
  std::string value;
  RAPPORT_ASSIGN_OR_RETURN(const bool found, Get(family, key, &value));
  if (!found) return std::nullopt;
  return value;
}

absl::StatusOr<bool> StateStore::Get(Family family, absl::string_view key,
                                     std::string* value) const {
  rocksdb::PinnableSlice pinned(value);
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), handle(family), ToSlice(key), &pinned);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return ToStatus(status, absl::StrCat("reading state ", folder_));
  if (pinned.IsPinned()) value->assign(pinned.data(), pinned.size());
  return true;
}

absl::Status StateStore::Scan(
    Family family, absl::string_view begin, absl::string_view end,
    const std::function<bool(absl::string_view, absl::string_view)>& visit) const {
  rocksdb::ReadOptions options;
  options.readahead_size = size_t{256} << 10;
  options.fill_cache = false;
  const rocksdb::Slice upper = ToSlice(end);
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(family)));
  for (it->Seek(ToSlice(begin)); it->Valid(); it->Next()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return ToStatus(it->status(), absl::StrCat("reading state ", folder_));
}

absl::Status StateStore::ScanBack(
    Family family, absl::string_view begin, absl::string_view end,
    const std::function<bool(absl::string_view, absl::string_view)>& visit) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const rocksdb::Slice lower = ToSlice(begin);
  const rocksdb::Slice upper = ToSlice(end);
  if (!begin.empty()) options.iterate_lower_bound = &lower;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(family)));
  for (it->SeekToLast(); it->Valid(); it->Prev()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return ToStatus(it->status(), absl::StrCat("reading state ", folder_));
}

absl::StatusOr<bool> StateStore::SeenBefore(const EventId& id) const {
  if (seen_->recent.contains(id)) return true;
  if (!seen_->has_files) return false;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), handle(Family::kSeen), ToSlice(id.view()), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return ToStatus(status, absl::StrCat("reading state ", folder_));
  return true;
}

std::unique_ptr<Commit> StateStore::NewCommit() { return std::make_unique<BatchCommit>(this); }
std::unique_ptr<Commit> StateStore::NewBulkCommit() { return std::make_unique<BulkCommit>(this); }

absl::Status StateStore::Write(std::unique_ptr<Commit> commit) {
  if (auto* batch = dynamic_cast<BatchCommit*>(commit.get())) return WriteBatch(*batch);
  return WriteBulk(dynamic_cast<BulkCommit&>(*commit));
}

absl::Status StateStore::WriteNumbered(BatchCommit& commit, bool sync) {
  std::string number;
  AppendOrdered64(&number, logs_->last_commit + 1);
  commit.Put(Family::kMeta, kCommitNumberKey, number);
  logs_->unsynced = true;
  rocksdb::WriteOptions options;
  options.sync = sync;
  RAPPORT_RETURN_IF_ERROR(
      ToStatus(db_->Write(options, &commit.batch_), absl::StrCat("writing state ", folder_)));
  ++logs_->last_commit;
  return absl::OkStatus();
}

absl::Status StateStore::WriteBatch(BatchCommit& commit) {
  if (!commit.seen_.empty()) {
    const absl::string_view block(reinterpret_cast<const char*>(commit.seen_.data()),
                                  commit.seen_.size() * EventId::kSize);
    commit.Put(Family::kMeta, SeenIds::BlockKey(seen_->next_block), block);
  }
  RAPPORT_RETURN_IF_ERROR(WriteNumbered(commit, /*sync=*/false));
  if (commit.seen_.empty()) return absl::OkStatus();

  ++seen_->next_block;
  seen_->recent.insert(commit.seen_.begin(), commit.seen_.end());
  if (seen_->recent.size() < resources_->recent_seen_ids()) return absl::OkStatus();

  // The file first, then without the blocks: a crash in between leaves ids in both, which is
  // harmless.
  BulkCommit sorted(this);
  sorted.seen_.assign(seen_->recent.begin(), seen_->recent.end());
  RAPPORT_RETURN_IF_ERROR(WriteBulk(sorted));
  BatchCommit drop(this);
  for (int64_t block = seen_->first_block; block < seen_->next_block; ++block) {
    drop.Delete(Family::kMeta, SeenIds::BlockKey(block));
  }
  RAPPORT_RETURN_IF_ERROR(WriteBatch(drop));
  seen_->first_block = seen_->next_block;
  seen_->recent.clear();
  return absl::OkStatus();
}

absl::Status StateStore::WriteFiles(BulkCommit& commit) {
  const std::string what = absl::StrCat("bulk-loading state ", folder_);
  const std::string bulk_folder = absl::StrCat(folder_, "/bulk");
  RAPPORT_RETURN_IF_ERROR(ToStatus(resources_->env()->CreateDirIfMissing(bulk_folder), what));

  rocksdb::Options options(DatabaseOptions(*resources_), rocksdb::ColumnFamilyOptions());
  const auto write_file = [&](Family family, const auto& fill) {
    static_cast<rocksdb::ColumnFamilyOptions&>(options) = FamilyOptions(family, *resources_);
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, handle(family));
    std::vector<std::string>& files = commit.files_[static_cast<size_t>(family)];
    files.push_back(absl::StrCat(bulk_folder, "/", next_file_++, ".sst"));
    rocksdb::Status status = writer.Open(files.back());
    if (status.ok()) status = fill(writer);
    if (status.ok()) status = writer.Finish();
    return ToStatus(status, what);
  };

  for (size_t i = 0; i < kFamilyCount; ++i) {
    std::vector<BulkCommit::Change>& changes = commit.changes_[i];
    if (changes.empty()) continue;
    // Stable, so that of several changes of one key the last one counts.
    std::stable_sort(changes.begin(), changes.end());
    RAPPORT_RETURN_IF_ERROR(write_file(static_cast<Family>(i), [&](rocksdb::SstFileWriter& writer) {
      rocksdb::Status result;
      for (size_t j = 0; j < changes.size() && result.ok(); ++j) {
        const BulkCommit::Change& change = changes[j];
        if (j + 1 < changes.size() && changes[j + 1].key() == change.key()) continue;
        result =
            change.deleted ? writer.Delete(change.key()) : writer.Put(change.key(), change.value());
      }
      return result;
    }));
  }
  if (!commit.seen_.empty() || !commit.last_commit_.empty()) {
    std::sort(commit.seen_.begin(), commit.seen_.end());
    commit.seen_.erase(std::unique(commit.seen_.begin(), commit.seen_.end()), commit.seen_.end());
    RAPPORT_RETURN_IF_ERROR(write_file(Family::kSeen, [&](rocksdb::SstFileWriter& writer) {
      rocksdb::Status result;
      if (!commit.last_commit_.empty()) {
        result = writer.Put(ToSlice(kFilesKey), commit.last_commit_);
      }
      for (const EventId& id : commit.seen_) {
        if (!result.ok()) break;
        result = writer.Put(ToSlice(id.view()), rocksdb::Slice());
      }
      return result;
    }));
  }
  commit.Clear();
  return absl::OkStatus();
}

absl::Status StateStore::WriteBulk(BulkCommit& commit) {
  // Files are on disk once they are ingested; what was committed before them has to be, too.
  RAPPORT_RETURN_IF_ERROR(SyncLogs());
  AppendOrdered64(&commit.last_commit_, logs_->last_commit);
  RAPPORT_RETURN_IF_ERROR(WriteFiles(commit));
  std::vector<rocksdb::IngestExternalFileArg> args;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    if (commit.files_[i].empty()) continue;
    rocksdb::IngestExternalFileArg& arg = args.emplace_back();
    arg.column_family = handle(static_cast<Family>(i));
    arg.external_files = commit.files_[i];
    arg.options.move_files = true;
  }
  // TryAgain: what it had flushed for that was not to be seen yet; all files are as they were.
  constexpr int kAttempts = 10;
  rocksdb::Status status = db_->IngestExternalFiles(args);
  for (int attempt = 1; status.IsTryAgain() && attempt < kAttempts; ++attempt) {
    status = db_->IngestExternalFiles(args);
  }
  RAPPORT_RETURN_IF_ERROR(ToStatus(status, absl::StrCat("bulk-loading state ", folder_)));
  seen_->has_files = true;
  return absl::OkStatus();
}

absl::StatusOr<Digest> StateStore::ComputeDigest() const {
  Digest digest;
  for (const Family family : kDigestFamilies) {
    RAPPORT_RETURN_IF_ERROR(
        Scan(family, "", "", [&](absl::string_view key, absl::string_view value) {
          digest += Digest::OfEntry(static_cast<uint8_t>(family), key, value);
          return true;
        }));
  }
  return digest;
}

absl::Status StateStore::Checkpoint(const std::string& folder) {
  rocksdb::Checkpoint* checkpoint = nullptr;
  const std::string what = absl::StrCat("writing a checkpoint of ", folder_, " to ", folder);
  RAPPORT_RETURN_IF_ERROR(ToStatus(rocksdb::Checkpoint::Create(db_.get(), &checkpoint), what));
  const std::unique_ptr<rocksdb::Checkpoint> owned(checkpoint);
  return ToStatus(owned->CreateCheckpoint(folder), what);
}

uint64_t StateStore::DiskBytes() const {
  uint64_t bytes = 0;
  for (rocksdb::ColumnFamilyHandle* family : handles_) {
    uint64_t family_bytes = 0;
    if (db_->GetIntProperty(family, rocksdb::DB::Properties::kTotalSstFilesSize, &family_bytes)) {
      bytes += family_bytes;
    }
  }
  return bytes;
}

absl::Status DestroyStateStore(const std::string& folder, StoreResources* resources) {
  rocksdb::Options options;
  options.env = resources->env();
  RAPPORT_RETURN_IF_ERROR(
      ToStatus(rocksdb::DestroyDB(folder, options), absl::StrCat("removing state ", folder)));
  if (!resources->in_memory()) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (error)
      return absl::UnavailableError(absl::StrCat("removing ", folder, ": ", error.message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SetAsideStateStore(const std::string& folder,
                                               StoreResources* resources) {
  if (resources->in_memory()) {
    RAPPORT_RETURN_IF_ERROR(DestroyStateStore(folder, resources));
    return folder;
  }
  std::string aside;
  std::error_code error;
  for (int number = 1;; ++number) {
    aside = absl::StrCat(folder, ".set-aside-", number);
    if (!fs::exists(aside, error)) break;
  }
  fs::rename(folder, aside, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("setting aside state ", folder, ": ", error.message()));
  }
  return aside;
}

}  // namespace rapport
