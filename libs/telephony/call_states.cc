#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/telephony/call_parts.h"
#include "libs/telephony/call_record.h"

namespace rapport::telephony_internal {
namespace {

using source::v1::CallSnapshot;
using source::v1::CallStatus;
using touchpoint::v1::CallOutcome;

// States of one leg, in order.
struct StatusLeg {
  const CallStatus* first = nullptr;
  const CallStatus* last = nullptr;
  const CallStatus* answered = nullptr;
  bool machine = false;
  std::string recording;
  std::set<int64_t> numbers;  // where the system numbers them, from 0 on

  // One before the last is missing: it was overtaken, or is lost.
  bool has_hole() const {
    return !numbers.empty() && *numbers.rbegin() >= static_cast<int64_t>(numbers.size());
  }
  bool ended() const { return last->phase() == source::v1::CALL_PHASE_ENDED; }
  bool taken() const {
    return answered != nullptr ||
           (ended() && last->outcome() == touchpoint::v1::CALL_OUTCOME_ANSWERED);
  }
  absl::Time began_at() const {
    // An end without a beginning tells the beginning by its length.
    return std::min(FromProto(first->at()),
                    FromProto(last->at()) - absl::Seconds(last->duration_seconds()));
  }
  absl::Time answered_at() const {
    if (ended() && last->duration_seconds() > 0) {
      return FromProto(last->at()) - absl::Seconds(last->duration_seconds());
    }
    return FromProto((answered != nullptr ? answered : last)->at());
  }
  absl::Time ended_at() const { return FromProto(last->at()); }
};

// An end holds whatever else is told; then the system's order, then the time.
auto OrderOf(const CallStatus& status) {
  return std::make_tuple(status.phase() == source::v1::CALL_PHASE_ENDED, status.sequence(),
                         status.at().seconds(), status.at().nanos(), status.phase(),
                         status.outcome(), status.duration_seconds());
}

std::map<std::string, StatusLeg> LegsOf(std::vector<const CallStatus*> statuses) {
  std::sort(statuses.begin(), statuses.end(),
            [](const CallStatus* a, const CallStatus* b) { return OrderOf(*a) < OrderOf(*b); });
  std::map<std::string, StatusLeg> legs;
  for (const CallStatus* const status : statuses) {
    StatusLeg& leg = legs[status->leg_id()];
    if (leg.first == nullptr) leg.first = status;
    leg.last = status;
    if (status->phase() == source::v1::CALL_PHASE_ANSWERED && leg.answered == nullptr) {
      leg.answered = status;
    }
    if (status->sequence() >= 0) leg.numbers.insert(status->sequence());
    leg.machine |= status->answered_by_machine();
    if (!status->recording_reference().empty()) leg.recording = status->recording_reference();
  }
  return legs;
}

// Who was on which side. What the system calls inbound is so seen from itself: a call that one of
// our people makes in a browser or with a SIP telephone comes in to it, too.
void FillStatusParties(const std::map<std::string, StatusLeg>& legs, const StatusLeg& main,
                       const StatusLeg* person, const AssembleOptions& options,
                       AssembledCall* assembled) {
  const auto ours = [&options](const std::string& address) {
    return !address.empty() && options.is_ours && options.is_ours(address);
  };
  const CallStatus& call = *main.last;
  const bool told_inbound = call.direction() == touchpoint::v1::DIRECTION_INBOUND;
  const bool from_ours = ours(call.from());
  // The first leg that goes outside, and the call itself, where it does.
  std::vector<std::string> theirs;
  for (const auto& [id, leg] : legs) {
    if (&leg != &main && !ours(leg.last->to())) AddUnique(leg.last->to(), &theirs);
  }
  if (!ours(call.to())) AddUnique(call.to(), &theirs);
  const bool calls_agent_first = !told_inbound && ours(call.to());
  // Where nothing below says another thing, somebody called us, or our telephone is rung in the
  // name of somebody who did.
  assembled->direction = touchpoint::v1::DIRECTION_INBOUND;
  if (!told_inbound || from_ours) {
    if (!theirs.empty()) {
      assembled->direction = touchpoint::v1::DIRECTION_OUTBOUND;
    } else if (from_ours || call.from().empty()) {
      assembled->direction = touchpoint::v1::DIRECTION_INTERNAL;
    }
  }
  if (assembled->direction == touchpoint::v1::DIRECTION_OUTBOUND) {
    assembled->client_numbers = std::move(theirs);
    AddUnique(calls_agent_first ? call.to() : call.from(), &assembled->agents);
    return;
  }
  if (assembled->direction == touchpoint::v1::DIRECTION_INTERNAL) return;
  AddUnique(call.from(), &assembled->client_numbers);
  if (person != nullptr) {
    AddUnique(person->last->to(), &assembled->agents);
  } else if (legs.size() == 2) {
    // Whoever alone was called in vain.
    AddUnique(legs.rbegin()->second.last->to(), &assembled->agents);
  } else if (!told_inbound) {
    AddUnique(call.to(), &assembled->agents);
  }
}

// Whether it was the client who took the call itself, and not a leg that it was passed on to.
bool CalledDirectly(const StatusLeg& main, const AssembledCall& assembled) {
  return assembled.direction == touchpoint::v1::DIRECTION_OUTBOUND &&
         !assembled.client_numbers.empty() && assembled.client_numbers.front() == main.last->to();
}

}  // namespace

AssembledCall FromStatuses(std::vector<const CallStatus*> statuses,
                           const AssembleOptions& options) {
  const std::map<std::string, StatusLeg> legs = LegsOf(std::move(statuses));
  AssembledCall assembled;
  // The leg without an id is the call itself, and sorts first.
  const StatusLeg& main = legs.begin()->second;
  const bool has_main = legs.begin()->first.empty();
  const StatusLeg* person = nullptr;  // of the legs that the call was passed on to
  int people = 0;
  int64_t talk = 0;
  bool all_ended = true;
  absl::Time ended_at = main.ended_at();
  touchpoint::v1::CallCompleted& call = assembled.call;
  for (const auto& [id, leg] : legs) {
    all_ended &= leg.ended();
    assembled.may_grow |= leg.has_hole();
    ended_at = std::max(ended_at, leg.ended_at());
    if (call.recording_reference().empty()) call.set_recording_reference(leg.recording);
    if (id.empty() || !leg.taken() || leg.machine) continue;
    ++people;
    talk += leg.last->duration_seconds();
    if (person == nullptr || person->answered_at() < leg.answered_at()) person = &leg;
  }
  assembled.began_at = main.began_at();
  assembled.ended_at = ended_at;
  FillStatusParties(legs, main, person, options, &assembled);

  const bool passed_on = legs.size() > (has_main ? 1 : 0);
  absl::Time answered_at = ended_at;
  CallOutcome outcome = main.last->outcome();
  if (main.machine) {
    outcome = touchpoint::v1::CALL_OUTCOME_VOICEMAIL;
  } else if (person != nullptr) {
    outcome = touchpoint::v1::CALL_OUTCOME_ANSWERED;
    answered_at = person->answered_at();
  } else if (main.taken() && passed_on && !CalledDirectly(main, assembled)) {
    // What we said before it was passed on in vain; or our own telephone, before it called.
    outcome = assembled.direction == touchpoint::v1::DIRECTION_OUTBOUND
                  ? legs.rbegin()->second.last->outcome()
                  : touchpoint::v1::CALL_OUTCOME_NO_ANSWER;
  } else if (main.taken()) {
    outcome = touchpoint::v1::CALL_OUTCOME_ANSWERED;
    talk = main.last->duration_seconds();
    answered_at = main.answered_at();
  }
  call.set_outcome(outcome == touchpoint::v1::CALL_OUTCOME_UNSPECIFIED
                       ? touchpoint::v1::CALL_OUTCOME_NO_ANSWER
                       : outcome);
  call.set_talk_seconds(ToSeconds(talk));
  call.set_wait_seconds(ToSeconds(absl::ToInt64Seconds(answered_at - assembled.began_at)));
  call.set_transfer_count(std::max(people - 1, 0));
  if (!has_main || !all_ended) assembled.missing = "how the call ended";
  return assembled;
}

AssembledCall FromSnapshots(std::vector<const CallSnapshot*> snapshots,
                            const AssembleOptions& options) {
  // The newest of each part; the parts in the order in which they began.
  std::sort(snapshots.begin(), snapshots.end(), [](const CallSnapshot* a, const CallSnapshot* b) {
    return std::make_pair(a->leg_id(), a->revision()) < std::make_pair(b->leg_id(), b->revision());
  });
  std::vector<const CallSnapshot*> parts;
  for (const CallSnapshot* const snapshot : snapshots) {
    if (!parts.empty() && parts.back()->leg_id() == snapshot->leg_id()) parts.pop_back();
    parts.push_back(snapshot);
  }
  std::stable_sort(parts.begin(), parts.end(), [](const CallSnapshot* a, const CallSnapshot* b) {
    return FromProto(a->began_at()) < FromProto(b->began_at());
  });
  AssembledCall assembled;
  assembled.began_at = FromProto(parts[0]->began_at());
  assembled.ended_at = assembled.began_at;
  assembled.direction = parts[0]->direction();
  assembled.call = parts[0]->call();
  int64_t wait = 0, talk = 0, hold = 0;
  bool any_talked = false;
  for (const CallSnapshot* const part : parts) {
    wait += part->call().wait_seconds();
    talk += part->call().talk_seconds();
    hold += part->call().hold_seconds();
    AddUnique(part->client_number(), &assembled.client_numbers);
    // The one who talked last has the client.
    if (!part->agent().empty()) assembled.agents = {part->agent()};
    if (!part->call().queue().empty()) assembled.call.set_queue(part->call().queue());
    const bool talked = part->call().outcome() == touchpoint::v1::CALL_OUTCOME_ANSWERED &&
                        !part->call().has_effective();
    if (talked || !any_talked) {
      // What became of it in the end, unless somebody talked with the client before.
      assembled.call.set_outcome(part->call().outcome());
      assembled.call.clear_effective();
      if (part->call().has_effective()) assembled.call.set_effective(part->call().effective());
    }
    any_talked |= talked;
    if (assembled.call.recording_reference().empty()) {
      assembled.call.set_recording_reference(part->call().recording_reference());
    }
    assembled.told_at = std::max(assembled.told_at, absl::FromUnixMicros(part->revision()));
    if (part->has_ended_at()) {
      assembled.ended_at = std::max(assembled.ended_at, FromProto(part->ended_at()));
    } else {
      assembled.missing = "how the call ended";
    }
  }
  assembled.call.set_wait_seconds(ToSeconds(wait));
  assembled.call.set_talk_seconds(ToSeconds(talk));
  assembled.call.set_hold_seconds(ToSeconds(hold));
  assembled.call.set_transfer_count(static_cast<int32_t>(parts.size()) - 1);
  return assembled;
}

}  // namespace rapport::telephony_internal
