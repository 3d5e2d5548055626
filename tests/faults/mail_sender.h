#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "libs/projections/testing/random_history.h"
#include "libs/sources/stoppable_wait.h"
#include "tests/faults/sent_contacts.h"

namespace rapport::testing {

// People who write to ben@firm.example until they are stopped: mails go into the mailbox, some into
// a second folder, and some are posted to a web hook, two ways for one mail now and then.
class MailSender {
 public:
  // Where a mail goes, by any of those that are there. Each returns once it was taken.
  struct Ways {
    std::function<void(const std::string& mail)> inbox;  // of the source "info"
    std::function<void(const std::string& mail)> sales;  // the folder Sales, of the source "sales"
    std::function<void(const std::string& mail)> web_hook;  // the source "mailgun"
  };
  MailSender(Ways ways, uint64_t seed, SentContacts* sent);
  ~MailSender() { Stop(); }
  void Stop();
  int64_t mails() const { return mails_; }

 private:
  void Run();
  void Send();

  const Ways ways_;
  SentContacts* const sent_;
  Random random_;
  std::atomic<int64_t> mails_ = 0;
  StoppableWait wait_;
  std::thread thread_;
};

}  // namespace rapport::testing
