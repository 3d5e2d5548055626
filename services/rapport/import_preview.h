#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "libs/import/importer.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"
#include "services/rapport/output.h"

namespace rapport {

// What `rapport import --dry-run` shows of the files: the first touchpoints of each, the first of
// each kind, and for each reason the first lines that would be rejected. One thread at a time.
class ImportPreview {
 public:
  // For people, all is printed as it comes; for programs it is kept.
  explicit ImportPreview(bool as_json) : as_json_(as_json) {}
  ImportPreview(const ImportPreview&) = delete;
  ImportPreview& operator=(const ImportPreview&) = delete;

  // Shows what an import with these options finds; outlives the import.
  void Watch(ImportOptions* options);

  // [{"file", "line", "touchpoint"}] and [{"file", "line", "reason"}].
  const Json& touchpoints() const { return touchpoints_; }
  const Json& rejected() const { return rejected_; }

 private:
  void Show(const std::string& file, int64_t line, const touchpoint::v1::Touchpoint& touchpoint);
  void ShowRejected(const RejectedLine& rejected);

  const bool as_json_;
  absl::flat_hash_map<std::string, int> shown_;                   // touchpoints, by file
  absl::flat_hash_set<std::pair<std::string, int>> kinds_shown_;  // by file and kind
  absl::flat_hash_map<std::string, int> told_;                    // rejected lines, by reason
  int lines_told_ = 0;
  Json touchpoints_ = Json::array();
  Json rejected_ = Json::array();
};

}  // namespace rapport
