#pragma once

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "libs/intake/problem.h"

namespace rapport {

// Where bytes that protobuf refused as a message of `type` are damaged: cut off, or a text that is
// not UTF-8. For messages alone; always tells something.
Problem LocateInProtobuf(const google::protobuf::Descriptor* type, absl::string_view bytes);

}  // namespace rapport
