#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/mutex.h"
#include "libs/projections/testing/random_history.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace rapport::testing {

// Files that can lose their power. What a file was given since it was synced last is cut off at any
// byte, or keeps its length and has a hole; a file that was made, linked or renamed since its
// folder was synced is there or is not, and what it took the place of is back. All that was synced
// stays, and a removed file stays away. Over a file system of RocksDB's; thread-safe.
class PowerCutFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit PowerCutFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target)
      : FileSystemWrapper(target) {}
  const char* Name() const override { return "PowerCutFileSystem"; }

  // From now on every change fails, and nothing counts as synced any more. Whoever has files open
  // then closes them.
  void PowerOff();
  // Drops what `random` chooses of what was not synced. The power is on again.
  void PowerOn(Random* random);
  // Bytes and files that were dropped so far.
  int64_t dropped_bytes() const;

  using IOOptions = rocksdb::IOOptions;
  using IODebugContext = rocksdb::IODebugContext;
  using IOStatus = rocksdb::IOStatus;
  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override;
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override;
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override;

 private:
  class File;
  class Folder;
  struct Standing {
    uint64_t synced = 0;
    // Its name is on disk.
    bool named = false;
    // What stood under its name on disk before; nullopt: nothing.
    std::optional<std::string> before;
  };

  bool on() const;
  void FileSynced(const std::string& path, uint64_t size);
  void FolderSynced(const std::string& path);
  // The file's standing; one that was there before counts as synced.
  Standing& StandingOf(const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ContentOf(const std::string& path) const;
  void Cut(const std::string& path, const Standing& standing, Random* random)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Overwrite(const std::string& path, const std::string& content) const;

  mutable Mutex mutex_;
  bool on_ ABSL_GUARDED_BY(mutex_) = true;
  std::map<std::string, Standing> files_ ABSL_GUARDED_BY(mutex_);
  int64_t dropped_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// An Env over such files in memory.
class PowerCutEnv {
 public:
  PowerCutEnv()
      : memory_(rocksdb::NewMemEnv(rocksdb::Env::Default())),
        files_(std::make_shared<PowerCutFileSystem>(memory_->GetFileSystem())),
        env_(rocksdb::NewCompositeEnv(files_)) {}
  rocksdb::Env* env() const { return env_.get(); }
  PowerCutFileSystem& files() const { return *files_; }

 private:
  const std::unique_ptr<rocksdb::Env> memory_;
  const std::shared_ptr<PowerCutFileSystem> files_;
  const std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace rapport::testing
