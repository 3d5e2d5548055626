#include "libs/sources/source_ledger.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/time.h"
#include "xxhash.h"

namespace rapport {
namespace {

using query::v1::MissingItem;
using query::v1::SourceOutcome;
using source::v1::SourceRecord;

constexpr absl::Duration kLeastQuiet = absl::Minutes(5);
// Two decisions on a call within this time may come of one: it was told twice, or two processes
// had the partition at once.
constexpr absl::Duration kDecidedAtOnce = absl::Minutes(1);

// Of the incomplete ones.
constexpr size_t kNamedCalls = 3;

uint64_t HashOf(absl::string_view text) { return XXH3_64bits(text.data(), text.size()); }

// Of a system and a call_id; never 0.
uint64_t HashOfCall(const std::pair<std::string, std::string>& call) {
  return HashOf(absl::StrCat(call.first.size(), " ", call.first, call.second)) | 1;
}

// A few of them by name.
MissingItem IncompleteCalls(const std::set<std::string>& calls,
                            const query::v1::SourceLedger& shown) {
  const size_t count = std::min(calls.size(), kNamedCalls);
  const auto behind = std::next(calls.begin(), static_cast<int64_t>(count));
  MissingItem item;
  item.set_description(absl::StrCat(
      "the end, or what became of it in its queue, of call ",
      absl::StrJoin(calls.begin(), behind, ", "),
      count == calls.size() ? "" : absl::StrCat(" and ", calls.size() - count, " more")));
  item.set_missing(static_cast<int64_t>(calls.size()));
  *item.mutable_noticed_at() = shown.last_received_at();
  return item;
}

}  // namespace

void SourceLedger::Count(const SourceRecord& record, Partition partition, Offset offset) {
  if (record.has_call_decided()) {
    Decided decided = Decide(record.call_decided(), FromProto(record.received_at()));
    if (!decided.facts.empty()) decided_[partition].emplace(offset, std::move(decided));
    return;
  }
  if (record.has_calls_written()) return CountUnwritten(record.calls_written(), partition);
  if (record.content_case() == SourceRecord::CONTENT_NOT_SET) return;
  Counts& counts = sources_[record.source()];
  if (record.has_gap()) return CountGap(record, &counts);
  const bool is_new = Receive(record, &counts);
  Keep(record, is_new, &counts);
  if (!is_new) return;
  query::v1::SourceLedger& shown = counts.shown;
  if (record.has_call_fact()) {
    CountFact(record, &counts);
  } else if (record.has_rejection()) {
    shown.set_rejected(shown.rejected() + 1);
  } else if (record.item().event_id().empty()) {
    shown.set_skipped(shown.skipped() + 1);
    CountSkipped(record.item().skipped_because(), record.item().description(), 1, &counts);
  } else {
    shown.set_written(shown.written() + 1);
  }
}

void SourceLedger::Keep(const SourceRecord& record, bool is_new, Counts* counts) {
  Record& kept = counts->latest.emplace_back();
  if (counts->latest.size() > kLatest) counts->latest.pop_front();
  query::v1::SourceRecordLine& shown = kept.shown;
  shown.set_record_id(record.record_id());
  *shown.mutable_received_at() = record.received_at();
  if (record.has_occurred_at()) *shown.mutable_occurred_at() = record.occurred_at();
  if (record.has_call_fact()) {
    const source::v1::CallFact& fact = record.call_fact();
    shown.set_outcome(query::v1::SOURCE_OUTCOME_PENDING);
    shown.set_call_id(fact.call_id());
    if (is_new) kept.call = HashOfCall({fact.system(), fact.call_id()});
  } else if (record.has_rejection()) {
    shown.set_outcome(query::v1::SOURCE_OUTCOME_REJECTED);
    shown.set_reason(record.rejection().reason());
  } else {
    const source::v1::SourceItem& item = record.item();
    shown.set_outcome(item.event_id().empty() ? query::v1::SOURCE_OUTCOME_SKIPPED
                                              : query::v1::SOURCE_OUTCOME_WRITTEN);
    shown.set_reason(item.skipped_because());
    shown.set_description(item.description());
    shown.set_client_id(item.client_id());
    shown.set_touchpoint_id(absl::BytesToHexString(item.event_id()));
  }
  if (!is_new) shown.set_outcome(query::v1::SOURCE_OUTCOME_DUPLICATE);
}

void SourceLedger::TellOutcome(const CallKey& call, SourceOutcome from, SourceOutcome to,
                               const std::string& reason, const std::string& description) {
  const uint64_t hash = HashOfCall(call);
  for (auto& [source, counts] : sources_) {
    for (Record& record : counts.latest) {
      if (record.call != hash || record.shown.outcome() != from) continue;
      record.shown.set_outcome(to);
      record.shown.set_reason(reason);
      if (!description.empty()) record.shown.set_description(description);
    }
  }
}

std::vector<query::v1::SourceRecordLine> SourceLedger::Latest(const std::string& source,
                                                              size_t limit) const {
  std::vector<query::v1::SourceRecordLine> lines;
  const auto found = sources_.find(source);
  if (found == sources_.end()) return lines;
  const std::deque<Record>& latest = found->second.latest;
  for (auto it = latest.rbegin(); it != latest.rend() && lines.size() < limit; ++it) {
    lines.push_back(it->shown);
  }
  return lines;
}

void SourceLedger::CountSkipped(const std::string& reason, const std::string& description,
                                int64_t count, Counts* counts) {
  const bool is_known = counts->skipped.contains(reason) || counts->skipped.size() < kReasons;
  Skipped& skipped = counts->skipped[reason.empty() || !is_known ? "for another reason" : reason];
  skipped.count += count;
  if (description.empty()) return;
  query::v1::SkippedItem& item = skipped.examples.emplace_back();
  item.set_description(description);
  *item.mutable_received_at() = counts->shown.last_received_at();
  if (skipped.examples.size() > kExamples) skipped.examples.pop_front();
}

void SourceLedger::ShowSkipped(const Counts& counts, query::v1::SourceLedger* shown) {
  for (const auto& [reason, skipped] : counts.skipped) {
    if (skipped.count == 0) continue;
    query::v1::SkipReason& told = *shown->add_skip_reasons();
    told.set_reason(reason);
    told.set_count(skipped.count);
    for (auto item = skipped.examples.rbegin(); item != skipped.examples.rend(); ++item) {
      *told.add_examples() = *item;
    }
  }
  std::stable_sort(shown->mutable_skip_reasons()->begin(), shown->mutable_skip_reasons()->end(),
                   [](const auto& a, const auto& b) { return a.count() > b.count(); });
}

void SourceLedger::CountGap(const SourceRecord& record, Counts* counts) {
  const source::v1::SourceGap& gap = record.gap();
  if (gap.closed()) {
    counts->gaps.erase(record.record_id());
    counts->time_gaps.erase(record.record_id());
    return;
  }
  MissingItem shown;
  shown.set_description(gap.description());
  shown.set_missing(gap.missing());
  *shown.mutable_noticed_at() = record.received_at();
  if (gap.system().empty()) {
    counts->gaps[record.record_id()] = std::move(shown);
  } else {
    counts->time_gaps[record.record_id()] = {.shown = std::move(shown),
                                             .system = gap.system(),
                                             .began = FromProto(gap.began_at()),
                                             .ended = FromProto(gap.ended_at())};
  }
}

bool SourceLedger::IsCovered(const std::string& source, const TimeGap& gap) const {
  const auto system = systems_.find(gap.system);
  if (system == systems_.end()) return false;
  bool tells = false;
  for (const auto& [kind, sources] : system->second.told) {
    if (!sources.contains(source)) continue;
    tells = true;
    const bool covered = std::any_of(sources.begin(), sources.end(), [&](const auto& told) {
      const Counts& other = sources_.at(told.first);
      return told.first != source && told.second.first <= gap.began &&
             told.second.last >= gap.ended && other.gaps.empty() && other.time_gaps.empty();
    });
    if (!covered) return false;
  }
  return tells;
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
  if (record.has_occurred_at()) {
    Span& told = systems_[fact.system()].told[fact.fact_case()][record.source()];
    told.first = std::min(told.first, FromProto(record.occurred_at()));
    told.last = std::max(told.last, FromProto(record.occurred_at()));
  }
  counts->shown.set_pending(counts->shown.pending() + 1);
  const CallKey key(fact.system(), fact.call_id());
  Call& call = calls_[key];
  ++call.facts[record.source()];
  call.whole |= fact.has_snapshot();
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

void SourceLedger::AddTo(Outcome outcome, int64_t facts, query::v1::SourceLedger* shown) {
  switch (outcome) {
    case Outcome::kWritten:
      return shown->set_written(shown->written() + facts);
    case Outcome::kSkipped:
      return shown->set_skipped(shown->skipped() + facts);
    case Outcome::kRejected:
      return shown->set_rejected(shown->rejected() + facts);
  }
}

SourceOutcome SourceLedger::ToldOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kWritten:
      return query::v1::SOURCE_OUTCOME_WRITTEN;
    case Outcome::kSkipped:
      return query::v1::SOURCE_OUTCOME_SKIPPED;
    case Outcome::kRejected:
      break;
  }
  return query::v1::SOURCE_OUTCOME_REJECTED;
}

