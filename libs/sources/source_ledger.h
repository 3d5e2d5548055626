#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/query/v1/source.pb.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// Counts the sources log. A pure function of its records, those of one partition in their order:
// whoever counts it from the beginning has the same ledger. One thread at a time.
class SourceLedger {
 public:
  void Count(const source::v1::SourceRecord& record);
  // What was counted of each source, by name. `now` tells who is quiet: for more than twice the
  // longest pause among its latest 1,000, and 5 minutes at least.
  std::vector<query::v1::SourceLedger> Show(absl::Time now) const;

 private:
  // A thing received again is known among the latest of its source.
  static constexpr size_t kKnownIds = size_t{1} << 20;
  static constexpr size_t kPauses = 1000;
  static constexpr size_t kLeastPauses = 20;
  static constexpr size_t kShownGaps = 20;

  struct Counts {
    query::v1::SourceLedger shown;  // without what is derived
    std::string system;
    absl::flat_hash_set<uint64_t> known;
    std::deque<uint64_t> order;  // of `known`, oldest first
    std::deque<absl::Duration> pauses;
    absl::Time last = absl::InfinitePast();
    std::map<std::string, query::v1::MissingItem> gaps;  // by record_id
  };
  using CallKey = std::pair<std::string, std::string>;  // system, call_id
  struct Call {
    std::map<std::string, int64_t> facts;  // by source: those that are not decided on
    // States by their number, where the system numbers them.
    uint64_t states = 0;
    std::string numbered_by;  // the source that numbers them
  };

  // False when it had been received before.
  bool Receive(const source::v1::SourceRecord& record, Counts* counts);
  void CountFact(const source::v1::SourceRecord& record, Counts* counts);
  void Decide(const source::v1::CallDecided& decided);
  void CheckStates(const CallKey& key, const Call& call);

  std::map<std::string, Counts> sources_;
  std::map<CallKey, Call> calls_;
  std::map<std::string, std::set<std::string>> incomplete_;  // by system: call_ids
};

}  // namespace rapport
