#include "libs/sources/call_contact.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/identity/phone.h"
#include "libs/touchpoint/identity.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

std::vector<Identifier> NumbersOf(const AssembledCall& assembled, const IdentityRules& rules) {
  std::vector<Identifier> numbers;
  const bool outbound = assembled.direction == touchpoint::v1::DIRECTION_OUTBOUND;
  for (const std::string& text : assembled.client_numbers) {
    absl::StatusOr<std::string> number = NormalizePhone(
        outbound ? rules.WithoutOutsideLine(text) : absl::string_view(text), rules.forms.phone);
    if (!number.ok() || rules.own_numbers.Has(*number)) continue;
    Identifier identifier{.kind = touchpoint::v1::IDENTIFIER_KIND_PHONE,
                          .value = *std::move(number)};
    if (std::find(numbers.begin(), numbers.end(), identifier) == numbers.end()) {
      numbers.push_back(std::move(identifier));
    }
  }
  return numbers;
}

std::string AgentOf(const AssembledCall& assembled, const AgentDirectory& agents) {
  for (const std::string& name : assembled.agents) {
    if (const std::string id = agents.OfPhone(name); !id.empty()) return id;
  }
  return "";
}

// Who spoke with whom, for people.
std::string DescribeCall(const DecidedCall& call) {
  const AssembledCall& assembled = call.assembled;
  return absl::StrCat(
      "call ", call.call_id, " between ",
      assembled.client_numbers.empty() ? "no number"
                                       : absl::StrJoin(assembled.client_numbers, ", "),
      " and ", assembled.agents.empty() ? "nobody of ours" : assembled.agents.front());
}

// Takes the call's content away.
Touchpoint TouchpointOf(const std::vector<Identifier>& numbers, const AgentDirectory& agents,
                        DecidedCall* decided) {
  DecidedCall& call = *decided;
  Touchpoint touchpoint;
  ToProto(call.assembled.began_at, touchpoint.mutable_occurred_at());
  touchpoint.set_channel(touchpoint::v1::CHANNEL_PHONE);
  touchpoint.set_direction(call.assembled.direction);
  touchpoint.set_source(call.system);
  touchpoint.set_source_event_id(absl::StrCat("call/", call.call_id));
  const std::string agent = AgentOf(call.assembled, agents);
  if (!agent.empty()) touchpoint.set_agent_id(agent);
  *touchpoint.mutable_call_completed() = std::move(call.assembled.call);
  touchpoint.mutable_call_completed()->set_call_id(call.call_id);
  if (!numbers.empty()) {
    touchpoint.mutable_call_completed()->set_client_phone(numbers[0].value);
  }
  return touchpoint;
}

// What takes the place of a touchpoint that was written.
Touchpoint CorrectionOf(const DecidedCall& call, Touchpoint corrected) {
  Touchpoint touchpoint;
  *touchpoint.mutable_occurred_at() = corrected.occurred_at();
  touchpoint.set_channel(corrected.channel());
  touchpoint.set_direction(corrected.direction());
  touchpoint.set_source(corrected.source());
  const int64_t revision = absl::ToUnixMicros(call.decided_at);
  touchpoint.set_source_event_id(
      absl::StrCat(corrected.source_event_id(), "/correction/", revision));
  corrected.set_event_id(
      std::string(MakeEventId(corrected.source(), corrected.source_event_id()).view()));
  ToProto(call.decided_at, corrected.mutable_recorded_at());
  touchpoint.mutable_touchpoint_corrected()->set_correction(corrected.SerializeAsString());
  touchpoint.mutable_touchpoint_corrected()->set_revision(revision);
  return touchpoint;
}

}  // namespace

bool IsOurNumber(absl::string_view number, const IdentityRules& rules,
                 const AgentDirectory& agents) {
  absl::StatusOr<std::string> normal = NormalizePhone(number, rules.forms.phone);
  // With the digit for an outside line before it, a number may be none.
  const absl::string_view dialled = rules.WithoutOutsideLine(number);
  if (!normal.ok() && dialled.size() != number.size()) {
    normal = NormalizePhone(dialled, rules.forms.phone);
  }
  if (normal.ok()) return rules.own_numbers.Has(*normal) || !agents.OfPhone(number).empty();
  return normal.status().code() != absl::StatusCode::kNotFound;
}

OfferedContact ContactOfCall(DecidedCall call, const IdentityRules& rules,
                             const AgentDirectory& agents) {
  OfferedContact contact;
  contact.source = call.source;
  if (call.assembled.direction == touchpoint::v1::DIRECTION_INTERNAL) {
    contact.skipped_because = "a call among ourselves";
  }
  contact.draft.identifiers = NumbersOf(call.assembled, rules);
  if (contact.skipped_because.empty() && contact.draft.identifiers.empty()) {
    contact.skipped_because = "no number of the other side is known";
  }
  if (!contact.skipped_because.empty()) contact.description = DescribeCall(call);
  Touchpoint touchpoint = TouchpointOf(contact.draft.identifiers, agents, &call);
  contact.draft.touchpoint =
      call.corrects ? CorrectionOf(call, std::move(touchpoint)) : std::move(touchpoint);
  return contact;
}

}  // namespace rapport
