#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/time.h"
#include "libs/telephony/call_parts.h"
#include "libs/telephony/call_record.h"
#include "libs/telephony/leg_view.h"

namespace rapport::telephony_internal {
namespace {

using touchpoint::v1::CallOutcome;

constexpr size_t kFewLegs = 8;

bool IsLocal(absl::string_view channel) { return absl::StartsWith(channel, "Local/"); }

// Whoever was called is somebody, and not a detour within the system.
bool RangSomebody(const LegView& leg) {
  return !leg.to_channel.empty() && !IsLocal(leg.to_channel);
}
bool SomebodyAnswered(const LegView& leg) {
  return RangSomebody(leg) && leg.outcome == touchpoint::v1::CALL_OUTCOME_ANSWERED;
}
bool IsQueue(const LegView& leg) {
  return leg.application == "Queue" || leg.application == "callcenter";
}
bool IsVoiceMail(const LegView& leg) {
  return absl::StartsWithIgnoreCase(leg.application, "voicemail");
}

absl::Time AnsweredAt(const LegView& leg) { return leg.answered_at.value_or(leg.began_at); }

auto SortKey(const LegView& leg) {
  return std::make_tuple(leg.began_at, leg.sequence, leg.leg_id, leg.channel, leg.to_channel,
                         absl::ToUnixSeconds(leg.ended_at));
}

// What makes two rows the same, though one of them may not tell its number.
auto SameKey(const LegView& leg) {
  return std::make_tuple(leg.leg_id, leg.channel, leg.to_channel, leg.application,
                         absl::ToUnixSeconds(leg.began_at),
                         leg.answered_at ? absl::ToUnixSeconds(*leg.answered_at) : 0,
                         absl::ToUnixSeconds(leg.ended_at));
}

std::vector<const LegView*> WithoutRepetition(absl::Span<const LegView> all) {
  std::vector<const LegView*> legs;
  legs.reserve(all.size());
  for (const LegView& leg : all) legs.push_back(&leg);
  if (legs.size() == 1) return legs;
  std::sort(legs.begin(), legs.end(),
            [](const LegView* a, const LegView* b) { return SortKey(*a) < SortKey(*b); });
  // Of an ordinary call, comparing each with each costs less than a set.
  const bool few = legs.size() <= kFewLegs;
  std::set<decltype(SameKey(*legs[0]))> told;
  size_t kept = 0;
  for (const LegView* const leg : legs) {
    const auto key = SameKey(*leg);
    const bool is_new = few ? std::none_of(legs.begin(), legs.begin() + static_cast<int64_t>(kept),
                                           [&](const auto* it) { return SameKey(*it) == key; })
                            : told.insert(key).second;
    if (is_new) legs[kept++] = leg;
  }
  legs.resize(kept);
  return legs;
}

struct Talk {
  int64_t seconds = 0;
  absl::Time first_answer = absl::InfiniteFuture();
  std::vector<std::string> people;  // devices that answered, in order
};

// The time during which somebody talked, however many legs it went through.
Talk TalkOf(const std::vector<const LegView*>& legs, bool queue_tells) {
  Talk talk;
  std::vector<std::pair<absl::Time, absl::Time>> spans;
  for (const LegView* const leg : legs) {
    if (!SomebodyAnswered(*leg)) continue;
    AddUnique(DeviceOf(leg->to_channel), &talk.people);
    const absl::Time answered = AnsweredAt(*leg);
    talk.first_answer = std::min(talk.first_answer, answered);
    if (queue_tells && IsQueue(*leg)) continue;
    spans.emplace_back(answered, answered + absl::Seconds(leg->talk_seconds));
  }
  std::sort(spans.begin(), spans.end());
  absl::Time until = absl::InfinitePast();
  for (const auto& [begin, end] : spans) {
    const absl::Time from = std::max(begin, until);
    if (end <= from) continue;
    talk.seconds += absl::ToInt64Seconds(end - from);
    until = end;
  }
  return talk;
}

// When nobody answered: what those who were rung did, or else what the caller heard.
CallOutcome Unanswered(const std::vector<const LegView*>& legs, const QueueCourse& queue,
                       AssembledCall* assembled) {
  bool busy = false, failed = false, rang = false, heard = false, waited = false, mail = false;
  for (const LegView* const leg : legs) {
    const CallOutcome outcome = leg->outcome;
    const bool answered = outcome == touchpoint::v1::CALL_OUTCOME_ANSWERED;
    busy |= outcome == touchpoint::v1::CALL_OUTCOME_BUSY;
    failed |= outcome == touchpoint::v1::CALL_OUTCOME_FAILED;
    rang |= outcome == touchpoint::v1::CALL_OUTCOME_NO_ANSWER && !leg->to_channel.empty();
    waited |= IsQueue(*leg);
    heard |= answered && leg->to_channel.empty() && !IsQueue(*leg);
    mail |= answered && IsVoiceMail(*leg);
  }
  if (mail) return touchpoint::v1::CALL_OUTCOME_VOICEMAIL;
  if (queue.abandoned || (waited && !queue.any)) return touchpoint::v1::CALL_OUTCOME_ABANDONED;
  if (rang || queue.any) return touchpoint::v1::CALL_OUTCOME_NO_ANSWER;
  if (busy) return touchpoint::v1::CALL_OUTCOME_BUSY;
  if (failed) return touchpoint::v1::CALL_OUTCOME_FAILED;
  if (heard) {
    assembled->call.set_effective(false);
    return touchpoint::v1::CALL_OUTCOME_ANSWERED;
  }
  return touchpoint::v1::CALL_OUTCOME_NO_ANSWER;
}

void FillParties(const std::vector<const LegView*>& legs, const LegView& main,
                 const AssembleOptions& options, AssembledCall* assembled) {
  const auto ours = [&](absl::string_view number) {
    return !number.empty() && options.is_ours && options.is_ours(number);
  };
  if (!ours(main.from)) {
    assembled->direction = touchpoint::v1::DIRECTION_INBOUND;
    AddUnique(main.from, &assembled->client_numbers);
    // Most names are none, and are told apart sooner than a number is looked up.
    if (main.caller_name != main.from && !main.caller_name.empty() &&
        std::all_of(main.caller_name.begin(), main.caller_name.end(),
                    [](char c) { return absl::StrContains("+0123456789 -/()", c); }) &&
        !ours(main.caller_name)) {
      AddUnique(main.caller_name, &assembled->client_numbers);
    }
    return;
  }
  std::vector<std::string> theirs;
  for (const LegView* const leg : legs) {
    if (!IsLocal(leg->channel) && !ours(leg->to)) AddUnique(leg->to, &theirs);
  }
  if (!theirs.empty()) {
    assembled->direction = touchpoint::v1::DIRECTION_OUTBOUND;
    assembled->client_numbers = std::move(theirs);
  } else {
    assembled->direction = touchpoint::v1::DIRECTION_INTERNAL;
  }
}

void FillAgents(const std::vector<const LegView*>& legs, const LegView& main,
                const QueueCourse& queue, const Talk& talk, AssembledCall* assembled) {
  AddUnique(queue.agent, &assembled->agents);
  if (assembled->direction == touchpoint::v1::DIRECTION_OUTBOUND) {
    AddUnique(DeviceOf(main.channel), &assembled->agents);
    AddUnique(main.from, &assembled->agents);
    return;
  }
  // The one who talked last has the client.
  if (!talk.people.empty()) {
    const std::string& person = talk.people.back();
    AddUnique(person, &assembled->agents);
    AddUnique(absl::string_view(person).substr(person.find('/') + 1), &assembled->agents);
    return;
  }
  if (!assembled->agents.empty()) return;
  // Nobody answered: whoever alone was rung.
  std::vector<std::string> rung;
  for (const LegView* const leg : legs) {
    if (RangSomebody(*leg)) AddUnique(DeviceOf(leg->to_channel), &rung);
  }
  if (rung.size() != 1) return;
  AddUnique(rung[0], &assembled->agents);
  AddUnique(absl::string_view(rung[0]).substr(rung[0].find('/') + 1), &assembled->agents);
}

std::string QueueName(const std::vector<const LegView*>& legs) {
  for (const LegView* const leg : legs) {
    if (IsQueue(*leg)) {
      return std::string(leg->application_data.substr(0, leg->application_data.find(',')));
    }
  }
  return "";
}

AssembledCall FromQueueAlone(const std::vector<const source::v1::QueueStep*>& steps,
                             const QueueCourse& queue) {
  AssembledCall assembled;
  assembled.may_grow = true;
  assembled.missing = "the call detail records";
  assembled.began_at = absl::InfiniteFuture();
  assembled.ended_at = absl::InfinitePast();
  for (const source::v1::QueueStep* const step : steps) {
    assembled.began_at = std::min(assembled.began_at, FromProto(step->at()));
    assembled.ended_at = std::max(assembled.ended_at, FromProto(step->at()));
  }
  assembled.direction = touchpoint::v1::DIRECTION_INBOUND;
  AddUnique(queue.caller, &assembled.client_numbers);
  AddUnique(queue.agent, &assembled.agents);
  assembled.call.set_queue(queue.queue);
  assembled.call.set_wait_seconds(ToSeconds(queue.wait_seconds));
  assembled.call.set_talk_seconds(ToSeconds(queue.talk_seconds));
  assembled.call.set_transfer_count(std::max(queue.transferred, queue.entered - 1));
  assembled.call.set_outcome(queue.taken       ? touchpoint::v1::CALL_OUTCOME_ANSWERED
                             : queue.abandoned ? touchpoint::v1::CALL_OUTCOME_ABANDONED
                                               : touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
  return assembled;
}

}  // namespace

void AddUnique(absl::string_view text, std::vector<std::string>* texts) {
  if (text.empty() || std::find(texts->begin(), texts->end(), text) != texts->end()) return;
  texts->emplace_back(text);
}

absl::string_view DeviceOf(absl::string_view channel) {
  const size_t dash = channel.rfind('-');
  return dash == absl::string_view::npos ? channel : channel.substr(0, dash);
}

AssembledCall FromLegs(absl::string_view call_id, absl::Span<const LegView> all_legs,
                       const std::vector<const source::v1::QueueStep*>& steps,
                       const AssembleOptions& options) {
  const QueueCourse queue = FollowQueue(steps);
  if (all_legs.empty()) return FromQueueAlone(steps, queue);
  const std::vector<const LegView*> legs = WithoutRepetition(all_legs);
  const auto first = std::find_if(legs.begin(), legs.end(),
                                  [&](const LegView* leg) { return leg->leg_id == call_id; });
  const LegView& main = first == legs.end() ? *legs[0] : **first;
  AssembledCall assembled;
  assembled.may_grow = true;
  assembled.began_at = absl::InfiniteFuture();
  assembled.ended_at = absl::InfinitePast();
  bool queued = false;
  for (const LegView* const leg : legs) {
    assembled.began_at = std::min(assembled.began_at, leg->began_at);
    assembled.ended_at = std::max(assembled.ended_at, leg->ended_at);
    queued |= IsQueue(*leg);
    if (!leg->recording_reference.empty() && assembled.call.recording_reference().empty()) {
      assembled.call.set_recording_reference(leg->recording_reference.data(),
                                             leg->recording_reference.size());
    }
  }
  FillParties(legs, main, options, &assembled);
  const Talk talk = TalkOf(legs, queue.talk_known);
  FillAgents(legs, main, queue, talk, &assembled);

  touchpoint::v1::CallCompleted& call = assembled.call;
  const bool answered = queue.taken || !talk.people.empty();
  call.set_outcome(answered ? touchpoint::v1::CALL_OUTCOME_ANSWERED
                            : Unanswered(legs, queue, &assembled));
  call.set_queue(queue.any ? queue.queue : QueueName(legs));
  call.set_talk_seconds(ToSeconds(talk.seconds + queue.talk_seconds));
  const absl::Time waited_until =
      answered ? std::min(talk.first_answer, assembled.ended_at) : assembled.ended_at;
  call.set_wait_seconds(queue.any
                            ? ToSeconds(queue.wait_seconds)
                            : ToSeconds(absl::ToInt64Seconds(waited_until - assembled.began_at)));
  call.set_transfer_count(std::max(
      {queue.transferred, queue.entered - 1, static_cast<int>(talk.people.size()) - 1, 0}));

  if (first == legs.end()) {
    assembled.missing = "the leg that began the call";
  } else if (queue.open) {
    assembled.missing = "how the waiting or the talk in the queue ended";
  } else if (queued && !queue.any && options.queue_steps_expected) {
    assembled.missing = "what happened in the queue";
  }
  return assembled;
}

}  // namespace rapport::telephony_internal
