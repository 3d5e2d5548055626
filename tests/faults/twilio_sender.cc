#include "tests/faults/twilio_sender.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "tests/faults/people.h"

namespace rapport::testing {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int64_t kFirstCall = 1772442045;  // 2026-03-02 09:00:45 UTC

Form State(const Form& call, int sequence, const std::string& status, int64_t at,
           int64_t duration = -1) {
  Form form = call;
  form.emplace_back("SequenceNumber", absl::StrCat(sequence));
  form.emplace_back("CallStatus", status);
  form.emplace_back("Timestamp", absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000",
                                                  absl::FromUnixSeconds(at), absl::UTCTimeZone()));
  if (duration >= 0) form.emplace_back("CallDuration", absl::StrCat(duration));
  return form;
}

}  // namespace

TwilioSender::TwilioSender(std::string name, uint64_t seed, WebHookClient* client,
                           SentContacts* sent)
    : name_(std::move(name)), client_(client), sent_(sent), random_(seed) {
  thread_ = std::thread([this] { Run(); });
}

void TwilioSender::Stop() {
  wait_.Stop();
  if (thread_.joinable()) thread_.join();
}

void TwilioSender::Run() {
  while (wait_.For(absl::Milliseconds(5 + random_.Below(80)))) {
    for (const Form& state : MakeCall()) {
      client_->PostTwilio(state);
      if (random_.Chance(20)) client_->PostTwilio(state);
    }
  }
}

std::vector<Form> TwilioSender::MakeCall() {
  const int64_t number = calls_++;
  const Person person(static_cast<int>(random_.Below(Person::kCount)));
  const int64_t begin = kFirstCall + 60 * number;
  const int64_t talk = 1 + random_.Below(900);
  const std::string id = absl::StrCat("CA", name_, number);
  const Form call = {
      {"CallSid", id}, {"Direction", "inbound"}, {"From", person.phone}, {"To", "+4930999111"}};
  const Form passed_on = {{"CallSid", absl::StrCat(id, "b")},
                          {"ParentCallSid", id},
                          {"Direction", "outbound-dial"},
                          {"From", person.phone},
                          {"To", "+4930999201"}};
  Touchpoint expected;
  touchpoint::v1::CallCompleted& completed = *expected.mutable_call_completed();
  completed.set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  completed.set_talk_seconds(static_cast<int32_t>(talk));
  std::vector<Form> states;
  switch (random_.Below(3)) {
    case 0:  // answered
      states = {State(call, 0, "ringing", begin), State(call, 1, "in-progress", begin + 7),
                State(call, 2, "completed", begin + 7 + talk, talk)};
      completed.set_wait_seconds(7);
      break;
    case 1:  // rang in vain
      states = {State(call, 0, "ringing", begin), State(call, 1, "no-answer", begin + 30, 0)};
      completed.set_outcome(touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
      completed.set_talk_seconds(0);
      completed.set_wait_seconds(30);
      break;
    default:  // taken by a machine, and passed on to a person
      states = {State(call, 0, "ringing", begin),
                State(call, 1, "in-progress", begin + 1),
                State(passed_on, 0, "initiated", begin + 2),
                State(passed_on, 1, "ringing", begin + 3),
                State(passed_on, 2, "in-progress", begin + 9),
                State(passed_on, 3, "completed", begin + 9 + talk, talk),
                State(call, 2, "completed", begin + 9 + talk, 8 + talk)};
      completed.set_wait_seconds(9);
      expected.set_agent_id("ben");
  }
  expected.set_source("twilio");
  expected.set_source_event_id(absl::StrCat("call/", id));
  ToProto(absl::FromUnixSeconds(begin), expected.mutable_occurred_at());
  completed.set_client_phone(person.phone);
  sent_->Add(person.caller, ContactLine(expected));
  sent_->Count("twilio", std::ssize(states));
  return states;
}

}  // namespace rapport::testing
