#include "tests/faults/sent_contacts.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/time.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

std::string What(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kCallCompleted: {
      const touchpoint::v1::CallCompleted& call = touchpoint.call_completed();
      return absl::StrCat(touchpoint::v1::CallOutcome_Name(call.outcome()), " queue=", call.queue(),
                          " wait=", call.wait_seconds(), " talk=", call.talk_seconds(),
                          " transfers=", call.transfer_count(),
                          call.incomplete() ? " incomplete" : "", " phone=", call.client_phone());
    }
    case Touchpoint::kEmailExchanged:
      return absl::StrCat("'", touchpoint.email_exchanged().subject(), "' '",
                          touchpoint.email_exchanged().excerpt(),
                          "' address=", touchpoint.email_exchanged().client_e_mail());
    case Touchpoint::kEmailDelivered:
      return absl::StrCat("in ", touchpoint.email_delivered().mailbox(), " ",
                          touchpoint.email_delivered().folder());
    default:
      return "another kind";
  }
}

}  // namespace

std::string ContactLine(const Touchpoint& touchpoint) {
  return absl::StrCat(touchpoint.source(), " ", touchpoint.source_event_id(), " ",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%S", FromProto(touchpoint.occurred_at()),
                                       absl::UTCTimeZone()),
                      " agent=", touchpoint.agent_id(), " ", What(touchpoint));
}

}  // namespace rapport::testing
