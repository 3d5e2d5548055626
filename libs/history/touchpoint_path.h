#pragma once

#include <string>
#include <vector>

#include "rapport/touchpoint/v1/touchpoint.pb.h"

// A touchpoint's way: the client it was written for, those under whom it went on, and where it
// stands now: former_client_ids and client_id.

namespace rapport {

// The touchpoint goes on under the clients of `path`, the last of whom it stands under then.
void MoveUp(const std::vector<std::string>& path, touchpoint::v1::Touchpoint* touchpoint);

// Brings the touchpoint back to `absorbed` if it went from there to `survivor`; else leaves it as
// it is and returns false.
bool MoveDown(const std::string& absorbed, const std::string& survivor,
              touchpoint::v1::Touchpoint* touchpoint);

}  // namespace rapport
