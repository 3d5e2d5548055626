#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/call_assembler.h"
#include "libs/telephony/leg_view.h"
#include "rapport/source/v1/call.pb.h"

namespace rapport {

// A call that is over, as far as the file tells.
struct CollectedCall {
  std::string call_id;
  AssembledCall assembled;
  int64_t facts = 0;  // that it is made of
  int64_t line = 0;   // of the first of them
  // It was given out before, and this is made of what came afterwards alone.
  bool given_before = false;
};

// Puts the calls of a whole file together, fact by fact. Telephone systems write what they have to
// say of a call close to each other: a call is given out once `kFactsApart` facts have passed since
// its last one, so that memory is bounded, and a file gives the same calls each time. One thread at
// a time.
class CallCollector {
 public:
  static constexpr int64_t kFactsApart = 20'000;
  // Its status ends the collecting.
  using Emit = std::function<absl::Status(CollectedCall call)>;

  CallCollector(AssembleOptions options, Emit emit);

  // A fact that stood on `line`. What `emit` returned.
  absl::Status Add(source::v1::CallFact fact, int64_t line);
  // A leg that stood there; of one call either all facts come so, or none.
  absl::Status Add(absl::string_view call_id, const LegView& leg, int64_t line);
  // Gives out what is left, in the order of the calls' last facts.
  absl::Status Finish() { return GiveOut(0); }

 private:
  struct Call {
    std::string id;
    std::vector<source::v1::CallFact> facts;
    std::vector<LegView> legs;
    std::string texts;  // of the legs
    int64_t first_line = 0;
    int64_t last_fact = 0;
  };

  Call* Next(absl::string_view call_id, int64_t line);
  // Gives out the calls whose last fact is at least so many facts ago.
  absl::Status GiveOut(int64_t facts_ago);
  CollectedCall Take(Call* call);

  const AssembleOptions options_;
  const Emit emit_;
  int64_t facts_ = 0;
  // By their ids.
  absl::flat_hash_map<absl::string_view, std::unique_ptr<Call>> calls_;
  // Their memory is used again.
  std::vector<std::unique_ptr<Call>> free_;
  // Hashes of 128 bits of the calls given out: a file may have millions.
  absl::flat_hash_set<std::pair<uint64_t, uint64_t>> given_;
  // The call of each fact, in the order of facts; only the last one of a call counts.
  std::deque<std::pair<int64_t, Call*>> order_;
};

}  // namespace rapport
