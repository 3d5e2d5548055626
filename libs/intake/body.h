#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Unpacks the body of a request in place by its Content-Encoding: gzip, zstd, or identity and ""
// for none. It never holds more than `max_bytes` of what comes out.
//
// Unimplemented: another encoding. OutOfRange: more than `max_bytes`. InvalidArgument "body:
// reason": damaged or cut off.
absl::Status UnpackBody(absl::string_view encoding, size_t max_bytes, std::string* body);

}  // namespace rapport
