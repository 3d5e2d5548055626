#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/import/mapped_touchpoint.h"
#include "libs/import/spool.h"

namespace rapport {

// What is made once for each client, such as a registration: of all that rows would make, the first
// in time, wherever in the files it stands. They wait in a temporary file until all rows are read;
// about 50 bytes of memory for each client. One thread at a time.
class FirstOfClients {
 public:
  // Folder of the temporary file.
  explicit FirstOfClients(std::string folder) : folder_(std::move(folder)) {}

  // Whether one of this kind that happened at `time` may be the first of the client, as far as is
  // known; `what` tells the kinds apart.
  bool MayBeFirst(int what, absl::string_view client_id, absl::Time time) const;
  // Of several at the same time, what they hold decides, so that their order does not matter.
  // Unavailable: the temporary file.
  absl::Status Offer(int what, const MappedTouchpoint& offered);
  // Gives each client's first in the order of time, and forgets them.
  absl::Status Release(const std::function<absl::Status(MappedTouchpoint*)>& give);

 private:
  struct First {
    absl::Time time;
    uint64_t content = 0;  // hash of it
    int file = 0;
    int64_t line = 0;
  };

  const std::string folder_;
  std::unique_ptr<TouchpointSpool> spool_;
  std::vector<absl::flat_hash_map<std::string, First>> firsts_;  // by `what`, by client
};

}  // namespace rapport
