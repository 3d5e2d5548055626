#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/status.h"
#include "libs/import/discarding_log.h"
#include "libs/import/importer.h"
#include "libs/import/mapping_file.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// For tests: what an import makes of files, without a log.

namespace rapport {

struct Tried {
  ImportSummary summary;
  std::vector<touchpoint::v1::Touchpoint> touchpoints;  // in the order of the files
  std::vector<std::string> rejected;                    // "orders.csv:3: ..."
};

// Puts the files through those of the mappings that are for them.
inline absl::StatusOr<Tried> TryImport(const std::vector<std::string>& paths,
                                       const std::vector<MappingFile>& mappings) {
  Tried tried;
  ImportOptions options;
  options.now = absl::FromCivil(absl::CivilDay(2026, 3, 10), absl::UTCTimeZone());
  options.on_touchpoint = [&tried](const std::string& file, int64_t line,
                                   const touchpoint::v1::Touchpoint& touchpoint) {
    tried.touchpoints.push_back(touchpoint);
  };
  options.on_rejected = [&tried](const RejectedLine& rejected) {
    tried.rejected.push_back(
        absl::StrCat(rejected.file, ":", rejected.line, ": ", rejected.reason));
  };
  std::vector<ImportFile> files;
  for (const std::string& path : paths) {
    RAPPORT_ASSIGN_OR_RETURN(const MappingFile* mapping, ChooseMapping(path, mappings));
    files.push_back({path, mapping});
  }
  DiscardingLog log;
  RAPPORT_ASSIGN_OR_RETURN(tried.summary, ImportFiles(&log, files, options));
  return tried;
}

}  // namespace rapport
