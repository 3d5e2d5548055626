#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/strong_type.h"

// What is left of an embedded log whose files are damaged.

namespace rapport {

struct LogReport {
  struct Damage {
    std::string file;
    std::string what;  // RocksDB's words
  };
  // Records of begin <= offset < end that cannot be read. Those at the end of a partition are known
  // only as far as a file tells of them.
  struct Lost {
    std::string topic;
    Partition partition;
    Offset begin;
    Offset end;
  };
  int64_t files = 0;
  int64_t records = 0;  // that can be read
  std::vector<Damage> damages;
  std::vector<Lost> lost;

  bool IsWell() const { return damages.empty() && lost.empty(); }
};

// Reads every block of every file of the log in `folder`, which nobody writes meanwhile, and
// changes nothing. NotFound: there is no log; DataLoss: its list of files (MANIFEST) is damaged, so
// that only a backup helps.
absl::StatusOr<LogReport> CheckEmbeddedLog(const std::string& folder);

// The same, and puts all that can be read, in its order, into a new log in `to`, which is not there
// yet. Records behind a loss move up: what was folded from the damaged log is folded anew.
// FailedPrecondition: `to` is there; Unavailable: the disk is full.
absl::StatusOr<LogReport> SalvageEmbeddedLog(const std::string& folder, const std::string& to);

}  // namespace rapport
