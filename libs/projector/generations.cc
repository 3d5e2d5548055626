#include "libs/projector/generations.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/text_format.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "rapport/state/v1/store.pb.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::nullopt;
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("creating ", folder, ": ", error.message()));
  return absl::OkStatus();
}

absl::Status RemoveFolder(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("removing ", folder, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Generations> Generations::Open(std::string folder) {
  RAPPORT_RETURN_IF_ERROR(MakeFolder(folder));
  Generations generations(std::move(folder));
  RAPPORT_RETURN_IF_ERROR(generations.ReadCurrent());
  return generations;
}

absl::Status Generations::ReadCurrent() {
  const std::string path = absl::StrCat(folder_, "/CURRENT");
  const std::optional<std::string> content = ReadSmallFile(path);
  if (!content) return absl::OkStatus();
  const auto number_in = [](absl::string_view text, std::optional<int>* number) {
    int value = 0;
    if (!absl::SimpleAtoi(text, &value) || value < 1) return false;
    *number = value;
    return true;
  };
  const std::vector<absl::string_view> lines =
      absl::StrSplit(*content, '\n', absl::SkipWhitespace());
  bool good = !lines.empty() && lines.size() <= 2 && number_in(lines[0], &current_);
  if (good && lines.size() == 2) {
    absl::string_view previous = lines[1];
    good = absl::ConsumePrefix(&previous, "previous ") &&
           (previous == "none" || number_in(previous, &previous_));
  } else if (good) {
    // Of an earlier version.
    const std::optional<std::string> apart = ReadSmallFile(absl::StrCat(folder_, "/PREVIOUS"));
    good = !apart || number_in(*apart, &previous_);
  }
  if (good) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      path, " holds '", *content, "', not the number of a generation: write the number N of one ",
      "of the folders g<N> beside it, or remove the whole folder to rebuild from the log"));
}

std::string Generations::GenerationFolder(int generation) const {
  return absl::StrCat(folder_, "/g", generation);
}

std::string Generations::PartitionFolder(int generation, Partition partition) const {
  return absl::StrCat(GenerationFolder(generation), "/p", partition.value());
}

std::vector<int> Generations::List() const {
  std::vector<int> numbers;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (absl::StartsWith(name, "g") && absl::SimpleAtoi(name.substr(1), &number)) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<int> Generations::Create(const ProjectionIdentity& identity) {
  const std::vector<int> numbers = List();
  const int generation = numbers.empty() ? 1 : numbers.back() + 1;
  state::v1::GenerationIdentity stated;
  stated.set_projection(identity.name);
  stated.set_version(identity.version);
  stated.set_settings_fingerprint(identity.settings_fingerprint);
  RAPPORT_RETURN_IF_ERROR(MakeFolder(GenerationFolder(generation)));
  RAPPORT_RETURN_IF_ERROR(WriteSmallFile(absl::StrCat(GenerationFolder(generation), "/IDENTITY"),
                                         stated.DebugString()));
  return generation;
}

absl::StatusOr<ProjectionIdentity> Generations::IdentityOf(int generation) const {
  const std::string path = absl::StrCat(GenerationFolder(generation), "/IDENTITY");
  const std::optional<std::string> content = ReadSmallFile(path);
  if (!content) return absl::NotFoundError(absl::StrCat(path, " is not there"));
  state::v1::GenerationIdentity stated;
  if (!google::protobuf::TextFormat::ParseFromString(*content, &stated)) {
    return absl::DataLossError(absl::StrCat(path, " does not parse"));
  }
  return ProjectionIdentity{stated.projection(), stated.version(), stated.settings_fingerprint()};
}

std::optional<int> Generations::Unfinished(const ProjectionIdentity& identity) const {
  const std::vector<int> numbers = List();
  if (numbers.empty() || numbers.back() <= current_.value_or(0)) return std::nullopt;
  // It has served, and was rolled back.
  if (numbers.back() == previous_) return std::nullopt;
  const absl::StatusOr<ProjectionIdentity> found = IdentityOf(numbers.back());
  if (!found.ok() || *found != identity) return std::nullopt;
  return numbers.back();
}

absl::Status Generations::Activate(int generation) {
  const std::optional<int> before = current_;
  RAPPORT_RETURN_IF_ERROR(WriteCurrent(generation, before));
  for (const int number : List()) {
    if (number != generation && number != before) RAPPORT_RETURN_IF_ERROR(Remove(number));
  }
  return absl::OkStatus();
}

absl::Status Generations::Rollback() {
  if (!previous_) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder_, " has no earlier generation to go back to"));
  }
  return WriteCurrent(*previous_, current_);
}

absl::Status Generations::Remove(int generation) {
  return RemoveFolder(GenerationFolder(generation));
}

absl::Status Generations::WriteCurrent(int current, std::optional<int> previous) {
  RAPPORT_RETURN_IF_ERROR(WriteSmallFile(
      absl::StrCat(folder_, "/CURRENT"),
      absl::StrCat(current, "\nprevious ", previous ? absl::StrCat(*previous) : "none", "\n")));
  current_ = current;
  previous_ = previous;
  std::error_code ignored;
  fs::remove(absl::StrCat(folder_, "/PREVIOUS"), ignored);
  return absl::OkStatus();
}

absl::Status Generations::WriteSmallFile(const std::string& path,
                                         const std::string& content) const {
  const std::string temporary = path + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return SystemError(absl::StrCat("creating ", temporary));
  const bool written =
      ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(file) == 0;
  if (!written) {
    const absl::Status status = SystemError(absl::StrCat("writing ", temporary));
    ::close(file);
    ::unlink(temporary.c_str());
    return status;
  }
  ::close(file);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return SystemError(absl::StrCat("renaming ", temporary));
  }
  const int folder =
      ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return absl::OkStatus();
}

absl::Status SetAside(const std::string& folder, StoreResources* resources, absl::string_view why) {
  const absl::StatusOr<std::string> aside = SetAsideStateStore(folder, resources);
  if (!aside.ok())
    return Annotate(aside.status(), absl::StrCat("the state is of no use (", why, ")"));
  Log(LogLevel::kError, absl::StrCat("state set aside as ", *aside, " (", why,
                                     "); it is being rebuilt from the log"));
  return absl::OkStatus();
}

}  // namespace rapport
