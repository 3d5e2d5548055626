#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/telephony/call_assembler.h"
#include "libs/telephony/leg_view.h"
#include "rapport/source/v1/call.pb.h"

// How each kind of facts becomes a call; call_assembler.h chooses. All are sorted and without
// repetition, and there is at least one.

namespace rapport::telephony_internal {

// Legs and queue steps (Asterisk, FreeSWITCH); either may be absent.
AssembledCall FromLegs(absl::string_view call_id, absl::Span<const LegView> legs,
                       const std::vector<const source::v1::QueueStep*>& steps,
                       const AssembleOptions& options);
// States (Twilio).
AssembledCall FromStatuses(std::vector<const source::v1::CallStatus*> statuses,
                           const AssembleOptions& options);
// Snapshots (Amazon Connect).
AssembledCall FromSnapshots(std::vector<const source::v1::CallSnapshot*> snapshots,
                            const AssembleOptions& options);

// What is known of the steps of a call in queues.
struct QueueCourse {
  bool any = false;
  bool open = false;       // waiting, or talking, as far as is known
  bool taken = false;      // an agent took it
  bool abandoned = false;  // the last thing that happened was that the caller hung up
  int entered = 0;
  int transferred = 0;
  int64_t wait_seconds = 0;
  int64_t talk_seconds = 0;
  bool talk_known = false;
  std::string queue;  // the last one
  std::string agent;  // the last one who took it
  std::string caller;
};
QueueCourse FollowQueue(std::vector<const source::v1::QueueStep*> steps);

// Adds a text unless it is empty or there already.
void AddUnique(absl::string_view text, std::vector<std::string>* texts);
// The device of a channel: "SIP/201" of "SIP/201-00000a12".
absl::string_view DeviceOf(absl::string_view channel);

}  // namespace rapport::telephony_internal
