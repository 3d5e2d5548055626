#pragma once

#include "libs/touchpoint/failure.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::touchpoint_internal {

// kAll: everything. kFold: without texts and counts of elements.
enum class Depth { kFold, kAll };

// Each field that is set, in the header or the payload of a touchpoint and in the messages inside,
// is held to the rule for its type and name:
//   enum                          a known number
//   Timestamp                     within the years 1 to 9999
//   Money                         an ISO 4217 currency
//   integer                       not negative; *_permille 0 to 1000; exceptions in the .cc
//   bytes *event_id               16 bytes; others have a limit in the .cc
//   string                        UTF-8
//   string *_id, *_ids            at most 256 bytes
//   any other string              at most 4,096 bytes; exceptions in the .cc
//   repeated                      at most 1,000 elements; exceptions in the .cc
// True when all is well; else fills `failure`. Rules are compiled from the descriptors once.
bool CheckHeaderFields(const touchpoint::v1::Touchpoint& touchpoint, Depth depth, Failure* failure);
// The path in `failure` begins inside the payload.
bool CheckPayloadFields(const touchpoint::v1::Touchpoint& touchpoint, Depth depth,
                        Failure* failure);

}  // namespace rapport::touchpoint_internal
