#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace rapport {

// An answer about KPIs as a table of comma-separated values (RFC 4180) with a head: one row for
// each figure, row, part, change, step or definition. Empty for other messages. Text that a
// spreadsheet would take for a formula begins with an apostrophe.
std::string KpiCsv(const google::protobuf::Message& answer);

}  // namespace rapport
