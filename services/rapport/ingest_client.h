#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/rapport/api.h"

namespace rapport {

// What became of the events of one batch.
struct BatchResult {
  int64_t accepted = 0;
  struct Refused {
    size_t index = 0;  // in the batch, from 0
    std::string reason;
  };
  std::vector<Refused> refused;
};

// Posts a batch to /v1/touchpoints, again and again with growing pauses while the server or its log
// is away (sending twice counts once). Unavailable after five minutes; other errors are those of
// the whole batch.
absl::StatusOr<BatchResult> PostBatch(Api& api, const std::string& content_type,
                                      const std::string& body);

}  // namespace rapport
