#include "libs/mail/mail_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::mail_internal {

namespace fs = std::filesystem;

namespace {

// The time that the name of a file in a Maildir begins with: "1785744720.M20046P.host:2,S".
std::optional<absl::Time> DeliveryTime(absl::string_view name) {
  const size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  int64_t seconds = 0;
  // 1989 to 2286.
  constexpr size_t kFewest = 9;
  constexpr size_t kMost = 10;
  if (digits < kFewest || digits > kMost || name.substr(digits, 1) != "." ||
      absl::EndsWith(name, ".eml") || !absl::SimpleAtoi(name.substr(0, digits), &seconds)) {
    return std::nullopt;
  }
  return absl::FromUnixSeconds(seconds);
}

}  // namespace

absl::StatusOr<MailReader::Mail> ReadMailFile(const std::string& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return absl::NotFoundError(absl::StrCat(path, " is gone"));
  }
  std::ifstream in(path, std::ios::binary);
  if (error || !in) return absl::DataLossError(absl::StrCat(path, " cannot be read"));
  MailReader::Mail mail;
  mail.size = static_cast<int64_t>(size);
  mail.place = fs::path(path).filename().string();
  mail.delivered_at = DeliveryTime(mail.place);
  mail.bytes.resize(std::min<uint64_t>(size, MailReader::kMaxMailBytes));
  in.read(mail.bytes.data(), static_cast<std::streamsize>(mail.bytes.size()));
  if (in.bad()) return absl::DataLossError(absl::StrCat(path, " cannot be read"));
  mail.bytes.resize(static_cast<size_t>(in.gcount()));
  return mail;
}

absl::StatusOr<std::vector<MaildirFile>> ListMaildir(const std::string& path) {
  std::vector<MaildirFile> files;
  for (const char* const part : {"new", "cur"}) {
    std::error_code error;
    fs::directory_iterator entries(fs::path(path) / part, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const std::string name = entries->path().filename().string();
      if (name[0] == '.') continue;
      files.push_back({name.substr(0, name.find(':')), entries->path().string()});
    }
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("the mail folder ", path, "/", part, " cannot be read: ", error.message()));
    }
  }
  const auto by_name = [](const MaildirFile& a, const MaildirFile& b) { return a.name < b.name; };
  std::sort(files.begin(), files.end(), by_name);
  return files;
}

}  // namespace rapport::mail_internal
