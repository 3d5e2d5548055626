#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "rapport/query/v1/source.pb.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// Counts the sources log. A pure function of its records, those of one partition in their order:
// whoever counts it from the beginning has the same ledger. All that was received is counted once:
// received = duplicates + written + pending + skipped + rejected + late. One thread at a time.
class SourceLedger {
 public:
  void Count(const source::v1::SourceRecord& record, Partition partition, Offset offset);
  // What was counted of each source, by name. `now` tells who is quiet: for more than twice the
  // longest pause among its latest 1,000, and 5 minutes at least.
  std::vector<query::v1::SourceLedger> Show(absl::Time now) const;
  // What a source sent last, the newest first, and what became of it: at most `limit`, and of the
  // latest 100.
  std::vector<query::v1::SourceRecordLine> Latest(const std::string& source, size_t limit) const;

 private:
  // A thing received again is known among the latest of its source; a call that was decided on,
  // among the latest of its system.
  static constexpr size_t kKnownIds = size_t{1} << 20;
  static constexpr size_t kPauses = 1000;
  static constexpr size_t kLeastPauses = 20;
  static constexpr size_t kShownGaps = 20;
  // Reasons do not depend on what was skipped, and so are few.
  static constexpr size_t kReasons = 100;
  static constexpr size_t kExamples = 5;
  static constexpr size_t kLatest = 100;

  // A time in which a source of a system was not listened to.
  struct TimeGap {
    query::v1::MissingItem shown;
    std::string system;
    absl::Time began;
    absl::Time ended;
  };
  // From when to when a source told facts of one kind, by the source's clock.
  struct Span {
    absl::Time first = absl::InfiniteFuture();
    absl::Time last = absl::InfinitePast();
  };
  struct Skipped {
    int64_t count = 0;
    std::deque<query::v1::SkippedItem> examples;  // oldest first
  };
  struct Record {
    query::v1::SourceRecordLine shown;
    uint64_t call = 0;  // hash of the call's key; 0: it tells of none
  };
  struct Counts {
    std::deque<Record> latest;               // oldest first
    query::v1::SourceLedger shown;           // without what is derived
    std::map<std::string, Skipped> skipped;  // by reason
    std::string system;
    absl::flat_hash_set<uint64_t> known;
    std::deque<uint64_t> order;  // of `known`, oldest first
    std::deque<absl::Duration> pauses;
    absl::Time last = absl::InfinitePast();
    std::map<std::string, query::v1::MissingItem> gaps;  // by record_id
    std::map<std::string, TimeGap> time_gaps;            // by record_id
  };
  using CallKey = std::pair<std::string, std::string>;  // system, call_id
  using Facts = std::map<std::string, int64_t>;         // by source
  enum class Outcome { kWritten, kSkipped, kRejected };
  struct Decision {
    absl::Time first_at;
    Outcome outcome = Outcome::kWritten;  // of the latest
    const std::string* reason = nullptr;  // why it was skipped: of reasons_
  };
  struct System {
    // By kind of fact, and source.
    std::map<source::v1::CallFact::FactCase, std::map<std::string, Span>> told;
    std::set<std::string> incomplete;                 // call_ids
    absl::flat_hash_map<uint64_t, Decision> decided;  // by the hash of a call_id
    std::deque<uint64_t> order;                       // of `decided`, oldest first
  };
  // What a call was decided on with.
  struct Decided {
    std::vector<CallKey> calls;
    Facts facts;
  };
  struct Call {
    Facts facts;         // those that are not decided on
    bool whole = false;  // one of them tells all about the call
    // States by their number, where the system numbers them.
    uint64_t states = 0;
    std::string numbered_by;  // the source that numbers them
  };

  static void Keep(const source::v1::SourceRecord& record, bool is_new, Counts* counts);
  // What became of what the latest records tell of a call.
  void TellOutcome(const CallKey& call, query::v1::SourceOutcome from, query::v1::SourceOutcome to,
                   const std::string& reason, const std::string& description);
  void CountGap(const source::v1::SourceRecord& record, Counts* counts);
  // Whether other sources of the system, which miss nothing, told of the time of a gap: all kinds
  // of facts that the source itself tells.
  bool IsCovered(const std::string& source, const TimeGap& gap) const;
  static void CountSkipped(const std::string& reason, const std::string& description, int64_t count,
                           Counts* counts);
  static void ShowSkipped(const Counts& counts, query::v1::SourceLedger* shown);
  // False when it had been received before.
  bool Receive(const source::v1::SourceRecord& record, Counts* counts);
  void CountFact(const source::v1::SourceRecord& record, Counts* counts);
  // Counts what a call was decided on with, and gives it.
  Decided Decide(const source::v1::CallDecided& decided, absl::Time at);
  // What becomes of facts, by the decision before where nothing has changed.
  Outcome OutcomeOf(const source::v1::CallDecided& decided, const CallKey& call);
  static query::v1::SourceOutcome ToldOf(Outcome outcome);
  // Why a call was skipped that was decided on before.
  std::string ReasonOf(const CallKey& call) const;
  static void AddTo(Outcome outcome, int64_t facts, query::v1::SourceLedger* shown);
  // Whether facts of a call came after it was forgotten. Remembers that it was decided on.
  bool IsLate(const source::v1::CallDecided& decided, const std::vector<CallKey>& keys,
              absl::Time at);
  void CountLate(const CallKey& key, const Facts& facts);
  void CountUnwritten(const source::v1::CallsWritten& written, Partition partition);
  void CheckStates(const CallKey& key, const Call& call);

  std::set<std::string> reasons_;
  std::map<std::string, Counts> sources_;
  std::map<CallKey, Call> calls_;
  std::map<std::string, System> systems_;
  // What was decided on, and may turn out not to have been written.
  std::map<Partition, std::map<Offset, Decided>> decided_;
};

}  // namespace rapport
