#include "tests/support/power_cut_env.h"

#include <algorithm>
#include <utility>

#include "libs/base/check.h"

namespace rapport::testing {
namespace {

using rocksdb::IOStatus;

constexpr size_t kSector = 512;

IOStatus PowerIsOff() { return IOStatus::IOError("the power is off (injected)"); }

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class PowerCutFileSystem::File : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(PowerCutFileSystem* files, std::string path, std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)), files_(*files), path_(std::move(path)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    if (!files_.on()) return PowerIsOff();
    return target()->Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    if (!files_.on()) return PowerIsOff();
    return target()->Truncate(size, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (!files_.on()) return PowerIsOff();
    const uint64_t size = target()->GetFileSize(options, debug);
    const IOStatus status = target()->Sync(options, debug);
    if (status.ok()) files_.FileSynced(path_, size);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  PowerCutFileSystem& files_;
  const std::string path_;
};

class PowerCutFileSystem::Folder : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(PowerCutFileSystem* files, std::string path, std::unique_ptr<rocksdb::FSDirectory> target)
      : FSDirectoryWrapper(std::move(target)), files_(*files), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (!files_.on()) return PowerIsOff();
    files_.FolderSynced(path_);
    return FSDirectoryWrapper::Fsync(options, debug);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  PowerCutFileSystem& files_;
  const std::string path_;
};

void PowerCutFileSystem::PowerOff() {
  MutexLock lock(&mutex_);
  on_ = false;
}

void PowerCutFileSystem::PowerOn(Random* random) {
  MutexLock lock(&mutex_);
  for (const auto& [path, standing] : files_) Cut(path, standing, random);
  files_.clear();
  on_ = true;
}

int64_t PowerCutFileSystem::dropped_bytes() const {
  MutexLock lock(&mutex_);
  return dropped_bytes_;
}

void PowerCutFileSystem::Cut(const std::string& path, const Standing& standing, Random* random) {
  const rocksdb::IOOptions options;
  if (!target()->FileExists(path, options, nullptr).ok()) return;
  std::string content = ContentOf(path);
  if (!standing.named && random->Chance(50)) {
    dropped_bytes_ += static_cast<int64_t>(content.size());
    if (standing.before) {
      Overwrite(path, *standing.before);
    } else {
      RAPPORT_CHECK(target()->DeleteFile(path, options, nullptr).ok(), path);
    }
    return;
  }
  if (content.size() <= standing.synced) return;
  const size_t unsynced = content.size() - standing.synced;
  if (random->Chance(25)) {
    // Later sectors were written, and an earlier one was not.
    const size_t at =
        standing.synced + static_cast<size_t>(random->Below(static_cast<int64_t>(unsynced)));
    const size_t end = std::min(content.size(), (at / kSector + 1) * kSector);
    std::fill(content.begin() + static_cast<std::ptrdiff_t>(at),
              content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    dropped_bytes_ += static_cast<int64_t>(end - at);
  } else if (random->Chance(75)) {
    const size_t kept =
        random->Chance(30) ? 0 : static_cast<size_t>(random->Below(static_cast<int64_t>(unsynced)));
    content.resize(standing.synced + kept);
    dropped_bytes_ += static_cast<int64_t>(unsynced - kept);
  }
  Overwrite(path, content);
}

bool PowerCutFileSystem::on() const {
  MutexLock lock(&mutex_);
  return on_;
}

void PowerCutFileSystem::FileSynced(const std::string& path, uint64_t size) {
  MutexLock lock(&mutex_);
  if (on_) StandingOf(path).synced = size;
}

void PowerCutFileSystem::FolderSynced(const std::string& path) {
  MutexLock lock(&mutex_);
  if (!on_) return;
  for (auto& [file, standing] : files_) {
    if (FolderOf(file) != path) continue;
    standing.named = true;
    standing.before.reset();
  }
}

PowerCutFileSystem::Standing& PowerCutFileSystem::StandingOf(const std::string& path) {
  const auto [it, inserted] = files_.try_emplace(path);
  if (inserted) {
    it->second.named = true;
    target()
        ->GetFileSize(path, rocksdb::IOOptions(), &it->second.synced, nullptr)
        .PermitUncheckedError();
  }
  return it->second;
}

std::string PowerCutFileSystem::ContentOf(const std::string& path) const {
  std::string content;
  const IOStatus status = rocksdb::ReadFileToString(target(), path, &content);
  RAPPORT_CHECK(status.ok(), status.ToString());
  return content;
}

void PowerCutFileSystem::Overwrite(const std::string& path, const std::string& content) const {
  const IOStatus status = rocksdb::WriteStringToFile(target(), content, path, /*should_sync=*/true);
  RAPPORT_CHECK(status.ok(), status.ToString());
}

IOStatus PowerCutFileSystem::NewWritableFile(const std::string& path,
                                             const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                                             IODebugContext* debug) {
  MutexLock lock(&mutex_);
  if (!on_) return PowerIsOff();
  Standing standing;
  if (target()->FileExists(path, options.io_options, debug).ok()) {
    // Written over in place.
    standing.named = StandingOf(path).named;
    standing.before = StandingOf(path).before;
  }
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const IOStatus status = target()->NewWritableFile(path, options, &file, debug);
  if (!status.ok()) return status;
  files_[path] = std::move(standing);
  *result = std::make_unique<File>(this, path, std::move(file));
  return status;
}

IOStatus PowerCutFileSystem::ReopenWritableFile(const std::string& path,
                                                const rocksdb::FileOptions& options,
                                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                IODebugContext* debug) {
  MutexLock lock(&mutex_);
  if (!on_) return PowerIsOff();
  StandingOf(path);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const IOStatus status = target()->ReopenWritableFile(path, options, &file, debug);
  if (status.ok()) *result = std::make_unique<File>(this, path, std::move(file));
  return status;
}

IOStatus PowerCutFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                          std::unique_ptr<rocksdb::FSDirectory>* result,
                                          IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> folder;
  const IOStatus status = target()->NewDirectory(path, options, &folder, debug);
  if (status.ok()) *result = std::make_unique<Folder>(this, path, std::move(folder));
  return status;
}

IOStatus PowerCutFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                        IODebugContext* debug) {
  MutexLock lock(&mutex_);
  if (!on_) return PowerIsOff();
  const IOStatus status = target()->DeleteFile(path, options, debug);
  if (status.ok()) files_.erase(path);
  return status;
}

IOStatus PowerCutFileSystem::RenameFile(const std::string& from, const std::string& to,
                                        const IOOptions& options, IODebugContext* debug) {
  MutexLock lock(&mutex_);
  if (!on_) return PowerIsOff();
  std::optional<std::string> before;
  if (target()->FileExists(to, options, debug).ok()) {
    const Standing& replaced = StandingOf(to);
    before = replaced.named ? ContentOf(to) : replaced.before;
  }
  Standing moved = StandingOf(from);
  const IOStatus status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  files_.erase(from);
  moved.named = false;
  moved.before = std::move(before);
  files_[to] = std::move(moved);
  return status;
}

IOStatus PowerCutFileSystem::LinkFile(const std::string& from, const std::string& to,
                                      const IOOptions& options, IODebugContext* debug) {
  MutexLock lock(&mutex_);
  if (!on_) return PowerIsOff();
  const uint64_t synced = StandingOf(from).synced;
  const IOStatus status = target()->LinkFile(from, to, options, debug);
  if (status.ok()) files_[to] = {synced, /*named=*/false, std::nullopt};
  return status;
}

}  // namespace rapport::testing
