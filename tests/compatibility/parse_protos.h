#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.pb.h"

namespace rapport {

// The descriptor set, with source info and types resolved, of proto files given as (path, text), in
// the order of their imports. google/protobuf/timestamp.proto may be imported. Aborts on a text
// that does not compile.
google::protobuf::FileDescriptorSet ParseProtos(
    const std::vector<std::pair<std::string, std::string>>& files);

// One file rapport/touchpoint/v1/test.proto, of proto3 in the package of that folder, which imports
// Timestamp; `body` is all that follows.
google::protobuf::FileDescriptorSet ParseProtoBody(absl::string_view body);

}  // namespace rapport
