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

// Small memtables: faster to insert into, and quick to replay after a crash.
constexpr size_t kWriteBufferBytes = size_t{8} << 20;
constexpr uint64_t kMaxWalBytes = uint64_t{48} << 20;
// Seen ids that are kept in memory (4 MiB of ids) before they are sorted into a file.
constexpr size_t kRecentIds = size_t{1} << 18;
constexpr int kCacheShardBits = 2;
// Key of a block of recent ids in kMeta: this byte and the block's number.
constexpr char kSeenBlockPrefix = 'b';

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
  options.write_buffer_size = kWriteBufferBytes;
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
    : owned_env_(options.in_memory ? rocksdb::NewMemEnv(rocksdb::Env::Default()) : nullptr),
      env_(owned_env_ ? owned_env_.get() : rocksdb::Env::Default()),
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

StateStore::StateStore(std::string folder, StoreResources* resources)
    : folder_(std::move(folder)), resources_(resources), seen_(std::make_unique<SeenIds>()) {}

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
  rocksdb::Status status =
      rocksdb::DB::Open(DatabaseOptions(*resources), folder, families, &handles, &db);
  if (status.ok()) store->db_.reset(db);
  std::copy(handles.begin(), handles.end(), store->handles_.begin());
  if (status.ok() && !missing.empty()) {
    std::vector<rocksdb::ColumnFamilyHandle*> made;
    status = db->CreateColumnFamilies(missing, &made);
    std::copy(made.begin(), made.end(), store->handles_.begin() + 1);
  }
  if (!status.ok()) return ToOpenStatus(status, folder);

  RAPPORT_RETURN_IF_ERROR(
      store->Scan(Family::kSeen, "", "", [&](absl::string_view, absl::string_view) {
        store->seen_->has_files = true;
        return false;
      }));
  bool first = true;
  const std::string begin(1, kSeenBlockPrefix);
  const std::string end(1, kSeenBlockPrefix + 1);
  RAPPORT_RETURN_IF_ERROR(
      store->Scan(Family::kMeta, begin, end, [&](absl::string_view key, absl::string_view value) {
        const int64_t block = ReadOrdered64(key.data() + 1);
        if (first) store->seen_->first_block = block;
        first = false;
        store->seen_->next_block = block + 1;
        store->seen_->Insert(value);
        return true;
      }));
  return store;
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

absl::Status StateStore::WriteBatch(BatchCommit& commit) {
  if (!commit.seen_.empty()) {
    const absl::string_view block(reinterpret_cast<const char*>(commit.seen_.data()),
                                  commit.seen_.size() * EventId::kSize);
    commit.Put(Family::kMeta, SeenIds::BlockKey(seen_->next_block), block);
  }
  const std::string what = absl::StrCat("writing state ", folder_);
  RAPPORT_RETURN_IF_ERROR(ToStatus(db_->Write(rocksdb::WriteOptions(), &commit.batch_), what));
  if (commit.seen_.empty()) return absl::OkStatus();

  ++seen_->next_block;
  seen_->recent.insert(commit.seen_.begin(), commit.seen_.end());
  if (seen_->recent.size() < kRecentIds) return absl::OkStatus();

  // The file first, then without the blocks: a crash in between leaves ids in both, which is
  // harmless.
  BulkCommit sorted(this);
  sorted.seen_.assign(seen_->recent.begin(), seen_->recent.end());
  RAPPORT_RETURN_IF_ERROR(WriteBulk(sorted));
  rocksdb::WriteBatch drop;
  for (int64_t block = seen_->first_block; block < seen_->next_block; ++block) {
    BatchCommit::Check(drop.Delete(handle(Family::kMeta), SeenIds::BlockKey(block)));
  }
  RAPPORT_RETURN_IF_ERROR(ToStatus(db_->Write(rocksdb::WriteOptions(), &drop), what));
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
  if (!commit.seen_.empty()) {
    std::sort(commit.seen_.begin(), commit.seen_.end());
    commit.seen_.erase(std::unique(commit.seen_.begin(), commit.seen_.end()), commit.seen_.end());
    RAPPORT_RETURN_IF_ERROR(write_file(Family::kSeen, [&](rocksdb::SstFileWriter& writer) {
      rocksdb::Status result;
      for (const EventId& id : commit.seen_) {
        result = writer.Put(ToSlice(id.view()), rocksdb::Slice());
        if (!result.ok()) break;
      }
      return result;
    }));
  }
  commit.Clear();
  return absl::OkStatus();
}

absl::Status StateStore::WriteBulk(BulkCommit& commit) {
  RAPPORT_RETURN_IF_ERROR(WriteFiles(commit));
  std::vector<rocksdb::IngestExternalFileArg> args;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    if (commit.files_[i].empty()) continue;
    rocksdb::IngestExternalFileArg& arg = args.emplace_back();
    arg.column_family = handle(static_cast<Family>(i));
    arg.external_files = commit.files_[i];
    arg.options.move_files = true;
  }
  if (args.empty()) return absl::OkStatus();
  RAPPORT_RETURN_IF_ERROR(
      ToStatus(db_->IngestExternalFiles(args), absl::StrCat("bulk-loading state ", folder_)));
  if (!commit.files_[static_cast<size_t>(Family::kSeen)].empty()) seen_->has_files = true;
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

}  // namespace rapport
