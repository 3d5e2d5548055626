#include "services/retention/model_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "libs/projections/retention/settings_file.h"

namespace rapport {
namespace {

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

absl::Status WriteDurably(const std::string& text, const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return Failed("opening", path);
  const absl::Cleanup close = [file] { ::close(file); };
  for (size_t written = 0; written < text.size();) {
    const ssize_t some = ::write(file, text.data() + written, text.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return Failed("writing", path);
    written += static_cast<size_t>(some);
  }
  return ::fsync(file) == 0 ? absl::OkStatus() : Failed("writing", path);
}

}  // namespace

std::string ModelFileIn(const std::string& data_folder) { return data_folder + "/retention.model"; }

absl::StatusOr<RetentionSettings> ReadModelFile(const std::string& path,
                                                const RetentionSettings& base) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("there is no model file ", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return Failed("reading", path);
  return ParseSettings(text, path, base);
}

absl::StatusOr<RetentionSettings> ModelInForce(const std::string& data_folder) {
  const std::string path = ModelFileIn(data_folder);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return RetentionSettings();
  return ReadModelFile(path);
}

absl::Status PutModelInForce(const std::string& text, const std::string& data_folder) {
  std::error_code error;
  std::filesystem::create_directories(data_folder, error);
  const std::string path = ModelFileIn(data_folder);
  const std::string next = path + ".next";
  if (absl::Status written = WriteDurably(text, next); !written.ok()) {
    std::filesystem::remove(next, error);
    return written;
  }
  if (::rename(next.c_str(), path.c_str()) != 0) return Failed("renaming", next);
  const int folder = ::open(data_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed("opening", data_folder);
  const absl::Cleanup close = [folder] { ::close(folder); };
  return ::fsync(folder) == 0 ? absl::OkStatus() : Failed("writing", data_folder);
}

}  // namespace rapport