SourceLedger::Outcome SourceLedger::OutcomeOf(const source::v1::CallDecided& decided,
                                              const CallKey& call) {
  Outcome& outcome = systems_[call.first].decided[HashOf(call.second)].outcome;
  // What is decided on anew is written, unless CallsWritten says otherwise.
  if (!decided.unchanged()) outcome = Outcome::kWritten;
  return outcome;
}

std::string SourceLedger::ReasonOf(const CallKey& call) const {
  const auto system = systems_.find(call.first);
  if (system == systems_.end()) return "";
  const auto decision = system->second.decided.find(HashOf(call.second));
  const bool is_known =
      decision != system->second.decided.end() && decision->second.reason != nullptr;
  return is_known ? *decision->second.reason : "";
}

SourceLedger::Decided SourceLedger::Decide(const source::v1::CallDecided& decided, absl::Time at) {
  Decided all;
  std::vector<CallKey>& keys = all.calls;
  for (const std::string& id : decided.fact_call_ids()) keys.emplace_back(decided.system(), id);
  if (keys.empty()) keys.emplace_back(decided.system(), decided.call_id());
  const bool late = IsLate(decided, keys, at);
  for (const CallKey& key : keys) {
    const Outcome outcome = OutcomeOf(decided, key);
    const auto found = calls_.find(key);
    if (found == calls_.end()) continue;
    const Call call = std::move(found->second);
    calls_.erase(found);
    TellOutcome(key, query::v1::SOURCE_OUTCOME_PENDING,
                late ? query::v1::SOURCE_OUTCOME_LATE : ToldOf(outcome),
                !late && outcome == Outcome::kSkipped ? ReasonOf(key) : "", "");
    for (const auto& [source, facts] : call.facts) {
      query::v1::SourceLedger& shown = sources_[source].shown;
      shown.set_pending(shown.pending() - facts);
      if (late) continue;
      AddTo(outcome, facts, &shown);
      if (outcome == Outcome::kSkipped) {
        CountSkipped(ReasonOf(key), "", facts, &sources_[source]);
      }
      if (outcome == Outcome::kWritten) all.facts[source] += facts;
    }
    if (late) {
      CountLate(key, call.facts);
    } else if (!decided.incomplete() && decided.revision() == 0) {
      CheckStates(key, call);
    }
  }
  if (late) return all;
  std::set<std::string>& incomplete = systems_[decided.system()].incomplete;
  if (decided.incomplete()) {
    incomplete.insert(decided.call_id());
  } else {
    incomplete.erase(decided.call_id());
  }
  return all;
}

