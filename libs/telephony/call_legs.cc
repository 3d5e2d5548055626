#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
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

// The time during which somebody talked, however many legs it went through. `counts`: of which
// legs.
template <class Counts>
Talk TalkOf(const std::vector<const LegView*>& legs, bool queue_tells, const Counts& counts) {
  Talk talk;
  std::vector<std::pair<absl::Time, absl::Time>> spans;
  for (const LegView* const leg : legs) {
    if (!SomebodyAnswered(*leg) || !counts(*leg)) continue;
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

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// The number that a leg dialled on a trunk ("PJSIP/03012345678@trunk,60", "SIP/trunk/03012345678"),
// when the number that was dialled ends with it: without the digit for an outside line.
absl::string_view Dialled(const LegView& leg) {
  if (leg.application != "Dial") return leg.to;
  absl::string_view data = leg.application_data;
  data = data.substr(0, data.find_first_of(",&|"));
  data.remove_prefix(std::min(data.find('/'), data.size() - 1) + 1);
  data = data.substr(0, data.find('@'));
  const size_t slash = data.rfind('/');
  if (slash != absl::string_view::npos) data.remove_prefix(slash + 1);
  constexpr size_t kShortest = 7;
  const bool cut = data.size() >= kShortest && data.size() < leg.to.size() && AllDigits(data) &&
                   absl::EndsWith(leg.to, data);
  return cut ? data : leg.to;
}

// The sides of a call.
class Sides {
 public:
  Sides(const std::vector<const LegView*>& legs, const LegView& main,
        const AssembleOptions& options)
      : legs_(legs), main_(main), options_(options) {}

  bool Ours(absl::string_view number) const {
    return !number.empty() && options_.is_ours && options_.is_ours(number);
  }
  bool Agent(absl::string_view name) const {
    return !name.empty() && options_.is_agent && options_.is_agent(name);
  }
  // Whether the telephone of one of our people rang. A detour within the system is nobody's.
  bool RangAgent(const LegView& leg) const { return RangSomebody(leg) && Agent(leg.to_channel); }

  void Fill(AssembledCall* assembled) const {
    const bool from_ours = Ours(main_.from) || IsOwnDevice();
    // A click on a number in a page rings our telephone with the client's number.
    if (from_ours || Agent(main_.channel)) {
      std::vector<std::string> theirs = Called();
      if (!theirs.empty()) {
        assembled->direction = touchpoint::v1::DIRECTION_OUTBOUND;
        assembled->client_numbers = std::move(theirs);
        return;
      }
      if (from_ours && !CameFromOutside()) {
        assembled->direction = touchpoint::v1::DIRECTION_INTERNAL;
        return;
      }
    }
    assembled->direction = touchpoint::v1::DIRECTION_INBOUND;
    AddUnique(main_.from, &assembled->client_numbers);
    // Most names are none, and are told apart sooner than a number is looked up.
    if (main_.caller_name != main_.from && !main_.caller_name.empty() &&
        std::all_of(main_.caller_name.begin(), main_.caller_name.end(),
                    [](char c) { return absl::StrContains("+0123456789 -/()", c); }) &&
        !Ours(main_.caller_name)) {
      AddUnique(main_.caller_name, &assembled->client_numbers);
    }
  }

 private:
  // A telephone of ours is called by its number: "PJSIP/201001-0000000a" of 201001.
  bool IsOwnDevice() const {
    constexpr size_t kLongest = 9;
    if (main_.from.size() > kLongest || !AllDigits(main_.from)) return false;
    const absl::string_view device = DeviceOf(main_.channel);
    const size_t slash = device.find('/');
    return slash != absl::string_view::npos && device.substr(slash + 1) == main_.from;
  }

  // A short number over a channel that is no telephone of ours, and rang one: somebody outside,
  // such as an emergency desk, of whom no number is known.
  bool CameFromOutside() const {
    if (!options_.is_agent || Agent(main_.from) || Agent(main_.channel) || IsLocal(main_.channel) ||
        main_.channel.empty() || IsOwnDevice() || !AllDigits(main_.from)) {
      return false;
    }
    return std::any_of(legs_.begin(), legs_.end(),
                       [this](const LegView* leg) { return RangAgent(*leg); });
  }

  // The numbers of the other side that were called: of legs that reached a channel that is not our
  // people's; or else of those that did so from within a detour, or reached none; or else, when
  // nobody of ours was reached either, of those that went into a detour.
  std::vector<std::string> Called() const {
    std::vector<std::string> reached, behind_detour, failed, detours;
    bool rang_agent = false;
    for (const LegView* const leg : legs_) {
      rang_agent = rang_agent || RangAgent(*leg);
      const absl::string_view number = Dialled(*leg);
      if (Ours(number)) continue;
      if (leg->to_channel.empty()) {
        if (!IsLocal(leg->channel)) AddUnique(number, &failed);
      } else if (IsLocal(leg->to_channel)) {
        if (!IsLocal(leg->channel)) AddUnique(number, &detours);
      } else if (!Agent(leg->to_channel)) {
        AddUnique(number, IsLocal(leg->channel) ? &behind_detour : &reached);
      }
    }
    if (!reached.empty()) return reached;
    if (!behind_detour.empty()) return behind_detour;
    if (!failed.empty()) return failed;
    return rang_agent ? std::vector<std::string>() : detours;
  }

  const std::vector<const LegView*>& legs_;
  const LegView& main_;
  const AssembleOptions& options_;
};

void FillAgents(const std::vector<const LegView*>& legs, const LegView& main,
                const QueueCourse& queue, const Talk& talk, const Sides& sides,
                AssembledCall* assembled) {
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
    // Over a trunk it is told by the number alone who was reached: a colleague's mobile.
    for (auto leg = legs.rbegin(); leg != legs.rend(); ++leg) {
      if (SomebodyAnswered(**leg) && sides.Agent((*leg)->to)) {
        AddUnique((*leg)->to, &assembled->agents);
      }
    }
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
  const Sides sides(legs, main, options);
  sides.Fill(&assembled);
  // Of a call that we made, our own telephones are no talk: one rings first when a number is
  // clicked on, and colleagues are asked before a call is handed over.
  const bool outbound = assembled.direction == touchpoint::v1::DIRECTION_OUTBOUND;
  const Talk talk = TalkOf(legs, queue.talk_known, [&](const LegView& leg) {
    return !outbound || !sides.Agent(leg.to_channel);
  });
  FillAgents(legs, main, queue, talk, sides, &assembled);

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
