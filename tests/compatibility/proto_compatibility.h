#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace rapport {

// Where records written under `released` would have another meaning under `current`: one line each,
// beginning with the full name of the declaration; empty when every old record reads as before.
// Held:
//   - a field keeps its name, type, repeatedness, presence and oneof for its tag;
//   - a deleted field, or enum value, has its number and its name reserved;
//   - what is reserved stays reserved;
//   - an enum value keeps its name for its number;
//   - a message that no other refers to (the value of a record) is not deleted; another may be,
//     once the fields of its type are.
std::vector<std::string> Incompatibilities(const google::protobuf::FileDescriptorSet& released,
                                           const google::protobuf::FileDescriptorSet& current);

// What a baseline holds of a descriptor set: all but comments and positions.
google::protobuf::FileDescriptorSet BaselineOf(google::protobuf::FileDescriptorSet current);

}  // namespace rapport
