#pragma once

#include <vector>

#include "rapport/touchpoint/v1/touchpoint.pb.h"

// For tests and benchmarks.

namespace rapport {

// One valid touchpoint of every kind, filled as a real source fills it, in the order of tags.
const std::vector<touchpoint::v1::Touchpoint>& SampleTouchpoints();
// The one of this kind.
const touchpoint::v1::Touchpoint& SampleTouchpoint(touchpoint::v1::Touchpoint::PayloadCase kind);

}  // namespace rapport
