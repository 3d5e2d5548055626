#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace rapport {

// Reads what SaveCursor wrote; leaves `cursor` empty when there is no such file. DataLoss: it is
// damaged; removing it has the source read again, which counts nothing twice.
absl::Status LoadCursor(const std::string& path, google::protobuf::Message* cursor);

// Replaces the file at one moment, on disk when it returns. Unavailable: disk full or an I/O error;
// what was there stays.
absl::Status SaveCursor(const std::string& path, const google::protobuf::Message& cursor);

}  // namespace rapport
