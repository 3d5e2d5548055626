#include "libs/service/file_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace rapport {
namespace {

constexpr int64_t kMostKept = 4096;

}  // namespace

int64_t RaiseFileLimit() {
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  const rlimit raised = {.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files.rlim_cur = raised.rlim_cur;
  return static_cast<int64_t>(
      std::min<uint64_t>(files.rlim_cur, std::numeric_limits<int64_t>::max()));
}

int64_t FilesForConnections(int64_t limit) { return limit - std::min(limit / 2, kMostKept); }

}  // namespace rapport
