#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/call_assembler.h"
#include "libs/telephony/call_record.h"
#include "libs/telephony/cdr_parser.h"
#include "rapport/source/v1/call.pb.h"

namespace rapport {

// Puts the calls of a whole CDR file together, row by row. Asterisk writes the rows of a call when
// its channels end, close to each other: a call is given out once `kRowsApart` rows have passed
// since its last one, so that memory is bounded, and a file gives the same calls each time. One
// thread at a time.
class CdrImport {
 public:
  static constexpr int64_t kRowsApart = 20'000;
  // A call that is over; its status ends the import.
  using Emit = std::function<absl::Status(const std::string& call_id, AssembledCall call)>;

  CdrImport(CallSource source, const CdrLayout& layout, AssembleOptions options, Emit emit);

  // Takes a row without its line break. InvalidArgument: what is wrong with it; the import may go
  // on with the next. Else what `emit` returned.
  absl::Status Add(absl::string_view row);
  // Gives out what is left, in the order of the calls' last rows.
  absl::Status Finish() { return GiveOut(0); }

 private:
  struct Call {
    std::vector<source::v1::CallFact> facts;
    int64_t last_row = 0;
  };
  // Gives out the calls whose last row is at least so many rows ago.
  absl::Status GiveOut(int64_t rows_ago);

  const AssembleOptions options_;
  const Emit emit_;
  CdrParser parser_;
  int64_t rows_ = 0;
  absl::flat_hash_map<std::string, Call> calls_;
  // The call of each row, in the order of rows; only the last one of a call counts.
  std::deque<std::pair<int64_t, std::string>> order_;
};

}  // namespace rapport
