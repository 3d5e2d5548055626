#include "libs/import/lookup.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/import/columns.h"
#include "libs/import/input_file.h"
#include "libs/import/mapping.h"

namespace rapport {
namespace {

using config::v1::Lookup;

absl::StatusOr<char> DelimiterOfLookup(const MappingFile& mapping, const Lookup& lookup) {
  if (lookup.delimiter().empty()) return DelimiterOf(mapping);
  if (lookup.delimiter().size() == 1) return lookup.delimiter()[0];
  return mapping.ErrorAt(lookup, "delimiter",
                         absl::StrCat("delimiter '", lookup.delimiter(), "' is not one character"));
}

// Tried with ".gz" too.
absl::StatusOr<std::unique_ptr<InputFile>> OpenFile(const std::string& path) {
  absl::StatusOr<std::unique_ptr<InputFile>> plain = InputFile::Open(path);
  if (!absl::IsNotFound(plain.status())) return plain;
  absl::StatusOr<std::unique_ptr<InputFile>> packed = InputFile::Open(path + ".gz");
  return absl::IsNotFound(packed.status()) ? std::move(plain) : std::move(packed);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LookupTable>> LookupTable::Load(const MappingFile& mapping,
                                                                     const Lookup& lookup,
                                                                     const std::string& folder) {
  for (const char* const field : {"name", "file", "key_column", "value_column"}) {
    const auto* const descriptor = Lookup::descriptor()->FindFieldByName(field);
    if (!lookup.GetReflection()->HasField(lookup, descriptor)) {
      return mapping.ErrorAt(lookup, "", absl::StrCat("the lookup has no ", field));
    }
  }
  const std::string path = lookup.file()[0] == '/' ? lookup.file() : folder + lookup.file();
  RAPPORT_ASSIGN_OR_RETURN(const char delimiter, DelimiterOfLookup(mapping, lookup));
  absl::StatusOr<std::unique_ptr<InputFile>> file = OpenFile(path);
  RAPPORT_RETURN_IF_ERROR(Annotate(file.status(), absl::StrCat("lookup ", lookup.name())));
  const config::v1::CsvFormat& format = mapping.proto().format();
  const absl::Status known =
      (*file)->ReadAsText(lookup.encoding().empty() ? format.encoding() : lookup.encoding());
  if (!known.ok()) {
    return lookup.encoding().empty() ? mapping.ErrorAt(format, "encoding", known.message())
                                     : mapping.ErrorAt(lookup, "encoding", known.message());
  }
  CsvReader reader(*std::move(file), delimiter);
  std::shared_ptr<LookupTable> table(new LookupTable(lookup.name()));
  RAPPORT_RETURN_IF_ERROR(table->Read(mapping, lookup, path, &reader));
  return table;
}

absl::Status LookupTable::Read(const MappingFile& mapping, const Lookup& lookup,
                               const std::string& path, CsvReader* reader) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> columns, ReadColumnNames(path, reader));
  const auto column_of = [&](const std::string& name, absl::string_view field) {
    return ColumnOf(mapping, columns, name, lookup, field);
  };
  RAPPORT_ASSIGN_OR_RETURN(const int key, column_of(lookup.key_column(), "key_column"));
  RAPPORT_ASSIGN_OR_RETURN(const int value, column_of(lookup.value_column(), "value_column"));
  std::vector<ConditionPlan> conditions;
  for (const config::v1::Condition& condition : lookup.conditions()) {
    if (condition.previous_row()) {
      return mapping.ErrorAt(condition, "previous_row", "previous_row is for the rows of a group");
    }
    RAPPORT_ASSIGN_OR_RETURN(conditions.emplace_back(),
                             CompileCondition(mapping, columns, condition));
  }
  CsvRow row;
  for (;;) {
    const absl::StatusOr<bool> more = reader->Next(&row);
    RAPPORT_RETURN_IF_ERROR(Annotate(more.status(), absl::StrCat(path, ":", row.line())));
    if (!*more) return absl::OkStatus();
    if (row.size() < columns.size() || !row.EmptyFrom(columns.size())) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", row.line(), ": the row has ",
                                                     row.size(), " fields, not ", columns.size()));
    }
    const bool meant =
        std::all_of(conditions.begin(), conditions.end(),
                    [&row](const ConditionPlan& condition) { return Holds(condition, &row); });
    if (!meant) continue;
    const std::string text(row[static_cast<size_t>(value)]);
    const auto [it, added] = values_.try_emplace(std::string(row[static_cast<size_t>(key)]), text);
    if (!added && it->second != text) it->second = std::nullopt;
  }
}

absl::StatusOr<absl::string_view> LookupTable::Find(absl::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) {
    return absl::NotFoundError(absl::StrCat("lookup ", name_, " has no '", key, "'"));
  }
  if (!it->second.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("lookup ", name_, " has several values for '", key, "'"));
  }
  return absl::string_view(*it->second);
}

absl::StatusOr<LookupTables> LoadLookups(const MappingFile& mapping, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  LookupTables tables;
  for (const Lookup& lookup : mapping.proto().lookups()) {
    if (tables.contains(lookup.name())) {
      return mapping.ErrorAt(lookup, "name",
                             absl::StrCat("there are two lookups '", lookup.name(), "'"));
    }
    RAPPORT_ASSIGN_OR_RETURN(tables[lookup.name()], LookupTable::Load(mapping, lookup, folder));
  }
  return tables;
}

}  // namespace rapport