bool SourceLedger::IsLate(const source::v1::CallDecided& decided, const std::vector<CallKey>& keys,
                          absl::Time at) {
  System& system = systems_[decided.system()];
  bool known = false;
  bool whole = false;
  for (const CallKey& key : keys) {
    const auto call = calls_.find(key);
    whole |= call != calls_.end() && call->second.whole;
    const auto [before, added] = system.decided.try_emplace(HashOf(key.second), Decision{at});
    known |= !added && at - before->second.first_at > kDecidedAtOnce;
    if (added) system.order.push_back(before->first);
    if (system.order.size() > kKnownIds) {
      system.decided.erase(system.order.front());
      system.order.pop_front();
    }
  }
  return known && !whole && decided.revision() == 0 && !decided.unchanged();
}

void SourceLedger::CountLate(const CallKey& key, const Facts& facts) {
  for (const auto& [source, count] : facts) {
    Counts& counts = sources_[source];
    counts.shown.set_late(counts.shown.late() + count);
    MissingItem& gap = counts.gaps["late"];
    gap.set_missing(counts.shown.late());
    gap.set_description(absl::StrCat(counts.shown.late(),
                                     " came so late that their calls could not be corrected any "
                                     "more, the newest of call ",
                                     key.second));
    *gap.mutable_noticed_at() = counts.shown.last_received_at();
  }
}

