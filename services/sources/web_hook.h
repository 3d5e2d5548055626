#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/sources/contact_sink.h"
#include "libs/web_hook_check/web_hook_request.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// What a request to a web hook held.
struct Inbound {
  std::vector<source::v1::SourceRecord> records;
  std::vector<OfferedContact> contacts;
  // Called once all of it is on disk; may be empty.
  std::function<void()> on_written;
};

// A source that calls us.
struct WebHook {
  // Asked before the body is read, with a request that has none: Unauthenticated, PermissionDenied
  // when its header shows that it does not come from the source. May be empty. Thread-safe.
  std::function<absl::Status(const WebHookRequest&)> admit;
  // Unauthenticated, PermissionDenied: it does not prove that it is the source. InvalidArgument: it
  // is, and what it sent cannot be used. Thread-safe.
  std::function<absl::StatusOr<Inbound>(const WebHookRequest&)> read;
  // The HTTP status that makes the source do what is right.
  std::function<int(const absl::Status&)> answer;
};

// By the name of the source.
using WebHooks = std::map<std::string, WebHook>;

}  // namespace rapport
