#include "tests/compatibility/proto_baseline.h"

#include <cstdio>
#include <fstream>
#include <vector>

#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "tests/compatibility/descriptor_walk.h"
#include "tests/compatibility/proto_compatibility.h"

namespace rapport {
namespace {

using ::google::protobuf::FileDescriptorSet;

absl::Status WriteBaseline(const FileDescriptorSet& current, const std::string& path) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary, std::ios::binary);
  const bool written = BaselineOf(current).SerializeToOstream(&file);
  file.close();
  if (!written || !file) return absl::UnavailableError(absl::StrCat("cannot write ", temporary));
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot rename ", temporary, " to ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CompareWithBaseline(const std::string& current_path, const std::string& baseline_path,
                                 bool renew) {
  RAPPORT_ASSIGN_OR_RETURN(const FileDescriptorSet current, ReadDescriptorSet(current_path));
  const absl::StatusOr<FileDescriptorSet> released = ReadDescriptorSet(baseline_path);
  if (absl::IsNotFound(released.status()) && renew) return WriteBaseline(current, baseline_path);
  if (!released.ok()) return released.status();
  const std::vector<std::string> breaches = Incompatibilities(*released, current);
  if (!breaches.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("released records would get another meaning, so ", baseline_path,
                     " stays as it is (proto/README.md says how to change a message):\n",
                     absl::StrJoin(breaches, "\n")));
  }
  return renew ? WriteBaseline(current, baseline_path) : absl::OkStatus();
}

}  // namespace rapport
