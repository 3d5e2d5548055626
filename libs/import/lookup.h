#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/import/csv_reader.h"
#include "libs/import/mapping_file.h"

namespace rapport {

// What a second file tells: a value for each key. Immutable, held in memory.
class LookupTable {
 public:
  // Reads the file, whose path begins in `folder`. InvalidArgument: the mapping, with its line, or
  // a row of the file; NotFound, FailedPrecondition, DataLoss: the file.
  static absl::StatusOr<std::shared_ptr<const LookupTable>> Load(const MappingFile& mapping,
                                                                 const config::v1::Lookup& lookup,
                                                                 const std::string& folder);

  // A view into the table. NotFound: there is no such key; InvalidArgument: it has several values.
  absl::StatusOr<absl::string_view> Find(absl::string_view key) const;

 private:
  explicit LookupTable(std::string name) : name_(std::move(name)) {}
  absl::Status Read(const MappingFile& mapping, const config::v1::Lookup& lookup,
                    const std::string& path, CsvReader* reader);

  const std::string name_;
  // Nullopt: the key has several values.
  absl::flat_hash_map<std::string, std::optional<std::string>> values_;
};

// By name.
using LookupTables = absl::flat_hash_map<std::string, std::shared_ptr<const LookupTable>>;

// All lookups of the mapping, for the file of this path. Errors as LookupTable::Load.
absl::StatusOr<LookupTables> LoadLookups(const MappingFile& mapping, const std::string& path);

}  // namespace rapport
