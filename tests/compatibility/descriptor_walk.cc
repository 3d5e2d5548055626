#include "tests/compatibility/descriptor_walk.h"

#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;

DescriptorPath Extend(DescriptorPath path, int tag, int index) {
  path.push_back(tag);
  path.push_back(index);
  return path;
}

void AddMessages(const MessageView& view, std::vector<MessageView>* out) {
  out->push_back(view);
  for (int i = 0; i < view.message->nested_type_size(); ++i) {
    const pb::DescriptorProto& nested = view.message->nested_type(i);
    AddMessages({view.file, &nested, absl::StrCat(view.full_name, ".", nested.name()),
                 Extend(view.path, pb::DescriptorProto::kNestedTypeFieldNumber, i)},
                out);
  }
}

}  // namespace

std::vector<const pb::FileDescriptorProto*> FilesOf(const pb::FileDescriptorSet& set) {
  std::vector<const pb::FileDescriptorProto*> files;
  for (const pb::FileDescriptorProto& file : set.file()) {
    if (!absl::StartsWith(file.name(), "google/")) files.push_back(&file);
  }
  return files;
}

std::vector<MessageView> MessagesOf(const pb::FileDescriptorSet& set) {
  std::vector<MessageView> messages;
  for (const pb::FileDescriptorProto* file : FilesOf(set)) {
    for (int i = 0; i < file->message_type_size(); ++i) {
      const pb::DescriptorProto& message = file->message_type(i);
      AddMessages({file, &message, absl::StrCat(file->package(), ".", message.name()),
                   Extend({}, pb::FileDescriptorProto::kMessageTypeFieldNumber, i)},
                  &messages);
    }
  }
  return messages;
}

std::vector<FieldView> FieldsOf(const pb::FileDescriptorSet& set) {
  std::vector<FieldView> fields;
  for (const MessageView& parent : MessagesOf(set)) {
    if (parent.message->options().map_entry()) continue;
    for (int i = 0; i < parent.message->field_size(); ++i) {
      const pb::FieldDescriptorProto& field = parent.message->field(i);
      fields.push_back({parent, &field, absl::StrCat(parent.full_name, ".", field.name()),
                        Extend(parent.path, pb::DescriptorProto::kFieldFieldNumber, i)});
    }
  }
  return fields;
}

std::vector<EnumView> EnumsOf(const pb::FileDescriptorSet& set) {
  std::vector<EnumView> enums;
  for (const pb::FileDescriptorProto* file : FilesOf(set)) {
    for (int i = 0; i < file->enum_type_size(); ++i) {
      const pb::EnumDescriptorProto& declaration = file->enum_type(i);
      enums.push_back({file, &declaration, absl::StrCat(file->package(), ".", declaration.name()),
                       Extend({}, pb::FileDescriptorProto::kEnumTypeFieldNumber, i)});
    }
  }
  for (const MessageView& parent : MessagesOf(set)) {
    for (int i = 0; i < parent.message->enum_type_size(); ++i) {
      const pb::EnumDescriptorProto& declaration = parent.message->enum_type(i);
      enums.push_back({parent.file, &declaration,
                       absl::StrCat(parent.full_name, ".", declaration.name()),
                       Extend(parent.path, pb::DescriptorProto::kEnumTypeFieldNumber, i)});
    }
  }
  return enums;
}

std::string OneofOf(const pb::DescriptorProto& message, const pb::FieldDescriptorProto& field) {
  if (!field.has_oneof_index() || field.proto3_optional()) return "";
  return message.oneof_decl(field.oneof_index()).name();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<pb::FileDescriptorSet> ReadDescriptorSet(const std::string& path) {
  RAPPORT_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  pb::FileDescriptorSet set;
  if (!set.ParseFromString(bytes)) {
    return absl::DataLossError(absl::StrCat(path, " is no serialized FileDescriptorSet"));
  }
  return set;
}

}  // namespace rapport
