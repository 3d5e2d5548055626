#include "libs/sources/open_calls.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rapport {
namespace {

using source::v1::CallDecided;
using source::v1::CallFact;
using source::v1::SourceRecord;

// All of a call that a reader can see.
std::string ContentOf(const AssembledCall& assembled) {
  return absl::StrCat(absl::ToUnixMicros(assembled.began_at), "\n", assembled.direction, "\n",
                      absl::StrJoin(assembled.client_numbers, "\t"), "\n",
                      absl::StrJoin(assembled.agents, "\t"), "\n",
                      assembled.call.SerializeAsString());
}

}  // namespace

std::optional<DecidedCall> OpenCalls::Apply(const SourceRecord& record, Offset offset,
                                            absl::Time received_at) {
  if (record.has_call_fact()) AddFact(record, offset, received_at);
  if (record.has_call_decided()) return Decide(record.call_decided(), received_at);
  return std::nullopt;
}

OpenCalls::Calls::iterator OpenCalls::Find(const Key& key) {
  const auto alias = aliases_.find(key);
  return calls_.find(alias == aliases_.end() ? key : alias->second);
}

void OpenCalls::AddFact(const SourceRecord& record, Offset offset, absl::Time received_at) {
  const auto it = CallOf(record.call_fact(), offset);
  Call& call = it->second;
  if (!call.facts.emplace(record.record_id(), record.call_fact()).second) return;
  if (call.source.empty()) call.source = record.source();
  call.heard_at = std::max(call.heard_at, received_at);
  Reschedule(it->first, &call);
}

OpenCalls::Calls::iterator OpenCalls::CallOf(const CallFact& fact, Offset offset) {
  const Key own(fact.system(), fact.call_id());
  auto call = Find(own);
  for (const std::string& id : fact.related_call_ids()) {
    const Key related(fact.system(), id);
    const auto other = Find(related);
    if (other == calls_.end() || other == call) continue;
    if (call == calls_.end() && other->second.revision >= 0) {
      // It was written under the other id.
      call = other;
    } else if (other->second.revision < 0) {
      if (call == calls_.end()) {
        Join(own, other);
        call = calls_.find(own);
      } else {
        Join(call->first, other);
      }
    } else if (call->second.revision < 0) {
      const Key written = other->first;
      Join(written, call);
      call = calls_.find(written);
    }
  }
  if (call == calls_.end()) {
    call = calls_.try_emplace(own).first;
    call->second.first_offset = offset;
    call->second.heard_at = absl::InfinitePast();
    call->second.due = absl::InfiniteFuture();
    offsets_.insert(offset);
  }
  // A copy, since the call may be found by its own id from now on.
  const Key found = call->first;
  if (own != found) aliases_[own] = found;
  for (const std::string& id : fact.related_call_ids()) {
    const Key related(fact.system(), id);
    if (related != found && calls_.find(related) == calls_.end()) aliases_[related] = found;
  }
  return call;
}

void OpenCalls::Join(const Key& into, Calls::iterator from) {
  Call moved = std::move(from->second);
  const Key old = from->first;
  due_.erase({moved.due, old});
  calls_.erase(from);
  for (const auto& [id, fact] : moved.facts) {
    aliases_[{old.first, fact.call_id()}] = into;
    for (const std::string& related : fact.related_call_ids()) {
      aliases_[{old.first, related}] = into;
    }
  }
  aliases_[old] = into;
  aliases_.erase(into);
  const auto [it, made] = calls_.try_emplace(into);
  Call& call = it->second;
  if (made) {
    call = std::move(moved);
    call.deciding = false;
    call.due = absl::InfiniteFuture();
  } else {
    call.facts.merge(moved.facts);
    call.heard_at = std::max(call.heard_at, moved.heard_at);
    const Offset later = std::max(call.first_offset, moved.first_offset);
    offsets_.erase(offsets_.find(later));
    call.first_offset = std::min(call.first_offset, moved.first_offset);
  }
  Reschedule(it->first, &call);
}

AssembledCall OpenCalls::Assemble(const Key& key, const Call& call) const {
  std::vector<const CallFact*> facts;
  facts.reserve(call.facts.size());
  for (const auto& [id, fact] : call.facts) facts.push_back(&fact);
  return AssembleCall(facts, {.is_ours = rules_.is_ours,
                              .is_agent = rules_.is_agent,
                              .queue_steps_expected = rules_.queue_steps_expected(key.first)});
}

