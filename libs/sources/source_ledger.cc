#include "libs/sources/source_ledger.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "xxhash.h"

namespace rapport {
namespace {

using query::v1::MissingItem;
using source::v1::SourceRecord;

constexpr absl::Duration kLeastQuiet = absl::Minutes(5);

uint64_t HashOf(absl::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

void SourceLedger::Count(const SourceRecord& record) {
  if (record.has_call_decided()) return Decide(record.call_decided());
  if (record.has_calls_written() || record.content_case() == SourceRecord::CONTENT_NOT_SET) return;
  Counts& counts = sources_[record.source()];
  if (record.has_gap()) {
    if (record.gap().closed()) {
      counts.gaps.erase(record.record_id());
      return;
    }
    MissingItem& gap = counts.gaps[record.record_id()];
    gap.set_description(record.gap().description());
    gap.set_missing(record.gap().missing());
    *gap.mutable_noticed_at() = record.received_at();
    return;
  }
  if (!Receive(record, &counts)) return;
  query::v1::SourceLedger& shown = counts.shown;
  if (record.has_call_fact()) {
    CountFact(record, &counts);
  } else if (record.has_rejection()) {
    shown.set_rejected(shown.rejected() + 1);
  } else if (record.item().event_id().empty()) {
    shown.set_skipped(shown.skipped() + 1);
  } else {
    shown.set_written(shown.written() + 1);
  }
}

bool SourceLedger::Receive(const SourceRecord& record, Counts* counts) {
  query::v1::SourceLedger& shown = counts->shown;
  shown.set_received(shown.received() + 1);
  const absl::Time at = FromProto(record.received_at());
  if (at > counts->last) {
    if (counts->last != absl::InfinitePast()) {
      counts->pauses.push_back(at - counts->last);
      if (counts->pauses.size() > kPauses) counts->pauses.pop_front();
    }
    counts->last = at;
    *shown.mutable_last_received_at() = record.received_at();
    if (record.has_occurred_at()) *shown.mutable_last_occurred_at() = record.occurred_at();
  }
  const uint64_t id = HashOf(record.record_id());
  if (!counts->known.insert(id).second) {
    shown.set_duplicates(shown.duplicates() + 1);
    return false;
  }
  counts->order.push_back(id);
  if (counts->order.size() > kKnownIds) {
    counts->known.erase(counts->order.front());
    counts->order.pop_front();
  }
  return true;
}

void SourceLedger::CountFact(const SourceRecord& record, Counts* counts) {
  const source::v1::CallFact& fact = record.call_fact();
  counts->system = fact.system();
  counts->shown.set_pending(counts->shown.pending() + 1);
  const CallKey key(fact.system(), fact.call_id());
  Call& call = calls_[key];
  ++call.facts[record.source()];
  const int64_t state = fact.has_status() ? fact.status().sequence() : -1;
  if (state >= 0 && state < 64) {
    call.states |= uint64_t{1} << state;
    call.numbered_by = record.source();
  }
  // What was missing may have come late, after the call had been decided on.
  const auto gap = counts->gaps.find(absl::StrCat("states/", fact.call_id()));
  if (gap == counts->gaps.end() || state < 0) return;
  gap->second.set_missing(gap->second.missing() - 1);
  if (gap->second.missing() <= 0) counts->gaps.erase(gap);
}

void SourceLedger::Decide(const source::v1::CallDecided& decided) {
  std::vector<std::string> ids(decided.fact_call_ids().begin(), decided.fact_call_ids().end());
  if (ids.empty()) ids.push_back(decided.call_id());
  for (std::string& id : ids) {
    const auto found = calls_.find(CallKey(decided.system(), std::move(id)));
    if (found == calls_.end()) continue;
    for (const auto& [source, facts] : found->second.facts) {
      query::v1::SourceLedger& shown = sources_[source].shown;
      shown.set_pending(shown.pending() - facts);
      shown.set_written(shown.written() + facts);
    }
    if (!decided.incomplete() && decided.revision() == 0) CheckStates(found->first, found->second);
    calls_.erase(found);
  }
  auto& incomplete = incomplete_[decided.system()];
  if (decided.incomplete()) {
    incomplete.insert(decided.call_id());
  } else {
    incomplete.erase(decided.call_id());
  }
}

// A call that is over had all states up to its last.
void SourceLedger::CheckStates(const CallKey& key, const Call& call) {
  if (call.states == 0) return;
  const int last = 63 - std::countl_zero(call.states);
  const int missing = last + 1 - std::popcount(call.states);
  if (missing == 0) return;
  Counts& counts = sources_[call.numbered_by];
  MissingItem& gap = counts.gaps[absl::StrCat("states/", key.second)];
  gap.set_description(absl::StrCat(missing, " of the states 0 to ", last, " of call ", key.second));
  gap.set_missing(missing);
  *gap.mutable_noticed_at() = counts.shown.last_received_at();
}

std::vector<query::v1::SourceLedger> SourceLedger::Show(absl::Time now) const {
  std::vector<query::v1::SourceLedger> sources;
  for (const auto& [name, counts] : sources_) {
    query::v1::SourceLedger& shown = sources.emplace_back(counts.shown);
    shown.set_name(name);
    const auto incomplete = incomplete_.find(counts.system);
    if (!counts.system.empty() && incomplete != incomplete_.end()) {
      shown.set_incomplete(static_cast<int64_t>(incomplete->second.size()));
    }
    for (const auto& [id, gap] : counts.gaps) {
      if (shown.gaps_size() == static_cast<int>(kShownGaps)) break;
      *shown.add_gaps() = gap;
    }
    shown.set_state(query::v1::SOURCE_STATE_OK);
    if (counts.pauses.size() < kLeastPauses) continue;
    const absl::Duration longest = *std::max_element(counts.pauses.begin(), counts.pauses.end());
    if (now - counts.last <= std::max(2 * longest, kLeastQuiet)) continue;
    shown.set_state(query::v1::SOURCE_STATE_QUIET);
    shown.set_trouble(
        absl::StrCat("nothing since ", absl::FormatTime(counts.last, absl::UTCTimeZone()),
                     "; its longest pause of late was ", absl::FormatDuration(longest)));
  }
  return sources;
}

}  // namespace rapport
