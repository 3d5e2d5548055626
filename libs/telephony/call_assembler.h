#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/telephony/leg_view.h"
#include "rapport/source/v1/call.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"
#include "rapport/touchpoint/v1/contact.pb.h"

// Many facts make one call. What the systems leave open is decided here:
//  - A person took a call when a leg with a called channel was answered, or the queue says so. A
//    leg that was answered without a called channel heard a machine: an announcement
//    (effective = false, no talk), or voice mail.
//  - Asterisk hides rings behind Local channels, which are nobody; the same talk through two legs
//    counts once.
//  - A queue that tells how long was talked is believed before a leg, since a leg that was answered
//    by the queue's music counts the waiting too.
//  - Who of ours took part tells the direction, and not who the system says began it: what one of
//    our people began, from a telephone, a browser or by a click, is outbound, and only the legs to
//    the other side are talk. A call that was passed on to a colleague's mobile stays inbound.
//  - The same step told twice, by the queue log and the manager interface (within two seconds),
//    counts once; and so does the same leg.

namespace rapport {

struct AssembledCall {
  // Whether nothing is missing: no queue step without its end, no call heard of in the queue alone,
  // no call whose end was not told.
  bool complete = false;
  // What is missing, for people; empty when complete.
  std::string missing;
  // Whether more may follow at once even when nothing is missing: the system tells a call piece by
  // piece, or it numbers the pieces and one of them is not there.
  bool may_grow = false;
  absl::Time began_at;
  // The end as far as it is known.
  absl::Time ended_at;
  // When the system told the latest of it, by its clock; the infinite past where facts do not say.
  absl::Time told_at = absl::InfinitePast();
  // DIRECTION_INTERNAL: among ourselves, and no contact.
  touchpoint::v1::Direction direction = touchpoint::v1::DIRECTION_UNSPECIFIED;
  // As they were written, the likeliest first; none when the number was withheld.
  std::vector<std::string> client_numbers;
  // Who of ours spoke, or was rung, as the system calls them, the best name first: names of agents,
  // channels such as "SIP/201" and extensions of one person; none when nobody was.
  std::vector<std::string> agents;
  // client_phone and purpose are empty; incomplete is the opposite of `complete`.
  touchpoint::v1::CallCompleted call;
};

struct AssembleOptions {
  // Whether a number or an extension, as it was written, is ours.
  std::function<bool(absl::string_view)> is_ours;
  // Whether one of our people is known to be called so: an extension, a channel such as
  // "SIP/201-00000a12", a name, an address or a number, as it was written. When not set: nobody is.
  std::function<bool(absl::string_view)> is_agent;
  // Whether a queue log, or the manager interface, tells of the queues of this system: a call that
  // was queued is not complete before it did.
  bool queue_steps_expected = false;
};

// The call that `facts` tell of, all of one call; a pure function of the set of facts, whatever
// their order and however often each is there. At least one.
AssembledCall AssembleCall(absl::Span<const source::v1::CallFact* const> facts,
                           const AssembleOptions& options);

// The call that legs alone tell of, all of the call of that id; as above.
AssembledCall AssembleLegs(absl::string_view call_id, absl::Span<const LegView> legs,
                           const AssembleOptions& options);

}  // namespace rapport
