#include "libs/import/mapping_file.h"

#include <fnmatch.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

using config::v1::ImportMapping;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Keeps the first error of the text parser.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string text;
};

}  // namespace

// For each message of the mapping, the line on which it begins and those of its fields, from 1.
struct MappingFile::Lines {
  struct OfMessage {
    int line = 0;
    absl::flat_hash_map<std::string, int> fields;
  };
  absl::flat_hash_map<const Message*, OfMessage> messages;

  void Collect(const Message& message, int line, TextFormat::ParseInfoTree* tree) {
    messages[&message].line = line;
    const auto* const get = message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    get->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const int count = field->is_repeated() ? get->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        const int index = field->is_repeated() ? i : -1;
        const int at = tree->GetLocation(field, index).line + 1;
        messages[&message].fields.try_emplace(field->name(), at);
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        Collect(field->is_repeated() ? get->GetRepeatedMessage(message, field, i)
                                     : get->GetMessage(message, field),
                at, tree->GetTreeForNested(field, index));
      }
    }
  }
};

MappingFile::MappingFile(std::string name, std::unique_ptr<ImportMapping> proto,
                         std::unique_ptr<Lines> lines)
    : name_(std::move(name)), proto_(std::move(proto)), lines_(std::move(lines)) {}
MappingFile::MappingFile(MappingFile&&) noexcept = default;
MappingFile& MappingFile::operator=(MappingFile&&) noexcept = default;
MappingFile::~MappingFile() = default;

absl::StatusOr<MappingFile> MappingFile::Parse(std::string name, const std::string& text) {
  auto proto = std::make_unique<ImportMapping>();
  TextFormat::ParseInfoTree tree;
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(text, proto.get())) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.text));
  }
  auto lines = std::make_unique<Lines>();
  lines->Collect(*proto, 1, &tree);
  return MappingFile(std::move(name), std::move(proto), std::move(lines));
}

absl::StatusOr<MappingFile> MappingFile::Load(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad() || text.fail()) {
    const int error = errno;
    const std::string message = absl::StrCat(path, ": ", std::strerror(error));
    return error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
  }
  return Parse(path, text.str());
}

absl::Status MappingFile::ErrorAt(const Message& message, absl::string_view field,
                                  absl::string_view what) const {
  int line = 1;
  if (const auto it = lines_->messages.find(&message); it != lines_->messages.end()) {
    const auto at = it->second.fields.find(field);
    line = at != it->second.fields.end() ? at->second : it->second.line;
  }
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ": ", what));
}

bool MappingFile::IsFor(absl::string_view path) const {
  std::string name(path.substr(path.rfind('/') + 1));
  name.resize(absl::StripSuffix(name, ".gz").size());
  for (const std::string& pattern : proto_->files()) {
    if (fnmatch(pattern.c_str(), name.c_str(), FNM_EXTMATCH) == 0) return true;
  }
  return false;
}

absl::StatusOr<const MappingFile*> ChooseMapping(absl::string_view path,
                                                 absl::Span<const MappingFile> mappings) {
  const auto choose = [&](const auto& is_candidate) -> absl::StatusOr<const MappingFile*> {
    const MappingFile* chosen = nullptr;
    for (const MappingFile& mapping : mappings) {
      if (!is_candidate(mapping)) continue;
      if (chosen != nullptr) {
        return absl::InvalidArgumentError(absl::StrCat(path, ": both ", chosen->name(), " and ",
                                                       mapping.name(), " are for this file"));
      }
      chosen = &mapping;
    }
    return chosen;
  };
  RAPPORT_ASSIGN_OR_RETURN(const MappingFile* chosen,
                           choose([path](const MappingFile& m) { return m.IsFor(path); }));
  if (chosen != nullptr) return chosen;
  RAPPORT_ASSIGN_OR_RETURN(chosen,
                           choose([](const MappingFile& m) { return m.proto().files().empty(); }));
  if (chosen != nullptr) return chosen;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": none of the mappings is for this file; see `files` in them"));
}

}  // namespace rapport
