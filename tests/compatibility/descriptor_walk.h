#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"

// Flat views of a descriptor set, so that a rule is one loop. Files under google/ are left out. The
// views point into the set, which must outlive them.

namespace rapport {

// The place of a declaration inside its file, as in SourceCodeInfo.Location.path.
using DescriptorPath = std::vector<int>;

struct MessageView {
  const google::protobuf::FileDescriptorProto* file;
  const google::protobuf::DescriptorProto* message;
  std::string full_name;  // "rapport.touchpoint.v1.Money", without a leading dot
  DescriptorPath path;
};

struct FieldView {
  MessageView parent;
  const google::protobuf::FieldDescriptorProto* field;
  std::string full_name;
  DescriptorPath path;
};

struct EnumView {
  const google::protobuf::FileDescriptorProto* file;
  const google::protobuf::EnumDescriptorProto* declaration;
  std::string full_name;
  DescriptorPath path;
};

// Files that are ours.
std::vector<const google::protobuf::FileDescriptorProto*> FilesOf(
    const google::protobuf::FileDescriptorSet& set);
// Messages, nested ones included; also the entries that the compiler makes for maps.
std::vector<MessageView> MessagesOf(const google::protobuf::FileDescriptorSet& set);
// Fields that people wrote: those of map entries are left out.
std::vector<FieldView> FieldsOf(const google::protobuf::FileDescriptorSet& set);
// Enums, nested ones included.
std::vector<EnumView> EnumsOf(const google::protobuf::FileDescriptorSet& set);

// Name of the oneof that people wrote around the field; empty for none and for `optional`.
std::string OneofOf(const google::protobuf::DescriptorProto& message,
                    const google::protobuf::FieldDescriptorProto& field);

// Whole file; NotFound when it cannot be opened.
absl::StatusOr<std::string> ReadFile(const std::string& path);
// A serialized FileDescriptorSet; NotFound, or DataLoss when it is none.
absl::StatusOr<google::protobuf::FileDescriptorSet> ReadDescriptorSet(const std::string& path);

}  // namespace rapport
