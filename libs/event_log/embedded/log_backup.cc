#include "libs/event_log/embedded/log_backup.h"

#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/storage.h"
#include "rocksdb/db.h"
#include "rocksdb/utilities/backup_engine.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using embedded::FromRocks;

rocksdb::BackupEngineOptions EngineOptions(const std::string& folder) {
  rocksdb::BackupEngineOptions options(folder);
  options.sync = true;
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  return options;
}

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngine>> OpenEngine(const std::string& folder) {
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngine::Open(rocksdb::Env::Default(), EngineOptions(folder), &engine);
  if (status.ok()) return std::unique_ptr<rocksdb::BackupEngine>(engine);
  const std::string what = absl::StrCat("opening the backups in ", folder);
  if (status.IsCorruption() || status.IsNoSpace()) return FromRocks(status, what);
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", status.ToString()));
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabase(
    const std::string& folder, std::vector<rocksdb::ColumnFamilyHandle*>* handles) {
  rocksdb::DBOptions options;
  options.info_log = embedded::NewSilentLogger();
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, folder, &names);
  rocksdb::DB* db = nullptr;
  if (status.ok()) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    // It is only copied: its files may stay as they are.
    for (rocksdb::ColumnFamilyDescriptor& family : families) {
      family.options.disable_auto_compactions = true;
    }
    status = rocksdb::DB::Open(options, folder, families, handles, &db);
  }
  if (!status.ok()) return FromRocks(status, absl::StrCat("opening the log in ", folder));
  return std::unique_ptr<rocksdb::DB>(db);
}

int64_t BytesIn(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) bytes += static_cast<int64_t>(entry.file_size(error));
  }
  return bytes;
}

LogBackup ToBackup(const rocksdb::BackupInfo& info, int64_t new_bytes) {
  return {.number = info.backup_id,
          .taken_at = absl::FromUnixSeconds(info.timestamp),
          .bytes = static_cast<int64_t>(info.size),
          .new_bytes = new_bytes};
}

}  // namespace

absl::StatusOr<LogBackup> BackUpEmbeddedLog(const std::string& log_folder,
                                            const std::string& backup_folder, uint32_t keep) {
  std::error_code error;
  fs::create_directories(backup_folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("creating the backup folder ", backup_folder, ": ", error.message()));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<rocksdb::BackupEngine> engine,
                           OpenEngine(backup_folder));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<rocksdb::DB> db,
                           OpenDatabase(log_folder, &handles));
  const absl::Cleanup close = [&] {
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  };
  const int64_t before = BytesIn(backup_folder);
  rocksdb::BackupID number = 0;
  const rocksdb::Status taken =
      engine->CreateNewBackup(rocksdb::CreateBackupOptions(), db.get(), &number);
  const std::string what = absl::StrCat("backing up ", log_folder, " into ", backup_folder);
  RAPPORT_RETURN_IF_ERROR(FromRocks(taken, what));
  const int64_t new_bytes = BytesIn(backup_folder) - before;
  rocksdb::BackupInfo info;
  RAPPORT_RETURN_IF_ERROR(FromRocks(engine->GetBackupInfo(number, &info), what));
  RAPPORT_RETURN_IF_ERROR(FromRocks(engine->PurgeOldBackups(keep), what));
  return ToBackup(info, new_bytes);
}

absl::StatusOr<LogBackup> RestoreEmbeddedLog(const std::string& backup_folder,
                                             const std::string& log_folder) {
  std::error_code error;
  if (!fs::is_directory(backup_folder, error)) {
    return absl::NotFoundError(absl::StrCat("there is no backup in ", backup_folder));
  }
  if (fs::exists(log_folder, error) && !fs::is_empty(log_folder, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is something in ", log_folder,
                     " already: move it away, or restore into another data folder"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::unique_ptr<rocksdb::BackupEngine> engine,
                           OpenEngine(backup_folder));
  rocksdb::BackupInfo info;
  const rocksdb::Status found = engine->GetLatestBackupInfo(&info);
  if (!found.ok()) {
    return absl::NotFoundError(absl::StrCat("there is no backup in ", backup_folder));
  }
  const std::string what = absl::StrCat("restoring backup ", info.backup_id, " of ", backup_folder);
  RAPPORT_RETURN_IF_ERROR(
      FromRocks(engine->VerifyBackup(info.backup_id, /*verify_with_checksum=*/true), what));
  fs::create_directories(log_folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat(what, ": cannot make ", log_folder, ": ", error.message()));
  }
  RAPPORT_RETURN_IF_ERROR(
      FromRocks(engine->RestoreDBFromBackup(info.backup_id, log_folder, log_folder), what));
  return ToBackup(info, static_cast<int64_t>(info.size));
}

}  // namespace rapport
