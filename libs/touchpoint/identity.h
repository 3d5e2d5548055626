#pragma once

#include "absl/strings/string_view.h"
#include "libs/base/event_id.h"

namespace rapport {

// The event id of a happening: made from its source alone and never from its arrival, so that the
// same happening has the same id however often and by whichever way it comes.
//
// The bytes, for writers in any language:
//
//   id      = first 16 bytes of SHA-256(message)
//   message = u32(size of source) source u32(size of source_event_id) source_event_id
//   u32(n)  = n as 4 bytes, most significant first
//
// with `source` and `source_event_id` in UTF-8, as they stand in the touchpoint. Example: source
// "crm-berlin" and source event id "call/4711" give
// e28758a005f326aa6f90b1792070ad6b (more in identity_test.cc).
EventId MakeEventId(absl::string_view source, absl::string_view source_event_id);

}  // namespace rapport
