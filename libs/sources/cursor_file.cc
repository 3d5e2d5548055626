#include "libs/sources/cursor_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

absl::Status Sync(int descriptor, const std::string& path) {
  return ::fsync(descriptor) == 0 ? absl::OkStatus() : Failed("syncing", path);
}

absl::Status WriteSynced(const std::string& path, const std::string& bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return Failed("creating", path);
  absl::Status status;
  size_t done = 0;
  while (status.ok() && done < bytes.size()) {
    const ssize_t count = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR) status = Failed("writing", path);
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (status.ok()) status = Sync(descriptor, path);
  ::close(descriptor);
  return status;
}

}  // namespace

absl::Status LoadCursor(const std::string& path, google::protobuf::Message* cursor) {
  cursor->Clear();
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::OkStatus();
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (cursor->ParseFromString(bytes)) return absl::OkStatus();
  cursor->Clear();
  return absl::DataLossError(absl::StrCat(path,
                                          " is damaged; remove it, and the source is read "
                                          "again, which counts nothing twice"));
}

absl::Status SaveCursor(const std::string& path, const google::protobuf::Message& cursor) {
  const std::string next = path + ".new";
  RAPPORT_RETURN_IF_ERROR(WriteSynced(next, cursor.SerializeAsString()));
  if (std::rename(next.c_str(), path.c_str()) != 0) return Failed("replacing", path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return Failed("opening", folder);
  const absl::Status status = Sync(descriptor, folder);
  ::close(descriptor);
  return status;
}

}  // namespace rapport