void OpenCalls::Schedule(const Key& key, Call* call, absl::Time due) {
  due_.erase({call->due, key});
  call->due = due;
  due_.insert({due, key});
}

bool OpenCalls::IsSettled(const Call& call, const AssembledCall& assembled) {
  return call.revision >= 0 && call.told_incomplete != assembled.complete &&
         ContentOf(assembled) == call.written;
}

void OpenCalls::Reschedule(const Key& key, Call* call) {
  Reschedule(key, Assemble(key, *call), call);
}

void OpenCalls::Reschedule(const Key& key, const AssembledCall& assembled, Call* call) {
  if (IsSettled(*call, assembled)) {
    Schedule(key, call,
             call->heard_at + (HasNews(*call) ? rules_.settle : rules_.correction_window));
  } else if (!assembled.complete) {
    Schedule(key, call, call->heard_at + rules_.timeout(key.first));
  } else {
    Schedule(key, call,
             call->heard_at + (assembled.may_grow ? rules_.settle : absl::ZeroDuration()));
  }
}

std::optional<DecidedCall> OpenCalls::Decide(const CallDecided& decided, absl::Time received_at) {
  const auto it = Find({decided.system(), decided.call_id()});
  if (it == calls_.end()) return std::nullopt;
  Call& call = it->second;
  AssembledCall assembled = Assemble(it->first, call);
  call.told_incomplete = decided.incomplete();
  call.decided_facts = call.facts.size();
  if (decided.revision() != call.revision + 1) {
    if (decided.revision() == call.revision) call.deciding = false;
    Reschedule(it->first, assembled, &call);
    return std::nullopt;
  }
  std::string content = ContentOf(assembled);
  call.revision = decided.revision();
  call.deciding = false;
  const bool known = content == call.written;
  call.written = std::move(content);
  Reschedule(it->first, assembled, &call);
  if (known) return std::nullopt;
  return DecidedCall{.system = it->first.first,
                     .call_id = it->first.second,
                     .source = call.source,
                     .revision = call.revision,
                     .decided_at = received_at,
                     .corrects = call.revision > 0 ||
                                 assembled.told_at - assembled.ended_at > rules_.correction_window,
                     .assembled = std::move(assembled)};
}

std::vector<CallDecided> OpenCalls::TakeDue(absl::Time now) {
  std::vector<CallDecided> due;
  for (auto next = due_.begin(); next != due_.end() && next->first <= now;) {
    const auto it = calls_.find(next->second);
    ++next;
    Call& call = it->second;
    if (call.deciding) continue;
    const AssembledCall assembled = Assemble(it->first, call);
    const bool settled = IsSettled(call, assembled);
    if (settled && !HasNews(call)) {
      Forget(it);
      continue;
    }
    call.deciding = true;
    CallDecided& decided = due.emplace_back();
    decided.set_system(it->first.first);
    decided.set_call_id(it->first.second);
    decided.set_revision(settled ? call.revision : call.revision + 1);
    decided.set_unchanged(settled);
    decided.set_incomplete(!assembled.complete);
    std::set<std::string> ids = {it->first.second};
    for (const auto& [id, fact] : call.facts) ids.insert(fact.call_id());
    if (ids.size() > 1) decided.mutable_fact_call_ids()->Assign(ids.begin(), ids.end());
  }
  return due;
}

void OpenCalls::DecideAgain() {
  for (auto& [key, call] : calls_) call.deciding = false;
}

void OpenCalls::Forget(Calls::iterator call) {
  const Key key = call->first;
  due_.erase({call->second.due, key});
  offsets_.erase(offsets_.find(call->second.first_offset));
  for (const auto& [id, fact] : call->second.facts) {
    aliases_.erase({key.first, fact.call_id()});
    for (const std::string& related : fact.related_call_ids()) aliases_.erase({key.first, related});
  }
  calls_.erase(call);
}

absl::Time OpenCalls::next_due() const {
  for (const auto& [due, key] : due_) {
    if (!calls_.at(key).deciding) return due;
  }
  return absl::InfiniteFuture();
}

Offset OpenCalls::oldest(Offset otherwise) const {
  return offsets_.empty() ? otherwise : *offsets_.begin();
}

}  // namespace rapport
