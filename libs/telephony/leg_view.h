#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "rapport/source/v1/call.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"

namespace rapport {

// What a call is put together from, of a leg as source::v1::CallLeg has it, in texts that live
// elsewhere: a message for each row of a file would cost several times as much as reading the row.
struct LegView {
  absl::string_view leg_id, from, to, caller_name, channel, to_channel;
  absl::string_view application, application_data, recording_reference;
  int64_t sequence = 0;
  absl::Time began_at;
  std::optional<absl::Time> answered_at;
  absl::Time ended_at;
  touchpoint::v1::CallOutcome outcome = touchpoint::v1::CALL_OUTCOME_UNSPECIFIED;
  int32_t talk_seconds = 0;

  // Calls `use` with each of the texts.
  template <class Use>
  void EachText(const Use& use) {
    for (absl::string_view* const text : {&leg_id, &from, &to, &caller_name, &channel, &to_channel,
                                          &application, &application_data, &recording_reference}) {
      use(text);
    }
  }
};

inline LegView ViewOf(const source::v1::CallLeg& leg) {
  LegView view{.leg_id = leg.leg_id(),
               .from = leg.from(),
               .to = leg.to(),
               .caller_name = leg.caller_name(),
               .channel = leg.channel(),
               .to_channel = leg.to_channel(),
               .application = leg.application(),
               .application_data = leg.application_data(),
               .recording_reference = leg.recording_reference(),
               .sequence = leg.sequence(),
               .began_at = FromProto(leg.began_at()),
               .ended_at = FromProto(leg.ended_at()),
               .outcome = leg.outcome(),
               .talk_seconds = leg.talk_seconds()};
  if (leg.has_answered_at()) view.answered_at = FromProto(leg.answered_at());
  return view;
}

}  // namespace rapport
