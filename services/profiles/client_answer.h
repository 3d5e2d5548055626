#pragma once

#include <string>

#include "absl/time/time.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {

// What is stored of a client, put for readers at `now`; `watermark` and `as_of` are left out.
query::v1::Client ToClient(const std::string& client_id, const state::v1::ProfileState& state,
                           absl::Time now);

}  // namespace rapport
