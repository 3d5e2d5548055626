#pragma once

#include <cstdint>

#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// A touchpoint, and the first line of what it was made of.
struct MappedTouchpoint {
  touchpoint::v1::Touchpoint touchpoint;
  int file = 0;  // number of the file among those of the mapping
  int64_t line = 0;
};

}  // namespace rapport
