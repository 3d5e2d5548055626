#pragma once

#include "libs/touchpoint/failure.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::touchpoint_internal {

// What a kind needs beyond the rules for its fields: ids and values that must be there, and values
// that must fit each other. True when all is well; else fills `failure` with a path that begins
// inside the payload (order_id, not order_placed.order_id).
bool CheckKind(const touchpoint::v1::Touchpoint& touchpoint, Failure* failure);

}  // namespace rapport::touchpoint_internal