void SourceLedger::CountUnwritten(const source::v1::CallsWritten& written, Partition partition) {
  std::map<Offset, Decided>& decided = decided_[partition];
  for (const source::v1::UnwrittenCall& call : written.unwritten_calls()) {
    const auto found = decided.find(Offset(call.decided_offset()));
    if (found == decided.end()) continue;
    const Outcome outcome = call.rejected() ? Outcome::kRejected : Outcome::kSkipped;
    for (const auto& [source, facts] : found->second.facts) {
      query::v1::SourceLedger& shown = sources_[source].shown;
      shown.set_written(shown.written() - facts);
      AddTo(outcome, facts, &shown);
      if (outcome == Outcome::kSkipped) {
        CountSkipped(call.skipped_because(), call.description(), facts, &sources_[source]);
      }
    }
    for (const CallKey& key : found->second.calls) {
      TellOutcome(key, query::v1::SOURCE_OUTCOME_WRITTEN, ToldOf(outcome), call.skipped_because(),
                  call.description());
      auto& known = systems_[key.first].decided;
      const auto call_known = known.find(HashOf(key.second));
      if (call_known == known.end()) continue;
      call_known->second.outcome = outcome;
      if (reasons_.size() < kReasons || reasons_.contains(call.skipped_because())) {
        call_known->second.reason = &*reasons_.insert(call.skipped_because()).first;
      }
    }
    decided.erase(found);
  }
  decided.erase(decided.begin(), decided.lower_bound(Offset(written.offset())));
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
  std::set<std::string> named;  // systems whose incomplete calls are named
  for (const auto& [name, counts] : sources_) {
    query::v1::SourceLedger& shown = sources.emplace_back(counts.shown);
    shown.set_name(name);
    ShowSkipped(counts, &shown);
    const auto system = systems_.find(counts.system);
    if (!counts.system.empty() && system != systems_.end()) {
      shown.set_incomplete(static_cast<int64_t>(system->second.incomplete.size()));
      // Once, though several sources tell of the system's calls.
      if (shown.incomplete() > 0 && named.insert(counts.system).second) {
        *shown.add_gaps() = IncompleteCalls(system->second.incomplete, counts.shown);
      }
    }
    for (const auto& [id, gap] : counts.gaps) {
      if (shown.gaps_size() == static_cast<int>(kShownGaps)) break;
      *shown.add_gaps() = gap;
    }
    for (const auto& [id, gap] : counts.time_gaps) {
      if (IsCovered(name, gap)) {
        shown.set_closed_gaps(shown.closed_gaps() + 1);
      } else if (shown.gaps_size() < static_cast<int>(kShownGaps)) {
        *shown.add_gaps() = gap.shown;
      }
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
