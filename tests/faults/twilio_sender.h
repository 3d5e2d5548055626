#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "libs/projections/testing/random_history.h"
#include "libs/sources/stoppable_wait.h"
#include "tests/faults/sent_contacts.h"
#include "tests/faults/web_hook_client.h"

namespace rapport::testing {

// Calls through Twilio, whose status callbacks are posted one by one until it is stopped, some of
// them twice. Those of one sender come in their order.
class TwilioSender {
 public:
  // The source is called "twilio". `name` is part of the ids of calls.
  TwilioSender(std::string name, uint64_t seed, WebHookClient* client, SentContacts* sent);
  ~TwilioSender() { Stop(); }
  void Stop();
  int64_t calls() const { return calls_; }

 private:
  void Run();
  std::vector<Form> MakeCall();

  const std::string name_;
  WebHookClient* const client_;
  SentContacts* const sent_;
  Random random_;
  std::atomic<int64_t> calls_ = 0;
  StoppableWait wait_;
  std::thread thread_;
};

}  // namespace rapport::testing
