#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace rapport {

// Whether `actual` holds at least what `expected` does: each field that is set, messages in depth,
// the elements of repeated fields in their order with any others in between. "" if so; else what is
// missing, by its path. A number or text at its default counts as not set.
std::string WhatIsMissing(const google::protobuf::Message& expected,
                          const google::protobuf::Message& actual);

}  // namespace rapport
